// SPDX-License-Identifier: MIT
#include "sink/csv/csv.hpp"

#include "io/folder_check.hpp"
#include "sink/csv/store.hpp"
#include "sink/left_out.hpp"
#include "sink/worker.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>

namespace meterbridge::sink::csv {

namespace asio = boost::asio;

namespace {

// Lines go into their files as soon as they come, and are taken when they are on the disk.
class Csv final : public Sink {
 public:
  Csv(const asio::any_io_executor& executor, Setup setup, Options options)
      : layout_(options.layout),
        directory_(options.directory),
        min_free_(options.min_free),
        batch_(setup.batch),
        hurry_(setup.replay),
        worker_(executor) {
    StoreSetup store;
    store.options = std::move(options);
    store.state_file =
        setup.state_directory + "/" + setup.instance + ".csv-" + setup.name + ".sequence";
    store.newest = setup.newest;
    store.replay = setup.replay;
    store.log = [log = setup.log, executor, name = setup.name](bool warning,
                                                               const std::string& line) {
      if (!log) return;
      asio::post(executor,
                 [log, warning, text = "sink " + name + ": " + line] { log(warning, text); });
    };
    store_ = std::make_shared<Store>(std::move(store));
  }

  asio::awaitable<Result<Written>> write(std::span<const journal::Entry> batch) override;

  void hurry() override { hurry_ = true; }

  asio::awaitable<Result<std::string>> check() override;

 private:
  // Of one job; it may outlive us.
  struct Outcome {
    Result<> written;
    journal::Sequence remembered = 0;
  };

  Layout layout_;
  std::string directory_;
  std::uint64_t min_free_;
  std::size_t batch_;
  bool hurry_;
  journal::Sequence handed_ = 0;  // the newest entry that is in its file already
  std::shared_ptr<Store> store_;
  Worker worker_;
};

asio::awaitable<Result<Written>> Csv::write(std::span<const journal::Entry> batch) {
  Written result;
  if (batch.empty()) co_return result;
  auto rows = std::make_shared<std::vector<Row>>();
  for (const journal::Entry& entry : batch) {
    if (entry.sequence <= handed_) continue;
    for (Row& row : rows_of(layout_, entry))
      rows->push_back(std::move(row));
  }
  const journal::Sequence last = batch.back().sequence;
  const bool sync = hurry_ || batch.size() >= batch_;
  const auto outcome = std::make_shared<Outcome>();
  auto job = [store = store_, rows, outcome, last, sync, ending = hurry_] {
    const auto now = std::chrono::steady_clock::now();
    outcome->written = store->write(*rows, last);
    if (outcome->written && (sync || store->sync_is_due(now))) {
      const auto synced = store->sync(now, ending);
      if (!synced) outcome->written = synced.error();
    }
    outcome->remembered = store->remembered();
  };
  handed_ = 0;
  const bool done = co_await worker_.run(std::move(job));
  if (!done) co_return Error(Errc::cancelled, "the files were not written in time");
  if (!outcome->written) co_return outcome->written.error();
  handed_ = last;
  const auto taken =
      std::ranges::upper_bound(batch, outcome->remembered, {}, &journal::Entry::sequence);
  result.taken = static_cast<std::size_t>(taken - batch.begin());
  for (const journal::Entry& entry : batch.first(result.taken)) {
    const Sample& sample = entry.sample;
    if (layout_ == Layout::okosmero && sample.parent.empty() && sample.document.empty())
      result.refused.push_back({entry.sequence, "its telegram is none of the okosmero layout"});
  }
  co_return result;
}

asio::awaitable<Result<std::string>> Csv::check() {
  const auto found = std::make_shared<Result<std::string>>(std::string());
  auto job = [found, directory = directory_, least = min_free_] {
    *found = io::check_folder(directory, least);
  };
  const bool done = co_await worker_.run(std::move(job));
  if (!done) co_return Error(Errc::timeout, directory_ + " does not answer: is the share away?");
  co_return *found;
}

Result<std::unique_ptr<Sink>> make(const asio::any_io_executor& executor, Setup setup) {
  auto options = options_of(setup.settings);
  if (!options) return options.error();
  return std::make_unique<Csv>(executor, std::move(setup), *std::move(options));
}

std::string_view layout(const SettingValues& settings) {
  return settings.text("layout") == "okosmero" ? "okosmero" : "";
}

std::filesystem::path folder_of(const SettingValues& settings) {
  std::error_code ignored;
  const std::filesystem::path plain(settings.text("directory"));
  auto folder = std::filesystem::weakly_canonical(plain, ignored);
  if (ignored) folder = plain.lexically_normal();
  return folder.has_filename() ? folder : folder.parent_path();
}

// One that has a folder for each meter owns all of them, whichever meters it gets now: it looks
// after old files there.
bool same_files(const SettingValues& a, const SettingValues& b) {
  const auto first = folder_of(a);
  const auto second = folder_of(b);
  const bool first_flat = !layout(a).empty();
  const bool second_flat = !layout(b).empty();
  if (first_flat == second_flat) return first == second;
  return first_flat ? first.parent_path() == second : second.parent_path() == first;
}

}  // namespace

Kind kind() {
  return {"csv",   "Files with one line for each sample; see [sinks.md](sinks.md).",
          specs(), unless_left_out(&make),
          layout,  same_files};
}

}  // namespace meterbridge::sink::csv
