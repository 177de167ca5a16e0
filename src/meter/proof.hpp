// SPDX-License-Identifier: MIT
// Proves a profile without a meter: by the exchanges written into it, and against its protocol's
// simulated meter.
#pragma once

#include "meter/profile_library.hpp"

#include <optional>

namespace meterbridge::meter {

// Every exchange and telegram under `tests` yields exactly the expected readings; the profile's
// driver reads a simulated meter of the same settings. Else what differs, with its place in the
// profile.
std::optional<config::Problem> prove(const Profile& profile);

// What the profile's driver reads of that simulated meter; nothing where the protocol has none.
Result<protocol::Telegram> read_simulated(const Profile& profile);
// The same with the settings of a meter.
Result<protocol::Telegram> read_simulated(const Profile& profile, SettingValues settings);
// What that simulated meter sends by itself; empty when it waits to be asked.
Bytes simulated_push(const Profile& profile, const SettingValues& settings);

}  // namespace meterbridge::meter
