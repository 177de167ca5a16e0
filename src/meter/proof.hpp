// SPDX-License-Identifier: MIT
// Proves a profile without a meter: by the exchanges written into it, and against its protocol's
// simulated meter.
#pragma once

#include "core/result.hpp"
#include "meter/profile_library.hpp"

namespace meterbridge::meter {

// Every exchange and telegram under `tests` yields exactly the expected readings; the profile's
// driver reads a simulated meter of the same settings. Error: what differs, in words.
Result<> prove(const Profile& profile);

}  // namespace meterbridge::meter
