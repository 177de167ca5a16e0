// SPDX-License-Identifier: MIT
// Registers in which a device says what it is. They decide between profiles whose other registers
// hold something likely, too: false friends.
#pragma once

#include "scan/catalogue.hpp"

#include <array>
#include <span>
#include <string_view>

namespace meterbridge::scan {

struct Badge {
  std::string_view profile;
  int function = 3;
  int address = 0;
  std::string_view type;  // of the register table
  int length = 1;
  // Numbers as decimal text; of a text, words that occur in it, large or small.
  std::array<std::string_view, 6> expected;
};

enum class Bearer { unknown, own, another };

// Of this profile; null where none is known.
[[nodiscard]] const Badge* badge_of(std::string_view profile);
// The candidate's settings with this register alone.
[[nodiscard]] SettingValues settings_of(const Candidate& candidate, const Badge& badge);
// What was read. An empty register tells nothing.
[[nodiscard]] Bearer bearer_of(const Badge& badge, const protocol::Telegram& telegram);

}  // namespace meterbridge::scan
