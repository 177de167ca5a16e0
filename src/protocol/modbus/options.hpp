// SPDX-License-Identifier: MIT
// The settings of a Modbus meter.
#pragma once

#include "core/setting.hpp"
#include "protocol/modbus/frame.hpp"
#include "protocol/modbus/register.hpp"
#include "protocol/pace.hpp"

#include <optional>
#include <span>

namespace meterbridge::protocol::modbus {

// On a serial line; Modbus TCP needs no pause.
[[nodiscard]] inline Pace usual_pace() {
  Pace pace;
  pace.response_timeout = Milliseconds(1000);
  pace.gap = Milliseconds(30);
  return pace;
}

struct Options {
  Options() = default;
  std::uint8_t unit = 1;
  std::optional<Framing> framing;  // nothing: as the link has it
  Pace pace = usual_pace();
  bool identify = false;
  bool check_transaction = true;
  RegisterTable table;

  // Error: invalid, in words.
  static Result<Options> from(const SettingValues& settings);
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;
[[nodiscard]] std::span<const TableSpec> table_specs() noexcept;

}  // namespace meterbridge::protocol::modbus
