// SPDX-License-Identifier: MIT
// What a configuration that was read again changes in a house that runs. No input or output: two
// houses are compared.
#pragma once

#include "app/plan.hpp"

#include <string>
#include <vector>

namespace meterbridge::app {

struct Changes {
  Changes() = default;
  std::vector<std::string> removed, changed, added;  // ids of meters
  std::vector<std::string> links;                    // changed or no longer used, by name
  std::vector<std::string> fixed;  // what only a restart can change: one sentence each
  bool broker = false;             // connect anew
  bool bridges = false;            // to further brokers; found when they are taken over
  bool sinks = false;              // something about them
  bool pages = false;              // for monitoring: listen anew
  bool announcement = false;       // what Home Assistant was told is told again
  std::size_t unchanged = 0;       // meters

  [[nodiscard]] bool any() const noexcept;
  [[nodiscard]] std::string text() const;  // one line for the log
};

// A meter has changed when its own settings, its profile or its link have.
Changes compare(const House& now, const House& fresh);

// Puts back into `fresh` what only a restart can change.
void keep_fixed(config::Settings& fresh, const config::Settings& now);

}  // namespace meterbridge::app
