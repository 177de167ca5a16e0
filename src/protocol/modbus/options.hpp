// SPDX-License-Identifier: MIT
// The settings of a Modbus meter.
#pragma once

#include "core/setting.hpp"
#include "protocol/modbus/frame.hpp"
#include "protocol/modbus/register.hpp"

#include <optional>
#include <span>

namespace meterbridge::protocol::modbus {

struct Options {
  Options() = default;
  std::uint8_t unit = 1;
  std::optional<Framing> framing;  // nothing: as the link has it
  Milliseconds response_timeout{1000};
  int retries = 2;
  Milliseconds gap{30};         // quiet line before each request; none with Modbus TCP
  Milliseconds address_gap{0};  // so much more before the first of a poll
  bool identify = false;
  bool check_transaction = true;
  RegisterTable table;

  // Error: invalid, in words.
  static Result<Options> from(const SettingValues& settings);
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;
[[nodiscard]] std::span<const TableSpec> table_specs() noexcept;

}  // namespace meterbridge::protocol::modbus
