// SPDX-License-Identifier: MIT
// A question and the data of its answer: items as sent, and the readings that follow from them.
#pragma once

#include "protocol/mercury/options.hpp"
#include "protocol/mercury/values.hpp"
#include "protocol/telegram.hpp"

namespace meterbridge::protocol::mercury {

// What readings depend on besides the answer itself.
struct Scale {
  bool apply = false;            // by the ratios below
  std::optional<Ratios> ratios;  // as far as the meter told them
  int phases = 3;
};

[[nodiscard]] Telegram empty_telegram();

// `body` as in requests.hpp, `data` of one of its reply_lengths(). Adds items and readings; sets
// serial, firmware and time. Error: malformed; unsupported for requests that are not read.
Result<> read_answer(Telegram& telegram, ByteView body, ByteView data, const Scale& scale);

// One text for people; the ratios are no readings of the grammar of keys.
[[nodiscard]] std::string ratio_words(const Ratios& ratios, bool applied);

}  // namespace meterbridge::protocol::mercury
