// SPDX-License-Identifier: MIT
#include "sink/runner.hpp"

#include "sink/set_aside.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::sink {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds look_every{1000};                     // for something new in the journal
constexpr Milliseconds longest_wish{std::chrono::hours(1)};  // of a place that asks us to wait
// Who has just configured a place looks whether something comes.
constexpr Milliseconds first_patience{2000};
constexpr std::size_t most_reasons_told = 20;
// After a failure, until the place takes something: a try costs little, however long it is away.
constexpr std::size_t probe = 20;

asio::awaitable<bool> ending() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

Runner::Runner(const asio::any_io_executor& executor, journal::Journal& journal,
               std::unique_ptr<Sink> sink, RunnerOptions options, const Clock& clock)
    : journal_(journal),
      sink_(std::move(sink)),
      options_(std::move(options)),
      clock_(clock),
      timer_(executor),
      backoff_(options_.first_pause, options_.longest_pause) {}

void Runner::say(bool warning, const std::string& line) const {
  if (options_.log) options_.log(warning, "sink " + options_.name + ": " + line);
}

void Runner::finish() {
  finishing_ = true;
  sink_->hurry();
  timer_.cancel();
}

void Runner::write_now() {
  hasten_ = true;
  timer_.cancel();
}

void Runner::tick() {
  if (auto line = trouble_.tick(clock_.steady())) say(true, *line);
}

asio::awaitable<void> Runner::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const bool cancelled = co_await ending();
    if (cancelled) break;
    const bool more = co_await turn();
    if (!more) break;
  }
  sink_->close();
}

// One round: fetch, and write or wait. False: there is nothing left to do.
asio::awaitable<bool> Runner::turn() {
  if (const auto filled = fill(); !filled) {
    failed("the journal cannot be read: " + filled.error().detail());
    if (finishing_) co_return false;
    const Milliseconds pause = backoff_.next();
    co_await wait(pause);
    co_return true;
  }
  if (pending_.empty()) advance(fetched_);
  const bool caught_up = fetched_ >= journal_.committed();
  if (pending_.empty() && caught_up) {
    if (finishing_) co_return false;
    hasten_ = false;
  }
  if (!is_due()) {
    const auto left = std::chrono::ceil<Milliseconds>(write_at_ - clock_.steady());
    Milliseconds pause = std::clamp(left, Milliseconds(0), look_every);
    if (pending_.empty()) pause = look_every;
    if (!caught_up && pending_.size() < options_.batch) pause = Milliseconds(0);
    co_await wait(pause);
    co_return true;
  }
  const auto written = co_await attempt();
  if (!written) {
    failed(written.error().detail());
    if (finishing_) co_return false;
    let_go();
    const Milliseconds pause = backoff_.next();
    co_await wait(pause);
    co_return true;
  }
  const bool asked_to_wait = written->taken == 0 && written->pause > Milliseconds::zero();
  // It is back: what waits goes out at once.
  if (std::exchange(probing_, false)) {
    hasten_ = true;
    loss_told_ = false;
    tell_loss();
  }
  take(*written);
  if (asked_to_wait) {
    failed("the place asks us to wait " + duration_text(written->pause));
    if (finishing_) co_return false;
  } else {
    backoff_.reset();
    if (auto line = trouble_.good(clock_.steady())) say(false, *line);
    // A sink that holds back although the end is near would be asked for ever.
    if (finishing_ && written->taken == 0) co_return false;
  }
  const Milliseconds wish = std::min(written->pause, longest_wish);
  if (wish > Milliseconds::zero() && !finishing_) co_await wait(wish);
  co_return true;
}

// Ends early when the service ends.
asio::awaitable<void> Runner::wait(Milliseconds pause) {
  if (finishing_ && pause > Milliseconds::zero()) co_return;
  timer_.expires_after(pause);
  (void)co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<Result<Written>> Runner::contained() {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::string thrown;
  try {
    auto written = co_await sink_->write(pending_);
    co_return written;
  } catch (const std::exception& exception) {
    thrown = exception.what();
  }
  co_return Error(Errc::bug, "writing broke: " + thrown);
}

asio::awaitable<Result<Written>> Runner::attempt() {
  using asio::experimental::awaitable_operators::operator||;
  asio::steady_timer limit(timer_.get_executor(), options_.timeout);
  auto first = co_await (contained() || limit.async_wait(asio::as_tuple(asio::use_awaitable)));
  if (auto* written = std::get_if<0>(&first)) {
    // No sink takes more than it was given.
    if (*written) (*written)->taken = std::min((*written)->taken, pending_.size());
    co_return std::move(*written);
  }
  co_return Error(Errc::timeout, "a write did not end within " + duration_text(options_.timeout));
}

// The journal's own count: a gap between two numbers is no loss, they leap after a crash.
std::uint64_t Runner::newly_dropped() {
  for (const journal::SinkMark& mark : journal_.status().sinks) {
    if (mark.sink == options_.name)
      return mark.dropped - std::min(std::exchange(dropped_seen_, mark.dropped), mark.dropped);
  }
  return 0;
}

// More entries behind those that wait already.
Result<> Runner::fill() {
  if (!known_) {
    const auto cursor = journal_.cursor(options_.name);
    if (!cursor) return cursor.error();
    known_ = true;
    cursor_ = *cursor;
    fetched_ = *cursor;
    (void)newly_dropped();
  }
  const journal::Sequence newest = journal_.committed();
  const std::size_t most = probing_ ? std::min(probe, options_.batch) : options_.batch;
  if (pending_.size() >= most || fetched_ >= newest) return {};
  auto entries = journal_.after(fetched_, most - pending_.size());
  if (!entries) return entries.error();
  if (entries->empty()) {
    fetched_ = newest;  // what was there is damaged, or gone
    return {};
  }
  if (const std::uint64_t lost = newly_dropped(); lost > 0) {
    counts_.dropped += lost;
    lost_ += lost;
    // In a long outage some are lost before each try: the first are told, and all when it is over.
    if (!std::exchange(loss_told_, probing_)) tell_loss();
  }
  fetched_ = entries->back().sequence;
  if (pending_.empty()) {
    const Milliseconds first = std::min(options_.flush_interval, first_patience);
    write_at_ = clock_.steady() + (began_ ? options_.flush_interval : first);
  }
  for (journal::Entry& entry : *entries) {
    if (!options_.wanted || options_.wanted(entry.sample)) pending_.push_back(std::move(entry));
  }
  return {};
}

void Runner::tell_loss() {
  if (lost_ == 0) return;
  say(true, std::to_string(std::exchange(lost_, 0)) +
                " samples left the journal before they could be written: it is too small for so "
                "long an outage");
}

bool Runner::is_due() const {
  if (pending_.empty()) return false;
  if (finishing_ || hasten_ || clock_.steady() >= write_at_) return true;
  return pending_.size() >= options_.batch && !held_back_;
}

void Runner::take(const Written& written) {
  for (const Refusal& refusal : written.refused)
    put_aside(refusal);
  const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(written.taken);
  const journal::Sequence last = written.taken == 0 ? cursor_ : std::prev(end)->sequence;
  began_ = true;
  counts_.written += written.taken;
  pending_.erase(pending_.begin(), end);
  held_back_ = written.taken == 0;
  hasten_ = hasten_ && !held_back_ && fetched_ < journal_.committed();
  // What goes on waiting was written early, or was not wanted yet.
  write_at_ = clock_.steady() + options_.flush_interval;
  advance(pending_.empty() ? fetched_ : last);
}

// A place that is away may be so for weeks: until the next try the journal alone holds the samples,
// but for the first, whose age is the lag.
void Runner::let_go() {
  pending_.resize(1);
  pending_.shrink_to_fit();
  fetched_ = pending_.front().sequence;
  probing_ = true;
}

void Runner::advance(journal::Sequence sequence) {
  if (sequence <= cursor_) return;
  cursor_ = sequence;
  if (const auto kept = journal_.advance(options_.name, sequence); !kept)
    failed("its place in the journal cannot be kept: " + kept.error().detail());
}

void Runner::put_aside(const Refusal& refusal) {
  ++counts_.refused;
  const auto entry = std::ranges::find(pending_, refusal.sequence, &journal::Entry::sequence);
  if (entry == pending_.end()) return;
  counts_.error = refusal.reason;
  std::string where = "set aside in " + options_.refused_file;
  if (const auto kept = set_aside(options_.refused_file, set_aside_line(*entry, refusal.reason));
      !kept) {
    where = "lost for this sink (" + kept.error().detail() + ")";
  }
  const bool known = reasons_told_.contains(refusal.reason);
  if (known || reasons_told_.size() >= most_reasons_told) return;
  reasons_told_.insert(refusal.reason);
  say(true, "refuses a sample of " + entry->sample.meter + " of " + iso_utc(entry->sample.at) +
                ": " + refusal.reason + "; " + where);
}

void Runner::failed(const std::string& reason) {
  ++counts_.failures;
  counts_.error = reason;
  if (auto line = trouble_.failed(clock_.steady(), reason)) say(true, *line);
}

RunnerStatus Runner::status() const {
  RunnerStatus status = counts_;
  const journal::Sequence newest = journal_.committed();
  status.failing = trouble_.lasts();
  if (!known_ || newest <= cursor_) return status;
  status.lag = journal_.behind(cursor_);
  if (!pending_.empty()) {
    const auto age = clock_.now() - pending_.front().sample.at;
    status.lag_time =
        std::max(std::chrono::floor<std::chrono::seconds>(age), std::chrono::seconds(0));
  }
  return status;
}

}  // namespace meterbridge::sink
