// SPDX-License-Identifier: MIT
// Meters as the tests of this folder know them.
#pragma once

#include "homeassistant/documents.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::homeassistant::test {

[[nodiscard]] BridgeFacts bridge();

// Error in `key` = the test ends with a failure that names it.
[[nodiscard]] EntityFacts entity(std::string_view key, Kind kind = Kind::number, int precision = 0,
                                 std::string label = {});
[[nodiscard]] EntityFacts with_unit(EntityFacts facts, Unit unit);

[[nodiscard]] MeterFacts polled_house();   // a CE307
[[nodiscard]] MeterFacts pushing_p1();     // all sorts of readings
[[nodiscard]] MeterFacts gas_behind_p1();  // a sub-meter
[[nodiscard]] std::vector<MeterFacts> all_meters();

// Every key that the grammar knows, for some scopes and tariffs, with the unit in which it leaves
// the program.
[[nodiscard]] std::vector<EntityFacts> all_readings(Kind kind);

}  // namespace meterbridge::homeassistant::test
