// SPDX-License-Identifier: MIT
#include "sink/csv/store.hpp"

#include "io/state_file.hpp"
#include "sink/csv/archive.hpp"
#include "sink/csv/repair.hpp"
#include "sink/sink.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include <sys/stat.h>
#include <sys/statvfs.h>

namespace meterbridge::sink::csv {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_unsynced = std::size_t{64} * 1024;
// A card wears out by small writes, and a file that is replaced costs it some 70 kB (P52).
constexpr auto remember_every = std::chrono::hours(1);
constexpr std::size_t remember_rows = 500;
// So many lines of one file may come again: of all that is not remembered, and a batch that was
// being written.
constexpr std::size_t tail_lines = remember_rows + 4 * longest_batch;
constexpr std::size_t longest_tail = std::size_t{64} * 1024 * 1024;
constexpr auto keep_house_every = std::chrono::hours(1);

bool exists(const std::string& path) {
  struct stat facts {};

  return ::stat(path.c_str(), &facts) == 0;
}

bool holds(const std::vector<std::string>& columns, const std::string& key) {
  return std::ranges::count(columns, key) != 0;
}

std::string line_of(const Row& row, const std::vector<std::string>& columns) {
  std::string line = row.head;
  std::size_t always = row.keys.empty() ? columns.size() : columns_of(row.header).size();
  for (; always < columns.size(); ++always) {
    line += ',';
    const auto found = std::ranges::find(row.keys, columns[always]);
    if (found != row.keys.end())
      line += row.cells[static_cast<std::size_t>(found - row.keys.begin())];
  }
  return line;
}

// In the order of all reading keys, whichever came first.
std::vector<std::string> in_order(std::vector<std::string> keys) {
  const auto rank = [](const std::string& text) {
    const auto key = ReadingKey::parse(text);
    return key ? *key : ReadingKey();
  };
  std::ranges::sort(keys, {}, rank);
  return keys;
}

}  // namespace

Store::Store(StoreSetup setup) : setup_(std::move(setup)) {}

std::string Store::path_of(const Row& row, int number) const {
  std::string path = setup_.options.directory + "/";
  if (!row.folder.empty()) path += row.folder + "/";
  path += row.stem;
  if (number > 1) path += "-" + std::to_string(number);
  return path + row.extension;
}

// The number of the file that grew last; one that is compressed does not grow any more.
int Store::highest(const Row& row) const {
  int number = 1;
  while (exists(path_of(row, number + 1)) || exists(path_of(row, number + 1) + ".gz"))
    ++number;
  while (exists(path_of(row, number) + ".gz"))
    ++number;
  return number;
}

Result<> Store::begin() {
  if (begun_) return {};
  const std::string& directory = setup_.options.directory;
  if (auto made = io::make_folder(directory); !made) return made.error();
  if (!setup_.replay) {
    if (const auto text = io::read_whole(setup_.state_file); text) {
      journal::Sequence sequence = 0;
      (void)std::from_chars(text->data(), text->data() + text->size(), sequence);
      // Higher than the journal's newest: it belongs to another journal.
      if (sequence <= setup_.newest) remembered_ = sequence;
    }
  }
  complete_ = remembered_;
  if (setup_.options.layout == Layout::okosmero) {
    if (auto fine = repair_folder(directory, setup_.log); !fine) return fine.error();
  } else {
    std::error_code trouble;
    for (fs::directory_iterator entry(directory, trouble), end; !trouble && entry != end;
         entry.increment(trouble)) {
      if (!entry->is_directory(trouble)) continue;
      if (auto fine = repair_folder(entry->path().string(), setup_.log); !fine) return fine.error();
    }
  }
  begun_ = true;
  return {};
}

Result<> Store::check_room() const {
  if (setup_.options.min_free == 0) return {};

  struct statvfs room {};

  if (::statvfs(setup_.options.directory.c_str(), &room) != 0) return {};
  const std::uint64_t bytes = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (bytes >= setup_.options.min_free) return {};
  return Error(Errc::io, setup_.options.directory + ": only " + std::to_string(bytes / 1'000'000) +
                             " MB are free, less than min_free");
}

// By what a line is known again. A replay meets files whose columns are not those of the row: there
// the moment is enough.
std::uint64_t Store::mark_of(std::string_view line) const {
  if (setup_.replay && setup_.options.layout != Layout::okosmero)
    line = line.substr(0, line.find(','));     // the local time is another when the zone was mended
  std::uint64_t mark = 14695981039346656037U;  // FNV-1a
  for (const char c : line)
    mark = (mark ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return mark;
}

// A replay into files of a month remembers the lines of one day at a time: a month of them would be
// too many. Empty = the file has one day.
std::string Store::day_of(std::string_view line) const {
  constexpr std::size_t date = 10;
  if (!setup_.replay || setup_.options.layout != Layout::monthly) return {};
  return std::string(line.substr(0, date));
}

// Every line of the day.
Result<> Store::load_all(Series& series, const Row& row) {
  std::vector<std::string> files;
  for (int number = 1; number <= highest(row); ++number) {
    const std::string path = path_of(row, number);
    // A crash while it was compressed leaves both.
    files.push_back(exists(path) ? path : path + ".gz");
  }
  series.tail.clear();
  series.day = day_of(row.head);
  std::size_t count = 0;
  const auto each = [&](const std::function<void(std::string_view)>& take) {
    for (const std::string& file : files) {
      if (!exists(file)) continue;
      const auto read = for_each_line(file, [&](std::string_view line) {
        if (line.starts_with(series.day)) take(line);
      });
      if (!read) return read;
    }
    return Result<>();
  };
  // Counted first: growing would take twice the memory.
  if (auto read = each([&](std::string_view) { ++count; }); !read) return read;
  series.tail.reserve(count);
  if (auto read = each([&](std::string_view line) { series.tail.add(mark_of(line)); }); !read)
    return read;
  series.tail.sort();
  return {};
}

// A file that is there: its columns, and the lines that may come again.
Result<> Store::load(Series& series, const Row& row) {
  if (!setup_.replay) series.tail.clear();
  series.columns.clear();
  if (auto whole = repair_file(series.path, setup_.log); !whole) return whole.error();
  if (!row.header.empty()) {
    auto header = first_line(series.path);
    if (!header) return header.error();
    series.columns = columns_of(*header);
  }
  if (setup_.replay || row.sequence > setup_.newest) return {};
  auto end = read_end(series.path, tail_size);
  for (std::size_t size = tail_size; end && end->size() == size && size < longest_tail;) {
    if (static_cast<std::size_t>(std::ranges::count(*end, '\n')) > tail_lines) break;
    size *= 4;
    end = read_end(series.path, size);
  }
  if (!end) return end.error();
  for (std::size_t at = 0; at < end->size();) {
    const std::size_t stop = end->find('\n', at);
    if (stop == std::string::npos) break;
    series.tail.add(mark_of(std::string_view(*end).substr(at, stop - at)));
    at = stop + 1;
  }
  series.tail.sort();
  return {};
}

// A new file; its columns are those of all the rows that are about to be in it.
Result<> Store::create(Series& series, const Row& row, const Rows& all) {
  if (!setup_.replay) series.tail.clear();
  std::vector<std::string> keys;
  const auto add = [&keys](const std::vector<std::string>& more) {
    for (const std::string& key : more) {
      if (!holds(keys, key)) keys.push_back(key);
    }
  };
  const auto always = columns_of(row.header);
  // What the file before had is likely to come again.
  if (series.columns.size() > always.size())
    add({series.columns.begin() + static_cast<std::ptrdiff_t>(always.size()),
         series.columns.end()});
  for (const Row* other : all) {
    if (other->folder == row.folder && other->stem == row.stem && other->extension == row.extension)
      add(other->keys);
  }
  series.columns = always;
  for (std::string& key : in_order(std::move(keys)))
    series.columns.push_back(std::move(key));
  if (row.header.empty()) return {};
  for (std::size_t i = 0; i < series.columns.size(); ++i)
    series.text += (i == 0 ? "" : ",") + series.columns[i];
  series.text += '\n';
  return {};
}

Result<> Store::open(Series& series, const Row& row, const Rows& all) {
  if (auto written = flush(series); !written) return written.error();
  const bool other_stem = series.stem != row.stem;
  if (setup_.replay && other_stem) {
    if (auto loaded = load_all(series, row); !loaded) return loaded.error();
  }
  series.number = other_stem ? highest(row) : series.number + 1;
  while (exists(path_of(row, series.number) + ".gz"))
    ++series.number;
  series.stem = row.stem;
  series.path = path_of(row, series.number);

  struct stat facts {};

  const bool there = ::stat(series.path.c_str(), &facts) == 0 && facts.st_size > 0;
  if (there) return load(series, row);
  return create(series, row, all);
}

Result<> Store::put(Series& series, const Row& row, const Rows& all) {
  if (row.sequence <= series.written && !setup_.replay) return {};
  if (series.number == 0 || series.stem != row.stem) {
    if (auto opened = open(series, row, all); !opened) return opened.error();
  } else if (day_of(row.head) != series.day) {
    if (auto written = flush(series); !written) return written.error();
    if (auto loaded = load_all(series, row); !loaded) return loaded.error();
  }
  const auto fits = [&] {
    return row.header.empty() || std::ranges::all_of(row.keys, [&](const auto& key) {
             return holds(series.columns, key);
           });
  };
  while (!fits()) {
    // A column that is new begins a new file. What is in the old one must never come again, because
    // nobody would look there.
    if (auto settled = settle(row.sequence - 1); !settled) return settled.error();
    if (auto opened = open(series, row, all); !opened) return opened.error();
  }
  std::string line = line_of(row, series.columns);
  const bool may_be_there = setup_.replay || row.sequence <= setup_.newest;
  if (!may_be_there && !series.tail.empty()) series.tail.clear();
  if (!may_be_there || !series.tail.take(mark_of(line))) series.text += line + "\n";
  series.last = row.sequence;
  return {};
}

Result<> Store::flush(Series& series) {
  if (!series.text.empty()) {
    struct stat facts {};

    const bool there = ::stat(series.path.c_str(), &facts) == 0 && facts.st_size > 0;
    // Somebody took the file away: what comes begins it anew.
    std::string header;
    for (std::size_t i = 0; i < series.columns.size(); ++i)
      header += (i == 0 ? "" : ",") + series.columns[i];
    if (!there && !header.empty() && !series.text.starts_with(header + "\n"))
      series.text.insert(0, header + "\n");
    if (auto written = io::append_whole(series.path, series.text); !written) return written.error();
    dirty_[series.path] |= !there;
    unsynced_ += series.text.size();
    series.text.clear();
  }
  series.written = std::max(series.written, series.last);
  return {};
}

// Everything up to `sequence` is in its file, and on the disk.
Result<> Store::settle(journal::Sequence sequence) {
  for (auto& [name, series] : series_) {
    if (auto written = flush(series); !written) return written.error();
  }
  complete_ = std::max(complete_, sequence);
  if (auto synced = sync_files(); !synced) return synced.error();
  return remember();
}

// What is not in its file comes again, and is compared with what is there anew.
void Store::forget_unwritten() {
  for (auto& [name, series] : series_) {
    series.text.clear();
    series.last = series.written;
    series.number = 0;
    series.stem.clear();
  }
}

Result<> Store::write(const std::vector<Row>& rows, journal::Sequence last) {
  auto written = write_rows(rows);
  if (!written) {
    forget_unwritten();
    return written.error();
  }
  complete_ = std::max(complete_, last);
  unremembered_ += rows.size();
  return {};
}

Result<> Store::write_rows(const std::vector<Row>& rows) {
  if (auto begun = begin(); !begun) return begun.error();
  if (auto room = check_room(); !room) return room.error();
  Rows fresh;
  for (const Row& row : rows) {
    if (setup_.replay || row.sequence > remembered_) fresh.push_back(&row);
  }
  for (const Row* row : fresh) {
    Series& series = series_[row->folder + "/" + row->extension];
    if (auto put_in = put(series, *row, fresh); !put_in) return put_in.error();
  }
  for (auto& [name, series] : series_) {
    if (auto written = flush(series); !written) return written.error();
  }
  return {};
}

bool Store::sync_is_due(Time now) const {
  return unsynced_ >= most_unsynced || now - synced_at_ >= setup_.options.sync;
}

Result<journal::Sequence> Store::sync(Time now, bool remember_now) {
  if (auto synced = sync_files(); !synced) return synced.error();
  synced_at_ = now;
  if (remember_now || unremembered_ >= remember_rows || now - remembered_at_ >= remember_every) {
    if (auto kept = remember(); !kept) return kept.error();
    remembered_at_ = now;
  }
  keep_house(now);
  return remembered_;
}

Result<> Store::sync_files() {
  for (const auto& [path, fresh] : dirty_) {
    if (auto synced = io::sync_file(path, fresh); !synced) return synced.error();
  }
  dirty_.clear();
  unsynced_ = 0;
  remembered_ = std::max(remembered_, complete_);
  return {};
}

Result<> Store::remember() {
  if (setup_.replay) return {};
  auto kept = io::write_atomically(setup_.state_file, std::to_string(remembered_) + "\n");
  if (kept) unremembered_ = 0;
  return kept;
}

void Store::keep_house(Time now) {
  if (house_kept_ != Time{} && now - house_kept_ < keep_house_every) return;
  house_kept_ = now;
  std::set<std::string> open;
  for (const auto& [name, series] : series_)
    open.insert(series.path);
  tidy(setup_.options, open, setup_.log);
}

}  // namespace meterbridge::sink::csv
