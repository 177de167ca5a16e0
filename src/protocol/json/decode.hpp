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

// Who publishes, where the documents are more than values with names.
enum class Sender : std::uint8_t { fields, wmbusmeters, rtl_433, vzlogger, meterbridge };

enum class CountsIn : std::uint8_t { unknown, wh, kwh };

// Of meters that come over one link which are taken.
struct Ids {
  std::vector<std::string> listed;
  bool all = false;
  std::size_t most = 0;  // of all
};

struct Options {
  Options() = default;
  Sender sender = Sender::fields;
  Ids ids;
  CountsIn counts_in = CountsIn::unknown;
  std::string root;    // where the pointers of the fields begin
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

// A value as it stands in the document.
[[nodiscard]] Item item_of(const Leaf& leaf);
// Whether a message on this topic can mean anything to us.
[[nodiscard]] bool concerns(const Options& options, std::string_view topic) noexcept;
// The values of a payload. Error: malformed.
Result<std::vector<Leaf>> leaves_of(const Options& options, std::string_view text);
// Error: unsupported, when there are fields and not one of them is in the document.
Result<Understood> understand(const Options& options, std::span<const Leaf> leaves,
                              std::string_view topic);

}  // namespace meterbridge::protocol::json
