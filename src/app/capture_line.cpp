// SPDX-License-Identifier: MIT
#include "app/capture_line.hpp"

#include "app/poller.hpp"
#include "app/wait.hpp"
#include "io/converse.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;

namespace {

constexpr std::size_t block_size{4096};

asio::awaitable<Result<>> listen_only(Link& link, Steady::time_point end) {
  const SystemClock clock;
  std::array<std::byte, block_size> block{};
  while (Steady::now() < end) {
    auto got = co_await link.transport().read_some(block, end);
    if (got) {
      link.box().crossed(false, std::span(block).first(*got), {}, clock.now(),
                         link.transport().envelope());
    } else if (got.error().code() != Errc::timeout) {
      co_return got.error();
    }
  }
  co_return Result<>();
}

// What was wrong is told by the box; a lost line ends the capture.
asio::awaitable<Result<>> read_again(Link& link, meter::Meter& meter, Steady::time_point end,
                                     bool once) {
  const SystemClock clock;
  const std::string id = meter.settings().id;
  const bool pushes = meter.profile().protocol->pushes;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const io::Tap tap = [&link, &id, &clock](bool sent, ByteView bytes) {
    link.box().crossed(sent, bytes, id, clock.now(), link.transport().envelope());
  };
  auto dialogue = meter.driver().begin();
  for (;;) {
    const auto begun = Steady::now();
    const auto limit = pushes ? std::chrono::duration_cast<Milliseconds>(end - begun)
                              : longest_conversation(meter);
    auto got = co_await io::under_watchdog(io::converse(link.transport(), *dialogue, tap), limit);
    const bool quiet = !got && pushes && got.error().code() == Errc::watchdog;
    if (!quiet) link.box().outcome(id, clock.now(), got ? "ok" : outcome_text(got.error()));
    if (!got && is_transport_error(got.error().code())) co_return got.error();
    if (!got && got.error().code() == Errc::cancelled) co_return got.error();
    if (!got && got.error().code() == Errc::access) co_return got.error();
    if (!pushes && !once) co_await wait_until(timer, begun + meter.settings().interval);
    const bool ended = co_await stopping();
    if (ended) co_return Error(Errc::cancelled, "the capture was ended");
    if ((once && !pushes) || Steady::now() >= end) co_return Result<>();
    if (!pushes) dialogue = meter.driver().begin();
  }
}

}  // namespace

asio::awaitable<Result<>> capture_line(Link& link, meter::Meter* meter, Milliseconds length) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto hold = co_await link.line().acquire();
  auto opened = co_await link.ensure_open();
  if (!opened) co_return opened.error();
  const bool once = length == Milliseconds(0);
  const auto usual = meter == nullptr ? least_push_limit : longest_conversation(*meter);
  const auto end = Steady::now() + (once ? usual : length);
  Result<> done;
  if (meter == nullptr) {
    done = co_await listen_only(link, end);
  } else {
    done = co_await read_again(link, *meter, end, once);
  }
  co_return done;
}

}  // namespace meterbridge::app
