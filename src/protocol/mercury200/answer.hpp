// SPDX-License-Identifier: MIT
// The data of an answer: items as sent, and the readings that follow from them.
#pragma once

#include "protocol/mercury200/frame.hpp"
#include "protocol/mercury200/options.hpp"
#include "protocol/telegram.hpp"

namespace meterbridge::protocol::mercury200 {

[[nodiscard]] Telegram empty_telegram();

// Adds items and readings, sets serial, firmware and time. `parameter` is the one that was asked
// for, where the command has any. Error: malformed, in words; unsupported for commands that are not
// read.
Result<> read_answer(Telegram& telegram, std::uint8_t command,
                     std::optional<std::uint8_t> parameter, ByteView data, const Options& options);

// Digits of packed BCD. A digit above 9: the meter has no such value.
[[nodiscard]] std::optional<std::int64_t> parse_bcd(ByteView bytes) noexcept;
// Volt. Nothing when it is not between 150 and 300 V: the scale is wrong, or the meter has none.
[[nodiscard]] std::optional<Decimal> believable_voltage(ByteView bytes, const Decimal& scale);

}  // namespace meterbridge::protocol::mercury200
