// SPDX-License-Identifier: MIT
// The energy registers of one reading, and whether they can be right (P09).
//
// An answer repeats neither the tariff nor anything else of its question. What arrives in the
// window of the wrong question is told from the right answer by arithmetic alone: the tariffs add
// up to the sum, no register falls, and no tariff grows by more than the sum.
#pragma once

#include "core/decimal.hpp"

#include <map>

namespace meterbridge::protocol {

using Registers = std::map<int, Decimal>;  // kWh by tariff; 0 = the sum

// The registers are read one after the other and cut to their last digit each: so much may be
// between the sum and its parts. True also when there is nothing to compare. `decimals` of the
// registers.
[[nodiscard]] bool adds_up(const Registers& registers, int decimals);
// No register is below what it was before, and no tariff grew by more than the sum did.
[[nodiscard]] bool follows(const Registers& registers, const Registers& before, int decimals);
// Two readings, one right after the other, say the same but for what was used in between.
[[nodiscard]] bool agrees(const Registers& first, const Registers& second);

}  // namespace meterbridge::protocol
