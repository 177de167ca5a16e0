// SPDX-License-Identifier: MIT
#include "history/lines.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <zlib.h>

namespace meterbridge::history {
namespace {

constexpr std::size_t block = 65536;

Error damaged(void* file, const std::string& path) {
  int code = Z_OK;
  std::string_view words = ::gzerror(static_cast<gzFile>(file), &code);
  if (code == Z_ERRNO) words = std::strerror(errno);
  // zlib begins with the path itself.
  if (words.starts_with(path + ": ")) words.remove_prefix(path.size() + 2);
  return {Errc::io, path + ": cannot be read: " + std::string(words)};
}

}  // namespace

void Lines::Close::operator()(void* file) const noexcept {
  (void)::gzclose(static_cast<gzFile>(file));
}

Result<Lines> Lines::open(const std::string& path) {
  Lines lines;
  lines.path_ = path;
  // What is not compressed is handed through.
  lines.file_.reset(::gzopen(path.c_str(), "rbe"));
  if (!lines.file_)
    return Error(errno == ENOENT ? Errc::not_found : Errc::io,
                 path + ": cannot be opened: " + std::strerror(errno));
  return lines;
}

// False at the end of the file.
Result<bool> Lines::fill() {
  if (at_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= std::exchange(at_, 0);
  }
  if (end_ > longest_line)
    return Error(Errc::malformed, path_ + ":" + std::to_string(number_ + 1) +
                                      ": the line has no end: this is no text file");
  buffer_.resize(end_ + block);
  const int got =
      ::gzread(static_cast<gzFile>(file_.get()), buffer_.data() + end_, unsigned{block});
  int code = Z_OK;
  (void)::gzerror(static_cast<gzFile>(file_.get()), &code);
  // A compressed file that was cut says so only beside its last bytes.
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) return damaged(file_.get(), path_);
  end_ += static_cast<std::size_t>(got);
  return got > 0;
}

Result<std::optional<std::string_view>> Lines::next() {
  std::size_t looked = at_;
  for (;;) {
    const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto end = buffer_.begin() + static_cast<std::ptrdiff_t>(end_);
    const auto found = std::find(buffer_.begin() + static_cast<std::ptrdiff_t>(looked), end, '\n');
    if (found != end) {
      std::string_view line(&*begin, static_cast<std::size_t>(found - begin));
      at_ += line.size() + 1;
      ++number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      return line;
    }
    const std::size_t waiting = end_ - at_;
    const auto more = fill();
    if (!more) return more.error();
    if (!*more) {
      if (waiting == 0) return std::optional<std::string_view>();
      std::string_view line(buffer_.data(), waiting);
      at_ = end_;
      ++number_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      return line;
    }
    looked = at_ + waiting;
  }
}

Result<std::uint64_t> most_samples(const std::string& path) {
  auto lines = Lines::open(path);
  if (!lines) return lines.error();
  for (std::uint64_t most = 0;;) {
    const auto line = lines->next();
    if (!line) return line.error();
    if (!*line) return most;
    most += 1 + static_cast<std::uint64_t>(std::count((*line)->begin(), (*line)->end(), '('));
  }
}

}  // namespace meterbridge::history
