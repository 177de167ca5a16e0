// SPDX-License-Identifier: MIT
#include "journal/import.hpp"

#include "journal/disk.hpp"
#include "journal/ledger.hpp"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

namespace meterbridge::journal {
namespace {

constexpr std::size_t rows_at_once = 1000;
constexpr std::size_t most_late = 20'000;
constexpr int looked_at = 8;  // samples, for a counter that not each of them has

// Journals count from the microseconds of a clock that is set (first_sequence), far above this.
// Imports count down from here as time goes on, so that two journals of one house, one after the
// other, do not use the same numbers for different samples.
constexpr Sequence highest = 1'000'000'000'000;
constexpr std::int64_t epoch = 1'767'225'600'000;  // 2026

Sequence numbers_below(Instant now) {
  const std::int64_t passed = std::max<std::int64_t>(now.time_since_epoch().count() - epoch, 0);
  return static_cast<std::uint64_t>(passed) < highest ? highest - static_cast<Sequence>(passed) : 0;
}

// When a meter's samples were, and where they are. Most come in order.
class Moments {
 public:
  void add(Instant at, Sequence sequence) {
    if (sorted_.empty() || sorted_.back().first <= at) {
      sorted_.emplace_back(at, sequence);
      return;
    }
    late_.emplace(at, sequence);
    if (late_.size() >= most_late) merge();
  }

  [[nodiscard]] std::vector<Sequence> at(Instant at) const {
    std::vector<Sequence> found;
    const auto less = [](const auto& a, const auto& b) { return a.first < b.first; };
    const auto [begin, end] =
        std::equal_range(sorted_.begin(), sorted_.end(), std::pair(at, Sequence{0}), less);
    for (auto it = begin; it != end; ++it)
      found.push_back(it->second);
    const auto [first, last] = late_.equal_range(at);
    for (auto it = first; it != last; ++it)
      found.push_back(it->second);
    return found;
  }

  // In pieces: what grows as a whole is there twice while it moves.
  using Places = std::deque<std::pair<Instant, Sequence>>;

  const Places& in_time() {
    merge();
    return sorted_;
  }

 private:
  void merge() {
    if (late_.empty()) return;
    Places merged;
    std::merge(sorted_.begin(), sorted_.end(), late_.begin(), late_.end(),
               std::back_inserter(merged),
               [](const auto& a, const auto& b) { return a.first < b.first; });
    sorted_.swap(merged);
    late_.clear();
  }

  Places sorted_;
  std::multimap<Instant, Sequence> late_;
};

using Values = std::map<ReadingKey, Fall::Side>;

class Into final : public Import {
 public:
  explicit Into(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  ~Into() override {
    if (!finished_) store_->undo();
  }

  Into(const Into&) = delete;
  Into& operator=(const Into&) = delete;

  Result<> begin(std::uint64_t most, Instant now);
  Result<Verdict> add(const Sample& sample) override;
  Result<> finish() override;
  Result<std::uint64_t> falls(const std::function<void(const Fall&)>& tell) override;

  void next_file() override { latest_.clear(); }

  Result<std::uint64_t> bytes() override { return store_->bytes(); }

 private:
  Result<> look();
  Result<> compare(const Sample& sample, std::vector<Reading>& rest, Verdict& verdict);
  Result<> insert(const Sample& sample);
  void chain(const Sample& sample);
  Result<Values> counters(const Moments::Places& places, std::size_t at, int step);
  Result<std::uint64_t> falls_of(const std::string& meter, const Moments::Places& places,
                                 const std::function<void(const Fall&)>& tell);

  [[nodiscard]] bool is_new(Sequence sequence) const {
    return sequence >= lowest_ && sequence < next_;
  }

  std::unique_ptr<Store> store_;
  Dictionary words_;
  std::uint32_t words_written_ = 0;
  Ledger ledger_;
  std::map<std::string, Moments> meters_;
  // Of each meter, the latest of this file; of each imported sample, which one it was when it came.
  std::unordered_map<std::string, std::pair<Instant, Sequence>> latest_;
  std::deque<Sequence> before_;
  Sequence lowest_ = 0;
  Sequence next_ = 0;
  Sequence end_ = 0;
  std::uint64_t added_ = 0;
  bool finished_ = false;
};

Result<> Into::begin(std::uint64_t most, Instant now) {
  if (auto begun = store_->begin(true); !begun) return begun;
  auto words = store_->words();
  if (!words) return words.error();
  words_ = std::move(*words);
  words_written_ = static_cast<std::uint32_t>(words_.size());
  auto ledger = recall(*store_);
  if (!ledger) return ledger.error();
  ledger_ = std::move(*ledger);
  const auto marks = store_->marks();
  if (!marks) return marks.error();
  end_ = numbers_below(now);
  if (ledger_.oldest != 0) end_ = std::min(end_, ledger_.oldest);
  if (const auto before = marks->find(imported_mark); before != marks->end())
    end_ = std::min(end_, static_cast<Sequence>(before->second));
  if (end_ <= most)
    return Error(Errc::unsupported,
                 "there are no numbers left before those of the journal: it was begun while the "
                 "clock of the machine was not set, or had too many imports. Move it away, and "
                 "import into a new one");
  lowest_ = next_ = end_ - most;
  return look();
}

// What is there already.
Result<> Into::look() {
  for (Sequence sequence = 0;;) {
    const auto rows = store_->rows(sequence, rows_at_once);
    if (!rows) return rows.error();
    if (rows->empty()) return {};
    for (const Row& row : *rows) {
      sequence = row.sequence;
      // A damaged one is no reason to refuse a good one.
      if (const auto entry = entry_of(row, words_))
        meters_[entry->sample.meter].add(row.at, row.sequence);
    }
  }
}

// Leaves of `rest` what the journal does not have.
Result<> Into::compare(const Sample& sample, std::vector<Reading>& rest, Verdict& verdict) {
  const auto meter = meters_.find(sample.meter);
  if (meter == meters_.end()) return {};
  for (const Sequence sequence : meter->second.at(sample.at)) {
    const auto rows = store_->rows(sequence - 1, 1);
    if (!rows) return rows.error();
    if (rows->empty() || rows->front().sequence != sequence) continue;
    const auto entry = entry_of(rows->front(), words_);
    if (!entry) continue;
    for (const Reading& there : entry->sample.readings) {
      const auto same = std::ranges::find(rest, there.key, &Reading::key);
      if (same == rest.end()) continue;
      if (same->value != there.value) verdict.other.push_back(there.key.text());
      rest.erase(same);
    }
  }
  return {};
}

Result<> Into::insert(const Sample& sample) {
  if (next_ >= end_) return Error(Errc::bug, "more samples came than were announced");
  auto body = encode(sample, words_);
  if (!body) return body.error();
  for (std::uint32_t word = words_written_ + 1; word <= words_.size(); ++word) {
    if (auto done = store_->insert_word(word, words_.bytes(word)); !done) return done;
    words_written_ = word;
  }
  Row row;
  row.sequence = next_;
  row.at = sample.at;
  row.body = std::move(*body);
  if (auto done = store_->insert(row); !done) return done;
  meters_[sample.meter].add(row.at, row.sequence);
  chain(sample);
  ++next_;
  ++added_;
  return {};
}

// Who reads a file has compared a sample with the latest before it, when it was later still.
void Into::chain(const Sample& sample) {
  auto& latest = latest_.try_emplace(sample.meter, sample.at, Sequence{0}).first->second;
  const bool later = sample.at >= latest.first;
  before_.push_back(later ? latest.second : 0);
  if (later) latest = {sample.at, next_};
}

// Counters of a sample, and of those beside it as long as they bring others.
Result<Values> Into::counters(const Moments::Places& places, std::size_t at, int step) {
  Values values;
  for (int i = 0; i < looked_at && at < places.size(); ++i, at += static_cast<std::size_t>(step)) {
    const Sequence sequence = places[at].second;
    const auto rows = store_->rows(sequence - 1, 1);
    if (!rows) return rows.error();
    if (rows->empty() || rows->front().sequence != sequence) continue;
    const auto entry = entry_of(rows->front(), words_);
    if (!entry) continue;
    const std::size_t known = values.size();
    for (const Reading& reading : entry->sample.readings) {
      const auto* const number = std::get_if<Decimal>(&reading.value);
      if (number == nullptr || !is_cumulative(reading.key)) continue;
      Fall::Side side;
      side.at = places[at].first;
      side.value = *number;
      side.imported = is_new(sequence);
      values.try_emplace(reading.key, side);
    }
    if (known > 0 && values.size() == known) break;
  }
  return values;
}

Result<std::uint64_t> Into::falls_of(const std::string& meter, const Moments::Places& places,
                                     const std::function<void(const Fall&)>& tell) {
  std::uint64_t count = 0;
  for (std::size_t i = 1; i < places.size(); ++i) {
    const Sequence first = places[i - 1].second;
    const Sequence second = places[i].second;
    if (!is_new(first) && !is_new(second)) continue;
    if (is_new(second) && before_[static_cast<std::size_t>(second - lowest_)] == first) continue;
    const auto before = counters(places, i - 1, -1);
    if (!before) return before.error();
    const auto after = counters(places, i, 1);
    if (!after) return after.error();
    for (const auto& [key, to] : *after) {
      const auto from = before->find(key);
      if (from == before->end() || to.value >= from->second.value) continue;
      if (!from->second.imported && !to.imported) continue;
      ++count;
      Fall fall;
      fall.meter = meter;
      fall.key = key;
      fall.from = from->second;
      fall.to = to;
      tell(fall);
    }
  }
  return count;
}

Result<std::uint64_t> Into::falls(const std::function<void(const Fall&)>& tell) {
  std::uint64_t count = 0;
  if (added_ == 0) return count;
  for (auto& [meter, moments] : meters_) {
    const auto found = falls_of(meter, moments.in_time(), tell);
    if (!found) return found.error();
    count += *found;
  }
  return count;
}

Result<Verdict> Into::add(const Sample& sample) {
  Verdict verdict;
  std::vector<Reading> rest = sample.readings;
  if (auto done = compare(sample, rest, verdict); !done) return done.error();
  if (rest.empty()) return verdict;
  Result<> done;
  if (rest.size() == sample.readings.size()) {
    done = insert(sample);
  } else {
    Sample part = sample;
    part.readings = std::move(rest);
    part.document.clear();
    done = insert(part);
  }
  if (!done) return done.error();
  verdict.added = true;
  return verdict;
}

Result<> Into::finish() {
  if (added_ > 0) {
    const auto newest = store_->newest();
    if (!newest) return newest.error();
    ledger_.committed = *newest;
    ledger_.entries += added_;
    // A sink that never took anything is behind all that is imported, too.
    for (auto& [sink, cursor] : ledger_.cursors)
      cursor.at = std::max(cursor.at, end_ - 1);
    if (auto done = write_marks(*store_, ledger_); !done) return done;
    if (auto done = store_->set_mark(imported_mark, static_cast<std::int64_t>(lowest_)); !done)
      return done;
  }
  if (auto done = store_->end(); !done) return done;
  finished_ = true;
  return {};
}

}  // namespace

Result<std::unique_ptr<Import>> begin_import(const std::string& path, std::uint64_t most,
                                             const Clock& clock) {
  std::error_code failed;
  if (std::filesystem::exists(path, failed)) {
    // The journal itself would move a foreign file aside.
    const auto there = Store::open(path, Database::Mode::existing);
    if (!there) return there.error();
  }
  {
    // What a program that was killed left beside the database goes into it first.
    DiskOptions options;
    options.path = path;
    options.quick = quick_folder(path);
    options.keep = Milliseconds::zero();
    options.size = 0;
    const auto journal = on_disk(std::move(options), clock);
    (void)journal->commit();
    if (const Status status = journal->status(); !status.trouble.empty())
      return Error(Errc::io, path + ": " + status.trouble);
  }
  auto store = Store::open(path, Database::Mode::existing);
  if (!store) return store.error();
  auto into = std::make_unique<Into>(std::move(*store));
  if (auto begun = into->begin(most, clock.now()); !begun) return begun.error().within(path);
  return std::unique_ptr<Import>(std::move(into));
}

Result<std::unique_ptr<Import>> begin_trial(std::uint64_t most, const Clock& clock) {
  // SQLite's own temporary file, which has no name.
  auto store = Store::open("", Database::Mode::write);
  if (!store) return store.error();
  auto into = std::make_unique<Into>(std::move(*store));
  if (auto begun = into->begin(most, clock.now()); !begun) return begun.error();
  return std::unique_ptr<Import>(std::move(into));
}

}  // namespace meterbridge::journal
