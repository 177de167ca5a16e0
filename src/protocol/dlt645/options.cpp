// SPDX-License-Identifier: MIT
#include "protocol/dlt645/options.hpp"

#include <array>

namespace meterbridge::protocol::dlt645 {
namespace {

constexpr std::array<std::string_view, 2> versions{"1997", "2007"};

constexpr std::array specs{
    SettingSpec{.name = "address",
                .type = SettingType::integer,
                .help = "address of up to twelve digits, printed on the meter; often its number",
                .maximum = most_address},
    SettingSpec{.name = "version",
                .type = SettingType::choice,
                .help = "1997: codes of four digits, 2007: of eight",
                .fallback = "2007",
                .choices = versions},
    SettingSpec{.name = "wake_up",
                .type = SettingType::integer,
                .help = "how many bytes FE are sent in front of each request",
                .fallback = "4",
                .maximum = 16},
    response_timeout_setting("2s"),
    retries_setting,
    gap_setting("100ms"),
    address_gap_setting,
};

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

Version version_of(const SettingValues& settings) {
  return settings.text("version") == "1997" ? Version::v1997 : Version::v2007;
}

Result<Options> Options::from(const SettingValues& settings) {
  Options options;
  options.version = version_of(settings);
  if (settings.has("address")) options.address = settings.integer("address");
  if (settings.has("wake_up")) options.wake_ups = static_cast<int>(settings.integer("wake_up"));
  auto codes = code_table_from(settings, options.version);
  if (!codes) return codes.error();
  options.codes = *std::move(codes);
  const auto pace = Pace::from(settings);
  if (!pace) return pace.error();
  options.pace = *pace;
  return options;
}

}  // namespace meterbridge::protocol::dlt645
