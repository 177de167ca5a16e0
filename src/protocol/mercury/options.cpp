// SPDX-License-Identifier: MIT
#include "protocol/mercury/options.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace meterbridge::protocol::mercury {
namespace {

constexpr std::string_view formats[] = {"binary", "ascii"};
constexpr std::string_view factory_password = "111111";

constexpr std::array specs{
    SettingSpec{.name = "address",
                .type = SettingType::integer,
                .help = "network address; 0 is answered by every meter, and only fit for a line "
                        "with a single one",
                .maximum = 240},
    SettingSpec{.name = "level",
                .type = SettingType::integer,
                .help = "access level of the channel: 1, the reader; level 2 may write and is "
                        "never opened",
                .fallback = "1",
                .minimum = 1,
                .maximum = 2},
    SettingSpec{.name = "password",
                .type = SettingType::secret,
                .help = "password of level 1: six characters, or twelve hex digits for the six "
                        "bytes themselves; only this one is ever tried",
                .fallback = factory_password},
    SettingSpec{.name = "password_format",
                .type = SettingType::choice,
                .help = "how the password 111111 is sent: six bytes 01 (binary, most meters) or "
                        "six characters 31 (ascii)",
                .fallback = "binary",
                .choices = formats},
    SettingSpec{.name = "tariffs",
                .type = SettingType::integer,
                .help = "how many tariffs are asked for, besides the sum",
                .fallback = "4",
                .maximum = 4},
    SettingSpec{.name = "phases",
                .type = SettingType::integer,
                .help = "phases of the meter, 1 or 3",
                .fallback = "3",
                .minimum = 1,
                .maximum = 3},
    SettingSpec{.name = "apply_ratio",
                .type = SettingType::boolean,
                .help = "multiply by the transformer ratios that the meter holds: energy and power "
                        "by both, voltage and current by their own",
                .fallback = "false"},
    SettingSpec{.name = "extended",
                .type = SettingType::boolean,
                .help = "ask for distortion of the voltages and temperature, too; not every meter "
                        "has them",
                .fallback = "false"},
    response_timeout_setting(
        "500ms", "how long an answer may take; at 600 baud and below at least 1s and 2s"),
    SettingSpec{.name = "timeout_factor",
                .type = SettingType::integer,
                .help = "the time-out multiplier that is set in the meter; response_timeout is "
                        "multiplied by it",
                .fallback = "1",
                .minimum = 1,
                .maximum = 255},
    retries_setting,
    gap_setting("50ms"),
    address_gap_setting,
};

Result<Bytes> parse_password(const std::string& text, bool ascii) {
  if (text.size() == 2 * password_length) {
    if (auto bytes = from_hex(text); bytes && bytes->size() == password_length) return bytes;
  }
  if (text.size() != password_length)
    return Error(Errc::invalid, "password: six characters, or twelve hex digits");
  Bytes bytes = to_bytes(text);
  if (ascii) return bytes;
  for (std::byte& b : bytes) {
    if (b < std::byte{'0'} || b > std::byte{'9'})
      return Error(Errc::invalid,
                   "password: with password_format binary six digits, or twelve hex digits");
    b = static_cast<std::byte>(u8(b) - '0');
  }
  return bytes;
}

Result<Pace> read_pace(const SettingValues& settings) {
  auto pace = Pace::from(settings);
  if (!pace || !settings.has("timeout_factor")) return pace;
  pace->response_timeout *= settings.integer("timeout_factor");
  if (pace->response_timeout > Milliseconds(60000))
    return Error(Errc::invalid, "timeout_factor: the answer would be awaited for more than 60s");
  return pace;
}

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

Result<Options> Options::from(const SettingValues& settings) {
  Options options;
  if (settings.has("address"))
    options.address = static_cast<std::uint8_t>(settings.integer("address"));
  if (settings.has("level") && settings.integer("level") != reader_level)
    return Error(Errc::invalid,
                 "level: 2 is the owner's, who may write; meterbridge opens level 1 only");
  const bool ascii = settings.has("password_format") && settings.text("password_format") == "ascii";
  const auto password =
      parse_password(settings.has("password") ? settings.secret("password").reveal()
                                              : std::string(factory_password),
                     ascii);
  if (!password) return password.error();
  options.password = *password;
  if (settings.has("tariffs")) options.tariffs = static_cast<int>(settings.integer("tariffs"));
  if (settings.has("phases")) options.phases = static_cast<int>(settings.integer("phases"));
  if (options.phases == 2) return Error(Errc::invalid, "phases: 1 or 3");
  options.apply_ratio = settings.has("apply_ratio") && settings.boolean("apply_ratio");
  options.extended = settings.has("extended") && settings.boolean("extended");
  const auto pace = read_pace(settings);
  if (!pace) return pace.error();
  options.pace = *pace;
  return options;
}

}  // namespace meterbridge::protocol::mercury
