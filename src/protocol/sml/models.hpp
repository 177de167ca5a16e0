// SPDX-License-Identifier: MIT
// What the meters that we know send, as tables: for the simulator and for tests.
#pragma once

#include "core/obis.hpp"
#include "protocol/sml/frame.hpp"
#include "protocol/sml/tlv.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace meterbridge::protocol::sml {

inline constexpr std::array<std::string_view, 12> model_names = {
    "iskra-mt691",       // and MT631: the usual new meter
    "iskra-mt175",       //
    "emh-ed300l",        // power without sign
    "emh-ehz-gw8",       // tariffs only
    "emh-mme40",         //
    "easymeter-q3a",     //
    "dzg-dvs74",         // firmware that sends positive powers as negative numbers
    "holley-dtz541",     // early firmware: check sum and times of its own
    "itron-openway",     //
    "ebz-dd3",           //
    "hager-ehz361",      // delivers only; net power in tariff 1
    "drneuhaus-smarty",  // delivers only; power without sign
};

struct Field {
  Obis code;
  TlvType type = TlvType::number;
  std::uint8_t size = 0;  // bytes; 0 = as many as the number needs
  std::int8_t scaler = 0;
  std::uint8_t unit = 30;
};

// How the meter writes a power that leaves the house.
enum class Sign : std::uint8_t {
  number,     // a negative number
  status,     // a magnitude; the status word has the direction
  too_short,  // likewise, but positive numbers may look negative (DZG)
};

struct Model {
  std::string_view name;
  std::string_view server_id;
  std::string_view maker;
  bool new_codes = true;  // 96.50.1 and 96.1.0, not 199.130.3 and 0.0.9
  CheckKind check = CheckKind::x25;
  bool bare_times = false;
  std::uint8_t status_size = 0;  // 0 = no status word
  std::uint32_t status_import = 0;
  std::uint32_t status_export = 0;
  Sign sign = Sign::number;
  std::span<const Field> fields;
};

// The first one when there is no such model.
[[nodiscard]] const Model& model_of(std::string_view name) noexcept;

}  // namespace meterbridge::protocol::sml
