// SPDX-License-Identifier: MIT
#include "journal/disk.hpp"

#include "journal/disk_journal.hpp"
#include "journal/hold.hpp"

#include <algorithm>

namespace meterbridge::journal {
namespace {

// So many numbers are reserved at once: what was given and not committed is never given again.
constexpr Sequence reserved_block = 10'000;
constexpr std::uint64_t most_counted = 10'000;
constexpr int longest_log = 2000;              // pages of the write-ahead log
constexpr std::size_t rows_per_commit = 2000;  // a commit stays short after an outage, too
constexpr auto look_for_old = std::chrono::minutes(10);
constexpr auto look_after_file_every = std::chrono::seconds(10);
constexpr auto between_damages = std::chrono::minutes(10);  // a bad disk does not fill up with them

// What a file that is about to be moved aside had given or reserved, as far as it can be believed:
// the clock alone may have been put back since.
Sequence reserved_in(const std::string& path) {
  const auto store = Store::open(path, Database::Mode::read);
  if (!store) return 0;
  const auto marks = (*store)->marks();
  const auto reserved = marks ? marks->find("reserved") : Marks::const_iterator();
  return marks && reserved != marks->end() ? static_cast<Sequence>(reserved->second) : 0;
}

}  // namespace

void Disk::say(bool warning, const std::string& text) const {
  if (options_.log) options_.log(warning, "journal: " + text);
}

void Disk::tell_foreign() const {
  if (words_.foreign().empty()) return;
  std::string names;
  for (const std::string& name : words_.foreign())
    names += (names.empty() ? "" : ", ") + name;
  say(true, "a later version of this program wrote what this one does not know (" + names +
                "): it is left out of what sinks get, the rest is delivered");
}

// Deleted, or under a file system that was mounted over it.
void Disk::look_after_file() {
  if (!store_ || clock_.steady() - looked_after_file_ < look_after_file_every) return;
  looked_after_file_ = clock_.steady();
  const bool taken = (front_ && !front_->in_place()) || (quick_ && !quick_->in_place());
  if (taken) {
    front_.reset();
    quick_.reset();
    marks_urgent_ = true;  // so that what was in it goes to the database
  }
  if (store_->in_place()) return;
  say(true, options_.path +
                " was taken away: a new one begins. What was in it is not delivered any more");
  flusher_.settle();
  store_.reset();
  ledger_.lose_all();
}

Result<> Disk::open() {
  auto opened = Store::open(options_.path, Database::Mode::write);
  if (!opened) return opened.error();
  auto words = (*opened)->words();
  if (!words) return words.error();
  const auto stored_words = static_cast<std::uint32_t>(words->size());
  auto ledger = recall(**opened);
  if (!ledger) return ledger.error();
  // What waits was written with the words of the database before.
  waiting_.recode(words_, *words);
  words_written_ = stored_words;
  words_ = std::move(*words);
  tell_foreign();
  // What happened since is newer than what the database remembers.
  for (auto& [sink, cursor] : ledger_.cursors)
    ledger->cursors.insert_or_assign(sink, cursor);
  ledger->dropped = std::max(ledger->dropped, ledger_.dropped);
  ledger->damaged = std::max(ledger->damaged, ledger_.damaged);
  ledger_ = std::move(*ledger);
  last_ = std::max({last_, ledger_.reserved, ledger_.committed});
  store_ = std::move(*opened);
  recover_front();
  // The end of a damaged write-ahead log may be gone, and with it what was reserved. A sample with
  // a number below a sink's place would never reach it.
  last_ = std::max(last_, first_sequence(clock_.now()) - 1);
  for (const auto& [sink, cursor] : ledger_.cursors)
    last_ = std::max(last_, cursor.at);
  marks_urgent_ = true;
  // On a full disk the numbers come from the clock until there is room again.
  const auto reserved = reserve();
  return reserved || reserved.error().code() != Errc::malformed ? Result<>() : reserved;
}

Result<> Disk::open_or_begin() {
  auto done = open();
  if (!done && done.error().code() == Errc::malformed && move_aside(done.error().detail()))
    done = open();
  return done;
}

// On the disk before the first number is given.
Result<> Disk::reserve() {
  const Sequence wanted = last_ + reserved_block;
  auto done = store_->begin(true);
  if (done) done = store_->set_mark("reserved", static_cast<std::int64_t>(wanted));
  if (done) done = store_->end();
  if (!done) store_->undo();
  ledger_.reserved = done ? wanted : 0;
  return done;
}

// In order, nothing is lost: the next start goes on with the next number.
void Disk::close() {
  closing_ = true;
  for (std::size_t before = waiting_.rows().size() + 1;
       !waiting_.rows().empty() && waiting_.rows().size() < before;) {
    before = waiting_.rows().size();
    (void)commit();
  }
  marks_urgent_ = true;
  if (trouble_.empty()) (void)commit();
}

// Named so that it tells when; the next one begins at once. False when it happens too often.
bool Disk::move_aside(const std::string& why) {
  const auto now = clock_.steady();
  if (moved_aside_ && now - *moved_aside_ < between_damages) return false;
  moved_aside_ = now;
  if (!store_) last_ = std::max(last_, reserved_in(options_.path));
  flusher_.settle();
  remove_quick();
  store_.reset();
  const auto name = set_aside(options_.path, clock_.now());
  if (!name) {
    say(true, options_.path + " cannot be used (" + why +
                  ") and cannot be moved aside: " + name.error().detail());
    return false;
  }
  say(true, options_.path + " cannot be used (" + why + "): it was moved to " + *name +
                ", a new one begins. What was in it is not delivered any more");
  ledger_.lose_all();
  return true;
}

Sequence Disk::next_number() {
  if (last_ < ledger_.reserved) return ++last_;
  // Nothing could be reserved: above all that was given before, because time went on.
  last_ = std::max(last_ + 1, first_sequence(clock_.now()));
  return last_;
}

Result<Sequence> Disk::append(const Sample& sample) {
  auto body = encode(sample, words_);
  if (!body) return body.error();
  Row row;
  row.sequence = next_number();
  row.at = sample.at;
  row.body = std::move(*body);
  waiting_.push(std::move(row));
  // However long the user wants to wait: memory is for the time when nothing can be written.
  if (waiting_.bytes() > options_.waiting / 2 && trouble_.empty()) (void)commit();
  drop_waiting();
  return last_;
}

void Disk::drop_waiting() {
  while (waiting_.bytes() > options_.waiting && waiting_.rows().size() > 1) {
    const std::uint64_t before = ledger_.dropped;
    ledger_.drop(waiting_.rows().front().sequence);
    ledger_.dropped = before + 1;
    pop_waiting();
  }
}

bool Disk::marks_due() const {
  return marks_urgent_ || (marks_changed_ && clock_.steady() - marks_written_ >= options_.cursors);
}

Limits Disk::limits() const {
  Limits limits;
  limits.size = options_.size;
  const bool look = closing_ || more_leaves_ || clock_.steady() - looked_for_old_ >= look_for_old;
  const Instant now = clock_.now();
  if (look && options_.keep > Milliseconds::zero() && clock_is_set(now))
    limits.before = now - options_.keep;
  return limits;
}

Result<> Disk::commit() {
  look_after_file();
  auto done = store_ ? Result<>() : open_or_begin();
  const bool nothing_new = waiting_.rows().size() == fronted_ && !marks_due() && !move_due();
  if (done && nothing_new && trouble_.empty()) {
    flush_in_time();
    return {};
  }
  if (done && !into_front()) done = write();
  if (!done && done.error().code() == Errc::malformed && move_aside(done.error().detail())) {
    done = open();
    if (done) done = write();
  }
  if (!done) return refused(done.error());
  last_commit_ = clock_.now();
  if (!unflushed_) unflushed_ = clock_.steady();
  flush_in_time();
  if (std::exchange(trouble_, std::string()).empty()) return {};
  const std::uint64_t lost = ledger_.dropped - dropped_before_;
  say(false, "can be written again; " + (lost == 0 ? std::string("nothing was lost")
                                                   : std::to_string(lost) + " samples were lost"));
  return {};
}

void Disk::flush_in_time() {
  if (store_ && store_->log_pages() >= longest_log) flusher_.checkpoint();
  if (!unflushed_) return;
  // While somebody copies the files, memory is no place for what they shall have.
  if (clock_.steady() - *unflushed_ < options_.sync && !(quick_ && held(options_.path))) return;
  flush_front();
  flusher_.flush();
  unflushed_.reset();
}

Result<> Disk::write_rows(std::size_t count) {
  for (std::uint32_t word = words_written_ + 1; word <= words_.size(); ++word) {
    if (auto done = store_->insert_word(word, words_.bytes(word)); !done) return done;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (auto done = store_->insert(waiting_.rows()[i]); !done) return done;
  }
  return {};
}

// One transaction: what it changes counts when it succeeded.
Result<> Disk::write() {
  const std::size_t count = std::min(waiting_.rows().size(), rows_per_commit);
  const auto words = static_cast<std::uint32_t>(words_.size());
  Ledger next = ledger_;
  auto done = store_->begin();
  if (done) done = write_rows(count);
  if (!done) return done;
  if (count > 0) {
    next.committed = waiting_.rows()[count - 1].sequence;
    if (next.oldest == 0) next.oldest = waiting_.rows().front().sequence;
  }
  next.entries += count;
  const auto bytes = store_->bytes();
  if (!bytes) return bytes.error();
  next.bytes = *bytes;
  const Limits limited = limits();
  const auto more = make_room(*store_, next, limited);
  if (!more) return more.error();
  if (closing_) {
    next.reserved = last_;
  } else if (next.reserved < last_ + reserved_block / 2) {
    next.reserved = last_ + reserved_block;
  }
  const bool marked = marks_due() || cursors_in_front_ || next.reserved != ledger_.reserved ||
                      next.entries != ledger_.entries + count;
  if (marked) done = write_marks(*store_, next);
  if (done) done = store_->end();
  if (!done) return done;
  if (next.reserved != ledger_.reserved) flusher_.flush();  // long before it is used up
  ledger_ = std::move(next);
  words_written_ = words;
  for (std::size_t i = 0; i < count; ++i)
    pop_waiting();
  moved_ = clock_.steady();
  more_leaves_ = *more;
  if (limited.before) looked_for_old_ = clock_.steady();
  if (marked) {
    marks_urgent_ = marks_changed_ = cursors_in_front_ = false;
    marks_written_ = clock_.steady();
  }
  next_turn();
  return {};
}

// A full or read-only disk stays open for reading; of any other trouble a new beginning is the
// cure.
Error Disk::refused(const Error& error) {
  if (store_) store_->undo();
  if (error.code() != Errc::access) store_.reset();
  if (trouble_.empty()) {
    dropped_before_ = ledger_.dropped;
    say(true, "cannot be written: " + error.detail() + ". Samples wait in memory, up to " +
                  std::to_string(options_.waiting / 1000) + " kB of them");
  }
  trouble_ = error.detail();
  return Error(Errc::io, "journal: " + error.detail());
}

void Disk::add_stored(std::vector<Entry>& found, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    auto entry = entry_of(row, words_);
    if (entry) {
      found.push_back(std::move(*entry));
      continue;
    }
    ++ledger_.damaged;
    marks_changed_ = true;
    if (std::exchange(damage_told_, true)) continue;
    say(true, "entry " + std::to_string(row.sequence) +
                  " is damaged and left out: " + entry.error().detail());
  }
}

Result<std::vector<Entry>> Disk::after(Sequence sequence, std::size_t limit) {
  std::vector<Entry> found;
  // Where all that was asked for is damaged, what is behind it is meant.
  for (Sequence from = sequence;
       store_ && from < ledger_.committed && limit > 0 && found.empty();) {
    const auto rows = store_->rows(from, limit);
    if (!rows) {
      const Error error = rows.error();
      if (error.code() == Errc::malformed && move_aside(error.detail())) (void)commit();
      return error.within("journal");
    }
    if (rows->empty()) break;
    from = rows->back().sequence;
    add_stored(found, *rows);
  }
  add_waiting(found, sequence, limit);
  return found;
}

Sequence Disk::committed() const {
  const std::size_t count = deliverable();
  return count == 0 ? ledger_.committed : waiting_.rows()[count - 1].sequence;
}

Sequence Disk::oldest() const {
  if (ledger_.oldest != 0 || deliverable() == 0) return ledger_.oldest;
  return waiting_.rows().front().sequence;
}

std::uint64_t Disk::behind(Sequence sequence) const {
  const auto end = waiting_.rows().begin() + static_cast<std::ptrdiff_t>(deliverable());
  const auto first =
      std::upper_bound(waiting_.rows().begin(), end, sequence,
                       [](Sequence number, const Row& row) { return number < row.sequence; });
  const auto waiting = static_cast<std::uint64_t>(end - first);
  if (!store_ || sequence >= ledger_.committed) return waiting;
  const auto counted = store_->count_after(sequence, most_counted);
  if (counted && *counted < most_counted) return *counted + waiting;
  return std::min(ledger_.entries, ledger_.committed - sequence) + waiting;
}

Result<Sequence> Disk::cursor(std::string_view sink) {
  const auto [place, fresh] = ledger_.cursors.try_emplace(std::string(sink));
  if (fresh) place->second.at = committed();
  place->second.active = true;
  marks_urgent_ |= fresh;
  return place->second.at;
}

Result<> Disk::advance(std::string_view sink, Sequence sequence) {
  Cursor& cursor = ledger_.cursors[std::string(sink)];
  if (cursor.at == sequence && cursor.active) return {};
  cursor.at = sequence;
  cursor.active = true;
  marks_changed_ = true;
  return {};
}

void Disk::release(std::string_view sink) {
  const auto found = ledger_.cursors.find(sink);
  if (found != ledger_.cursors.end()) found->second.active = false;
}

Status Disk::status() const {
  Status status = ledger_.status();
  status.entries += fronted_;
  status.waiting = waiting_.rows().size() - fronted_;
  status.last_commit = last_commit_;
  status.trouble = trouble_;
  return status;
}

std::unique_ptr<Journal> on_disk(DiskOptions options, const Clock& clock) {
  return std::make_unique<Disk>(std::move(options), clock);
}

}  // namespace meterbridge::journal
