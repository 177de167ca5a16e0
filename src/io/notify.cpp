// SPDX-License-Identifier: MIT
#include "io/notify.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

std::optional<std::int64_t> number(const char* text) noexcept {
  if (text == nullptr) return std::nullopt;
  const auto* const end = text + std::strlen(text);
  std::int64_t value = 0;
  const auto [stop, failure] = std::from_chars(text, end, value);
  if (failure != std::errc() || stop != end || stop == text) return std::nullopt;
  return value;
}

// A line break in a status would begin another assignment.
std::string with_status(std::string state, std::string_view status) {
  state += "STATUS=";
  std::replace_copy_if(
      status.begin(), status.end(), std::back_inserter(state),
      [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return state;
}

}  // namespace

bool notify(std::string_view state) noexcept {
  const char* const place = std::getenv("NOTIFY_SOCKET");
  if (place == nullptr) return false;
  const std::string_view path = place;
  sockaddr_un address{};
  if (path.size() < 2 || path.size() >= sizeof address.sun_path ||
      (path[0] != '/' && path[0] != '@'))
    return false;
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract address, not zero-terminated
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());

  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  const auto sent = sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                           reinterpret_cast<const sockaddr*>(&address), length);
  close(descriptor);
  return sent == static_cast<ssize_t>(state.size());
}

void notify_ready(std::string_view status) noexcept {
  notify(with_status("READY=1\n", status));
}

void notify_reloading() noexcept {
  // CLOCK_MONOTONIC, as systemd (Type=notify-reload) compares it with the time of its signal.
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void notify_status(std::string_view status) noexcept {
  notify(with_status("", status));
}

void notify_alive() noexcept {
  notify("WATCHDOG=1");
}

void notify_stopping(std::string_view status) noexcept {
  notify(with_status("STOPPING=1\n", status));
}

std::optional<std::chrono::microseconds> notify_interval() noexcept {
  const auto interval = number(std::getenv("WATCHDOG_USEC"));
  if (!interval || *interval <= 0) return std::nullopt;
  const char* const text = std::getenv("WATCHDOG_PID");
  if (text != nullptr && number(text) != getpid()) return std::nullopt;
  return std::chrono::microseconds(*interval);
}

}  // namespace meterbridge::io
