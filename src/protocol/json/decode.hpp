// SPDX-License-Identifier: MIT
// From a document to items (every value that is in it) and readings (those that a field names).
#pragma once

#include "protocol/json/embedded.hpp"
#include "protocol/json/fields.hpp"
#include "protocol/telegram.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::json {

// The address of an item that is the payload itself.
inline constexpr std::string_view whole_payload = "payload";

struct Options {
  Options() = default;
  bool plain = false;  // payloads are single values, not JSON
  std::string topic;   // of what comes without one: files, streams
  Tolerance tolerance = Tolerance::none;
  std::vector<Field> fields;
  std::optional<Carried> carried;
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;
// Error: invalid, in words.
Result<Options> read_options(const SettingValues& settings);

struct Understood {
  Understood() = default;
  Telegram telegram;
  std::string remark;  // values that are there and cannot be taken; empty when all is well
};

// Whether a message on this topic can mean anything to us.
[[nodiscard]] bool concerns(const Options& options, std::string_view topic) noexcept;
// The values of a payload. Error: malformed.
Result<std::vector<Leaf>> leaves_of(const Options& options, std::string_view text);
// Error: unsupported, when there are fields and not one of them is in the document.
Result<Understood> understand(const Options& options, std::span<const Leaf> leaves,
                              std::string_view topic);

}  // namespace meterbridge::protocol::json
