// SPDX-License-Identifier: MIT
// Counters of one import: what falls and comes back was no reading; what falls and goes on from
// there is a new meter.
#pragma once

#include "core/reading.hpp"
#include "history/reader.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace meterbridge::history {

// So many lower values in a row are believed.
inline constexpr std::size_t believed_after = 5;

class Counters {
 public:
  struct Sink {
    Sink() = default;
    std::function<void(Place, Sample&&)> pass;
    std::function<void(Place, const std::string&)> refuse;
    std::function<void(const std::string&)> tell;
  };

  explicit Counters(Sink sink) : sink_(std::move(sink)) {}

  // In the order of the file. What goes back in time is passed on as it is.
  void put(Place place, Sample&& sample);
  // The end of a file: what still waits was not confirmed.
  void flush();

 private:
  struct Held {
    Place place;
    Sample sample;
    std::string why;
  };

  struct Meter {
    Instant at = Instant::min();
    std::map<ReadingKey, Decimal> last;
    std::vector<Held> held;
  };

  void pass(Meter& meter, Place place, Sample&& sample);
  void refuse(Meter& meter);

  Sink sink_;
  std::map<std::string, Meter, std::less<>> meters_;
};

}  // namespace meterbridge::history
