// SPDX-License-Identifier: MIT
#include "app/poller.hpp"

#include "protocol/left_out.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;

namespace {

// The first retries come early.
constexpr unsigned early_retries = 3;
// A suspected meter has at least so many of its intervals between two polls (P06).
constexpr int suspect_stretch = 2;

constexpr std::string_view asked_less_often = "; asked less often while others of its line answer";

constexpr auto longest_way = std::chrono::milliseconds(100);

// However many meters stand in the queue of a line: so long nobody waits for his turn.
constexpr auto longest_queue = std::chrono::hours(1);
constexpr auto nap = std::chrono::seconds(1);            // of a paused meter
constexpr auto longest_sleep = std::chrono::minutes(1);  // between two signs of life

Milliseconds longest_silence(const meter::Meter& meter) {
  return std::max(meter.settings().interval * 3, least_push_limit);
}

}  // namespace

Milliseconds longest_conversation(const meter::Meter& meter) {
  if (meter.profile().protocol->pushes) return longest_silence(meter);
  return meter.settings().timeout.value_or(meter.longest_poll().value_or(default_poll_limit));
}

bool is_leftover(const io::Transport& transport, const protocol::Telegram* telegram, Instant now,
                 Milliseconds limit) {
  const protocol::Envelope* const envelope = transport.envelope();
  if (envelope == nullptr || !envelope->retained) return false;
  if (telegram == nullptr || !telegram->time) return true;
  return *telegram->time < now - limit || *telegram->time > now + limit;
}

Poller::Poller(asio::any_io_executor executor, meter::Meter& meter, Link& link, Bridge& bridge,
               const Clock& clock, std::optional<Milliseconds> silence)
    : meter_(meter),
      link_(link),
      bridge_(bridge),
      clock_(clock),
      wake_(executor),
      guard_(executor),
      interval_(meter.settings().interval),
      limit_(meter.profile().protocol->pushes ? silence.value_or(longest_silence(meter))
                                              : longest_conversation(meter)),
      silence_(silence.value_or(longest_silence(meter))),
      paused_(meter.settings().paused) {
  if (!paused_) link_.join();
}

Poller::~Poller() {
  if (!paused_) link_.leave();
  link_.share().forget(id());
}

void Poller::poke() {
  poked_ = true;
  due_now();
}

void Poller::due_now() {
  urgent_ = true;
  due_ = Steady::now();
  wake_.cancel();
}

void Poller::set_interval(Milliseconds interval) {
  interval_ = interval;
  if (pushes()) return;
  due_ = std::min(due_, Steady::now() + interval);
  wake_.cancel();
}

void Poller::set_paused(bool paused) {
  if (paused != std::exchange(paused_, paused)) paused ? link_.leave() : link_.join();
  if (paused) {
    poked_ = false;
    link_.share().forget(id());
  } else {
    due_now();
  }
  wake_.cancel();
  guard_.cancel();
}

asio::awaitable<Poller::End> Poller::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  End end = End::cancelled;
  if (pushes()) {
    end = co_await listen_forever();
  } else {
    end = co_await poll_forever();
  }
  release_unstamped();
  co_return end;
}

asio::awaitable<Poller::End> Poller::poll_forever() {
  due_ = std::max(due_, Steady::now());
  for (;;) {
    const auto now = Steady::now();
    const bool over = co_await stopping();
    if (over) co_return End::cancelled;
    release_unstamped();
    if (paused_ && !poked_) {
      co_await leave_line();
      co_await sleep_until(Steady::now() + nap);
      continue;
    }
    if (now < due_) {
      co_await sleep_until(std::min(due_, now + longest_sleep));
      continue;
    }
    const bool go_on = co_await poll();
    if (!go_on) co_return End::restart;
  }
}

asio::awaitable<void> Poller::sleep_until(Steady::time_point moment) {
  promise(moment);
  co_await wait_until(wake_, moment);
}

asio::awaitable<io::Line::Hold> Poller::acquire() {
  promise(Steady::now() + longest_queue);
  auto hold = co_await link_.line().acquire();
  promise(Steady::now());
  co_return hold;
}

// Whoever pauses all meters of a line may want its port: to read it by hand, or with another
// program.
asio::awaitable<void> Poller::leave_line() {
  if (link_.wanted() || !link_.transport().is_open()) co_return;
  const auto hold = co_await acquire();
  if (hold && !link_.wanted() && !poked_) link_.close();
}

// One poll under the line's token. False when the task shall be started anew.
asio::awaitable<bool> Poller::poll() {
  auto hold = co_await acquire();
  if (!hold) co_return true;
  const auto begin = Steady::now();
  const auto allowed = link_.share().earliest(id());
  if (allowed > begin && !urgent_) {
    due_ = allowed;
    co_return true;
  }
  if (link_.resting(begin)) {
    due_ = link_.next_attempt();
    co_return true;
  }
  promise(Steady::now() + facts_of(Rung::reopen).deadline);
  auto opened = co_await link_.ensure_open();
  if (!opened) {
    // A device that returns is polled at once: the next attempt to open decides, not the interval.
    due_ = link_.next_attempt();
    give_up_poke(opened.error());
    co_return true;
  }
  poked_ = false;
  if (const auto refused = bridge_.refusal(id())) {
    report(*refused);
    schedule_next(true);
    co_return true;
  }
  urgent_ = false;
  const auto asked = Steady::now();
  promise(asked + limit_);
  protocol::Driver& driver = meter_.driver();
  const auto dialogue = link_.share().suspects(id()) ? driver.knock() : driver.begin();
  auto got = co_await io::under_watchdog(io::converse(link_.transport(), *dialogue, tap()), limit_);
  const bool over = co_await stopping();
  if (over) co_return true;
  if (got) {
    link_.share().answered(id(), Steady::now());
    delivered(*got, std::chrono::duration_cast<Milliseconds>(Steady::now() - asked));
    schedule_next(true);
    co_return true;
  }
  const Error error = got.error();
  if (is_transport_error(error.code())) {
    link_.share().forgive();
  } else if (proves_frames(error.code())) {
    link_.share().answered(id(), Steady::now());
  } else if (!paused_) {
    link_.share().failed(id(), begin, Steady::now());
  }
  const bool suspected = link_.share().suspects(id());
  report(suspected ? Error(error.code(), error.detail() + std::string(asked_less_often)) : error);
  const bool go_on = co_await climb(error);
  // An answer, even a refusal, keeps the normal pace; a lost link has set its own time.
  if (!is_transport_error(error.code())) schedule_next(proves_frames(error.code()));
  co_return go_on;
}

// "Poll now" waits for the line's next attempt to open; of a paused meter for no other, because
// whoever paused it may want the port for himself. A failed attempt is not reported to paused ones.
void Poller::give_up_poke(const Error& why) {
  if (!paused_ || why.code() == Errc::cancelled) return;
  if (std::exchange(poked_, false)) report(why);
}

void Poller::delivered(const protocol::Telegram& telegram, std::optional<Milliseconds> took) {
  frames_seen();
  link_.box().outcome(id(), clock_.now(), "ok");
  bytes_ = 0;
  told_ = false;
  if (!clock_is_set(clock_.now())) {
    unstamped_.hold(telegram, took, Steady::now());
    bridge_.remark(id(), "the clock of this machine is not set (it shows " + iso_utc(clock_.now()) +
                             "): readings wait until it is" +
                             (unstamped_.lost() > 0 ? ", the oldest are lost" : ""));
    return;
  }
  release_unstamped();
  hand_over(telegram, clock_.now(), took);
  bridge_.remark(id(), meter_.driver().remark());
  if (const auto* driver = dynamic_cast<const protocol::LeavesOut*>(&meter_.driver()))
    bridge_.left_out(id(), driver->left_out());
}

void Poller::release_unstamped() {
  for (const KeptTelegram& kept : unstamped_.release(clock_.now(), Steady::now()))
    hand_over(kept.telegram, kept.at, kept.took);
}

void Poller::hand_over(const protocol::Telegram& telegram, Instant at,
                       std::optional<Milliseconds> took) {
  auto samples = meter_.understand(telegram, at);
  if (samples) {
    bridge_.deliver(id(), *samples, telegram, took);
  } else {
    report(samples.error());
  }
}

void Poller::schedule_next(bool good) {
  if (poked_) return;  // while the meter was asked: at once
  const auto now = Steady::now();
  const bool suspected = link_.share().suspects(id());
  const int stretch = suspected ? suspect_stretch : 1;
  // After a failure the first retry comes early: a device that was away is back within seconds.
  if (!good && !suspected && failures_ <= early_retries) {
    due_ = now + std::min<Milliseconds>(interval_, Milliseconds(2000));
    return;
  }
  // Absolute times: a poll that took long does not shift all later ones.
  due_ += interval_ * stretch;
  if (due_ <= now) due_ = now + interval_ * stretch;
  due_ = std::max(due_, link_.share().earliest(id()));
}

asio::awaitable<bool> Poller::wait_for_link() {
  if (!link_.resting(Steady::now())) {
    promise(Steady::now() + facts_of(Rung::reopen).deadline);
    auto opened = co_await link_.ensure_open();
    if (opened) co_return true;
  }
  co_await sleep_until(
      std::max(link_.next_attempt(), Steady::now() + std::chrono::milliseconds(50)));
  co_return false;
}

asio::awaitable<Poller::End> Poller::listen_forever() {
  using namespace asio::experimental::awaitable_operators;
  auto hold = co_await acquire();
  if (!hold) co_return End::cancelled;
  for (;;) {
    const bool over = co_await stopping();
    if (over) co_return End::cancelled;
    release_unstamped();
    if (paused_) {
      link_.close();
      co_await sleep_until(Steady::now() + nap);
      continue;
    }
    const bool ready = co_await wait_for_link();
    if (!ready) continue;
    const auto dialogue = meter_.driver().begin();
    progress_ = Steady::now();
    bytes_ = 0;
    leftover_ = false;
    const auto ended = co_await (listen_contained(*dialogue) || guard_progress());
    const bool told_to_end = co_await stopping();
    if (told_to_end) co_return End::cancelled;
    if (ended.index() == 1 && paused_) continue;
    std::optional<Error> error;
    if (ended.index() == 1) {
      error = silence_over();
      // What was wrong with the telegrams that came says more than that none was good.
      if (bytes_ == 0 || !std::exchange(told_, false)) report(*error);
    } else {
      error = std::get<0>(ended);
      if (error) report(*error);
    }
    if (!error) continue;
    const bool go_on = co_await climb(*error);
    if (!go_on) co_return End::restart;
  }
}

// `||` would swallow an exception, and the silence that follows would be shown instead of the bug.
asio::awaitable<std::optional<Error>> Poller::listen_contained(protocol::Dialogue& dialogue) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::string thrown;
  try {
    auto ended = co_await listen(dialogue);
    co_return ended;
  } catch (const std::exception& exception) {
    thrown = exception.what();
  }
  co_return Error(Errc::bug, "listening broke: " + thrown);
}

// Telegram after telegram until the link fails (the error) or the task is cancelled (nothing).
asio::awaitable<std::optional<Error>> Poller::listen(protocol::Dialogue& dialogue) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const io::Tap count = [this](bool sent, ByteView bytes) {
    const auto* const envelope = link_.transport().envelope();
    if (!sent && (envelope == nullptr || !envelope->retained)) bytes_ += bytes.size();
    link_.box().crossed(sent, bytes, id(), clock_.now(), envelope);
  };
  for (;;) {
    const bool over = co_await stopping();
    if (over) co_return std::nullopt;
    auto got = co_await io::converse(link_.transport(), dialogue, count);
    if (is_leftover(link_.transport(), got ? &*got : nullptr, clock_.now(), limit_)) {
      const bool ended =
          !got && (got.error().code() == Errc::cancelled || is_transport_error(got.error().code()));
      leftover_ = leftover_ || !ended;
      if (!ended) continue;
    }
    if (got) {
      delivered(*got, std::nullopt);
      if (crowded && crowded()) co_await give_way();
      continue;
    }
    const Error error = got.error();
    if (error.code() == Errc::cancelled) co_return std::nullopt;
    if (is_transport_error(error.code()) || error.code() == Errc::bug) co_return error;
    if (expected(error)) continue;
    report(error);
    told_ = true;
    if (proves_frames(error.code())) frames_seen();
  }
}

// The patience of the protocol may be shorter than the period of this meter.
bool Poller::expected(const Error& error) const {
  return error.code() == Errc::timeout && Steady::now() < progress_ + interval_ + interval_ / 2;
}

// What is not read stays with the kernel, and then with the sender. Bounded, because a broker that
// hangs must not make the meter look dead.
asio::awaitable<void> Poller::give_way() {
  const auto limit = Steady::now() + longest_way;
  while (crowded() && Steady::now() < limit) {
    co_await wait_until(wake_, Steady::now() + std::chrono::milliseconds(1));
    const bool over = co_await stopping();
    if (over) co_return;
  }
}

// Ends when the meter made no progress for the limit, or when the meter is paused.
asio::awaitable<void> Poller::guard_progress() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!paused_ && Steady::now() < progress_ + limit_) {
    const bool over = co_await stopping();
    if (over) co_return;
    promise(progress_ + limit_);
    co_await wait_until(guard_, progress_ + limit_);
  }
}

}  // namespace meterbridge::app
