// SPDX-License-Identifier: MIT
// One task for each sink: reads the journal at its own pace, and hands batches to the sink until
// they are taken. Nothing waits for it.
#pragma once

#include "io/backoff.hpp"
#include "journal/journal.hpp"
#include "sink/sink.hpp"
#include "sink/trouble.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::sink {

struct RunnerOptions {
  RunnerOptions() = default;
  std::string name;
  std::size_t batch = longest_batch;
  Milliseconds flush_interval{2000};
  Milliseconds timeout{60000};  // of one write, whatever the sink thinks
  // Between attempts that failed: doubled up to the ceiling.
  Milliseconds first_pause{1000};
  Milliseconds longest_pause{60000};
  std::string refused_file;                   // where refused samples are set aside
  std::function<bool(const Sample&)> wanted;  // empty = all
  std::function<void(bool warning, const std::string&)> log;
};

// For the bridge's health, and for `run --once`.
struct RunnerStatus {
  RunnerStatus() = default;
  std::uint64_t lag = 0;            // entries of the journal that are not taken yet
  std::chrono::seconds lag_time{};  // age of the oldest of them
  std::uint64_t written = 0;        // samples taken since the start
  std::uint64_t refused = 0;        // of them set aside
  std::uint64_t dropped = 0;        // left the journal before they could be written
  std::uint64_t failures = 0;       // writes that failed
  bool failing = false;
  std::string error;  // the last one, in words; empty = there was none
};

class Runner {
 public:
  // Journal and clock outlive the runner.
  Runner(const boost::asio::any_io_executor& executor, journal::Journal& journal,
         std::unique_ptr<Sink> sink, RunnerOptions options, const Clock& clock);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Until finish() or its cancellation.
  boost::asio::awaitable<void> run();
  // What is in the journal now is written at once, then run() ends; at the first failure, too.
  void finish();
  // What is in the journal now is not held back for more of its kind.
  void write_now();
  // For the summaries of the log; once a second or so.
  void tick();

  [[nodiscard]] RunnerStatus status() const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  boost::asio::awaitable<bool> turn();
  boost::asio::awaitable<void> wait(Milliseconds pause);
  boost::asio::awaitable<Result<Written>> attempt();
  boost::asio::awaitable<Result<Written>> contained();
  Result<> fill();
  std::uint64_t newly_dropped();
  [[nodiscard]] bool is_due() const;
  void take(const Written& written);
  void put_aside(const Refusal& refusal);
  void advance(journal::Sequence sequence);
  void let_go();
  void tell_loss();
  void failed(const std::string& reason);
  void say(bool warning, const std::string& line) const;

  journal::Journal& journal_;
  std::unique_ptr<Sink> sink_;
  RunnerOptions options_;
  const Clock& clock_;
  boost::asio::steady_timer timer_;
  io::Backoff backoff_;
  Trouble trouble_;
  std::vector<journal::Entry> pending_;  // fetched, wanted, not taken yet
  journal::Sequence cursor_ = 0;         // everything up to here is done
  journal::Sequence fetched_ = 0;        // pending_ ends here
  std::uint64_t dropped_seen_ = 0;
  std::uint64_t lost_ = 0;  // not told yet
  bool loss_told_ = false;  // in this outage
  bool known_ = false;      // the journal told us our cursor
  Time write_at_{};         // when pending_ goes out though it is not full
  bool held_back_ = false;  // the sink wrote, and took nothing of a full batch
  bool began_ = false;      // something was written
  bool hasten_ = false;     // until what is committed was written
  bool finishing_ = false;
  bool probing_ = false;  // the last write failed
  std::set<std::string> reasons_told_;
  RunnerStatus counts_;
};

}  // namespace meterbridge::sink
