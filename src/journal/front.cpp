// SPDX-License-Identifier: MIT
#include "journal/front.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::journal {
namespace {

constexpr std::uint64_t magic = 0x314652464A424DULL;  // "MBJFRF1"
constexpr std::size_t halves = 2;
constexpr std::size_t number_size = 8;
constexpr std::size_t header_size = 4 * number_size;              // magic, mark, turn, check sum
constexpr std::size_t head_size = 2 * sizeof(std::uint32_t) + 1;  // of a record: length, sum, kind

constexpr unsigned char kind_row = 1;
constexpr unsigned char kind_cursor = 2;

// This file never leaves the machine, except in a backup for one of the same kind: still, bytes in
// one order, so that a card from a big-endian router can be read.
void put(std::string& out, std::uint64_t number, std::size_t size = number_size) {
  for (std::size_t i = 0; i < size; ++i)
    out += static_cast<char>(number >> (8 * i));
}

std::uint64_t get(std::string_view bytes, std::size_t at, std::size_t size = number_size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  return number;
}

std::string header_of(std::uint64_t mark, std::uint64_t turn) {
  std::string header;
  put(header, magic);
  put(header, mark);
  put(header, turn);
  put(header, check_sum(turn, 0, header));
  return header;
}

Error failure(const std::string& path) {
  const int code = errno;
  const bool access = code == EACCES || code == EROFS || code == ENOSPC || code == EPERM;
  return {access ? Errc::access : Errc::io, path + ": " + std::strerror(code)};
}

Result<> write_all(int file, std::string_view bytes, std::size_t at, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return failure(path);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    at += static_cast<std::size_t>(done);
  }
  return {};
}

void take_record(unsigned char kind, std::string_view payload, Front::Found& found) {
  if (kind == kind_row && payload.size() > 2 * number_size) {
    Row row;
    row.sequence = get(payload, 0);
    row.at = Instant(Milliseconds(static_cast<std::int64_t>(get(payload, number_size))));
    row.body = payload.substr(2 * number_size);
    found.rows.push_back(std::move(row));
  } else if (kind == kind_cursor && payload.size() > number_size) {
    found.cursors.insert_or_assign(std::string(payload.substr(number_size)), get(payload, 0));
  }
}

// Takes the record at the beginning of the bytes; gives its length, 0 where there is none.
std::size_t take_record_at(std::string_view bytes, std::uint64_t turn, Front::Found& found) {
  const auto kind = static_cast<unsigned char>(bytes[head_size - 1]);
  const auto length = static_cast<std::size_t>(get(bytes, 0, sizeof(std::uint32_t)));
  if (kind != kind_row && kind != kind_cursor) return 0;
  if (length == 0 || length > bytes.size() - head_size) return 0;
  const std::string_view payload = bytes.substr(head_size, length);
  if (check_sum(turn, kind, payload) != get(bytes, sizeof(std::uint32_t), sizeof(std::uint32_t)))
    return 0;
  take_record(kind, payload, found);
  return head_size + length;
}

// What is no record is the end, or damage: behind damage there are others.
void take_half(std::string_view half, std::uint64_t turn, Front::Found& found) {
  bool damage = false;
  for (std::size_t at = header_size; at + head_size <= half.size();) {
    const std::size_t length = take_record_at(half.substr(at), turn, found);
    if (length != 0 && damage) ++found.damaged;
    damage = length == 0;
    at += std::max<std::size_t>(length, 1);
  }
}

// The turn of a half of this database's file; 0 = none.
std::uint64_t turn_of(std::string_view half, std::uint64_t mark) {
  const std::uint64_t turn = get(half, 2 * number_size);
  return half.substr(0, header_size) == header_of(mark, turn) ? turn : 0;
}

// The same rows may be in both.
void merge(Front::Found& found, Front::Found other) {
  found.rows.insert(found.rows.end(), std::make_move_iterator(other.rows.begin()),
                    std::make_move_iterator(other.rows.end()));
  std::sort(found.rows.begin(), found.rows.end(),
            [](const Row& a, const Row& b) { return a.sequence < b.sequence; });
  const auto last =
      std::unique(found.rows.begin(), found.rows.end(),
                  [](const Row& a, const Row& b) { return a.sequence == b.sequence; });
  found.rows.erase(last, found.rows.end());
  for (const auto& [sink, at] : other.cursors) {
    Sequence& known = found.cursors[sink];
    known = std::max(known, at);
  }
  found.turn = std::max(found.turn, other.turn);
  found.damaged += other.damaged;
}

}  // namespace

Front::Found Front::before(const std::string& database, std::uint64_t mark,
                           const std::vector<std::string>& folders, const Dictionary& words) {
  Found found = read(path_for(database), mark);
  for (const std::string& folder : folders)
    merge(found, read(path_in(folder, mark), mark));
  // An older database that was put back does not know the words of what came after it.
  found.damaged += std::erase_if(found.rows, [&](const Row& row) { return !entry_of(row, words); });
  return found;
}

Front::Found Front::read(const std::string& path, std::uint64_t mark) {
  Found found;
  std::string bytes(halves * half_size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return found;
  std::array<std::pair<std::uint64_t, std::string_view>, halves> parts;
  for (std::size_t i = 0; i < halves; ++i) {
    const std::string_view half = std::string_view(bytes).substr(i * half_size, half_size);
    parts.at(i) = {turn_of(half, mark), half};
  }
  if (parts[0].first > parts[1].first) std::swap(parts[0], parts[1]);
  for (const auto& [turn, half] : parts) {
    if (turn != 0) take_half(half, turn, found);
  }
  found.turn = parts[1].first;
  // In the order of their turns rows are in the order of their numbers; what is not was never
  // written by us.
  Sequence last = 0;
  std::erase_if(found.rows, [&last](const Row& row) {
    return row.sequence <= std::exchange(last, std::max(last, row.sequence));
  });
  return found;
}

Result<Front> Front::open(const std::string& path) {
  constexpr mode_t mode = 0640;
  // The folder may be one in which everybody makes files.
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, mode);
  if (file < 0) return failure(path);
  Front front(path, file);

  struct stat facts {};

  if (::fstat(file, &facts) != 0) return failure(path);
  if (facts.st_uid != ::geteuid() || !S_ISREG(facts.st_mode))
    return Error(Errc::access, path + " is somebody else's");
  if (static_cast<std::size_t>(facts.st_size) == halves * half_size) return front;
  // Written, not only reserved: the first use of reserved blocks is noted by the file system.
  auto done = ::ftruncate(file, 0) == 0 ? Result<>() : Result<>(failure(path));
  if (done) done = write_all(file, std::string(halves * half_size, '\0'), 0, path);
  if (done && ::fsync(file) != 0) done = failure(path);
  if (done) return front;
  (void)::unlink(path.c_str());  // half of it would only take room
  return done.error();
}

Front::Front(Front&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      turn_(other.turn_),
      end_(other.end_),
      pending_(std::move(other.pending_)) {}

Front& Front::operator=(Front&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  turn_ = other.turn_;
  end_ = other.end_;
  pending_.swap(other.pending_);
  return *this;
}

Front::~Front() {
  if (file_ >= 0) (void)::close(file_);
}

Result<> Front::begin(std::uint64_t mark, std::uint64_t turn) {
  turn_ = turn;
  end_ = header_size;
  pending_.clear();
  return write_all(file_, header_of(mark, turn), turn % halves * half_size, path_);
}

bool Front::add_record(unsigned char kind, std::string_view payload) {
  if (end_ + pending_.size() + head_size + payload.size() > half_size) return false;
  put(pending_, payload.size(), sizeof(std::uint32_t));
  put(pending_, check_sum(turn_, kind, payload), sizeof(std::uint32_t));
  pending_ += static_cast<char>(kind);
  pending_ += payload;
  return true;
}

bool Front::add(const Row& row) {
  std::string payload;
  payload.reserve(2 * number_size + row.body.size());
  put(payload, row.sequence);
  put(payload, static_cast<std::uint64_t>(row.at.time_since_epoch().count()));
  payload += row.body;
  return add_record(kind_row, payload);
}

bool Front::add(std::string_view sink, Sequence cursor) {
  std::string payload;
  put(payload, cursor);
  payload += sink;
  return add_record(kind_cursor, payload);
}

Result<> Front::write() {
  const std::string bytes = std::exchange(pending_, {});
  auto done =
      write_all(file_, bytes, static_cast<std::size_t>(turn_ % halves) * half_size + end_, path_);
  end_ = done ? end_ + bytes.size() : half_size;
  return done;
}

bool Front::in_place() const {
  struct stat here {};

  struct stat there {};

  return ::fstat(file_, &here) == 0 && ::stat(path_.c_str(), &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

}  // namespace meterbridge::journal
