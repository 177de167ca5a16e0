// SPDX-License-Identifier: MIT
// Drivers that leave out what their meter refuses, or never answers, so that the rest is read
// (P10).
#pragma once

#include <string>
#include <vector>

namespace meterbridge::protocol {

class LeavesOut {
 public:
  virtual ~LeavesOut() = default;
  // One sentence each, for a person: what is not asked for at present, and what it would be.
  [[nodiscard]] virtual std::vector<std::string> left_out() const = 0;
};

}  // namespace meterbridge::protocol
