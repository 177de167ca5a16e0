// SPDX-License-Identifier: MIT
// One opened database of the journal: its tables and the statements that the journal needs.
#pragma once

#include "journal/coding.hpp"
#include "journal/journal.hpp"
#include "journal/sqlite.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::journal {

// An entry as it lies in the database.
struct Row {
  Sequence sequence = 0;
  Instant at{};
  std::string body;
};

// Numbers that the journal must not forget: cursors, counts, the reserved sequence.
using Marks = std::map<std::string, std::int64_t, std::less<>>;

// Errors as those of Database.
class Store {
 public:
  // `write` makes the file and its tables where they are missing.
  static Result<std::unique_ptr<Store>> open(const std::string& path, Database::Mode mode);

  // All that is done between begin() and end() happens, or nothing of it. `flushed`: end() returns
  // when it is on the disk, not only in the system's hands.
  Result<> begin(bool flushed = false);
  Result<> end();
  void undo() noexcept;

  // Of the write-ahead log, which grows until somebody moves it into the database (Flusher).
  [[nodiscard]] int log_pages() const noexcept { return database_.log_pages(); }

  Result<> insert(const Row& row);
  Result<> insert_word(std::uint32_t number, std::string_view bytes);
  Result<> set_mark(std::string_view name, std::int64_t value);
  Result<> remove_through(Sequence sequence);

  Result<Marks> marks();
  Result<Dictionary> words();
  Result<std::vector<Row>> rows(Sequence after, std::size_t limit);
  // Numbers and times alone, of the oldest.
  Result<std::vector<std::pair<Sequence, Instant>>> oldest(std::size_t limit);
  Result<Sequence> newest();
  // The first or the last in the order of time; looks at all of them. Nothing where there is none.
  Result<std::optional<std::pair<Sequence, Instant>>> end_in_time(bool last);
  Result<std::uint64_t> count_after(Sequence sequence, std::uint64_t most = INT64_MAX);
  Result<std::uint64_t> count_between(Instant from, Instant to);  // by the samples' times
  Result<std::uint64_t> bytes();  // in use; what was deleted is used again
  // False when somebody deleted or replaced the file: what is written would be gone with the end.
  [[nodiscard]] bool in_place() const;

 private:
  Store() = default;

  Result<> prepare(Database::Mode mode);

  // Before the statements: they are finalised first.
  Database database_;
  Statement insert_, insert_word_, set_mark_, remove_, rows_, oldest_, pages_, free_pages_;
  std::string path_;
  std::pair<std::uint64_t, std::uint64_t> file_;  // device and number of the opened one
  std::int64_t page_size_ = 0;
  bool flushed_ = false;
};

// Moves the closed database to a name that tells when, and gives that name.
Result<std::string> set_aside(const std::string& path, Instant now);
// A row's sample. Error: malformed, when the disk gave back something else than was written.
Result<Entry> entry_of(const Row& row, const Dictionary& words);

}  // namespace meterbridge::journal
