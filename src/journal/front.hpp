// SPDX-License-Identifier: MIT
// Where samples lie first: a small file of a fixed size beside the database, written one record
// after the other. A database writes several pages for each commit, wherever the rows are; here
// what is forced onto the disk every half minute is the one page that changed, and nothing of the
// file system's own. From time to time, and when it is full, what is in it goes to the database.
//
// Two halves, filled in turns, each with the number of its turn in a header and in the check sum of
// every record: what is left from an earlier turn, or was half written, is no record.
#pragma once

#include "journal/store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::journal {

class Front {
 public:
  static constexpr std::size_t half_size = 65536;  // bytes

  // What a file holds for the database with this mark: rows by number, the newest cursors.
  struct Found {
    Found() = default;
    std::vector<Row> rows;
    std::map<std::string, Sequence, std::less<>> cursors;
    std::uint64_t turn = 0;     // the highest
    std::uint64_t damaged = 0;  // places where records were
  };

  [[nodiscard]] static std::string path_for(const std::string& database) {
    return database + "-front";
  }

  [[nodiscard]] static std::string path_in(const std::string& folder, std::uint64_t mark) {
    return folder + "/meterbridge-" + std::to_string(mark) + ".journal";
  }

  // What lies before this database: on the disk, and in these folders. Rows in the words of the
  // database; others are left out and counted as damaged.
  [[nodiscard]] static Found before(const std::string& database, std::uint64_t mark,
                                    const std::vector<std::string>& folders,
                                    const Dictionary& words);

  // Nothing where there is no file, or one of another database.
  [[nodiscard]] static Found read(const std::string& path, std::uint64_t mark);

  // Makes the file where it is missing, at its full size. What it holds counts until `begin`.
  // Errors: io, access; also when the file is somebody else's, or a link.
  static Result<Front> open(const std::string& path);

  Front(Front&& other) noexcept;
  Front& operator=(Front&& other) noexcept;
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;
  ~Front();

  // The next turn, in the half that was filled the longer ago. What was in that half is gone.
  Result<> begin(std::uint64_t mark, std::uint64_t turn);

  // Records to come, and whether there was room for them; nothing is written before `write`.
  bool add(const Row& row);
  bool add(std::string_view sink, Sequence cursor);
  // In one go, into the system's hands. After an error nothing of this turn is to be relied on.
  Result<> write();

  // Forgets what was added since the last `write`.
  void undo() noexcept { pending_.clear(); }

  [[nodiscard]] bool half_full() const noexcept { return end_ > half_size / 2; }

  // False when somebody deleted or replaced the file.
  [[nodiscard]] bool in_place() const;

 private:
  Front(std::string path, int file) : path_(std::move(path)), file_(file) {}

  bool add_record(unsigned char kind, std::string_view payload);

  std::string path_;
  int file_ = -1;
  std::uint64_t turn_ = 0;
  std::size_t end_ = half_size;  // of what was written, in this half
  std::string pending_;
};

}  // namespace meterbridge::journal
