// SPDX-License-Identifier: MIT
#include "protocol/p1/settings.hpp"

#include "core/text.hpp"
#include "protocol/choice.hpp"

#include <array>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::array<std::string_view, 3> check_modes = {"on", "off", "x25"};
constexpr std::array<std::string_view, 11> countries = {"auto", "nl", "be", "lu", "at", "hu",
                                                        "se",   "fi", "lt", "si", "pl"};
static_assert(countries.size() == static_cast<std::size_t>(Country::pl) + 1);

constexpr std::array specs = {
    SettingSpec{
        "key", SettingType::key,
        "decryption key from the grid operator, 32 hex digits; only for meters that encrypt"},
    SettingSpec{
        "auth_key", SettingType::secret,
        "authentication key, 32 hex digits, or none; without it the usual one is tried, then none"},
    SettingSpec{"system_title", SettingType::text,
                "16 hex digits, for meters whose encrypted frames carry no system title"},
    SettingSpec{"crc", SettingType::choice,
                "check sum of the telegram: on, off (strange meters), x25 (reported of Holley)",
                "on", check_modes},
    SettingSpec{"country", SettingType::choice,
                "decides the time zone of the meter's clock; in simulate also what the meter sends",
                "auto", countries},
    SettingSpec{"seven_bit", SettingType::boolean,
                "remove bit 7 of every byte: a 7E1 meter (DSMR 2.2, 3.0) on an 8N1 line", "false"},
    SettingSpec{"timeout", SettingType::duration,
                "how long the port may stay silent before it is a fault", "30s"},
};

// Never repeats what was typed: it may be a secret.
Result<Bytes> hex_bytes(std::string_view name, std::string_view text, std::size_t size) {
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != size) {
    return Error{Errc::invalid,
                 std::string(name) + " must be " + std::to_string(2 * size) + " hex digits"};
  }
  return bytes;
}

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

Result<P1Settings> read_settings(const SettingValues& values) {
  constexpr std::size_t key_size = 16;
  constexpr std::size_t title_size = 8;
  P1Settings settings;
  settings.options.check = static_cast<CheckMode>(index_in(check_modes, values.text("crc")));
  settings.options.country = static_cast<Country>(index_in(countries, values.text("country")));
  settings.options.seven_bit = values.boolean("seven_bit");
  settings.patience = values.duration("timeout");
  if (settings.patience <= Milliseconds(0)) settings.patience = std::chrono::seconds(30);
  if (values.has("key")) {
    auto key = hex_bytes("key", values.secret("key").reveal(), key_size);
    if (!key) return key.error();
    settings.keys.key = *std::move(key);
  }
  const Secret authentication = values.secret("auth_key");
  if (same_ignoring_case(authentication.reveal(), "none")) {
    settings.keys.authentication = Bytes();
  } else if (!authentication.empty()) {
    auto key = hex_bytes("auth_key", authentication.reveal(), key_size);
    if (!key) return Error{Errc::invalid, "auth_key must be 32 hex digits, or none"};
    settings.keys.authentication = *std::move(key);
  }
  if (const std::string title = values.text("system_title"); !title.empty()) {
    const auto bytes = hex_bytes("system_title", title, title_size);
    if (!bytes) return bytes.error();
    settings.keys.system_title = to_text(*bytes);
  }
  return settings;
}

}  // namespace meterbridge::protocol::p1
