// SPDX-License-Identifier: MIT
#include "app/link.hpp"

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
      backoff_(first_retry, line_.transport().local() ? local_ceiling : network_ceiling) {}

asio::awaitable<Result<>> Link::ensure_open() {
  if (transport().is_open()) co_return Result<>();
  auto opened = co_await transport().open();
  const bool cancelled = !opened && opened.error().code() == Errc::cancelled;
  if (opened) {
    silent_polls_ = 0;
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
  silent_polls_ = 0;
  // A link that opens but never brings a frame is not reopened in a tight loop.
  next_attempt_ = Steady::now() + backoff_.next();
}

void Link::frames_seen(Steady::time_point now) {
  last_frame_ = now;
  silent_polls_ = 0;
  backoff_.reset();
}

}  // namespace meterbridge::app
