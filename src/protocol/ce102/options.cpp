// SPDX-License-Identifier: MIT
#include "protocol/ce102/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace meterbridge::protocol::ce102 {
namespace {

constexpr std::string_view families[] = {"auto", "classic", "r51", "ce307"};
constexpr std::string_view decimal_choices[] = {"auto", "0", "1", "2", "3"};
constexpr std::string_view byte_orders[] = {"low_first", "high_first"};

constexpr std::array specs{
    SettingSpec{
        .name = "address",
        .type = SettingType::integer,
        .help = "network address; from the factory the last five digits of the serial number",
        .maximum = 65535},
    SettingSpec{.name = "serial",
                .type = SettingType::text,
                .help = "serial number, instead of the address"},
    SettingSpec{.name = "password",
                .type = SettingType::secret,
                .help = "password as a decimal number; 0 is the user who may only read",
                .fallback = "0"},
    SettingSpec{.name = "source_address",
                .type = SettingType::integer,
                .help = "our own address on the bus",
                .fallback = "253",
                .maximum = 65535},
    SettingSpec{.name = "family",
                .type = SettingType::choice,
                .help = "which of the three command sets the meter speaks; auto asks it",
                .fallback = "auto",
                .choices = families},
    SettingSpec{.name = "tariffs",
                .type = SettingType::integer,
                .help = "how many tariffs are asked for, besides the sum",
                .fallback = "4",
                .maximum = 5},
    SettingSpec{
        .name = "decimals",
        .type = SettingType::choice,
        .help = "decimals of the energy of classic meters; auto asks the meter, `decode` assumes 2 "
                "where the capture does not tell",
        .fallback = "auto",
        .choices = decimal_choices},
    SettingSpec{.name = "instant",
                .type = SettingType::boolean,
                .help = "experimental: ask for voltage, current and power (undocumented commands)",
                .fallback = "false"},
    SettingSpec{.name = "instant_byte_order",
                .type = SettingType::choice,
                .help = "byte order of the experimental values",
                .fallback = "low_first",
                .choices = byte_orders},
    SettingSpec{.name = "current_scale",
                .type = SettingType::decimal,
                .help = "ampere per count of the experimental current: 0.001 or 0.01",
                .fallback = "0.001"},
    SettingSpec{
        .name = "power_scale",
        .type = SettingType::decimal,
        .help =
            "watt per count of the power; r51: 0.001 if not set, classic: not asked if not set"},
    response_timeout_setting("1500ms"),
    retries_setting,
    gap_setting("50ms"),
    address_gap_setting,
};

Result<std::uint32_t> parse_password(const Secret& password) {
  const std::string& digits = password.reveal();
  std::uint32_t number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, number);
  if (fault != std::errc{} || stop != end) {
    return Error(Errc::invalid, "password: not a number from 0 to 4294967295");
  }
  return number;
}

Family parse_family(std::string_view text) {
  const auto at = std::ranges::find(families, text);
  return at == std::end(families) ? Family::automatic
                                  : static_cast<Family>(at - std::begin(families));
}

Result<> read_instant(const SettingValues& settings, Instant& instant) {
  instant.on = settings.has("instant") && settings.boolean("instant");
  instant.high_byte_first =
      settings.has("instant_byte_order") && settings.text("instant_byte_order") == "high_first";
  instant.power_scale = settings.decimal("power_scale");
  if (const auto scale = settings.decimal("current_scale")) instant.current_scale = *scale;
  for (const auto& scale : {instant.power_scale, std::optional(instant.current_scale)}) {
    if (scale && (*scale <= Decimal(0) || *scale > Decimal(1000) || scale->precision() > 9)) {
      return Error(Errc::invalid, "current_scale, power_scale: allowed are 0.000000001 to 1000");
    }
  }
  return {};
}

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

Result<std::uint16_t> address_from_serial(std::string_view serial) {
  const bool digits = std::ranges::all_of(serial, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || serial.size() < 4) {
    return Error(Errc::invalid,
                 "serial: at least the last five digits of the number on the meter are needed");
  }
  for (const std::size_t count : {std::size_t{5}, std::size_t{4}}) {
    const std::string_view tail = serial.substr(serial.size() - std::min(serial.size(), count));
    unsigned number = 0;
    std::from_chars(tail.data(), tail.data() + tail.size(), number);
    if (number <= 65535) return static_cast<std::uint16_t>(number);
  }
  return Error(Errc::bug, "serial: four digits above 65535");
}

Result<Options> Options::from(const SettingValues& settings) {
  Options options;
  if (settings.has("address"))
    options.address = static_cast<std::uint16_t>(settings.integer("address"));
  if (settings.has("serial")) options.serial = settings.text("serial");
  if (!options.address && !options.serial.empty()) {
    const auto address = address_from_serial(options.serial);
    if (!address) return address.error();
    options.address = *address;
  }
  options.station.meter = options.address.value_or(0);
  if (settings.has("source_address")) {
    options.station.bridge = static_cast<std::uint16_t>(settings.integer("source_address"));
  }
  if (settings.has("password")) {
    const auto password = parse_password(settings.secret("password"));
    if (!password) return password.error();
    options.station.password = *password;
  }
  if (settings.has("family")) options.family = parse_family(settings.text("family"));
  if (settings.has("tariffs")) options.tariffs = static_cast<int>(settings.integer("tariffs"));
  if (settings.has("decimals") && settings.text("decimals") != "auto") {
    options.decimals = settings.text("decimals").front() - '0';
  }
  if (const auto read = read_instant(settings, options.instant); !read) return read.error();
  const auto pace = Pace::from(settings);
  if (!pace) return pace.error();
  options.pace = *pace;
  return options;
}

}  // namespace meterbridge::protocol::ce102
