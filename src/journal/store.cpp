// SPDX-License-Identifier: MIT
#include "journal/store.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::journal {
namespace {

constexpr std::int64_t application = 0x4D424A31;  // "MBJ1"
constexpr std::int64_t format = 2;

// Small pages: a commit of a few samples writes few bytes. In WAL mode it is one write into the
// system's cache; what forces it onto the disk is said by begin(flushed).
constexpr std::string_view setup =
    "PRAGMA page_size=512; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    "PRAGMA journal_size_limit=4194304;"
    "PRAGMA cache_size=-512; PRAGMA temp_store=MEMORY;";

constexpr std::string_view tables =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE words(id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, word BLOB NOT NULL);"
    "CREATE TABLE samples(sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " sum INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE marks(name TEXT PRIMARY KEY, value INTEGER NOT NULL,"
    " sum INTEGER NOT NULL) WITHOUT ROWID;";

// Of everything, so that a changed bit on the disk neither becomes a value nor moves a cursor.
std::int64_t sum_of_word(std::int64_t number, std::string_view word) {
  return check_sum(static_cast<std::uint64_t>(number), 0, word);
}

std::int64_t sum_of_mark(std::string_view name, std::int64_t value) {
  return check_sum(0, value, name);
}

Result<> make_tables(Database& database) {
  if (auto made = database.run(std::string(tables)); !made) return made;
  return database.run("PRAGMA application_id=" + std::to_string(application) +
                      "; PRAGMA user_version=" + std::to_string(format) + "; COMMIT;");
}

// A file of another program, or of a later version of this one with another format.
Result<> check_format(Database& database, Database::Mode mode) {
  const auto mark = database.ask("PRAGMA application_id");
  if (!mark) return mark.error();
  const auto version = database.ask("PRAGMA user_version");
  if (!version) return version.error();
  const auto known = database.ask("SELECT count(*) FROM sqlite_master");
  if (!known) return known.error();
  if (*known == 0 && mode == Database::Mode::write) return make_tables(database);
  if (*mark != application) return Error(Errc::malformed, "the file is no journal of meterbridge");
  if (*version != format)
    return Error(Errc::malformed, "the file is of another version of meterbridge (format " +
                                      std::to_string(*version) + ", this one writes " +
                                      std::to_string(format) + ")");
  return {};
}

// Zeros where there is none.
std::pair<std::uint64_t, std::uint64_t> file_at(const std::string& path) {
  struct stat facts {};

  if (::stat(path.c_str(), &facts) != 0) return {};
  return {facts.st_dev, facts.st_ino};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& path, Database::Mode mode) {
  if (mode == Database::Mode::write) {
    // Where this fails, opening says it better.
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    // Not for everybody to read, and its log takes over what it may. Only where it is new: closing
    // one that is in use would end the locks on it.
    const int fresh = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0640);
    if (fresh >= 0) (void)::close(fresh);
  }
  auto database = Database::open(path, mode);
  if (!database) return database.error();
  // Not make_unique: the constructor is private.
  std::unique_ptr<Store> store(new Store);
  store->database_ = std::move(*database);
  if (auto done = store->prepare(mode); !done) return done.error().within(path);
  store->path_ = path;
  store->file_ = file_at(path);
  return store;
}

bool Store::in_place() const {
  return file_at(path_) == file_;
}

Result<> Store::prepare(Database::Mode mode) {
  if (mode == Database::Mode::write) {
    if (auto done = database_.run(std::string(setup)); !done) return done;
    database_.count_log_pages();
  }
  if (auto done = check_format(database_, mode); !done) return done;
  const std::array<std::pair<Statement*, std::string_view>, 8> statements{{
      {&insert_, "INSERT INTO samples(sequence, at, sum, body) VALUES(?, ?, ?, ?)"},
      {&insert_word_, "INSERT INTO words(id, sum, word) VALUES(?, ?, ?)"},
      {&set_mark_,
       "INSERT INTO marks(name, value, sum) VALUES(?, ?, ?)"
       " ON CONFLICT(name) DO UPDATE SET value=excluded.value, sum=excluded.sum"},
      {&remove_, "DELETE FROM samples WHERE sequence<=?"},
      {&rows_,
       "SELECT sequence, at, sum, body FROM samples WHERE sequence>?"
       " ORDER BY sequence LIMIT ?"},
      {&oldest_, "SELECT sequence, at FROM samples ORDER BY sequence LIMIT ?"},
      {&pages_, "PRAGMA page_count"},
      {&free_pages_, "PRAGMA freelist_count"},
  }};
  for (const auto& [place, sql] : statements) {
    auto made = database_.prepare(sql);
    if (!made) return made.error();
    *place = std::move(*made);
  }
  const auto size = database_.ask("PRAGMA page_size");
  if (!size) return size.error();
  page_size_ = *size;
  return {};
}

Result<> Store::begin(bool flushed) {
  flushed_ = flushed;
  if (flushed) {
    if (auto set = database_.run("PRAGMA synchronous=FULL"); !set) return set;
  }
  return database_.run("BEGIN IMMEDIATE");
}

Result<> Store::end() {
  auto done = database_.run("COMMIT");
  if (std::exchange(flushed_, false)) (void)database_.run("PRAGMA synchronous=NORMAL");
  return done;
}

void Store::undo() noexcept {
  if (database_.in_transaction()) (void)database_.run("ROLLBACK");
  if (std::exchange(flushed_, false)) (void)database_.run("PRAGMA synchronous=NORMAL");
}

Result<> Store::insert(const Row& row) {
  const auto sequence = static_cast<std::int64_t>(row.sequence);
  const std::int64_t at = row.at.time_since_epoch().count();
  return insert_.bind(1, sequence)
      .bind(2, at)
      .bind(3, std::int64_t{check_sum(row.sequence, at, row.body)})
      .bind_blob(4, row.body)
      .run();
}

Result<> Store::insert_word(std::uint32_t number, std::string_view bytes) {
  const std::int64_t id{number};
  return insert_word_.bind(1, id).bind(2, sum_of_word(id, bytes)).bind_blob(3, bytes).run();
}

Result<> Store::set_mark(std::string_view name, std::int64_t value) {
  return set_mark_.bind(1, name).bind(2, value).bind(3, sum_of_mark(name, value)).run();
}

Result<> Store::remove_through(Sequence sequence) {
  return remove_.bind(1, static_cast<std::int64_t>(sequence)).run();
}

Result<Marks> Store::marks() {
  Marks marks;
  auto all = database_.prepare("SELECT name, value, sum FROM marks");
  if (!all) return all.error();
  for (;;) {
    const auto row = all->step();
    if (!row) return row.error();
    if (!*row) return marks;
    const std::string name(all->bytes(0));
    if (sum_of_mark(name, all->integer(1)) != all->integer(2))
      return Error(Errc::malformed, "the check sum of a cursor or count is wrong");
    marks.emplace(name, all->integer(1));
  }
}

Result<Dictionary> Store::words() {
  Dictionary words;
  auto all = database_.prepare("SELECT id, sum, word FROM words ORDER BY id");
  if (!all) return all.error();
  for (;;) {
    const auto row = all->step();
    if (!row) return row.error();
    if (!*row) return words;
    const std::string_view word = all->bytes(2);
    if (sum_of_word(all->integer(0), word) != all->integer(1))
      return Error(Errc::malformed, "the check sum of a word is wrong");
    words.add(word);
    if (all->integer(0) != static_cast<std::int64_t>(words.size()))
      return Error(Errc::malformed, "the journal's words are not in order");
  }
}

Result<std::vector<Row>> Store::rows(Sequence after, std::size_t limit) {
  std::vector<Row> rows;
  rows_.bind(1, static_cast<std::int64_t>(after)).bind(2, static_cast<std::int64_t>(limit));
  for (;;) {
    const auto more = rows_.step();
    if (!more || !*more) {
      rows_.reset();
      if (!more) return more.error();
      return rows;
    }
    Row row;
    row.sequence = static_cast<Sequence>(rows_.integer(0));
    row.at = Instant(Milliseconds(rows_.integer(1)));
    row.body = rows_.bytes(3);
    // Left empty, which no body is: entry_of() says what it is.
    if (check_sum(row.sequence, rows_.integer(1), row.body) != rows_.integer(2)) row.body.clear();
    rows.push_back(std::move(row));
  }
}

Result<std::vector<std::pair<Sequence, Instant>>> Store::oldest(std::size_t limit) {
  std::vector<std::pair<Sequence, Instant>> rows;
  oldest_.bind(1, static_cast<std::int64_t>(limit));
  for (;;) {
    const auto more = oldest_.step();
    if (!more || !*more) {
      oldest_.reset();
      if (!more) return more.error();
      return rows;
    }
    rows.emplace_back(static_cast<Sequence>(oldest_.integer(0)),
                      Instant(Milliseconds(oldest_.integer(1))));
  }
}

Result<std::optional<std::pair<Sequence, Instant>>> Store::end_in_time(bool last) {
  std::optional<std::pair<Sequence, Instant>> found;
  auto row = database_.prepare(std::string("SELECT sequence, at FROM samples ORDER BY at ") +
                               (last ? "DESC" : "ASC") + " LIMIT 1");
  if (!row) return row.error();
  const auto more = row->step();
  if (!more) return more.error();
  if (*more)
    found.emplace(static_cast<Sequence>(row->integer(0)), Instant(Milliseconds(row->integer(1))));
  return found;
}

Result<Sequence> Store::newest() {
  const auto newest = database_.ask("SELECT max(sequence) FROM samples");
  if (!newest) return newest.error();
  return static_cast<Sequence>(*newest);
}

Result<std::uint64_t> Store::count_after(Sequence sequence, std::uint64_t most) {
  const auto count =
      database_.ask("SELECT count(*) FROM (SELECT 1 FROM samples WHERE sequence>" +
                    std::to_string(sequence) + " LIMIT " + std::to_string(most) + ")");
  if (!count) return count.error();
  return static_cast<std::uint64_t>(*count);
}

Result<std::uint64_t> Store::count_between(Instant from, Instant to) {
  const auto count = database_.ask(
      "SELECT count(*) FROM samples WHERE at>=" + std::to_string(from.time_since_epoch().count()) +
      " AND at<" + std::to_string(to.time_since_epoch().count()));
  if (!count) return count.error();
  return static_cast<std::uint64_t>(*count);
}

Result<std::uint64_t> Store::bytes() {
  std::int64_t pages = 0;
  for (Statement* statement : {&pages_, &free_pages_}) {
    const auto row = statement->step();
    const std::int64_t number = row && *row ? statement->integer(0) : 0;
    statement->reset();
    if (!row) return row.error();
    pages += statement == &pages_ ? number : -number;
  }
  return static_cast<std::uint64_t>(pages * page_size_);
}

Result<std::string> set_aside(const std::string& path, Instant now) {
  std::string name = ".damaged-" + iso_utc(std::chrono::floor<std::chrono::seconds>(now));
  std::replace(name.begin(), name.end(), ':', '-');
  name = path + name;
  // First what must not be taken for a part of the next one.
  for (const char* tail : {"-wal", "-shm", "-front"}) {
    std::error_code ignored;
    std::filesystem::rename(path + tail, name + tail, ignored);
  }
  std::error_code failed;
  std::filesystem::rename(path, name, failed);
  if (failed) return Error(Errc::io, failed.message());
  return name;
}

Result<Entry> entry_of(const Row& row, const Dictionary& words) {
  if (row.body.empty()) return Error(Errc::malformed, "the entry's check sum is wrong");
  auto sample = decode(row.body, row.at, words);
  if (!sample) return sample.error();
  Entry entry;
  entry.sequence = row.sequence;
  entry.sample = std::move(*sample);
  return entry;
}

}  // namespace meterbridge::journal
