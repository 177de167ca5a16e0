// SPDX-License-Identifier: MIT
// What drivers must not forget over a restart, out of the file of values and into it.
#pragma once

#include "app/memory.hpp"
#include "config/settings.hpp"
#include "meter/meter.hpp"

namespace meterbridge::app {

void remind_driver(meter::Meter& meter, const config::Settings& settings, const Memory& memory);
void note_driver(meter::Meter& meter, Memory& memory);

}  // namespace meterbridge::app
