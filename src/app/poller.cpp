// SPDX-License-Identifier: MIT
#include "app/poller.hpp"

#include "io/converse.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;

namespace {

// Failures in a row at which the ladder goes one rung up.
constexpr unsigned flush_after = 2;
constexpr unsigned reopen_after = 3;
constexpr unsigned restart_after = 6;
// A suspected meter has at least so many of its intervals between two polls (P06).
constexpr int suspect_stretch = 2;

constexpr std::string_view asked_less_often = "; asked less often while others of its line answer";

constexpr auto longest_way = std::chrono::milliseconds(100);

bool is_transport_error(Errc code) {
  return code == Errc::io || code == Errc::no_device;
}

Milliseconds limit_of(const meter::Meter& meter, std::optional<Milliseconds> silence) {
  if (!meter.profile().protocol->pushes)
    return meter.settings().timeout.value_or(default_poll_limit);
  return silence.value_or(std::max(meter.settings().interval * 3, least_push_limit));
}

}  // namespace

Poller::Poller(asio::any_io_executor executor, meter::Meter& meter, Link& link, Bridge& bridge,
               const Clock& clock, std::optional<Milliseconds> silence)
    : meter_(meter),
      link_(link),
      bridge_(bridge),
      clock_(clock),
      wake_(executor),
      guard_(executor),
      interval_(meter.settings().interval),
      limit_(limit_of(meter, silence)),
      paused_(meter.settings().paused) {}

Poller::~Poller() {
  link_.share().forget(id());
}

Milliseconds Poller::patience() const noexcept {
  return interval_ * 3 + limit_ * 2 + Milliseconds(60000);
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
  paused_ = paused;
  if (paused) {
    link_.share().forget(id());
  } else {
    due_now();
  }
  wake_.cancel();
  guard_.cancel();
}

asio::awaitable<Poller::End> Poller::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  waiting_ = false;
  End end = End::cancelled;
  if (pushes()) {
    end = co_await listen_forever();
  } else {
    end = co_await poll_forever();
  }
  co_return end;
}

asio::awaitable<Poller::End> Poller::poll_forever() {
  due_ = std::max(due_, Steady::now());
  for (;;) {
    stamp_ = Steady::now();
    const bool over = co_await stopping();
    if (over) co_return End::cancelled;
    release_unstamped();
    if (paused_ && !poked_) {
      co_await wait_until(wake_, stamp_ + std::chrono::seconds(1));
      continue;
    }
    if (stamp_ < due_) {
      co_await wait_until(wake_, std::min(due_, stamp_ + std::chrono::minutes(1)));
      continue;
    }
    poked_ = false;
    const bool go_on = co_await poll();
    if (!go_on) co_return End::restart;
  }
}

asio::awaitable<io::Line::Hold> Poller::acquire() {
  waiting_ = true;
  auto hold = co_await link_.line().acquire();
  waiting_ = false;
  stamp_ = Steady::now();
  co_return hold;
}

// One poll under the line's token. False when the task shall be started anew.
asio::awaitable<bool> Poller::poll() {
  auto hold = co_await acquire();
  if (!hold) co_return true;
  const auto begin = stamp_;
  const auto allowed = link_.share().earliest(id());
  if (allowed > begin && !urgent_) {
    due_ = allowed;
    co_return true;
  }
  if (link_.resting(stamp_)) {
    due_ = link_.next_attempt();
    co_return true;
  }
  auto opened = co_await link_.ensure_open();
  if (!opened) {
    // A device that returns is polled at once: the next attempt to open decides, not the interval.
    due_ = link_.next_attempt();
    co_return true;
  }
  if (const auto refused = bridge_.refusal(id())) {
    bridge_.report(id(), *refused);
    schedule_next(true);
    co_return true;
  }
  urgent_ = false;
  const auto asked = Steady::now();
  protocol::Driver& driver = meter_.driver();
  const auto dialogue = link_.share().suspects(id()) ? driver.knock() : driver.begin();
  auto got = co_await io::under_watchdog(io::converse(link_.transport(), *dialogue), limit_);
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
  } else {
    link_.share().failed(id(), begin, Steady::now());
  }
  const bool suspected = link_.share().suspects(id());
  bridge_.report(id(), suspected
                           ? Error(error.code(), error.detail() + std::string(asked_less_often))
                           : error);
  const bool go_on = climb(error);
  // An answer, even a refusal, keeps the normal pace; a lost link has set its own time.
  if (!is_transport_error(error.code())) schedule_next(proves_frames(error.code()));
  co_return go_on;
}

void Poller::delivered(const protocol::Telegram& telegram, std::optional<Milliseconds> took) {
  const auto now = Steady::now();
  link_.frames_seen(now);
  progress_ = now;
  stamp_ = now;
  bytes_ = 0;
  told_ = false;
  failures_ = 0;
  if (!Unstamped::is_set(clock_.now())) {
    unstamped_.hold(telegram, took, now);
    bridge_.remark(id(), "the clock of this machine is not set (it shows " + iso_utc(clock_.now()) +
                             "): readings wait until it is");
    return;
  }
  release_unstamped();
  hand_over(telegram, clock_.now(), took);
  bridge_.remark(id(), meter_.driver().remark());
}

void Poller::release_unstamped() {
  const auto kept = unstamped_.release(clock_.now(), Steady::now());
  if (kept) hand_over(kept->telegram, kept->at, kept->took);
}

void Poller::hand_over(const protocol::Telegram& telegram, Instant at,
                       std::optional<Milliseconds> took) {
  auto samples = meter_.understand(telegram, at);
  if (samples) {
    bridge_.deliver(id(), *samples, telegram, took);
  } else {
    bridge_.report(id(), samples.error());
  }
}

void Poller::schedule_next(bool good) {
  const auto now = Steady::now();
  const bool suspected = link_.share().suspects(id());
  const int stretch = suspected ? suspect_stretch : 1;
  // After a failure the first retry comes early: a device that was away is back within seconds.
  if (!good && !suspected && failures_ <= reopen_after) {
    due_ = now + std::min<Milliseconds>(interval_, Milliseconds(2000));
    return;
  }
  // Absolute times: a poll that took long does not shift all later ones.
  due_ += interval_ * stretch;
  if (due_ <= now) due_ = now + interval_ * stretch;
  due_ = std::max(due_, link_.share().earliest(id()));
}

// What a failed poll does to link and task. False: start the task anew.
bool Poller::climb(const Error& error) {
  if (proves_frames(error.code())) {
    // The line is fine; a wrong password or a refused command is no reason to touch the adapter.
    link_.frames_seen(Steady::now());
    return true;
  }
  ++failures_;
  if (is_transport_error(error.code())) {
    bridge_.recovered(id(), Rung::reopen);
    link_.close();
    due_ = link_.next_attempt();
    return true;
  }
  // That a suspected meter is silent says nothing about the line.
  const unsigned silent = link_.share().suspects(id()) ? 0 : link_.count_silent_poll();
  if (failures_ == 1) bridge_.recovered(id(), Rung::resynchronise);
  if (failures_ >= flush_after && link_.transport().is_open()) {
    bridge_.recovered(id(), Rung::flush);
    link_.transport().discard_input();
  }
  if (silent >= reopen_after) {
    bridge_.recovered(id(), Rung::reopen);
    link_.close();
  }
  return failures_ % restart_after != 0;
}

asio::awaitable<bool> Poller::wait_for_link() {
  if (!link_.resting(Steady::now())) {
    auto opened = co_await link_.ensure_open();
    if (opened) co_return true;
  }
  co_await wait_until(
      wake_, std::max(link_.next_attempt(), Steady::now() + std::chrono::milliseconds(50)));
  co_return false;
}

asio::awaitable<Poller::End> Poller::listen_forever() {
  using namespace asio::experimental::awaitable_operators;
  auto hold = co_await acquire();
  if (!hold) co_return End::cancelled;
  for (;;) {
    stamp_ = Steady::now();
    const bool over = co_await stopping();
    if (over) co_return End::cancelled;
    if (paused_) {
      link_.close();
      co_await wait_until(wake_, stamp_ + std::chrono::seconds(1));
      continue;
    }
    const bool ready = co_await wait_for_link();
    if (!ready) continue;
    const auto dialogue = meter_.driver().begin();
    progress_ = Steady::now();
    bytes_ = 0;
    const unsigned before = failures_;
    const auto ended = co_await (listen_contained(*dialogue) || guard_progress());
    const bool told_to_end = co_await stopping();
    if (told_to_end) co_return End::cancelled;
    if (ended.index() == 1) {
      if (!paused_) silence_over();
    } else if (const std::optional<Error>& error = std::get<0>(ended)) {
      ++failures_;
      bridge_.report(id(), *error);
      bridge_.recovered(id(), Rung::reopen);
      link_.close();
    }
    if (failures_ > before && failures_ % restart_after == 0) co_return End::restart;
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
    if (!sent) bytes_ += bytes.size();
  };
  for (;;) {
    const bool over = co_await stopping();
    if (over) co_return std::nullopt;
    auto got = co_await io::converse(link_.transport(), dialogue, count);
    if (got) {
      delivered(*got, std::nullopt);
      if (crowded && crowded()) co_await give_way();
      continue;
    }
    const Error error = got.error();
    if (error.code() == Errc::cancelled) co_return std::nullopt;
    if (is_transport_error(error.code()) || error.code() == Errc::bug) co_return error;
    bridge_.report(id(), error);
    told_ = true;
    if (proves_frames(error.code())) {
      link_.frames_seen(Steady::now());
      progress_ = Steady::now();
      stamp_ = progress_;
    }
  }
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
    co_await wait_until(guard_, progress_ + limit_);
  }
}

void Poller::silence_over() {
  ++failures_;
  const std::string span = duration_text(limit_);
  const std::string& place = link_.transport().name();
  if (bytes_ == 0) {
    bridge_.report(id(), Error(Errc::timeout, place + ": not one byte for " + span));
  } else if (!std::exchange(told_, false)) {
    // What was wrong with the telegrams that came says more than that none was good.
    bridge_.report(
        id(), Error(Errc::no_frame, place + ": " + std::to_string(bytes_) + " bytes in " + span +
                                        ", but no telegram among them"));
  }
  bridge_.recovered(id(), failures_ == 1 ? Rung::resynchronise : Rung::flush);
  link_.transport().discard_input();
  // A network peer that vanished without a word looks like silence: only a new connection tells
  // (P02).
  if (failures_ >= flush_after || !link_.transport().local()) {
    bridge_.recovered(id(), Rung::reopen);
    link_.close();
  }
}

}  // namespace meterbridge::app
