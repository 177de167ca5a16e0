// SPDX-License-Identifier: MIT
#include "sink/runner.hpp"

#include "journal/memory.hpp"
#include "sink/trouble.hpp"
#include "sink/worker.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace meterbridge::sink {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using journal::Entry;
using Answer = std::function<Result<Written>(std::span<const Entry>)>;

struct Seen {
  std::vector<journal::Sequence> taken;
  std::vector<std::size_t> sizes;
  bool closed = false;
  bool hurried = false;
};

// Answers from a list; when that is empty it takes everything.
class Scripted final : public Sink {
 public:
  Scripted(Seen& seen, std::deque<Answer>& answers) : seen_(seen), answers_(answers) {}

  asio::awaitable<Result<Written>> write(std::span<const Entry> batch) override {
    seen_.sizes.push_back(batch.size());
    Result<Written> outcome = Written{batch.size(), {}, {}};
    if (!answers_.empty()) {
      const Answer answer = std::move(answers_.front());
      answers_.pop_front();
      outcome = answer(batch);
    }
    for (std::size_t i = 0; outcome && i < outcome->taken && i < batch.size(); ++i)
      seen_.taken.push_back(batch[i].sequence);
    co_return outcome;
  }

  void hurry() override { seen_.hurried = true; }

  void close() override { seen_.closed = true; }

 private:
  Seen& seen_;
  std::deque<Answer>& answers_;
};

class Hanging final : public Sink {
 public:
  asio::awaitable<Result<Written>> write(std::span<const Entry>) override {
    asio::steady_timer timer(co_await asio::this_coro::executor, 60s);
    (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return Error(Errc::cancelled, "ended");
  }
};

class SinkRunner : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "meterbridge-sink-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    options_.name = "place";
    options_.flush_interval = 1ms;
    options_.first_pause = 1ms;
    options_.longest_pause = 4ms;
    options_.refused_file = (folder_ / "refused-place.jsonl").string();
    options_.log = [this](bool, const std::string& line) { log_.push_back(line); };
  }

  void TearDown() override { fs::remove_all(folder_); }

  void append(int count, const std::string& meter = "house") {
    for (int i = 0; i < count; ++i) {
      Sample sample;
      sample.meter = meter;
      sample.at = clock_.now();
      sample.readings.emplace_back(*ReadingKey::parse("power"), Decimal(i), Unit::W);
      ASSERT_TRUE(journal_->append(sample));
    }
    ASSERT_TRUE(journal_->commit());
  }

  void begin(std::unique_ptr<Sink> sink = nullptr) {
    if (!sink) sink = std::make_unique<Scripted>(seen_, answers_);
    (void)journal_->cursor(options_.name);
    runner_ = std::make_unique<Runner>(context_.get_executor(), *journal_, std::move(sink),
                                       options_, clock_);
    asio::co_spawn(context_, runner_->run(), [this](std::exception_ptr) { ended_ = true; });
  }

  template <class Condition>
  bool until(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      context_.restart();
      context_.run_one_for(10ms);
    }
    return condition();
  }

  bool finish() {
    runner_->finish();
    return until([this] { return ended_; });
  }

  fs::path folder_;
  SystemClock clock_;
  std::unique_ptr<journal::Journal> journal_ = journal::in_memory(1000);
  asio::io_context context_{1};
  RunnerOptions options_;
  Seen seen_;
  std::deque<Answer> answers_;
  std::vector<std::string> log_;
  std::unique_ptr<Runner> runner_;
  bool ended_ = false;
};

Answer failing(const std::string& text) {
  return [text](std::span<const Entry>) { return Error(Errc::io, text); };
}

Answer taking(std::size_t count) {
  return [count](std::span<const Entry>) { return Written{count, {}, {}}; };
}

}  // namespace

TEST_F(SinkRunner, HandsEverySampleOverOnceAndInOrder_P47) {
  options_.batch = 7;
  answers_ = {taking(3), failing("gone"), taking(0), failing("gone"), taking(7)};
  begin();
  append(40);
  ASSERT_TRUE(until([this] { return seen_.taken.size() == 40; }));
  for (std::size_t i = 0; i < 40; ++i)
    EXPECT_EQ(seen_.taken[i], i + 1);
  EXPECT_LE(*std::ranges::max_element(seen_.sizes), 7U);
  ASSERT_TRUE(finish());
  EXPECT_TRUE(seen_.closed && seen_.hurried);
  EXPECT_EQ(*journal_->cursor("place"), 40U);
  const RunnerStatus status = runner_->status();
  EXPECT_EQ(status.lag, 0U);
  EXPECT_EQ(status.written, 40U);
  EXPECT_EQ(status.failures, 2U);
  EXPECT_FALSE(status.failing);
}

TEST_F(SinkRunner, APlaceThatHangsForAMinuteStopsNobody_P50) {
  options_.timeout = 20ms;
  begin(std::make_unique<Hanging>());
  append(1);
  int polls = 0;
  ASSERT_TRUE(until([&] {
    append(1);
    ++polls;
    return runner_->status().failures >= 3;
  }));
  EXPECT_GE(polls, 3);
  EXPECT_TRUE(runner_->status().failing);
  EXPECT_EQ(runner_->status().lag, static_cast<std::uint64_t>(polls) + 1);
  EXPECT_NE(runner_->status().error.find("20ms"), std::string::npos);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(finish());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(SinkRunner, RefusedSamplesAreSetAsideAndNamedOnce_P48) {
  const Answer refusing = [](std::span<const Entry> batch) {
    Written written;
    written.taken = batch.size();
    for (const Entry& entry : batch)
      written.refused.push_back({entry.sequence, "field type conflict"});
    return written;
  };
  answers_ = {refusing, refusing};
  options_.batch = 2;
  begin();
  append(6);
  ASSERT_TRUE(until([this] { return runner_->status().written == 6; }));
  EXPECT_EQ(runner_->status().refused, 4U);
  std::ifstream file(options_.refused_file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    lines.push_back(line);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[1].starts_with("{\"sequence\":2,\"meter\":\"house\",\"time\":\"")) << lines[1];
  EXPECT_NE(lines[1].find("\"reason\":\"field type conflict\",\"readings\":{\"power\":1}}"),
            std::string::npos);
  ASSERT_EQ(log_.size(), 1U);
  EXPECT_NE(log_[0].find("refuses a sample of house"), std::string::npos);
}

TEST_F(SinkRunner, TakesOnlyItsMetersAndPassesTheOthers) {
  options_.wanted = [](const Sample& sample) { return sample.meter == "roof"; };
  begin();
  append(5);
  append(1, "roof");
  append(5);
  ASSERT_TRUE(until([this] { return *journal_->cursor("place") == 11; }));
  EXPECT_EQ(seen_.taken, std::vector<journal::Sequence>{6});
  EXPECT_EQ(runner_->status().lag, 0U);
}

TEST_F(SinkRunner, WaitsAsLongAsThePlaceAsksAndCountsWhatLeftTheJournal) {
  journal_ = journal::in_memory(10);
  const Answer later = [](std::span<const Entry>) { return Written{0, {}, 30ms}; };
  answers_ = {later};
  begin();
  append(5);
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(until([this] { return seen_.sizes.size() == 1; }));
  ASSERT_TRUE(until([this] { return seen_.taken.size() == 5; }));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 25ms);
  ASSERT_TRUE(until([this] { return *journal_->cursor("place") == 5; }));
  append(30);
  ASSERT_TRUE(until([this] { return seen_.taken.size() == 15; }));
  EXPECT_EQ(seen_.taken.back(), 35U);
  EXPECT_EQ(runner_->status().dropped, 20U);
}

TEST_F(SinkRunner, WhoAsksSeesWhatIsHeldBackAndLaterSamplesWaitAgain) {
  options_.flush_interval = 1h;
  options_.batch = 10;
  begin();
  append(7);
  runner_->write_now();
  ASSERT_TRUE(until([this] { return *journal_->cursor("place") == 7; }));
  append(13);
  ASSERT_TRUE(until([this] { return seen_.taken.size() == 17; })) << "a full batch does not wait";
  context_.restart();
  context_.run_for(30ms);
  EXPECT_EQ(seen_.taken.size(), 17U);
  EXPECT_FALSE(seen_.hurried);
  ASSERT_TRUE(finish());
  EXPECT_EQ(seen_.taken.size(), 20U);
}

TEST_F(SinkRunner, TheEndTakesTheRestOrFailsOnce) {
  options_.flush_interval = 1h;
  begin();
  append(3);
  ASSERT_TRUE(finish());
  EXPECT_EQ(seen_.taken.size(), 3U);
  answers_ = {failing("gone"), failing("gone")};
  ended_ = false;
  append(1);
  begin();
  ASSERT_TRUE(finish());
  EXPECT_EQ(answers_.size(), 1U);
  EXPECT_EQ(runner_->status().lag, 1U);
}

TEST(SinkTrouble, ADayOfAnyFaultIsLessThanAHundredLines_P54) {
  const auto begin = std::chrono::steady_clock::time_point{} + 1h;
  const auto day_of = [&](auto fault) {
    Trouble trouble;
    int lines = 0;
    for (int second = 0; second < 86400; ++second) {
      const auto now = begin + std::chrono::seconds(second);
      lines += fault(trouble, second, now) ? 1 : 0;
      lines += trouble.tick(now) ? 1 : 0;
    }
    return lines;
  };
  const int away = day_of([](Trouble& t, int s, auto now) {
    return t.failed(now, "refused, attempt " + std::to_string(s)).has_value();
  });
  EXPECT_LE(away, 12);
  EXPECT_GE(away, 3);
  const int fluttering = day_of([](Trouble& t, int s, auto now) {
    return s % 2 == 0 ? t.failed(now, "gone").has_value() : t.good(now).has_value();
  });
  EXPECT_LT(fluttering, 100);
  Trouble trouble;
  EXPECT_EQ(trouble.failed(begin, "gone"), "gone; nothing is lost, it is tried again");
  EXPECT_EQ(trouble.failed(begin + 1s, "gone"), std::nullopt);
  EXPECT_EQ(trouble.good(begin + 60s), "good again after 1m and 2 attempts");
}

TEST(SinkWorker, AJobThatHangsIsLeftAlone) {
  const auto hung = std::make_shared<std::atomic<bool>>(true);
  const auto over = std::make_shared<std::atomic<bool>>(false);
  asio::io_context context(1);
  std::vector<int> order;
  {
    Worker worker(context.get_executor());
    bool done = false;
    asio::co_spawn(
        context,
        [](Worker& w, std::vector<int>& seen, bool& all_done) -> asio::awaitable<void> {
          const bool first = co_await w.run([&seen] { seen.push_back(1); });
          const bool second = co_await w.run([&seen] { seen.push_back(2); });
          all_done = first && second;
        }(worker, order, done),
        [](std::exception_ptr) {});
    context.run();
    EXPECT_TRUE(done);
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
    context.restart();
    asio::co_spawn(
        context,
        [](Worker& w, std::shared_ptr<std::atomic<bool>> hangs,
           std::shared_ptr<std::atomic<bool>> is_over) -> asio::awaitable<void> {
          (void)co_await w.run([hangs, is_over] {
            hangs->wait(true);
            *is_over = true;
            is_over->notify_all();
          });
        }(worker, hung, over),
        [](std::exception_ptr) {});
    context.run_for(10ms);
  }
  EXPECT_FALSE(*over);
  *hung = false;
  hung->notify_all();
  over->wait(false);
}

// A place that hangs for days is tried every minute: what was given up does not pile up behind it.
TEST(SinkWorker, WhatWasGivenUpBehindAJobThatHangsIsForgotten_P55) {
  using asio::experimental::awaitable_operators::operator||;
  const auto hung = std::make_shared<std::atomic<bool>>(true);
  const auto batch = std::make_shared<int>(0);
  asio::io_context context(1);
  Worker worker(context.get_executor());
  bool attempted = false;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> {
        for (int attempt = 0; attempt < 20; ++attempt) {
          asio::steady_timer limit(context, 2ms);
          std::function<void()> job = [hung, batch] {
            hung->wait(true);
            ++*batch;
          };
          auto work = worker.run(std::move(job));
          auto pause = limit.async_wait(asio::as_tuple(asio::use_awaitable));
          (void)co_await (std::move(work) || std::move(pause));
        }
        attempted = true;
      },
      [](std::exception_ptr) {});
  context.run();
  EXPECT_TRUE(attempted);
  EXPECT_LE(batch.use_count(), 3) << "ours, and that of the one that hangs";
  *hung = false;
  hung->notify_all();
  context.restart();
  bool last = false;
  asio::co_spawn(
      context, [&]() -> asio::awaitable<void> { last = co_await worker.run([] {}); },
      [](std::exception_ptr) {});
  context.run();
  EXPECT_TRUE(last);
  EXPECT_EQ(*batch, 1);
}

}  // namespace meterbridge::sink
