// SPDX-License-Identifier: MIT
#include "journal/archive.hpp"

#include "journal/ledger.hpp"

#include <filesystem>
#include <utility>

namespace meterbridge::journal {
namespace {

constexpr std::size_t rows_at_once = 1000;

class OnDisk final : public Archive {
 public:
  OnDisk(std::unique_ptr<Store> store, Dictionary words)
      : store_(std::move(store)), words_(std::move(words)) {}

  Result<Overview> overview() override;
  Result<std::uint64_t> count(const Span& span) override;
  Result<std::vector<Entry>> after(Sequence sequence, const Span& span, std::size_t limit) override;

  [[nodiscard]] std::uint64_t damaged() const override { return damaged_; }

 private:
  Result<Entry> entry(const Row& row);

  std::unique_ptr<Store> store_;
  Dictionary words_;
  std::uint64_t damaged_ = 0;
};

Result<Overview> OnDisk::overview() {
  const auto ledger = recall(*store_);
  if (!ledger) return ledger.error();
  Overview overview;
  overview.entries = ledger->entries;
  overview.bytes = ledger->bytes;
  overview.dropped = ledger->dropped;
  overview.damaged = ledger->damaged;
  for (const Sequence sequence : {ledger->oldest, ledger->committed}) {
    if (sequence == 0) continue;
    const auto rows = store_->rows(sequence - 1, 1);
    if (!rows) return rows.error();
    if (rows->empty()) continue;
    Mark mark;
    mark.sequence = rows->front().sequence;
    mark.at = rows->front().at;
    (overview.oldest ? overview.newest : overview.oldest) = mark;
  }
  for (const auto& [sink, cursor] : ledger->cursors) {
    const auto lag = store_->count_after(cursor.at);
    if (!lag) return lag.error();
    overview.sinks.push_back({sink, cursor.at, *lag, cursor.dropped});
  }
  return overview;
}

Result<std::uint64_t> OnDisk::count(const Span& span) {
  return store_->count_between(span.from.value_or(Instant::min()),
                               span.to.value_or(Instant::max()));
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
  while (found.size() < limit) {
    const auto rows = store_->rows(sequence, rows_at_once);
    if (!rows) return rows.error();
    if (rows->empty()) break;
    for (const Row& row : *rows) {
      if (found.size() >= limit) break;
      sequence = row.sequence;
      if (!span.holds(row.at)) continue;
      if (auto read = entry(row); read) {
        found.push_back(std::move(*read));
      } else {
        ++damaged_;
      }
    }
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
  auto words = (*store)->words();
  if (!words) return words.error().within(path);
  return std::unique_ptr<Archive>(std::make_unique<OnDisk>(std::move(*store), std::move(*words)));
}

}  // namespace meterbridge::journal
