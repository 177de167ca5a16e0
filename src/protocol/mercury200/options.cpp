// SPDX-License-Identifier: MIT
#include "protocol/mercury200/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace meterbridge::protocol::mercury200 {
namespace {

constexpr std::string_view digit_choices[] = {"last_six", "all"};
constexpr std::string_view scales[] = {"0.1", "1"};

constexpr std::array specs{
    SettingSpec{.name = "address",
                .type = SettingType::integer,
                .help = "network address as a number; from the factory it comes from the serial "
                        "number",
                .maximum = 4294967295},
    SettingSpec{.name = "serial",
                .type = SettingType::text,
                .help = "serial number, instead of the address"},
    SettingSpec{.name = "serial_digits",
                .type = SettingType::choice,
                .help = "which digits of the serial number are the address: the last six (200) or "
                        "all (206)",
                .fallback = "last_six",
                .choices = digit_choices},
    SettingSpec{.name = "tariffs",
                .type = SettingType::integer,
                .help = "how many tariffs are shown; the sum has all that the meter counts",
                .fallback = "4",
                .maximum = 4},
    SettingSpec{.name = "voltage_scale",
                .type = SettingType::choice,
                .help = "volt per count: some meters send whole volts",
                .fallback = "0.1",
                .choices = scales},
    SettingSpec{.name = "reactive",
                .type = SettingType::boolean,
                .help = "ask for reactive energy (206)",
                .fallback = "false"},
    response_timeout_setting("500ms"),
    retries_setting,
    gap_setting("50ms"),
    address_gap_setting,
};

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

Result<std::uint32_t> address_from_serial(std::string_view serial, bool last_six) {
  constexpr std::size_t six = 6;
  const std::string_view digits =
      last_six && serial.size() > six ? serial.substr(serial.size() - six) : serial;
  std::uint32_t number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, number);
  const bool all_digits = std::ranges::all_of(serial, [](char c) { return c >= '0' && c <= '9'; });
  if (fault != std::errc{} || stop != end || serial.size() < six || !all_digits)
    return Error(Errc::invalid,
                 "serial: the digits of the number on the meter are needed, at least six, as a "
                 "number up to 4294967295");
  return number;
}

Result<Options> Options::from(const SettingValues& settings) {
  Options options;
  if (settings.has("address"))
    options.address = static_cast<std::uint32_t>(settings.integer("address"));
  const std::string serial = settings.has("serial") ? settings.text("serial") : std::string();
  if (!options.address && !serial.empty()) {
    const bool all = settings.has("serial_digits") && settings.text("serial_digits") == "all";
    const auto address = address_from_serial(serial, !all);
    if (!address) return address.error();
    options.address = *address;
  }
  if (settings.has("tariffs")) options.tariffs = static_cast<int>(settings.integer("tariffs"));
  if (settings.has("voltage_scale") && settings.text("voltage_scale") == "1")
    options.voltage_scale = Decimal(1);
  options.reactive = settings.has("reactive") && settings.boolean("reactive");
  const auto pace = Pace::from(settings);
  if (!pace) return pace.error();
  options.pace = *pace;
  return options;
}

}  // namespace meterbridge::protocol::mercury200
