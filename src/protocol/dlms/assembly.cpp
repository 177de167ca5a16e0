// SPDX-License-Identifier: MIT
#include "protocol/dlms/assembly.hpp"

#include "protocol/gcm.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::uint8_t block_tag = 0xE0;
constexpr std::size_t llc_size = 3;

Joined broken(Status status, std::string error, std::size_t offset, std::size_t end) {
  Joined joined;
  joined.status = status;
  joined.error = std::move(error);
  joined.offset = offset;
  joined.length = end - std::min(offset, end);
  return joined;
}

std::size_t end_of(const LinkFrame& frame) noexcept {
  return frame.offset + frame.length;
}

// E6 E7 00 or E6 E6 00: stands once at the front of each transfer.
bool has_llc(ByteView bytes) noexcept {
  return bytes.size() >= llc_size && u8(bytes[0]) == 0xE6 && (u8(bytes[1]) | 1U) == 0xE7 &&
         u8(bytes[2]) == 0;
}

// What an APDU or a block of one can begin with.
bool can_begin(ByteView bytes) noexcept {
  if (bytes.empty()) return false;
  const std::uint8_t first = u8(bytes[0]);
  return first == 0x0F || first == 0xDB || first == 0xDC || first == block_tag;
}

}  // namespace

void Assembly::begin(Chain& chain, std::size_t offset) {
  chain.open = true;
  chain.offset = offset;
  chain.bytes.clear();
}

// A telegram that another one interrupts.
void Assembly::lose(Chain& chain, const LinkFrame& frame, Outcome& outcome) {
  if (!chain.open) return;
  chain.open = false;
  if (!outcome.lost)
    outcome.lost = broken(Status::truncated, "the next telegram begins before this one ends",
                          chain.offset, frame.offset);
}

// A part without its beginning. What follows of that telegram is not worth a second report.
void Assembly::orphan(const LinkFrame& frame, std::string error, Outcome& outcome) {
  const std::size_t offset = parts_.open    ? parts_.offset
                             : blocks_.open ? blocks_.offset
                                            : frame.offset;
  const bool reported = skipping_ && !parts_.open && !blocks_.open;
  parts_.open = false;
  blocks_.open = false;
  skipping_ = true;
  if (!reported)
    outcome.joined = broken(Status::truncated, std::move(error), offset, end_of(frame));
}

bool Assembly::add_mbus(const LinkFrame& frame, Outcome& outcome) {
  constexpr unsigned numbers = 16;
  if (frame.segment == 0) {
    lose(parts_, frame, outcome);
    begin(parts_, frame.offset);
  } else if (!parts_.open || link_ != LinkFrame::Kind::mbus || parts_.next != frame.segment) {
    std::string error = "part " + std::to_string(frame.segment) + " of an M-Bus telegram came ";
    error += parts_.open ? "where part " + std::to_string(parts_.next) + " was due"
                         : std::string("without its beginning");
    orphan(frame, std::move(error), outcome);
    return false;
  }
  link_ = LinkFrame::Kind::mbus;
  parts_.next = (frame.segment + 1U) % numbers;
  return true;
}

// HDLC parts carry no number: a lost one in the middle shows only when the content is taken apart.
bool Assembly::add_hdlc(const LinkFrame& frame, Outcome& outcome) {
  const bool begins = has_llc(frame.content);
  if (parts_.open && link_ == LinkFrame::Kind::hdlc && !begins) return true;
  lose(parts_, frame, outcome);
  const bool block = u8(frame.content[0]) == block_tag;  // those have numbers of their own
  if (!begins && !block && (skipping_ || !can_begin(frame.content))) {
    orphan(frame, "a part of an HDLC telegram came without its beginning", outcome);
    skipping_ = !frame.last;
    return false;
  }
  begin(parts_, frame.offset);
  link_ = LinkFrame::Kind::hdlc;
  return true;
}

Assembly::Outcome Assembly::take(const LinkFrame& frame) {
  Outcome outcome;
  end_ = end_of(frame);
  if (frame.kind == LinkFrame::Kind::bare) {
    lose(parts_, frame, outcome);
    deliver(frame, frame.offset, frame.content, outcome);
    return outcome;
  }
  if (frame.content.empty()) return outcome;  // a frame of the link itself
  const bool fits =
      frame.kind == LinkFrame::Kind::mbus ? add_mbus(frame, outcome) : add_hdlc(frame, outcome);
  if (!fits) return outcome;
  if (parts_.bytes.size() + frame.content.size() > longest) {
    orphan(frame, "no end of the telegram within " + std::to_string(longest) + " bytes", outcome);
    return outcome;
  }
  parts_.bytes.insert(parts_.bytes.end(), frame.content.begin(), frame.content.end());
  if (!frame.last) return outcome;
  parts_.open = false;
  ByteView whole = parts_.bytes;
  if (has_llc(whole)) whole = whole.subspan(llc_size);
  if (!whole.empty() && u8(whole[0]) == block_tag) {
    add_block(frame, parts_.offset, outcome);
  } else {
    deliver(frame, parts_.offset, whole, outcome);
  }
  return outcome;
}

void Assembly::deliver(const LinkFrame& frame, std::size_t offset, ByteView whole,
                       Outcome& outcome) {
  lose(blocks_, frame, outcome);
  skipping_ = false;
  apdu_.assign(whole.begin(), whole.end());
  Joined joined;
  joined.offset = offset;
  joined.length = end_of(frame) - offset;
  outcome.joined = std::move(joined);
}

void Assembly::add_block(const LinkFrame& frame, std::size_t offset, Outcome& outcome) {
  constexpr std::size_t fixed = 6;
  constexpr std::uint8_t last_bit = 0x80;
  ByteView block = parts_.bytes;
  if (has_llc(block)) block = block.subspan(llc_size);
  const BerLength length = block.size() > fixed ? ber_length(block.subspan(fixed)) : BerLength();
  if (length.verdict != BerLength::Verdict::good ||
      fixed + length.size + length.value != block.size()) {
    blocks_.open = false;
    skipping_ = true;
    outcome.joined =
        broken(Status::malformed, "the length of a transfer block is wrong", offset, end_of(frame));
    return;
  }
  const unsigned number = static_cast<unsigned>(u8(block[2])) << 8U | u8(block[3]);
  if (number == 1) {
    lose(blocks_, frame, outcome);
    begin(blocks_, offset);
    skipping_ = false;
  } else if (!blocks_.open || number != blocks_.next) {
    orphan(frame, "transfer block " + std::to_string(number) + " came out of order", outcome);
    return;
  }
  blocks_.next = number + 1;
  const ByteView content = block.subspan(fixed + length.size);
  if (blocks_.bytes.size() + content.size() > longest) {
    orphan(frame, "no end of the telegram within " + std::to_string(longest) + " bytes", outcome);
    return;
  }
  blocks_.bytes.insert(blocks_.bytes.end(), content.begin(), content.end());
  if ((u8(block[1]) & last_bit) == 0) return;
  blocks_.open = false;
  deliver(frame, blocks_.offset, blocks_.bytes, outcome);
}

std::optional<std::size_t> Assembly::give_up() {
  std::optional<std::size_t> offset;
  if (parts_.open) offset = parts_.offset;
  if (blocks_.open) offset = blocks_.offset;
  parts_.open = false;
  blocks_.open = false;
  skipping_ = true;
  return offset;
}

std::optional<Joined> Assembly::finish() {
  skipping_ = false;
  const auto offset = give_up();
  skipping_ = false;
  if (!offset) return std::nullopt;
  return broken(Status::truncated, "the rest of the telegram never came", *offset, end_);
}

}  // namespace meterbridge::protocol::dlms
