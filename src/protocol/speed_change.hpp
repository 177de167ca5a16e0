// SPDX-License-Identifier: MIT
// What a responder has in addition whose meter changes its speed in the middle of a conversation.
#pragma once

#include <cstdint>

namespace meterbridge::protocol {

class SpeedChange {
 public:
  SpeedChange() = default;
  SpeedChange(const SpeedChange&) = delete;
  SpeedChange& operator=(const SpeedChange&) = delete;
  virtual ~SpeedChange() = default;
  // The speed of the line, before Responder::received(), where it is known: at another one than its
  // own the meter hears nothing. True: what it sends takes the time of the line's speed.
  virtual bool hears_at(std::uint32_t baud) = 0;
};

}  // namespace meterbridge::protocol
