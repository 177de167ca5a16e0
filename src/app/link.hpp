// SPDX-License-Identifier: MIT
// A line with its recovery: when to open it, when to give it up, when to try again.
#pragma once

#include "app/black_box.hpp"
#include "app/bus_share.hpp"
#include "app/wait.hpp"
#include "core/result.hpp"
#include "io/backoff.hpp"
#include "io/line.hpp"
#include "io/transport.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::app {

class Link {
 public:
  // Resets the adapter and says which one it was.
  using UsbReset = std::function<boost::asio::awaitable<Result<std::string>>()>;

  // `failing_share`: percent of the line's time that meters which do not answer may cost the
  // others.
  Link(boost::asio::any_io_executor executor, std::unique_ptr<io::Transport> transport,
       Milliseconds turnaround, int failing_share = BusShare::default_percent);

  [[nodiscard]] io::Line& line() noexcept { return line_; }

  [[nodiscard]] io::Transport& transport() noexcept { return line_.transport(); }

  [[nodiscard]] const io::Transport& transport() const noexcept { return line_.transport(); }

  // Without it there is no such rung.
  void allow_usb_reset(UsbReset reset) { usb_reset_ = std::move(reset); }

  // Only by the holder of the line. Tries to open when closed. Errors: no_device, io.
  boost::asio::awaitable<Result<>> ensure_open();

  // Closed, and too early for the next attempt.
  [[nodiscard]] bool resting(Steady::time_point now) const noexcept {
    return !transport().is_open() && now < next_attempt_;
  }

  // The next attempt comes after the back-off, which the first loss hardly feels.
  void close();
  // Only by the holder of the line: closes it, and has the adapter reset. False when that is not
  // allowed, not due again, or not possible; why is told once.
  boost::asio::awaitable<bool> reset_usb();
  // All meters of the line are concerned: each failed attempt to open, and the first that succeeds
  // after one.
  std::function<void(const Error&)> on_unreachable;
  std::function<void()> on_back;
  std::function<void()> on_open;  // each time
  // A sentence for the log, once per trouble.
  std::function<void(const std::string&)> on_notice;
  // Valid frames: the link works.
  void frames_seen(Steady::time_point now);

  // Meters of the line that are not paused; without any its port is for others.
  void join() noexcept { ++active_; }

  void leave() noexcept { --active_; }

  [[nodiscard]] bool wanted() const noexcept { return active_ > 0; }

  [[nodiscard]] BusShare& share() noexcept { return share_; }

  [[nodiscard]] BlackBox& box() noexcept { return box_; }

  [[nodiscard]] const BlackBox& box() const noexcept { return box_; }

  [[nodiscard]] Steady::time_point next_attempt() const noexcept { return next_attempt_; }

  [[nodiscard]] std::optional<Steady::time_point> last_frame() const noexcept {
    return last_frame_;
  }

  [[nodiscard]] bool heard_since(Steady::time_point then) const noexcept {
    return last_frame_ && *last_frame_ >= then;
  }

  // When the connection that is open now, or the last one, was made.
  [[nodiscard]] Steady::time_point opened() const noexcept { return opened_; }

  // Since when nothing valid came over the connection that is open now.
  [[nodiscard]] Steady::time_point silent_since() const noexcept {
    return last_frame_ ? std::max(*last_frame_, opened_) : opened_;
  }

 private:
  void say_once(std::string sentence);

  io::Line line_;
  BusShare share_;
  BlackBox box_;
  io::Backoff backoff_;
  io::Backoff reset_backoff_;
  UsbReset usb_reset_;
  std::string said_;
  Steady::time_point next_attempt_{};
  Steady::time_point next_reset_{};
  Steady::time_point opened_{};
  std::optional<Steady::time_point> last_frame_;
  bool unreachable_ = false;
  int active_ = 0;
};

}  // namespace meterbridge::app
