// SPDX-License-Identifier: MIT
#include "protocol/json/splitter.hpp"

#include "protocol/json/text.hpp"

#include <string_view>

namespace meterbridge::protocol::json {
namespace {

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

bool is_opening(char c) noexcept {
  return c == '{' || c == '[';
}

}  // namespace

void Splitter::push(ByteView bytes) {
  finished_ = false;
  const std::size_t done = begun_ ? start_ : at_;
  buffer_.erase(0, done);
  offset_ += done;
  at_ -= done;
  start_ = 0;
  buffer_ += to_text(bytes);
}

// A new piece begins at at_.
void Splitter::begin() {
  start_ = at_;
  begun_ = true;
  in_text_ = false;
  escaped_ = false;
  last_ = '\0';
  open_.clear();
}

Piece Splitter::end(std::size_t at, bool cut) {
  Piece piece;
  piece.offset = offset_ + start_;
  piece.text = buffer_.substr(start_, at - start_);
  piece.cut = cut;
  at_ = at;
  begun_ = false;
  return piece;
}

// Within a document a bracket may open only where a value may stand. Elsewhere it is the beginning
// of the next one: the rest of this one was lost.
bool Splitter::may_open() const noexcept {
  if (open_.back() == '[') return last_ == '[' || last_ == ',';
  return last_ == ':';
}

std::optional<Piece> Splitter::step(char c) {
  if (in_text_) {
    if (c == '\n') return end(at_, true);  // texts have no line ends
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_text_ = false;
    }
  } else if (open_.empty() && at_ > start_) {  // a plain line
    if (c == '\n') return end(at_, false);
    if (is_opening(c)) return end(at_, false);
  } else if (is_opening(c)) {
    if (!open_.empty() && !may_open()) return end(at_, true);
    open_ += c;
  } else if (c == '}' || c == ']') {
    if (!open_.empty()) open_.pop_back();
    if (open_.empty()) return end(at_ + 1, false);
  } else if (c == '"' && !open_.empty()) {
    in_text_ = true;
  }
  if (!is_blank(c)) last_ = c;
  ++at_;
  if (at_ - start_ > max_document) return end(at_, true);
  return std::nullopt;
}

std::optional<Piece> Splitter::next() {
  while (at_ < buffer_.size()) {
    const char c = buffer_[at_];
    if (!begun_) {
      if (is_blank(c)) {
        ++at_;
        continue;
      }
      begin();
    }
    if (auto piece = step(c)) return piece;
  }
  if (!begun_ || !finished_) return std::nullopt;
  return end(buffer_.size(), !open_.empty());
}

}  // namespace meterbridge::protocol::json
