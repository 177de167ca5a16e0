// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/receiver.hpp"

#include "core/text.hpp"
#include "protocol/iec62056_21/stream.hpp"

#include <algorithm>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view filling("\r\n\x7F\0", 4);

enum class Header { none, unfinished, whole };

// What stands behind the slash: an identification, the begin of one, or something else.
Header header_at(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at + 1);
  const std::size_t end = rest.find_first_of(line_end);
  if (end != std::string_view::npos) {
    const auto parsed = parse_identification(rest.substr(0, end));
    return parsed && is_plausible(*parsed) ? Header::whole : Header::none;
  }
  const bool plain = std::ranges::all_of(rest, [](char c) { return c >= ' ' && c < '\x7F'; });
  return plain && rest.size() <= max_identification ? Header::unfinished : Header::none;
}

}  // namespace

void Receiver::push(ByteView bytes) {
  over_ = false;
  noise_ += bytes.size();
  for (const std::byte b : bytes)
    high_ += u8(b) > 0x7F ? 1U : 0U;
  text_ += parity_ ? to_text(without_parity(bytes)) : to_text(bytes);
}

void Receiver::drop(std::size_t count) {
  text_.erase(0, count);
}

void Receiver::take(std::size_t length) {
  const Bytes telegram = to_bytes(std::string_view(text_).substr(0, length));
  drop(length);
  for (Decoded& one : decode_stream(telegram, options_))
    found_.push_back(std::move(one));
  noise_ = 0;
  high_ = 0;
}

// True when an identification, whole or not, is at the front.
bool Receiver::drop_to_header() {
  for (std::size_t at = text_.find('/'); at != std::string::npos; at = text_.find('/', at + 1)) {
    const Header header = header_at(text_, at);
    if (header == Header::none || (header == Header::unfinished && over_)) continue;
    drop(at);
    return true;
  }
  drop(text_.size());
  return false;
}

std::size_t Receiver::next_header(std::size_t from, std::size_t limit) const {
  for (std::size_t at = text_.find('/', from); at < limit; at = text_.find('/', at + 1)) {
    const bool fresh = text_[at - 1] < ' ' || text_[at - 1] > '~';
    if (fresh && header_at(text_, at) == Header::whole) return at;
  }
  return limit;
}

// Behind the "!" of the last line, or behind the check of a block; npos while it has not come.
std::size_t Receiver::end_of_telegram(std::size_t header_end) const {
  const std::size_t begin = text_.find_first_not_of(filling, header_end);
  if (begin == std::string::npos) return begin;
  if (text_[begin] == stx) {
    const std::size_t end = text_.find(etx, begin);
    return end == std::string::npos || end + 1 == text_.size() ? std::string::npos : end + 2;
  }
  for (std::size_t at = text_.find('!', begin); at != std::string::npos;
       at = text_.find('!', at + 1)) {
    if (at + 1 == text_.size()) return std::string::npos;
    if (line_end.find(text_[at + 1]) != std::string_view::npos) return at + 2;
  }
  return std::string::npos;
}

std::optional<Decoded> Receiver::next() {
  while (found_.empty()) {
    if (!drop_to_header()) return std::nullopt;
    const std::size_t header_end = text_.find_first_of(line_end);
    if (header_end == std::string::npos) return std::nullopt;
    const std::size_t end = end_of_telegram(header_end);
    const std::size_t limit = std::min(end, text_.size());
    const std::size_t other = next_header(header_end, limit);
    const std::size_t stop = other < limit ? other : end;
    // The same for any cut: a telegram that is too long does not depend on how much of it is here.
    if (stop > longest && text_.size() > longest) {
      take(longest);
    } else if (stop != std::string::npos) {
      take(stop);
    } else if (over_) {
      take(text_.size());
    } else {
      return std::nullopt;
    }
  }
  Decoded decoded = std::move(found_.front());
  found_.pop_front();
  return decoded;
}

std::optional<Error> Receiver::take_noise() {
  if (noise_ < noise_limit || pending()) return std::nullopt;
  const bool parity = high_ * 8 > noise_;
  const std::string words = std::to_string(noise_) + " bytes without a telegram: ";
  noise_ = 0;
  high_ = 0;
  return Error(Errc::no_frame,
               words + (parity ? "with parity in bit 7: mode 7E1, or software_parity"
                               : "another speed, or not a meter of mode D"));
}

}  // namespace meterbridge::protocol::iec62056_21
