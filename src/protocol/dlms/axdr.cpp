// SPDX-License-Identifier: MIT
#include "protocol/dlms/axdr.hpp"

#include "protocol/gcm.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::size_t stamp_size = 12;

// Bytes behind the tag, for elements of one size; nothing for unknown tags and those with a length.
std::optional<std::size_t> fixed_size(Tag tag) noexcept {
  switch (tag) {
    case Tag::null:
      return 0;
    case Tag::boolean:
    case Tag::bcd:
    case Tag::int8:
    case Tag::uint8:
    case Tag::enumeration:
      return 1;
    case Tag::int16:
    case Tag::uint16:
      return 2;
    case Tag::int32:
    case Tag::uint32:
    case Tag::float32:
    case Tag::time:
      return 4;
    case Tag::date:
      return 5;
    case Tag::int64:
    case Tag::uint64:
    case Tag::float64:
      return 8;
    case Tag::date_time:
      return stamp_size;
    default:
      return std::nullopt;
  }
}

bool has_length(Tag tag) noexcept {
  return tag == Tag::octets || tag == Tag::visible || tag == Tag::utf8 || tag == Tag::bit_string;
}

std::string hex_of(Tag tag) {
  const auto shown = static_cast<std::byte>(tag);
  return to_hex_upper(ByteView(&shown, 1));
}

// Two's complement of 1, 2, 4 or 8 bytes.
std::int64_t signed_of(ByteView bytes) noexcept {
  constexpr unsigned wide = 64;
  std::uint64_t bits = 0;
  for (const std::byte b : bytes)
    bits = bits << 8U | u8(b);
  const unsigned unused = wide - static_cast<unsigned>(8 * bytes.size());
  return std::bit_cast<std::int64_t>(bits << unused) >> unused;
}

std::uint64_t unsigned_of(ByteView bytes) noexcept {
  std::uint64_t bits = 0;
  for (const std::byte b : bytes)
    bits = bits << 8U | u8(b);
  return bits;
}

// Layout H writes {descriptor, value} with a descriptor that has no type: class (2), code (6),
// attribute (1). Whether these bytes are one, or as far as they go may become one.
constexpr std::size_t descriptor_size = 9;

bool may_be_descriptor(ByteView bytes) noexcept {
  constexpr std::uint8_t most_class = 0x50;
  constexpr std::uint8_t most_attributes = 9;         // 2 of registers, 3 of relays and limiters
  constexpr std::array<std::size_t, 2> places{2, 7};  // groups A and F
  if (bytes.size() < 2) return false;
  if (u8(bytes[0]) != 0 || u8(bytes[1]) == 0 || u8(bytes[1]) > most_class) return false;
  if (bytes.size() > places[0] && u8(bytes[places[0]]) > 1) return false;
  if (bytes.size() > places[1] && u8(bytes[places[1]]) != 0xFF) return false;
  if (bytes.size() < descriptor_size) return true;
  const std::uint8_t attribute = u8(bytes[descriptor_size - 1]);
  return attribute > 0 && attribute <= most_attributes;
}

}  // namespace

Tree::Outcome Tree::add_untyped(ByteReader& reader) {
  constexpr std::size_t class_size = 2;
  constexpr std::size_t code_size = 6;
  const auto bytes = reader.take(descriptor_size);
  if (!bytes) return fail(Outcome::truncated, "the list ends inside a descriptor");
  Node& node = nodes_.emplace_back();
  node.tag = Tag::octets;
  node.end = static_cast<std::uint32_t>(nodes_.size());
  node.bytes = bytes->subspan(class_size, code_size);
  untyped_ = true;
  return Outcome::good;
}

Tree::Outcome Tree::fail(Outcome outcome, std::string error) {
  error_ = std::move(error);
  return outcome;
}

// One element without its children.
Tree::Outcome Tree::add(ByteReader& reader) {
  constexpr std::size_t longest_length = 4;
  const auto cut = [this] { return fail(Outcome::truncated, "the list ends inside an element"); };
  const auto tag = reader.u8();
  if (!tag) return cut();
  Node& node = nodes_.emplace_back();
  node.tag = static_cast<Tag>(*tag);
  node.end = static_cast<std::uint32_t>(nodes_.size());
  if (const auto size = fixed_size(node.tag)) {
    const auto content = reader.take(*size);
    if (!content) return cut();
    node.bytes = *content;
    return Outcome::good;
  }
  if (node.tag == Tag::compact_array)
    return fail(Outcome::unsupported, "a compact array (13) is not read");
  if (!has_length(node.tag) && !node.is_list())
    return fail(Outcome::malformed, "an element has the unknown type " + hex_of(node.tag));
  ByteReader ahead = reader;
  const BerLength length =
      ber_length(ahead.take(ahead.left()).value_or(ByteView()), longest_length);
  if (length.verdict == BerLength::Verdict::undecided) return cut();
  if (length.verdict == BerLength::Verdict::none)
    return fail(Outcome::malformed, "the length of an element cannot be read");
  (void)reader.take(length.size);
  if (node.is_list()) {
    if (length.value > most_elements)
      return fail(Outcome::malformed, "a list of " + std::to_string(length.value) + " elements");
    node.count = static_cast<std::uint32_t>(length.value);
    return Outcome::good;
  }
  constexpr std::size_t bits = 8;
  const std::size_t size =
      node.tag == Tag::bit_string ? (length.value + bits - 1) / bits : length.value;
  const auto content = reader.take(size);
  if (!content) return cut();
  node.bytes = *content;
  return Outcome::good;
}

Tree::Outcome Tree::parse(ByteView bytes) {
  struct Open {
    std::size_t node = 0;
    std::uint32_t left = 0;
  };

  std::array<Open, most_depth> open{};
  std::size_t depth = 0;
  nodes_.clear();
  error_.clear();
  untyped_ = false;
  ByteReader reader(bytes);
  for (;;) {
    if (nodes_.size() == most_nodes) return fail(Outcome::malformed, "the list has no end");
    const Node* parent = depth > 0 ? &nodes_[open[depth - 1].node] : nullptr;
    const bool first_of_two = parent != nullptr && parent->tag == Tag::structure &&
                              parent->count == 2 && open[depth - 1].left == 2;
    const bool untyped = first_of_two && may_be_descriptor(bytes.subspan(reader.position()));
    const Outcome outcome = untyped ? add_untyped(reader) : add(reader);
    consumed_ = reader.position();
    if (outcome != Outcome::good) return outcome;
    if (nodes_.back().is_list() && nodes_.back().count > 0) {
      if (depth == most_depth) return fail(Outcome::malformed, "lists within lists, too many");
      open[depth++] = {nodes_.size() - 1, nodes_.back().count};
      continue;
    }
    while (depth > 0 && --open[depth - 1].left == 0) {
      nodes_[open[--depth].node].end = static_cast<std::uint32_t>(nodes_.size());
    }
    if (depth == 0) return Outcome::good;
  }
}

Head notification_head(ByteView bytes) noexcept {
  using Verdict = Head::Verdict;
  constexpr std::uint8_t notification = 0x0F;
  constexpr std::size_t date_at = 5;
  if (!bytes.empty() && u8(bytes[0]) != notification) return {};
  if (bytes.size() <= date_at) return {Verdict::undecided, 0, {}};
  Head head;
  const std::uint8_t form = u8(bytes[date_at]);
  std::size_t where = date_at + 1;
  if (form == static_cast<std::uint8_t>(Tag::octets)) {
    // Kaifa in Norway writes a whole octet string.
    if (bytes.size() <= where) return {Verdict::undecided, 0, {}};
    if (u8(bytes[where]) != stamp_size) return {};
    ++where;
  } else if (form != 0 && form != stamp_size) {
    return {};
  }
  if (form != 0) {
    if (bytes.size() < where + stamp_size) return {Verdict::undecided, 0, {}};
    head.date_time = bytes.subspan(where, stamp_size);
    where += stamp_size;
  }
  if (bytes.size() <= where) return {Verdict::undecided, 0, {}};
  const std::uint8_t body = u8(bytes[where]);
  if (body != static_cast<std::uint8_t>(Tag::array) &&
      body != static_cast<std::uint8_t>(Tag::structure)) {
    return {};
  }
  head.verdict = Verdict::good;
  head.body = where;
  return head;
}

std::optional<Decimal> number_of(const Node& node) {
  switch (node.tag) {
    case Tag::int8:
    case Tag::int16:
    case Tag::int32:
    case Tag::int64:
      return Decimal(signed_of(node.bytes));
    case Tag::boolean:
    case Tag::uint8:
    case Tag::uint16:
    case Tag::uint32:
    case Tag::enumeration:
      return Decimal(static_cast<std::int64_t>(unsigned_of(node.bytes)));
    case Tag::uint64: {
      const std::uint64_t bits = unsigned_of(node.bytes);
      if (bits > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
      return Decimal(static_cast<std::int64_t>(bits));
    }
    case Tag::bcd: {
      ByteReader reader(node.bytes);
      const auto digits = reader.bcd();
      if (!digits) return std::nullopt;
      return Decimal(*digits);
    }
    case Tag::float32: {
      const auto bits = static_cast<std::uint32_t>(unsigned_of(node.bytes));
      const auto number = Decimal::from_float32(std::bit_cast<float>(bits));
      if (!number) return std::nullopt;
      return *number;
    }
    case Tag::float64: {
      const auto number = Decimal::from_float64(std::bit_cast<double>(unsigned_of(node.bytes)));
      if (!number) return std::nullopt;
      return *number;
    }
    default:
      return std::nullopt;
  }
}

bool is_text(const Node& node) noexcept {
  return node.tag == Tag::octets || node.tag == Tag::visible || node.tag == Tag::utf8;
}

std::optional<DateTime> date_time_of(ByteView bytes) {
  constexpr std::size_t hundredths = 1;
  constexpr std::int64_t unspecified = INT16_MIN;
  constexpr int most_minutes = 840;
  if (bytes.size() != stamp_size) return std::nullopt;
  const auto number = [bytes](std::size_t i) { return static_cast<int>(u8(bytes[i])); };
  const int year = number(0) << 8 | number(1);
  // A second that is not specified is none; every other wildcard makes the date unusable.
  const int second = number(7) == 0xFF ? 0 : number(7);
  const auto local = LocalTime::make(year, number(2), number(3), number(5), number(6), second);
  if (!local) return std::nullopt;
  DateTime time;
  time.local = *local;
  const std::int64_t minutes = signed_of(bytes.subspan(8 + hundredths, 2));
  if (minutes != unspecified) {
    if (minutes > most_minutes || minutes < -most_minutes) return std::nullopt;
    time.deviation = std::chrono::minutes(minutes);
  }
  time.status = u8(bytes[stamp_size - 1]);
  return time;
}

std::string text_of(const DateTime& time) {
  std::string text = iso_local(time.local);
  if (!time.deviation) return text;
  constexpr unsigned hour = 60;
  const auto east = -time.deviation->count();
  const auto minutes = static_cast<unsigned>(east < 0 ? -east : east);
  text += east < 0 ? '-' : '+';
  return text + padded(minutes / hour, 2) + ":" + padded(minutes % hour, 2);
}

std::string padded(unsigned number, std::size_t width) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

}  // namespace meterbridge::protocol::dlms
