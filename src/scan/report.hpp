// SPDX-License-Identifier: MIT
// What was found, as a configuration, as JSON, and in words.
#pragma once

#include "meter/profile_library.hpp"
#include "scan/finding.hpp"

#include <span>
#include <string>

namespace meterbridge::scan {

// Where the meters are, as a configuration has it.
struct Where {
  Where() = default;
  bool network = false;
  std::string link;  // the port by its stable name, or HOST:PORT
};

// A file that `check` accepts; what was ambiguous, and what its user still has to say, are
// comments.
[[nodiscard]] std::string configuration(std::span<const Finding> findings, const Where& where,
                                        const meter::ProfileLibrary& library);
// One object.
[[nodiscard]] std::string json(const Finding& finding, const Where& where);
// "modbus, address 3, 9600 8N1: eastron-sdm630 (40 values fit)"
[[nodiscard]] std::string words(const Finding& finding, const Where& where);

}  // namespace meterbridge::scan
