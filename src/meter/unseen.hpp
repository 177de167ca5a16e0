// SPDX-License-Identifier: MIT
// What a profile knows and a meter did not send, with the usual reason (P25).
#pragma once

#include "core/reading_key.hpp"
#include "meter/profile_library.hpp"

#include <set>
#include <string_view>
#include <vector>

namespace meterbridge::meter {

struct Unseen {
  Unseen(ReadingKey k, std::string_view r) : key(k), reason(r) {}

  ReadingKey key;
  std::string_view reason;
};

// What a meter of this profile and these settings can say: what its simulated counterpart says.
[[nodiscard]] std::set<ReadingKey> known_keys(const Profile& profile,
                                              const SettingValues& settings);
// Why meters of a protocol usually leave a reading out; whose fault that is, and what helps.
[[nodiscard]] std::string_view why_unseen(std::string_view protocol, const ReadingKey& key);
// Nothing when nothing was seen at all: that has another reason.
[[nodiscard]] std::vector<Unseen> unseen(const Profile& profile, const std::set<ReadingKey>& known,
                                         const std::set<ReadingKey>& seen);

}  // namespace meterbridge::meter
