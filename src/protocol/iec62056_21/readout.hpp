// SPDX-License-Identifier: MIT
// From the lines of a readout to items and readings.
#pragma once

#include "protocol/iec62056_21/frame.hpp"
#include "protocol/iec62056_21/lines.hpp"
#include "protocol/telegram.hpp"

#include <span>

namespace meterbridge::protocol::iec62056_21 {

[[nodiscard]] Telegram empty_telegram();
void put_identification(Telegram& telegram, const Identification& identification);
// Items, readings, serial number and clock of a readout. Meters without identification (a capture
// that begins late) are possible.
void put_readout(Telegram& telegram, std::span<const Entry> entries);
// Lines of a telegram that has no block check: what cannot be true is damage. A number that is
// none, a unit that does not exist, a register that comes twice with two values. Error: malformed.
Result<> plausible_lines(std::span<const Entry> entries);
// The clock of a meter: date YYMMDD or [w.]DD.MM.YY, time hhmmss or hh:mm:ss, each perhaps behind a
// digit of season. Local time, as the meter shows it.
[[nodiscard]] std::optional<Seconds> clock_from(std::string_view date, std::string_view time);

}  // namespace meterbridge::protocol::iec62056_21
