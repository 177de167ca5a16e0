// SPDX-License-Identifier: MIT
#include "protocol/json/embedded.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::array<std::string_view, 3> encodings = {"raw", "hex", "base64"};

constexpr std::array specs = {
    SettingSpec{"carries", SettingType::text,
                "protocol of the telegrams inside the payloads, for example p1; without it the "
                "payloads themselves are read"},
    SettingSpec{"carried_as", SettingType::choice, "how those telegrams are written", "raw",
                encodings},
    SettingSpec{"carried_at", SettingType::text,
                "JSON pointer of those telegrams; without it the whole payload is one"},
    SettingSpec{"carried_settings", SettingType::text,
                "settings of their protocol, for example \"crc=off country=hu\""},
    SettingSpec{"key", SettingType::key, "decryption key of those telegrams, 32 hex digits"},
    SettingSpec{"auth_key", SettingType::secret,
                "authentication key of those telegrams, 32 hex digits, or none"},
};

const SettingSpec* find_spec(const Protocol& protocol, std::string_view name) {
  const auto at = std::ranges::find(protocol.settings, name, &SettingSpec::name);
  return at == protocol.settings.end() ? nullptr : &*at;
}

std::string pushing_protocols() {
  std::string names;
  for (const Protocol& protocol : protocols()) {
    if (protocol.pushes && protocol.name != "json")
      names += (names.empty() ? "" : ", ") + std::string(protocol.name);
  }
  return names;
}

Result<> read_pairs(std::string_view rest, Carried& carried) {
  for (rest = trimmed(rest); !rest.empty(); rest = trimmed(rest)) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end);
    const std::size_t equals = pair.find('=');
    const SettingSpec* spec = find_spec(*carried.protocol, pair.substr(0, equals));
    if (equals == std::string_view::npos || spec == nullptr) {
      return Error{Errc::invalid, "carried_settings: \"" + sanitised(pair, 40) +
                                      "\" is not KEY=VALUE with a setting of protocol " +
                                      std::string(carried.protocol->name)};
    }
    auto value = parse_setting(*spec, pair.substr(equals + 1));
    if (!value) return value.error().within("carried_settings: " + std::string(spec->name));
    carried.settings.set(spec->name, std::move(*value));
  }
  return {};
}

Result<Bytes> from_base64(std::string_view text) {
  Bytes bytes;
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t digits = 0;
  bool ended = false;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
    if (c == '=') {
      ended = true;
      continue;
    }
    // Both alphabets of RFC 4648.
    const std::size_t digit = alphabet.find(c == '-' ? '+' : c == '_' ? '/' : c);
    if (ended || digit == std::string_view::npos)
      return Error{Errc::malformed, "is no base64 text"};
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    held += 6;
    ++digits;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<std::byte>((bits >> static_cast<unsigned>(held)) & 0xFFU));
  }
  if (digits % 4 == 1) return Error{Errc::malformed, "is no base64 text: its end is missing"};
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8U) | (k < count ? u8(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? alphabet[(bits >> (18U - 6U * k)) & 0x3FU] : '=';
  }
  return text;
}

}  // namespace

std::span<const SettingSpec> carried_specs() noexcept {
  return specs;
}

Result<std::optional<Carried>> read_carried(const SettingValues& settings) {
  const std::string name = settings.text("carries");
  if (name.empty()) {
    for (const char* other : {"carried_at", "carried_settings", "key", "auth_key"}) {
      if (settings.has(other))
        return Error{Errc::invalid, std::string(other) + " has no meaning without carries"};
    }
    return std::optional<Carried>();
  }
  Carried carried;
  carried.protocol = find_protocol(name);
  if (carried.protocol == nullptr || !carried.protocol->pushes || name == "json") {
    return Error{Errc::invalid,
                 "carries: \"" + sanitised(name, 40) +
                     "\" is no protocol whose meters send by themselves; those are " +
                     pushing_protocols()};
  }
  carried.settings = default_settings(carried.protocol->settings);
  for (const std::string_view shared : {"key", "auth_key"}) {
    const auto* value = settings.find(shared);
    if (value == nullptr) continue;
    if (find_spec(*carried.protocol, shared) == nullptr) {
      return Error{Errc::invalid,
                   std::string(shared) + ": protocol " + name + " has no such setting"};
    }
    carried.settings.set(shared, *value);
  }
  const auto encoding = std::ranges::find(encodings, settings.text("carried_as"));
  if (encoding != encodings.end())
    carried.encoding = static_cast<Encoding>(encoding - encodings.begin());
  carried.pointer = settings.text("carried_at");
  if (const auto why = pointer_fault(carried.pointer); !why.empty())
    return Error{Errc::invalid, "carried_at " + std::string(why)};
  if (auto read = read_pairs(settings.text("carried_settings"), carried); !read)
    return read.error();
  return std::optional(std::move(carried));
}

Result<std::optional<Bytes>> telegram_of(const Carried& carried, std::span<const Leaf> leaves) {
  const auto at = std::ranges::find(leaves, carried.pointer, &Leaf::pointer);
  if (at == leaves.end() || at->kind == Kind::null) return std::optional<Bytes>();
  if (at->kind != Kind::text)
    return Error{Errc::malformed, carried.pointer + " is no text that could hold a telegram"};
  auto bytes = decoded(carried.encoding, at->text);
  if (!bytes) return bytes.error().within(carried.pointer);
  return std::optional(*std::move(bytes));
}

Result<Bytes> decoded(Encoding encoding, std::string_view text) {
  switch (encoding) {
    case Encoding::hex:
      return from_hex(text);
    case Encoding::base64:
      return from_base64(text);
    case Encoding::raw:
      break;
  }
  return to_bytes(text);
}

std::string encoded(Encoding encoding, ByteView bytes) {
  switch (encoding) {
    case Encoding::hex:
      return to_hex(bytes);
    case Encoding::base64:
      return to_base64(bytes);
    case Encoding::raw:
      break;
  }
  return to_text(bytes);
}

}  // namespace meterbridge::protocol::json
