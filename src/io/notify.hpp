// SPDX-License-Identifier: MIT
// Tells the service manager how we are (the sd_notify protocol), without libsystemd. Silent where
// nobody asked
// ($NOTIFY_SOCKET is not set). Nothing here blocks.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace meterbridge::io {

// One datagram of "KEY=value" lines. False when nobody listens.
bool notify(std::string_view state) noexcept;

void notify_ready(std::string_view status) noexcept;  // the start is over: READY=1, STATUS=...
// The configuration is read again, until the next notify_ready(): RELOADING=1, MONOTONIC_USEC=...
void notify_reloading() noexcept;
void notify_status(std::string_view status) noexcept;    // one line for `systemctl status`
void notify_alive() noexcept;                            // WATCHDOG=1
void notify_stopping(std::string_view status) noexcept;  // STOPPING=1

// The time after which the manager believes us dead (WatchdogSec); send notify_alive() at least
// twice in it. Nothing when it does not watch this process.
[[nodiscard]] std::optional<std::chrono::microseconds> notify_interval() noexcept;

}  // namespace meterbridge::io
