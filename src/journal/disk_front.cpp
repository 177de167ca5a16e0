// SPDX-License-Identifier: MIT
// The part of the journal that lies before the database: see front.hpp.
#include "journal/disk_journal.hpp"
#include "journal/hold.hpp"

#include <algorithm>
#include <limits>
#include <random>

namespace meterbridge::journal {
namespace {

constexpr auto move_every = std::chrono::hours(1);
constexpr auto try_front_every = std::chrono::minutes(10);
// So many at once are no slow house: the database takes them with less work.
constexpr std::size_t most_at_once = 400;
constexpr Sequence spare_numbers = 1000;
constexpr std::uint64_t size_share = 16;

std::uint64_t new_mark() {
  std::random_device random;
  // Never 0, and no negative number in the database.
  return (std::uint64_t{random()} << 31U | random()) >> 1U | 1U;
}

}  // namespace

// At the first opening: what the front holds and the database does not have yet, because the
// program was killed. It goes into the database with the next commit.
void Disk::recover_front() {
  if (std::exchange(recovered_, true)) {
    if (ledger_.front == 0) ledger_.front = new_mark();
    return;
  }
  if (ledger_.front == 0) {
    ledger_.front = new_mark();
    return;
  }
  Front::Found found = Front::read(Front::path_for(options_.path), ledger_.front);
  front_turn_ = found.turn;
  const Sequence below = waiting_.rows().empty() ? std::numeric_limits<Sequence>::max()
                                                 : waiting_.rows().front().sequence;
  std::erase_if(found.rows, [&](const Row& row) {
    return row.sequence <= ledger_.committed || row.sequence >= below;
  });
  for (const auto& [sink, at] : found.cursors) {
    Cursor& cursor = ledger_.cursors[sink];
    cursor.at = std::max(cursor.at, at);
  }
  if (found.damaged > 0) {
    ledger_.damaged += found.damaged;
    say(true, Front::path_for(options_.path) + " is damaged: " + std::to_string(found.damaged) +
                  " entries or more are left out");
  }
  if (found.rows.empty()) return;
  last_ = std::max(last_, found.rows.back().sequence);
  fronted_ = found.rows.size();
  waiting_.put_before(std::move(found.rows));
}

bool Disk::move_due() const {
  return fronted_ > 0 && clock_.steady() - moved_ >= move_every;
}

bool Disk::belongs_into_front() const {
  if (!front_ || !trouble_.empty() || closing_ || marks_urgent_ || more_leaves_) return false;
  // Words are kept in the database only, and come before what is written with them.
  if (words_.size() != words_written_) return false;
  if (waiting_.rows().size() - fronted_ > most_at_once) return false;
  // What moves at once must not lift the database far above its limit.
  if (options_.size != 0 && waiting_.bytes() > options_.size / size_share) return false;
  return last_ + spare_numbers < ledger_.reserved && !move_due();
}

void Disk::tell_of_front(const Error& error) const {
  say(true, error.detail() + ": the database gets every sample at once instead");
}

bool Disk::into_front() {
  if (!belongs_into_front()) return false;
  bool fits = true;
  for (std::size_t i = fronted_; fits && i < waiting_.rows().size(); ++i)
    fits = front_->add(waiting_.rows()[i]);
  const bool cursors = marks_due();
  for (const auto& [sink, cursor] : ledger_.cursors) {
    if (cursors) fits = fits && front_->add(sink, cursor.at);
  }
  if (!fits) {
    front_->undo();
    return false;
  }
  if (const auto written = front_->write(); !written) {
    tell_of_front(written.error());
    front_.reset();
    return false;
  }
  fronted_ = waiting_.rows().size();
  if (cursors) {
    marks_changed_ = false;
    cursors_in_front_ = true;
    marks_written_ = clock_.steady();
  }
  return true;
}

// What is in the half that is begun anew went to the database a turn ago, and has to be on the disk
// there. While somebody copies the files, what they may have copied stays.
void Disk::next_turn() {
  if (closing_ || !waiting_.rows().empty()) return;
  if (front_ && !front_->half_full()) return;
  if (flusher_.busy() || held(options_.path)) return;
  const auto now = clock_.steady();
  if (!front_ && front_tried_ && now - *front_tried_ < try_front_every) return;
  front_tried_ = now;
  if (!front_) {
    auto opened = Front::open(Front::path_for(options_.path));
    // The database gets every sample at once then. Of a full disk more is to be heard elsewhere.
    if (!opened) {
      if (opened.error().code() != Errc::access) tell_of_front(opened.error());
      return;
    }
    front_.emplace(std::move(*opened));
  }
  flusher_.flush();
  if (!front_->begin(ledger_.front, ++front_turn_)) front_.reset();
}

void Disk::pop_waiting() {
  waiting_.pop();
  if (fronted_ > 0) --fronted_;
}

std::size_t Disk::deliverable() const {
  return trouble_.empty() ? fronted_ : waiting_.rows().size();
}

void Disk::add_waiting(std::vector<Entry>& found, Sequence sequence, std::size_t limit) const {
  const auto& rows = waiting_.rows();
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(deliverable());
  auto at = std::upper_bound(rows.begin(), end, sequence,
                             [](Sequence number, const Row& row) { return number < row.sequence; });
  for (; at != end && found.size() < limit; ++at) {
    if (auto entry = entry_of(*at, words_)) found.push_back(std::move(*entry));
  }
}

}  // namespace meterbridge::journal
