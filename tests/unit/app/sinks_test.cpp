// SPDX-License-Identifier: MIT
#include "app/sinks.hpp"

#include "app/recorder.hpp"
#include "app/sink_plan.hpp"
#include "fakes/manual_clock.hpp"
#include "fakes/scratch.hpp"
#include "journal/disk.hpp"
#include "journal/memory.hpp"
#include "journal/sqlite.hpp"
#include "sink/runner.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <malloc.h>

namespace meterbridge::app {
namespace {

namespace asio = boost::asio;

// Refuses, or hangs, until it is good.
struct Moody final : sink::Sink {
  Moody(const bool& is_good, bool does_hang) : good(is_good), hangs(does_hang) {}

  asio::awaitable<Result<sink::Written>> write(std::span<const journal::Entry> batch) override {
    if (good) co_return sink::Written{batch.size(), {}, {}};
    if (hangs) {
      asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
      (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return Error(Errc::io, "connection refused");
  }

  const bool& good;
  bool hangs;
};

config::SinkSettings csv_below(const std::string& folder) {
  config::SinkSettings settings;
  settings.name = settings.type = "csv";
  for (const SettingSpec& spec : sink::find_kind("csv")->settings) {
    if (!spec.fallback.empty()) settings.values.set(spec.name, *parse_setting(spec, spec.fallback));
  }
  settings.values.set("directory", folder + "/out");
  settings.values.set("sync", Milliseconds(100));
  return settings;
}

// A file where the folder should be, until somebody removes it.
std::unique_ptr<sink::Sink> files_below(const std::string& folder, asio::io_context& context) {
  const config::SinkSettings settings = csv_below(folder);
  sink::Setup setup;
  setup.state_directory = folder + "/state";
  auto made = make_sink(context.get_executor(), settings, std::move(setup));
  return made ? *std::move(made) : nullptr;
}

}  // namespace

TEST(Documentation, TableOfSettingsIsTheProgramsOwn) {
  const auto library = meter::ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  std::ifstream stream(std::string(METERBRIDGE_SOURCE_DIR) + "/docs/settings.md", std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  EXPECT_TRUE(text.str() == config::settings_reference(whole_catalogue(*library)))
      << "make it anew: meterbridge schema --markdown > docs/settings.md";
}

// Ten meters that speak every second, written every ten minutes: one commit takes only a part.
TEST(Recorder, P47_ALongCommitOfManyMetersFallsNeverBehind) {
  if (journal::sqlite_version().empty()) GTEST_SKIP() << "built without SQLite";
  const fakes::Scratch scratch;
  fakes::ManualClock clock{Instant(std::chrono::milliseconds(1'790'000'000'000))};
  config::Settings settings;
  settings.instance = "meterbridge";
  settings.state_directory = scratch.path().string();
  settings.journal.store = config::JournalStore::disk;
  settings.journal.commit = std::chrono::minutes(10);
  Recorder recorder(settings, clock, [](bool, const std::string&) {});
  std::uint64_t longest = 0;
  for (int second = 0; second < 3 * 3600; ++second) {
    clock.advance(std::chrono::seconds(1));
    for (int meter = 0; meter < 10; ++meter) {
      Sample sample;
      sample.meter = "m" + std::to_string(meter);
      sample.at = clock.now();
      sample.readings.emplace_back(make_key(Quantity::power), Decimal(second), Unit::W);
      recorder.record(sample);
    }
    recorder.tick();
    longest = std::max(longest, recorder.journal().status().waiting);
  }
  EXPECT_LE(longest, 10U * 610);
  EXPECT_EQ(recorder.facts().dropped, 0U);
  recorder.commit_all();
  EXPECT_EQ(recorder.facts().waiting, 0U);
  EXPECT_EQ(recorder.facts().entries, 10U * 3 * 3600);
}

TEST(SinkPlan, TwoThatWouldWriteTheSameFilesAreRefusedWithTheirPlace) {
  const fakes::Scratch scratch;
  const std::string folder = scratch.path().string();
  const auto told = [&](const std::string& first, const std::string& second) {
    const std::string file = folder + "/meterbridge.yaml";
    std::ofstream(file) << "mqtt: {host: localhost}\n"
                           "meters: [{id: p1, profile: p1, link: {replay: /dev/null}}]\n"
                           "sinks:\n  a: {type: csv, "
                        << first << "}\n  b: {type: csv, " << second << "}\n";
    config::Problems problems;
    (void)load_configuration(file, problems);
    std::string text;
    for (const config::Problem& problem : problems.all())
      text += std::to_string(problem.place.line) + ": " + problem.path + ": " + problem.text + "\n";
    return text;
  };
  const std::string refused =
      "5: sinks.b: would write into the files of sinks.a: give it a directory of its own\n";
  EXPECT_EQ(told("directory: /x", "directory: /x/, gzip: true"), refused);
  EXPECT_EQ(told("directory: /x", "directory: /x/../x, layout: monthly"), refused);
  EXPECT_EQ(told("directory: /x", "directory: /x/p1, layout: okosmero"), refused);
  EXPECT_EQ(told("directory: /x, layout: okosmero", "directory: /x, layout: okosmero, sync: 1m"),
            refused);
  EXPECT_EQ(told("directory: /x", "directory: /x, layout: okosmero"), "");
  EXPECT_EQ(told("directory: /x", "directory: /y"), "");
  std::filesystem::create_directory(folder + "/real");
  std::filesystem::create_directory_symlink("real", folder + "/link");
  EXPECT_EQ(told("directory: " + folder + "/real", "directory: " + folder + "/link, gzip: true"),
            refused);
}

// Whatever the old one is doing just then.
TEST(Sinks, P47_OneThatIsTakenOutAndPutBackAtOnceRunsAgain) {
  for (int turns = 0; turns < 12; ++turns) {
    const fakes::Scratch scratch;
    const fakes::ManualClock clock;
    asio::io_context context;
    const auto work = asio::make_work_guard(context);
    const auto journal = journal::in_memory(100);
    Sinks sinks(context.get_executor(), *journal, clock, [](bool, const std::string&) {});
    config::Settings without;
    without.state_directory = scratch.path().string();
    config::Settings with = without;
    with.sinks.push_back(csv_below(scratch.path().string()));
    sinks.apply(with);
    context.run_for(std::chrono::milliseconds(10));
    sinks.apply(without);
    for (int turn = 0; turn < turns; ++turn)
      context.run_one_for(std::chrono::milliseconds(10));
    sinks.apply(with);
    context.run_for(std::chrono::milliseconds(50));
    EXPECT_EQ(sinks.health().size(), 1U) << turns;
    EXPECT_EQ(journal->status().sinks.size(), 1U) << turns;
    sinks.apply(without);
    context.run_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(sinks.empty()) << turns;
  }
}

// A week of a meter that speaks every thirty seconds, all places away.
// METERBRIDGE_SOAK_SAMPLES=10000000 takes as many as the requirement says.
TEST(Sinks, P55_AWeekWithAllOfThemAwayCostsNoMemoryAndFewLines) {
  if (journal::sqlite_version().empty()) GTEST_SKIP() << "built without SQLite";
  const char* wish = std::getenv("METERBRIDGE_SOAK_SAMPLES");
  const std::int64_t samples = wish == nullptr ? 20'160 : std::atoll(wish);
  const fakes::Scratch scratch;
  const std::string folder = scratch.path().string();
  std::ofstream(folder + "/out") << "in the way";
  fakes::ManualClock clock{Instant(std::chrono::milliseconds(1'790'000'000'000))};
  std::vector<std::string> log;
  journal::DiskOptions options;
  options.path = folder + "/journal.db";
  options.size = 150'000;
  options.log = [&](bool, const std::string& line) { log.push_back(line); };
  asio::io_context context(1);
  const auto journal = journal::on_disk(options, clock);
  bool good = false;
  std::vector<std::unique_ptr<sink::Runner>> runners;
  const auto add = [&](const std::string& name, std::unique_ptr<sink::Sink> made) {
    ASSERT_TRUE(made);
    sink::RunnerOptions wanted;
    wanted.name = name;
    wanted.timeout = wanted.first_pause = wanted.longest_pause = Milliseconds(1);
    wanted.log = options.log;
    (void)journal->cursor(name);
    runners.push_back(std::make_unique<sink::Runner>(context.get_executor(), *journal,
                                                     std::move(made), wanted, clock));
    asio::co_spawn(context, runners.back()->run(), [](std::exception_ptr) {});
  };
  add("refusing", std::make_unique<Moody>(good, false));
  add("hanging", std::make_unique<Moody>(good, true));
  add("csv", files_below(folder, context));
  std::size_t warm = 0;
  for (std::int64_t number = 0; number < samples; ++number) {
    Sample sample;
    sample.meter = "house";
    sample.at = clock.now();
    sample.readings.emplace_back(make_key(Quantity::energy, Direction::import), Decimal(number, -3),
                                 Unit::kWh);
    ASSERT_TRUE(journal->append(sample));
    clock.advance(Milliseconds(std::int64_t{7} * 86'400'000 / samples));
    if (number % 60 != 59) continue;
    ASSERT_TRUE(journal->commit());
    for (const auto& runner : runners)
      runner->tick();
    context.run_for(std::chrono::milliseconds(2));
    // The journal is full by then, and everybody has as much in hand as he may.
    if (number < samples * 3 / 7) warm = std::max(warm, ::mallinfo2().uordblks);
  }
  // SQLite's pages (512 kB) come to it, however long it takes; the long form stays at that.
  EXPECT_LE(::mallinfo2().uordblks, warm + 1024 * 1024);
  EXPECT_LT(log.size(), 100U);
  // They go on trying; how often in so short a week is a matter of the machine.
  const auto tried = [](const auto& runner) { return runner->status().failures > 50; };
  for (int i = 0; i < 20'000 && !std::ranges::all_of(runners, tried); ++i) {
    clock.advance(std::chrono::seconds(5));
    context.run_for(std::chrono::milliseconds(1));
  }
  const journal::Status status = journal->status();
  EXPECT_LE(status.bytes, options.size + options.size / 16);
  EXPECT_GT(status.dropped, 0U);
  for (const auto& runner : runners) {
    EXPECT_GT(runner->status().failures, 50U);
    EXPECT_TRUE(runner->status().failing);
  }
  // They come back: what the journal holds is delivered, what it does not is counted.
  good = true;
  std::filesystem::remove(folder + "/out");
  for (int i = 0; i < 20'000; ++i) {
    clock.advance(std::chrono::seconds(5));
    context.run_for(std::chrono::milliseconds(1));
    if (std::ranges::all_of(runners, [](const auto& runner) { return runner->status().lag == 0; }))
      break;
  }
  for (const auto& runner : runners) {
    const sink::RunnerStatus last = runner->status();
    EXPECT_EQ(last.lag, 0U);
    EXPECT_GE(last.written + last.dropped, static_cast<std::uint64_t>(samples / 60 * 60));
    runner->finish();
  }
  context.run_for(std::chrono::seconds(5));
}

}  // namespace meterbridge::app
