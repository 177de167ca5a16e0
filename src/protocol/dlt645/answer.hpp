// SPDX-License-Identifier: MIT
// The data of an answer: items as sent, and the readings that follow from them.
#pragma once

#include "protocol/dlt645/codes.hpp"
#include "protocol/telegram.hpp"

namespace meterbridge::protocol::dlt645 {

[[nodiscard]] Telegram empty_telegram();

// Adds items and readings. What the table does not know becomes an item with its digits. Error:
// malformed, in words; nothing was added.
Result<> read_answer(Telegram& telegram, const Selection& answer, const CodeTable& table);

}  // namespace meterbridge::protocol::dlt645
