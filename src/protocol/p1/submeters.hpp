// SPDX-License-Identifier: MIT
// The M-Bus meters behind the electricity meter: gas, water, heat, further electricity meters.
#pragma once

#include "protocol/p1/readings.hpp"

#include <chrono>

namespace meterbridge::protocol::p1 {

// One MeterReadings for each living sub-meter. The channel says nothing: type and serial number
// make the identity. A channel with an empty serial number, a stamp of 1970 or a value without unit
// is a meter that was taken away.
void add_submeters(Telegram& telegram, Codes codes, std::chrono::minutes normal_offset);

}  // namespace meterbridge::protocol::p1
