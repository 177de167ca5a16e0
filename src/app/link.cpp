// SPDX-License-Identifier: MIT
#include "app/link.hpp"

#include "app/ladder.hpp"

#include <utility>

namespace meterbridge::app {

namespace asio = boost::asio;

namespace {

// A device on this machine is looked for every two seconds, so that it is read again within five
// after its return; a network peer is spared (P03: below 100 attempts an hour).
constexpr Milliseconds first_retry{500};
constexpr Milliseconds local_ceiling{2000};
constexpr Milliseconds network_ceiling{55000};

}  // namespace

Link::Link(asio::any_io_executor executor, std::unique_ptr<io::Transport> transport,
           Milliseconds turnaround, int failing_share)
    : line_(executor, std::move(transport), turnaround),
      share_(failing_share, turnaround),
      backoff_(first_retry, line_.transport().local() ? local_ceiling : network_ceiling),
      reset_backoff_(first_reset_pause, longest_reset_pause) {}

asio::awaitable<Result<>> Link::ensure_open() {
  if (transport().is_open()) co_return Result<>();
  auto opened = co_await transport().open();
  const bool cancelled = !opened && opened.error().code() == Errc::cancelled;
  if (opened) {
    opened_ = Steady::now();
    if (on_open) on_open();
    if (std::exchange(unreachable_, false) && on_back) on_back();
  } else if (!cancelled) {
    next_attempt_ = Steady::now() + backoff_.next();
    unreachable_ = true;
    if (on_unreachable) on_unreachable(opened.error());
  }
  co_return opened;
}

void Link::close() {
  if (!transport().is_open()) return;
  transport().close();
  // A link that opens but never brings a frame is not reopened in a tight loop.
  next_attempt_ = Steady::now() + backoff_.next();
}

asio::awaitable<bool> Link::reset_usb() {
  if (!usb_reset_ || Steady::now() < next_reset_) co_return false;
  next_reset_ = Steady::now() + reset_backoff_.next();
  const std::string place = transport().name();
  close();  // the kernel takes the port away from whoever has it open
  const auto reset = co_await usb_reset_();
  if (!reset) {
    // A kernel that hangs in this device hangs the next thread, too.
    if (reset.error().code() == Errc::timeout) usb_reset_ = nullptr;
    say_once(place + ": the USB device is not reset: " + reset.error().detail());
    co_return false;
  }
  say_once(place + ": nothing valid came from it; its USB device was reset: " + *reset);
  co_return true;
}

void Link::say_once(std::string sentence) {
  if (sentence == said_) return;
  said_ = std::move(sentence);
  if (on_notice) on_notice(said_);
}

void Link::frames_seen(Steady::time_point now) {
  last_frame_ = now;
  said_.clear();
  backoff_.reset();
  reset_backoff_.reset();
  next_reset_ = {};
}

}  // namespace meterbridge::app
