// SPDX-License-Identifier: MIT
// The part of the journal that lies before the database: see front.hpp.
#include "journal/disk_journal.hpp"
#include "journal/hold.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <random>

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

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

bool in_memory(const std::string& folder) {
  struct statfs facts {};

  return ::statfs(folder.c_str(), &facts) == 0 &&
         static_cast<std::uint64_t>(facts.f_type) == std::uint64_t{TMPFS_MAGIC};
}

}  // namespace

std::string quick_folder(const std::string& database) {
  const std::string place = std::filesystem::path(database).parent_path().string();
  if (in_memory(place.empty() ? "." : place)) return {};
  for (const std::string& folder : quick_folders()) {
    if (in_memory(folder) && ::access(folder.c_str(), W_OK) == 0) return folder;
  }
  return {};
}

std::vector<std::string> quick_folders() {
  std::vector<std::string> folders{"/run/meterbridge", "/dev/shm"};
  const char* given = std::getenv("RUNTIME_DIRECTORY");
  if (given != nullptr && folders.front() != given) folders.insert(folders.begin(), given);
  return folders;
}

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
  std::vector<std::string> folders;
  if (!options_.quick.empty()) folders.push_back(options_.quick);
  Front::Found found = Front::before(options_.path, ledger_.front, folders, words_);
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
  written_ = 0;
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

// Rows from the given one on, and the sinks' places. False: nothing of it was written.
bool Disk::write_front(Front& front, std::size_t from, bool cursors) {
  bool fits = true;
  for (std::size_t i = from; fits && i < waiting_.rows().size(); ++i)
    fits = front.add(waiting_.rows()[i]);
  for (const auto& [sink, cursor] : ledger_.cursors) {
    if (cursors) fits = fits && front.add(sink, cursor.at);
  }
  if (!fits) {
    front.undo();
    return false;
  }
  const auto written = front.write();
  if (written) return true;
  tell_of_front(written.error());
  front_.reset();
  quick_.reset();
  return false;
}

bool Disk::into_front() {
  if (!belongs_into_front()) return false;
  const bool cursors = marks_due();
  if (!write_front(quick_ ? *quick_ : *front_, fronted_, cursors)) return false;
  fronted_ = waiting_.rows().size();
  if (!quick_) written_ = fronted_;
  if (cursors) {
    marks_changed_ = false;
    cursors_in_front_ = true;
    marks_written_ = clock_.steady();
  }
  return true;
}

// What lay in memory, onto the disk. Where that fails the database gets it with the next commit.
void Disk::flush_front() {
  if (!quick_ || !front_ || written_ == fronted_ || waiting_.rows().size() != fronted_) return;
  if (write_front(*front_, written_, cursors_in_front_)) {
    written_ = fronted_;
  } else {
    marks_urgent_ = true;
  }
}

// What is in the half that is begun anew went to the database a turn ago, and has to be on the disk
// there. While somebody copies the files, what they may have copied stays.
void Disk::next_turn() {
  if (closing_ || !waiting_.rows().empty()) return;
  if (front_ && !front_->half_full() && (!quick_ || !quick_->half_full())) return;
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
    if (!options_.quick.empty()) {
      if (auto quick = Front::open(quick_path())) quick_.emplace(std::move(*quick));
    }
  }
  flusher_.flush();
  ++front_turn_;
  if (quick_ && !quick_->begin(ledger_.front, front_turn_)) quick_.reset();
  if (!front_->begin(ledger_.front, front_turn_)) front_.reset();
}

std::string Disk::quick_path() const {
  return Front::path_in(options_.quick, ledger_.front);
}

// In order, everything is in the database.
void Disk::remove_quick() {
  quick_.reset();
  if (options_.quick.empty() || ledger_.front == 0 || !waiting_.rows().empty()) return;
  (void)::unlink(quick_path().c_str());
}

void Disk::pop_waiting() {
  waiting_.pop();
  if (fronted_ > 0) --fronted_;
  if (written_ > 0) --written_;
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
