// SPDX-License-Identifier: MIT
// `journal replay`: what the journal holds goes to one sink once more.
#include "app/claim.hpp"
#include "app/sink_plan.hpp"
#include "app/wait.hpp"
#include "cli/journal_words.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <unistd.h>

namespace meterbridge::cli {

namespace asio = boost::asio;

namespace {

constexpr int most_failures = 5;  // in a row
constexpr Milliseconds first_pause{1000};
constexpr std::size_t bar_width = 40;

class Progress {
 public:
  explicit Progress(std::uint64_t all) : all_(all), terminal_(::isatty(STDERR_FILENO) == 1) {}

  void show(std::uint64_t done) {
    const std::uint64_t percent = all_ == 0 ? 100 : std::min<std::uint64_t>(done * 100 / all_, 100);
    // Without a terminal a line for each tenth.
    const std::uint64_t step = terminal_ ? percent : percent / 10;
    if (shown_ == step) return;
    shown_ = step;
    std::string text = std::to_string(percent) + " %, " + std::to_string(done) + " of " +
                       std::to_string(all_) + " samples";
    if (terminal_) {
      const auto filled = static_cast<std::size_t>(bar_width * percent / 100);
      text = "\r[" + std::string(filled, '#') + std::string(bar_width - filled, ' ') + "] " + text +
             (percent == 100 ? "\n" : "\033[K");
    } else {
      text += "\n";
    }
    write(text);
  }

 private:
  static void write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  }

  std::uint64_t all_;
  bool terminal_;
  std::optional<std::uint64_t> shown_;
};

struct Replay {
  Replay(journal::Archive& a, const Selection& s, const config::SinkSettings& w,
         std::unique_ptr<sink::Sink> t, std::uint64_t all)
      : archive(a), selection(s), wanted(w), sink(std::move(t)), progress(all) {}

  journal::Archive& archive;
  const Selection& selection;
  const config::SinkSettings& wanted;
  std::unique_ptr<sink::Sink> sink;
  Progress progress;
  std::vector<journal::Entry> batch;
  journal::Sequence read = 0;
  bool end = false;  // nothing more to read
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  std::string failure;  // why it ended early
};

// More entries behind those that wait already. False: the journal failed.
bool fill(Replay& replay) {
  while (!replay.end && replay.batch.size() < sink::longest_batch) {
    auto entries = replay.archive.after(replay.read, replay.selection.span, sink::longest_batch);
    if (!entries) {
      replay.failure = entries.error().detail();
      return false;
    }
    replay.end = entries->empty();
    for (journal::Entry& entry : *entries) {
      replay.read = entry.sequence;
      if (replay.selection.holds(entry.sample) && app::is_wanted(replay.wanted, entry.sample)) {
        replay.batch.push_back(std::move(entry));
      } else {
        ++replay.done;
      }
    }
  }
  return true;
}

void take(Replay& replay, const sink::Written& written) {
  for (const sink::Refusal& refusal : written.refused) {
    if (replay.refused++ == 0)
      complain("sample " + std::to_string(refusal.sequence) + " is refused: " + refusal.reason);
  }
  const std::size_t taken = std::min(written.taken, replay.batch.size());
  replay.batch.erase(replay.batch.begin(),
                     replay.batch.begin() + static_cast<std::ptrdiff_t>(taken));
  replay.done += taken;
  replay.progress.show(replay.done);
}

asio::awaitable<void> run_replay(Replay& replay) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  Milliseconds pause = first_pause;
  replay.sink->hurry();
  for (int failures = 0; failures < most_failures;) {
    if (!fill(replay) || replay.batch.empty()) break;
    const std::size_t count = std::min(replay.batch.size(), sink::longest_batch);
    const auto written = co_await replay.sink->write(std::span(replay.batch).first(count));
    Milliseconds wait{};
    if (written && (written->taken > 0 || written->pause == Milliseconds::zero())) {
      failures = written->taken > 0 ? 0 : failures + 1;
      replay.failure = written->taken > 0 ? std::string() : "the place takes nothing";
      pause = first_pause;
      wait = written->pause;
      take(replay, *written);
    } else {
      ++failures;
      replay.failure =
          written ? std::string("the place asks us to wait") : written.error().detail();
      wait = written ? written->pause : pause;
      pause *= 2;
      complain(replay.failure);
    }
    if (wait > Milliseconds::zero()) co_await app::wait_until(timer, app::Steady::now() + wait);
  }
  replay.sink->close();
}

const config::SinkSettings* find_sink(const config::Settings& settings, const std::string& name) {
  const auto found = std::ranges::find(settings.sinks, name, &config::SinkSettings::name);
  return found == settings.sinks.end() ? nullptr : &*found;
}

}  // namespace

int replay_entries(const app::House& house, journal::Archive& archive, const Selection& selection,
                   const std::string& name) {
  const config::SinkSettings* wanted = find_sink(house.settings, name);
  if (wanted == nullptr) {
    complain("meterbridge journal: no sink \"" + name + "\" in the configuration");
    return exit_usage;
  }
  // A database does not mind who writes; the files of a service that runs are its own.
  std::unique_ptr<io::Descriptor> claim;
  if (wanted->type == "csv") {
    auto claimed = app::claim_instance(house.settings);
    if (!claimed) {
      complain("meterbridge journal: " + claimed.error().detail() +
               "; it writes the same files. Stop it for the time of the replay");
      return exit_failed;
    }
    claim = std::move(*claimed);
  }
  const auto all = archive.count(selection.span);
  if (!all) {
    complain("meterbridge journal: " + all.error().detail());
    return exit_failed;
  }
  asio::io_context context(1);
  sink::Setup setup;
  setup.state_directory = house.settings.state_directory;
  setup.instance = house.settings.instance;
  setup.replay = true;
  setup.log = [](bool, const std::string& line) { complain(line); };
  auto made = app::make_sink(context.get_executor(), *wanted, std::move(setup));
  if (!made) {
    complain("meterbridge journal: " + made.error().detail());
    return exit_failed;
  }
  Replay replay(archive, selection, *wanted, std::move(*made), *all);
  replay.progress.show(0);
  asio::co_spawn(context, run_replay(replay), [&](std::exception_ptr broken) {
    if (broken) replay.failure = "writing broke";
  });
  context.run();
  if (!replay.failure.empty())
    complain("meterbridge journal: not all was written: " + replay.failure);
  if (replay.refused > 0) complain(std::to_string(replay.refused) + " samples were refused");
  if (archive.damaged() > 0)
    complain(std::to_string(archive.damaged()) + " entries are damaged and were left out");
  const bool whole = replay.failure.empty() && replay.refused == 0 && archive.damaged() == 0;
  return whole ? exit_ok : exit_failed;
}

}  // namespace meterbridge::cli
