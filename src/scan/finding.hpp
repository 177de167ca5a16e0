// SPDX-License-Identifier: MIT
// A meter that a scan found, and which profiles may be its own.
#pragma once

#include "core/line_settings.hpp"

#include <string>
#include <utility>
#include <vector>

namespace meterbridge::scan {

// A profile that may be the meter's. Points compare the candidates for one meter, and mean nothing
// else.
struct Match {
  Match(std::string p, int n) : profile(std::move(p)), points(n) {}

  std::string profile;
  int points = 0;
  std::size_t values = 0;  // that were read and are plausible
};

struct Finding {
  Finding() = default;

  std::string protocol;
  LineSettings line;
  std::string address;  // as the configuration has it; empty: the meter needs none
  // What the meter's entry needs besides its address.
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<Match> matches;  // best first; empty: it answers, and no profile fits
  std::string says;            // what it says of itself
  bool encrypted = false;
  std::string remark;  // a sentence for a person

  // How many of the matches are as good as the first: they answer alike.
  [[nodiscard]] std::size_t alike() const noexcept {
    std::size_t count = 0;
    while (count < matches.size() && matches[count].points == matches.front().points)
      ++count;
    return count;
  }
};

// Best first; equal ones in the order of their names. Those far behind the best are dropped.
void rank(std::vector<Match>& matches);

}  // namespace meterbridge::scan
