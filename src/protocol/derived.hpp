// SPDX-License-Identifier: MIT
// Readings that follow from others of the same telegram.
#pragma once

#include "core/reading.hpp"

namespace meterbridge::protocol {

// power = import - export, for all phases together and each of them, where the meter sends both
// and no net power. Both may be above zero at once.
void add_net_power(MeterReadings& meter);
// The exact sum of the tariffs of an energy register that comes without its total.
void add_tariff_sums(MeterReadings& meter);

}  // namespace meterbridge::protocol
