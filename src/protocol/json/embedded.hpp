// SPDX-License-Identifier: MIT
// Telegrams of another protocol that travel inside a payload: raw, or as hex or base64 text.
#pragma once

#include "core/setting.hpp"
#include "protocol/json/text.hpp"
#include "protocol/registry.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace meterbridge::protocol::json {

enum class Encoding : std::uint8_t { raw, hex, base64 };

struct Carried {
  Carried() = default;
  const Protocol* protocol = nullptr;
  SettingValues settings;  // of that protocol
  Encoding encoding = Encoding::raw;
  std::string pointer;  // empty: the payload is the telegram
};

// Nothing when no telegrams are carried. Error: invalid, in words.
Result<std::optional<Carried>> read_carried(const SettingValues& settings);
// Settings of ours that the other protocol may have too, under the same name.
[[nodiscard]] std::span<const SettingSpec> carried_specs() noexcept;

// The bytes of the telegram; nothing when the document has no such value. Error: malformed.
Result<std::optional<Bytes>> telegram_of(const Carried& carried, std::span<const Leaf> leaves);
Result<Bytes> decoded(Encoding encoding, std::string_view text);
[[nodiscard]] std::string encoded(Encoding encoding, ByteView bytes);

}  // namespace meterbridge::protocol::json
