// SPDX-License-Identifier: MIT
// Drivers that know something that must outlive the program: frame counters of meters that encrypt.
#pragma once

#include <string>
#include <string_view>

namespace meterbridge::protocol {

class Remembering {
 public:
  virtual ~Remembering() = default;
  // One line for a file of state; empty when there is nothing. Nothing secret is in it.
  [[nodiscard]] virtual std::string memory() const = 0;
  // What memory() once said. What cannot be understood is left out.
  virtual void remember(std::string_view memory) = 0;
};

}  // namespace meterbridge::protocol
