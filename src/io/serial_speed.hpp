// SPDX-License-Identifier: MIT
// Odd speeds (250000 Bd) need the kernel's own structure, whose header cannot live beside
// <termios.h>.
#pragma once

#include <cstdint>

namespace meterbridge::io {

// Sets both directions of the open terminal; everything else stays. False with errno set when
// refused.
bool set_custom_speed(int descriptor, std::uint32_t baud) noexcept;
// The speed the kernel says it uses; 0 when it cannot be told.
[[nodiscard]] std::uint32_t present_speed(int descriptor) noexcept;

}  // namespace meterbridge::io
