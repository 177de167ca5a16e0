// SPDX-License-Identifier: MIT
#include "protocol/dlms/settings.hpp"

#include "core/text.hpp"
#include "protocol/choice.hpp"
#include "protocol/dlms/models.hpp"

#include <array>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::array<std::string_view, 4> framings = {"auto", "mbus", "hdlc", "apdu"};
constexpr std::array<std::string_view, 4> clock_rules = {"auto", "local", "standard", "off"};
static_assert(framings.size() == static_cast<std::size_t>(Framing::bare) + 1);
static_assert(clock_rules.size() == static_cast<std::size_t>(ClockRule::off) + 1);

constexpr std::array specs = {
    SettingSpec{"key", SettingType::key,
                "decryption key from the grid operator (GUEK, GPK60), 32 hex digits; not for "
                "meters that send in clear"},
    SettingSpec{
        "auth_key", SettingType::secret,
        "authentication key (GAK, GPK61), 32 hex digits; without it, or with none, tags are "
        "not compared"},
    SettingSpec{
        "system_title", SettingType::text,
        "16 hex digits: whose telegrams are taken where two meters are on one line, and for meters "
        "whose telegrams carry none"},
    SettingSpec{"framing", SettingType::choice,
                "what the telegrams come in: auto tells mbus and hdlc apart; apdu has no check and "
                "must be asked for",
                "auto", framings},
    SettingSpec{"clock", SettingType::choice,
                "the meter's clock where it does not tell its offset: auto (by make), local (time "
                "of the house), standard (UTC+1 all year), off",
                "auto", clock_rules},
    SettingSpec{"model", SettingType::choice,
                "the meter that `simulate` plays; reading knows meters by what they send",
                "kaifa-ma309m", model_names},
    SettingSpec{"timeout", SettingType::duration,
                "how long the meter may stay silent before it is a fault", "60s"},
};

// Never repeats what was typed: it may be a secret.
Result<Bytes> hex_bytes(std::string_view text, std::size_t size, const std::string& must) {
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != size) return Error{Errc::invalid, must};
  return bytes;
}

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

Result<DlmsSettings> read_settings(const SettingValues& values) {
  DlmsSettings settings;
  settings.options.framing = static_cast<Framing>(index_in(framings, values.text("framing")));
  settings.options.decode.clock =
      static_cast<ClockRule>(index_in(clock_rules, values.text("clock")));
  settings.patience = values.duration("timeout");
  if (settings.patience <= Milliseconds(0)) settings.patience = std::chrono::seconds(60);
  settings.model = values.text("model");
  if (values.has("key")) {
    auto key = hex_bytes(values.secret("key").reveal(), gcm_key_size, "key must be 32 hex digits");
    if (!key) return key.error();
    settings.keys.key = *std::move(key);
  }
  const Secret authentication = values.secret("auth_key");
  if (!authentication.empty() && !same_ignoring_case(authentication.reveal(), "none")) {
    auto key =
        hex_bytes(authentication.reveal(), gcm_key_size, "auth_key must be 32 hex digits, or none");
    if (!key) return key.error();
    settings.keys.authentication = *std::move(key);
  }
  if (const std::string title = values.text("system_title"); !title.empty()) {
    const auto bytes = hex_bytes(title, system_title_size, "system_title must be 16 hex digits");
    if (!bytes) return bytes.error();
    settings.keys.system_title = to_text(*bytes);
  }
  return settings;
}

}  // namespace meterbridge::protocol::dlms
