// SPDX-License-Identifier: MIT
// For sockets on a worker's thread, where a wait may block up to a limit.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>

#include <poll.h>

namespace meterbridge::sink {

// Until one of the events has come. False: the time ran out.
[[nodiscard]] inline bool wait_for(int socket, short events,
                                   std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now())
            .count();
    if (left <= 0) return false;
    pollfd one{socket, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace meterbridge::sink
