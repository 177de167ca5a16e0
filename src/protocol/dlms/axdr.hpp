// SPDX-License-Identifier: MIT
// Step 4 of 5: the data-notification as a tree of typed elements (A-XDR), nothing interpreted.
//
//   0F | invoke id (4) | date-time: 00, or 0C and 12 bytes, or 09 0C and 12 bytes | body
#pragma once

#include "core/bytes.hpp"
#include "core/decimal.hpp"
#include "core/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::dlms {

enum class Tag : std::uint8_t {
  null = 0x00,
  array = 0x01,
  structure = 0x02,
  boolean = 0x03,
  bit_string = 0x04,
  int32 = 0x05,
  uint32 = 0x06,
  octets = 0x09,
  visible = 0x0A,
  utf8 = 0x0C,
  bcd = 0x0D,
  int8 = 0x0F,
  int16 = 0x10,
  uint8 = 0x11,
  uint16 = 0x12,
  compact_array = 0x13,
  int64 = 0x14,
  uint64 = 0x15,
  enumeration = 0x16,
  float32 = 0x17,
  float64 = 0x18,
  date_time = 0x19,
  date = 0x1A,
  time = 0x1B,
};

struct Node {
  Node() = default;
  Tag tag = Tag::null;
  std::uint32_t count = 0;  // elements of an array or structure, bits of a bit-string
  std::uint32_t end = 0;    // index behind its last descendant: the next element beside it
  ByteView bytes;           // content without tag and length

  [[nodiscard]] bool is_list() const noexcept { return tag == Tag::array || tag == Tag::structure; }
};

// All elements in the order of the wire, parents before their children. Node 0 is the body.
class Tree {
 public:
  static constexpr std::size_t most_depth = 8;
  static constexpr std::size_t most_elements = 255;  // of one list
  static constexpr std::size_t most_nodes = 2048;

  enum class Outcome : std::uint8_t { good, truncated, malformed, unsupported };

  // The nodes refer to `bytes`. The element at the front may be followed by others: see consumed().
  Outcome parse(ByteView bytes);

  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  [[nodiscard]] std::size_t consumed() const noexcept { return consumed_; }

  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }

  [[nodiscard]] const Node& operator[](std::size_t i) const noexcept { return nodes_[i]; }

  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }

  // Codes came in descriptors without a type (Sagemcom XT211); they are nodes like others.
  [[nodiscard]] bool untyped() const noexcept { return untyped_; }

 private:
  Outcome add(ByteReader& reader);
  Outcome add_untyped(ByteReader& reader);
  Outcome fail(Outcome outcome, std::string error);

  std::vector<Node> nodes_;
  std::string error_;
  std::size_t consumed_ = 0;
  bool untyped_ = false;
};

// What stands before the body of a data-notification.
struct Head {
  enum class Verdict : std::uint8_t { none, undecided, good };
  Verdict verdict = Verdict::none;
  std::size_t body = 0;  // offset
  ByteView date_time;    // 12 bytes, or empty
};

[[nodiscard]] Head notification_head(ByteView bytes) noexcept;

// The number that an element is. Nothing for texts, lists, floats that are none, and what 64 bits
// with sign cannot hold.
[[nodiscard]] std::optional<Decimal> number_of(const Node& node);
[[nodiscard]] bool is_text(const Node& node) noexcept;

// 12 bytes: date, time, hundredths, deviation, status.
struct DateTime {
  LocalTime local;
  // "UTC = local + deviation"; nothing when the meter does not say.
  std::optional<std::chrono::minutes> deviation;
  std::uint8_t status = 0xFF;  // FF: not specified

  [[nodiscard]] bool invalid() const noexcept { return status != 0xFF && (status & 1U) != 0; }
};

// Nothing for dates that are wildcards or impossible.
[[nodiscard]] std::optional<DateTime> date_time_of(ByteView bytes);
// "2022-02-04T16:43:20+01:00", without offset when the meter does not say.
[[nodiscard]] std::string text_of(const DateTime& time);
// With zeros in front.
[[nodiscard]] std::string padded(unsigned number, std::size_t width);

}  // namespace meterbridge::protocol::dlms
