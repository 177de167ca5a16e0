// SPDX-License-Identifier: MIT
// Frame counters of meters that encrypt: what was heard once is not heard again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol {

class FrameCounters {
 public:
  // False for a replay. A counter that began again from a lower value is believed once it was seen
  // to grow three times in a row: the meter was reset, or exchanged, or got a new key. `content`
  // (of the telegram, encrypted) tells a meter whose counter stands at 0 for ever from a
  // repetition.
  bool admit(std::string_view system_title, std::uint32_t counter, std::string_view content = {});

  // "4B464D6750000009:35 ...", and back. What is heard first after a restart must be above it.
  [[nodiscard]] std::string text() const;
  void remember(std::string_view text);

 private:
  struct Counter {
    Counter() = default;
    std::string system_title;
    std::uint32_t last = 0;
    std::uint32_t lower = 0;  // the last of those that were too low
    int lower_in_a_row = 0;
    std::size_t content = 0;  // a hash, of the last telegram whose counter was 0
    bool stands_still = false;
  };

  std::vector<Counter> counters_;
};

}  // namespace meterbridge::protocol
