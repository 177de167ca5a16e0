// SPDX-License-Identifier: MIT
#include "io/serial_speed.hpp"

#include <asm/ioctls.h>
#include <asm/termbits.h>

// Not <sys/ioctl.h>: on some systems it pulls in the other termios.
extern "C" int ioctl(int descriptor, unsigned long request, ...) noexcept;

namespace meterbridge::io {

bool set_custom_speed(int descriptor, std::uint32_t baud) noexcept {
  struct termios2 settings {};

  if (ioctl(descriptor, TCGETS2, &settings) != 0) return false;
  settings.c_cflag &= ~static_cast<tcflag_t>(CBAUD | (CBAUD << IBSHIFT));
  settings.c_cflag |= static_cast<tcflag_t>(BOTHER | (BOTHER << IBSHIFT));
  settings.c_ispeed = baud;
  settings.c_ospeed = baud;
  return ioctl(descriptor, TCSETS2, &settings) == 0;
}

std::uint32_t present_speed(int descriptor) noexcept {
  struct termios2 settings {};

  return ioctl(descriptor, TCGETS2, &settings) == 0 ? settings.c_ospeed : 0;
}

}  // namespace meterbridge::io
