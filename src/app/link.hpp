// SPDX-License-Identifier: MIT
// A line with its recovery: when to open it, when to give it up, when to try again.
#pragma once

#include "app/bus_share.hpp"
#include "app/wait.hpp"
#include "core/result.hpp"
#include "io/backoff.hpp"
#include "io/line.hpp"
#include "io/transport.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::app {

class Link {
 public:
  // `failing_share`: percent of the line's time that meters which do not answer may cost the
  // others.
  Link(boost::asio::any_io_executor executor, std::unique_ptr<io::Transport> transport,
       Milliseconds turnaround, int failing_share = BusShare::default_percent);

  [[nodiscard]] io::Line& line() noexcept { return line_; }

  [[nodiscard]] io::Transport& transport() noexcept { return line_.transport(); }

  [[nodiscard]] const io::Transport& transport() const noexcept { return line_.transport(); }

  // Only by the holder of the line. Tries to open when closed. Errors: no_device, io.
  boost::asio::awaitable<Result<>> ensure_open();

  // Closed, and too early for the next attempt.
  [[nodiscard]] bool resting(Steady::time_point now) const noexcept {
    return !transport().is_open() && now < next_attempt_;
  }

  // The next attempt comes after the back-off, which the first loss hardly feels.
  void close();
  // All meters of the line are concerned: each failed attempt to open, and the first that succeeds
  // after one.
  std::function<void(const Error&)> on_unreachable;
  std::function<void()> on_back;
  std::function<void()> on_open;  // each time
  // Valid frames: the link works.
  void frames_seen(Steady::time_point now);

  [[nodiscard]] BusShare& share() noexcept { return share_; }

  [[nodiscard]] Steady::time_point next_attempt() const noexcept { return next_attempt_; }

  [[nodiscard]] std::optional<Steady::time_point> last_frame() const noexcept {
    return last_frame_;
  }

  // Failed polls in a row without one valid frame, over all meters of the line.
  unsigned count_silent_poll() noexcept { return ++silent_polls_; }

  void forgive_silence() noexcept { silent_polls_ = 0; }

 private:
  io::Line line_;
  BusShare share_;
  io::Backoff backoff_;
  Steady::time_point next_attempt_{};
  std::optional<Steady::time_point> last_frame_;
  bool unreachable_ = false;
  unsigned silent_polls_ = 0;
};

}  // namespace meterbridge::app
