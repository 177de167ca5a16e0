// SPDX-License-Identifier: MIT
#include "journal/archive.hpp"

#include "journal/disk.hpp"
#include "journal/front.hpp"
#include "journal/ledger.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

namespace meterbridge::journal {
namespace {

constexpr std::size_t rows_at_once = 1000;

class OnDisk final : public Archive {
 public:
  OnDisk(std::unique_ptr<Store> store, Dictionary words, Front::Found recent)
      : store_(std::move(store)),
        words_(std::move(words)),
        recent_(std::move(recent.rows)),
        cursors_(std::move(recent.cursors)) {}

  Result<Overview> overview() override;
  Result<std::uint64_t> count(const Span& span) override;
  Result<std::vector<Entry>> after(Sequence sequence, const Span& span, std::size_t limit) override;

  [[nodiscard]] std::uint64_t damaged() const override { return damaged_; }

 private:
  Result<Entry> entry(const Row& row);

  std::unique_ptr<Store> store_;
  Dictionary words_;
  // What the database did not have yet when it was opened.
  std::vector<Row> recent_;
  std::map<std::string, Sequence, std::less<>> cursors_;
  std::uint64_t damaged_ = 0;
};

Result<Overview> OnDisk::overview() {
  const auto ledger = recall(*store_);
  if (!ledger) return ledger.error();
  // The service may have moved some of them meanwhile.
  std::erase_if(recent_, [&](const Row& row) { return row.sequence <= ledger->committed; });
  Overview overview;
  overview.entries = ledger->entries + recent_.size();
  overview.bytes = ledger->bytes;
  overview.dropped = ledger->dropped;
  overview.damaged = ledger->damaged;
  for (Sequence sequence : {ledger->oldest, ledger->committed}) {
    if (sequence == 0) continue;
    if (ledger->imported) {
      const auto end = store_->end_in_time(overview.oldest.has_value());
      if (!end) return end.error();
      if (*end) sequence = (*end)->first;
    }
    const auto rows = store_->rows(sequence - 1, 1);
    if (!rows) return rows.error();
    if (rows->empty()) continue;
    Mark mark;
    mark.sequence = rows->front().sequence;
    mark.at = rows->front().at;
    (overview.oldest ? overview.newest : overview.oldest) = mark;
  }
  for (const Row& row : recent_) {
    overview.newest = Mark{row.sequence, row.at};
    if (!overview.oldest) overview.oldest = overview.newest;
  }
  for (const auto& [sink, cursor] : ledger->cursors) {
    const auto newer = cursors_.find(sink);
    const Sequence at = newer == cursors_.end() ? cursor.at : std::max(cursor.at, newer->second);
    const auto lag = store_->count_after(at);
    if (!lag) return lag.error();
    const auto recent = std::count_if(recent_.begin(), recent_.end(),
                                      [at](const Row& row) { return row.sequence > at; });
    overview.sinks.push_back({sink, at, *lag + static_cast<std::uint64_t>(recent), cursor.dropped});
  }
  return overview;
}

Result<std::uint64_t> OnDisk::count(const Span& span) {
  const auto newest = store_->newest();
  if (!newest) return newest.error();
  const auto stored =
      store_->count_between(span.from.value_or(Instant::min()), span.to.value_or(Instant::max()));
  if (!stored) return stored.error();
  const auto recent = std::count_if(recent_.begin(), recent_.end(), [&](const Row& row) {
    return row.sequence > *newest && span.holds(row.at);
  });
  return *stored + static_cast<std::uint64_t>(recent);
}

// The service may have learnt new words since we read them.
Result<Entry> OnDisk::entry(const Row& row) {
  auto found = entry_of(row, words_);
  if (found || row.body.empty()) return found;
  auto words = store_->words();
  if (!words || words->size() == words_.size()) return found;
  words_ = std::move(*words);
  return entry_of(row, words_);
}

Result<std::vector<Entry>> OnDisk::after(Sequence sequence, const Span& span, std::size_t limit) {
  std::vector<Entry> found;
  const auto take = [&](const Row& row) {
    sequence = row.sequence;
    if (!span.holds(row.at)) return;
    if (auto read = entry(row); read) {
      found.push_back(std::move(*read));
    } else {
      ++damaged_;
    }
  };
  while (found.size() < limit) {
    const auto rows = store_->rows(sequence, rows_at_once);
    if (!rows) return rows.error();
    if (rows->empty()) break;
    for (const Row& row : *rows) {
      if (found.size() < limit) take(row);
    }
  }
  for (const Row& row : recent_) {
    if (found.size() < limit && row.sequence > sequence) take(row);
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<Archive>> open_archive(const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed))
    return Error(Errc::not_found, path + ": there is no journal");
  auto store = Store::open(path, Database::Mode::read);
  if (!store) return store.error();
  const auto ledger = recall(**store);
  if (!ledger) return ledger.error().within(path);
  auto words = (*store)->words();
  if (!words) return words.error().within(path);
  Front::Found recent = Front::before(path, ledger->front, quick_folders(), *words);
  std::erase_if(recent.rows, [&](const Row& row) { return row.sequence <= ledger->committed; });
  return std::unique_ptr<Archive>(
      std::make_unique<OnDisk>(std::move(*store), std::move(*words), std::move(recent)));
}

}  // namespace meterbridge::journal
