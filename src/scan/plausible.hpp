// SPDX-License-Identifier: MIT
// Could a meter of a house have said this? Tells the profile that fits from those that read the
// same registers and take them for something else.
#pragma once

#include "core/reading.hpp"
#include "protocol/telegram.hpp"

#include <cstddef>

namespace meterbridge::scan {

enum class Likelihood {
  good,
  readable,  // a text of printable characters
  nothing,   // zero, or of a kind that may be anything
  flag,
  doubtful,
  impossible  // of a quantity that every meter shows within known limits
};

[[nodiscard]] Likelihood likelihood_of(const Reading& reading);

struct Tally {
  Tally() = default;
  std::size_t good = 0;
  std::size_t readable = 0;
  std::size_t flags = 0;
  std::size_t nothing = 0;
  std::size_t doubtful = 0;
  std::size_t impossible = 0;

  [[nodiscard]] std::size_t all() const noexcept {
    return good + readable + flags + nothing + doubtful + impossible;
  }

  // `expected`: how many values the profile knows; 0 = that is not known.
  [[nodiscard]] int points(std::size_t expected) const noexcept;
};

[[nodiscard]] Tally tally(const protocol::Telegram& telegram);

}  // namespace meterbridge::scan
