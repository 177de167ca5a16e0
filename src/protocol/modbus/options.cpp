// SPDX-License-Identifier: MIT
#include "protocol/modbus/options.hpp"

#include "protocol/modbus/columns.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

constexpr std::string_view framings[] = {"auto", "rtu", "tcp"};

constexpr std::array own_settings{
    SettingSpec{.name = "address",
                .type = SettingType::integer,
                .help =
                    "unit number: 1 to 247 on a serial line, 0 to 255 with Modbus TCP; 1 if not "
                    "set",
                .maximum = 255},
    SettingSpec{.name = "framing",
                .type = SettingType::choice,
                .help = "auto is rtu on a serial port and Modbus TCP on a TCP link; rtu on a TCP "
                        "link is for serial gateways that pass the bytes as they are",
                .fallback = "auto",
                .choices = framings},
    response_timeout_setting("1s"),
    retries_setting,
    gap_setting({},
                "how long the line must be quiet before each request; 30ms if not set, 0ms with "
                "Modbus TCP"),
    address_gap_setting,
    SettingSpec{.name = "identify",
                .type = SettingType::boolean,
                .help = "ask maker, product and revision once (function 43/14)",
                .fallback = "false"},
    SettingSpec{.name = "check_transaction",
                .type = SettingType::boolean,
                .help = "Modbus TCP: answers must repeat the number of their request; false for "
                        "gateways that do not",
                .fallback = "true"},
};

template <class T, std::size_t A, std::size_t B>
constexpr std::array<T, A + B> joined(const std::array<T, A>& a, const std::array<T, B>& b) {
  std::array<T, A + B> all{};
  std::copy(a.begin(), a.end(), all.begin());
  std::copy(b.begin(), b.end(), all.begin() + A);
  return all;
}

constexpr auto all_settings = joined(own_settings, table_settings);

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return all_settings;
}

std::span<const TableSpec> table_specs() noexcept {
  static const std::array specs{register_table_spec()};
  return specs;
}

Result<Options> Options::from(const SettingValues& settings) {
  Options options;
  if (settings.has("address"))
    options.unit = static_cast<std::uint8_t>(settings.integer("address"));
  if (settings.text("framing") == "tcp") options.framing = Framing::tcp;
  if (settings.text("framing") == "rtu") options.framing = Framing::rtu;
  options.identify = settings.boolean("identify");
  if (settings.has("check_transaction"))
    options.check_transaction = settings.boolean("check_transaction");
  if (options.framing == Framing::tcp) options.pace.gap = Milliseconds(0);
  const auto pace = Pace::from(settings, options.pace);
  if (!pace) return pace.error();
  options.pace = *pace;
  auto table = register_table(settings);
  if (!table) return table.error();
  options.table = std::move(*table);
  return options;
}

}  // namespace meterbridge::protocol::modbus
