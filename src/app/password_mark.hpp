// SPDX-License-Identifier: MIT
// A mark by which a password that a meter refused is known again. Meters have passwords of six
// digits: the mark is made slowly (PBKDF2), so that a file of state does not tell them at once.
#pragma once

#include "core/secret.hpp"

#include <string>
#include <string_view>

namespace meterbridge::app {

// Another one each time; empty when the library has no random numbers.
[[nodiscard]] std::string password_mark(const Secret& password);
// False for the empty mark.
[[nodiscard]] bool is_mark_of(std::string_view mark, const Secret& password);

}  // namespace meterbridge::app
