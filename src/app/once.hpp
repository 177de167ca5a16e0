// SPDX-License-Identifier: MIT
// Reading every meter exactly once: for `read`, and for `run --once` from cron.
#pragma once

#include "app/plan.hpp"
#include "core/reading.hpp"
#include "io/converse.hpp"
#include "protocol/telegram.hpp"

#include <functional>
#include <string>
#include <vector>

namespace meterbridge::app {

struct OnceResult {
  OnceResult() = default;
  std::string meter;
  std::optional<Error> error;  // nothing = delivered
  std::vector<Sample> samples;
  protocol::Telegram telegram;
  Milliseconds took{};
  // What crossed the line, as much as `tapped_bytes` of either.
  Bytes sent;
  Bytes heard;
  std::string remark;  // of the driver: what was wrong although readings came
};

inline constexpr std::size_t tapped_bytes = std::size_t{64} * 1024;

using OnceSink = std::function<void(const OnceResult&)>;
// Why a meter must not be asked at all; may be empty.
using OnceVeto = std::function<std::optional<Error>(const std::string& meter)>;

// Reads the meters of all links side by side, those of one link one after the other; `wanted` empty
// = all that are not paused. Calls `sink` once for each meter, on the loop. Ends when all were
// tried. Links from MQTT listen through `topics`; without it a connection to the broker is made for
// them.
boost::asio::awaitable<void> read_once(House& house, const std::vector<std::string>& wanted,
                                       OnceSink sink, OnceVeto veto = {},
                                       io::Topics* topics = nullptr);

// `run --once`: reads, delivers to the broker, waits for its acknowledgements. 0 all delivered, 1
// something was not.
int run_once(House house);

}  // namespace meterbridge::app
