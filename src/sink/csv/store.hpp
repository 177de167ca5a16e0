// SPDX-License-Identifier: MIT
// The files of one CSV sink. Blocks: lives on a thread of its own.
//
// Exactly once, over SIGKILL and power cuts: lines are appended early, and taken when their files
// are synced. What comes again after a crash is compared with the ends of the files, where it may
// stand already. The sequence up to which all is on the disk is remembered in a file of its own:
// now and then, so that the ends need not be long, and whenever a line that may come again would
// not be found at the end of the file where it would be looked for. A replay compares with the
// day's lines in all files of the day or month, compressed ones too.
#pragma once

#include "sink/csv/layout.hpp"
#include "sink/csv/marks.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::sink::csv {

struct StoreSetup {
  StoreSetup() = default;
  Options options;
  std::string state_file;
  journal::Sequence newest = 0;  // of the journal when we began: only such entries can come again
  bool replay = false;
  std::function<void(bool warning, const std::string&)> log;
};

class Store {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Store(StoreSetup setup);

  // Rows in order of their sequence; `last` is that of the newest entry, which may have no rows.
  // Error: io, in words; what was written by then is known, and not written twice.
  Result<> write(const std::vector<Row>& rows, journal::Sequence last);
  // Everything up to here is on the disk.
  Result<journal::Sequence> sync(Time now, bool remember_now = false);
  [[nodiscard]] bool sync_is_due(Time now) const;

  [[nodiscard]] journal::Sequence remembered() const noexcept { return remembered_; }

 private:
  // One growing file: of a meter, or of all.
  struct Series {
    Series() = default;
    std::string stem;
    int number = 0;  // 1 is the file without a number in its name; 0 = none is open
    std::string path;
    std::vector<std::string> columns;
    Marks tail;        // of lines that may come again
    std::string day;   // of a replay into files of a month: the only one that tail knows
    std::string text;  // to be appended
    journal::Sequence written = 0;
    journal::Sequence last = 0;  // in text
  };

  using Rows = std::vector<const Row*>;

  Result<> begin();
  Result<> put(Series& series, const Row& row, const Rows& all);
  Result<> open(Series& series, const Row& row, const Rows& all);
  Result<> load(Series& series, const Row& row);
  Result<> load_all(Series& series, const Row& row);
  [[nodiscard]] std::string day_of(std::string_view line) const;
  [[nodiscard]] std::uint64_t mark_of(std::string_view line) const;
  Result<> create(Series& series, const Row& row, const Rows& all);
  Result<> flush(Series& series);
  Result<> settle(journal::Sequence sequence);
  Result<> write_rows(const std::vector<Row>& rows);
  Result<> sync_files();
  Result<> remember();
  void forget_unwritten();
  Result<> check_room() const;
  void keep_house(Time now);
  [[nodiscard]] std::string path_of(const Row& row, int number) const;
  [[nodiscard]] int highest(const Row& row) const;

  StoreSetup setup_;
  bool begun_ = false;
  std::map<std::string, Series> series_;  // by folder and extension
  std::map<std::string, bool> dirty_;     // paths; true = new in their folder
  std::size_t unsynced_ = 0;              // bytes
  std::size_t unremembered_ = 0;          // rows
  Time synced_at_{};                      // the last time
  journal::Sequence complete_ = 0;        // written, but perhaps not on the disk
  journal::Sequence remembered_ = 0;      // on the disk
  Time remembered_at_{};                  // when that was last written down
  Time house_kept_{};
};

}  // namespace meterbridge::sink::csv
