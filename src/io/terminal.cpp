// SPDX-License-Identifier: MIT
#include "io/terminal.hpp"

#include "io/serial_speed.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

namespace meterbridge::io {
namespace {

constexpr std::array<std::pair<std::uint32_t, speed_t>, 19> standard_speeds{{
    {50, B50},         {110, B110},       {134, B134},       {150, B150},       {200, B200},
    {300, B300},       {600, B600},       {1200, B1200},     {1800, B1800},     {2400, B2400},
    {4800, B4800},     {9600, B9600},     {19200, B19200},   {38400, B38400},   {57600, B57600},
    {115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600},
}};

constexpr tcflag_t framing_flags = CSIZE | PARENB | PARODD | CSTOPB;

tcflag_t framing(const LineSettings& line) noexcept {
  tcflag_t flags = line.data_bits == 7 ? CS7 : CS8;
  if (line.parity != Parity::none) flags |= PARENB;
  if (line.parity == Parity::odd) flags |= PARODD;
  if (line.stop_bits == 2) flags |= CSTOPB;
  return flags;
}

void make_raw(termios& settings) noexcept {
  cfmakeraw(&settings);
  settings.c_iflag &= ~static_cast<tcflag_t>(INPCK | IGNPAR | IXOFF | IXANY);
  settings.c_cflag &= ~static_cast<tcflag_t>(framing_flags | CRTSCTS | HUPCL);
  settings.c_cflag |= CLOCAL | CREAD;
  // Zero would make an empty line look like the end of the file.
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
}

Error refusal(const std::string& port, const LineSettings& line, int reason) {
  auto why = reason == 0 ? std::string("the adapter cannot do it")
                         : std::generic_category().message(reason);
  return {Errc::no_device, port + " refuses " + line.text() + ": " + why};
}

}  // namespace

bool is_pseudo_terminal(int descriptor) noexcept {
  struct stat about {};

  if (fstat(descriptor, &about) != 0 || !S_ISCHR(about.st_mode)) return false;
  const auto number = major(about.st_rdev);
  return number >= 136 && number <= 143;  // the kernel's range for /dev/pts
}

Result<> apply(int descriptor, const LineSettings& line, const std::string& port) {
  termios wanted{};
  if (tcgetattr(descriptor, &wanted) != 0) {
    if (errno == ENOTTY) return Error(Errc::no_device, port + " is not a serial port");
    return refusal(port, line, errno);
  }
  make_raw(wanted);
  wanted.c_cflag |= framing(line);
  // Protocols of 8 bits have their own check. Some text of 7 bits has none: there a character of
  // wrong parity comes as a zero, which belongs nowhere.
  if (line.data_bits == 7 && line.parity != Parity::none) wanted.c_iflag |= INPCK;
  const auto* const speed =
      std::find_if(standard_speeds.begin(), standard_speeds.end(),
                   [&](const auto& entry) { return entry.first == line.baud; });
  const bool standard = speed != standard_speeds.end();
  cfsetispeed(&wanted, standard ? speed->second : B38400);
  cfsetospeed(&wanted, standard ? speed->second : B38400);
  // glibc answers EINVAL when none of the changes took effect, the kernel when it cannot do the
  // speed. What the port says afterwards is what counts.
  if (tcsetattr(descriptor, TCSANOW, &wanted) != 0 && errno != EINVAL)
    return refusal(port, line, errno);
  if (!standard && !set_custom_speed(descriptor, line.baud)) return refusal(port, line, errno);

  termios present{};
  if (tcgetattr(descriptor, &present) != 0) return refusal(port, line, errno);
  const bool raw =
      (present.c_lflag & (ICANON | ECHO | ISIG)) == 0 && (present.c_oflag & OPOST) == 0;
  if (!raw) return refusal(port, line, 0);
  if (is_pseudo_terminal(descriptor)) return {};
  if ((present.c_cflag & framing_flags) != framing(line)) return refusal(port, line, 0);
  if (standard && cfgetospeed(&present) != speed->second) return refusal(port, line, 0);
  // A divider that cannot hit the speed exactly is fine within what a UART tolerates.
  const auto real = present_speed(descriptor);
  if (real != 0 && (real < line.baud - line.baud / 40 || real > line.baud + line.baud / 40)) {
    return refusal(port, line, 0);
  }
  return {};
}

std::size_t unsent(int descriptor) noexcept {
  int count = 0;
  return ioctl(descriptor, TIOCOUTQ, &count) == 0 && count > 0 ? static_cast<std::size_t>(count)
                                                               : 0;
}

}  // namespace meterbridge::io
