// SPDX-License-Identifier: MIT
// A pseudo-terminal seen from the meter's side. The far side is opened by its path, like a serial
// port.
#pragma once

#include "core/bytes.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace meterbridge::fakes {

class PtyPair {
 public:
  PtyPair() : meter_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    std::array<char, 64> name{};
    if (meter_ < 0 || grantpt(meter_) != 0 || unlockpt(meter_) != 0 ||
        ptsname_r(meter_, name.data(), name.size()) != 0) {
      throw std::runtime_error("no pseudo-terminal");
    }
    path_ = name.data();
    make_raw();
  }

  ~PtyPair() { unplug(); }

  PtyPair(const PtyPair&) = delete;
  PtyPair& operator=(const PtyPair&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  [[nodiscard]] int descriptor() const noexcept { return meter_; }

  // False when the terminal's buffer takes no more.
  bool write(ByteView bytes) {
    return ::write(meter_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  }

  bool write(std::string_view text) { return write(to_bytes(text)); }

  // What arrived at the meter so far.
  Bytes read() {
    Bytes all;
    std::array<std::byte, 4096> block{};
    for (;;) {
      const auto count = ::read(meter_, block.data(), block.size());
      if (count <= 0) return all;
      all.insert(all.end(), block.begin(), block.begin() + count);
    }
  }

  // Waits until `count` bytes arrived, at most two seconds; for meters that play in their own
  // thread.
  Bytes read(std::size_t count) {
    Bytes all = read();
    pollfd wait{meter_, POLLIN, 0};
    while (all.size() < count && poll(&wait, 1, 2000) == 1) {
      const auto more = read();
      if (more.empty()) break;
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }

  // The adapter is pulled out: the port's user sees the end of the file.
  void unplug() noexcept {
    if (meter_ >= 0) close(std::exchange(meter_, -1));
  }

 private:
  // Without it the terminal would echo what the meter sends before the port is opened.
  void make_raw() const {
    const int port = open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (port < 0) throw std::runtime_error("the pseudo-terminal cannot be opened");
    termios settings{};
    tcgetattr(port, &settings);
    cfmakeraw(&settings);
    tcsetattr(port, TCSANOW, &settings);
    close(port);
  }

  int meter_;
  std::string path_;
};

}  // namespace meterbridge::fakes
