// SPDX-License-Identifier: MIT
#include "protocol/dlms/layout.hpp"

#include "protocol/cosem.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::size_t code_size = 6;
constexpr std::size_t stamp_size = 12;

std::string_view text_in(const Node& node) noexcept {
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(node.bytes.data())),
                              node.bytes.size());
  return text.substr(0, text.find_last_not_of('\0') + 1);
}

bool is_code(const Node& node) noexcept {
  return node.tag == Tag::octets && node.bytes.size() == code_size;
}

Obis code_of(const Node& node) noexcept {
  const ByteView b = node.bytes;
  return {u8(b[0]), u8(b[1]), u8(b[2]), u8(b[3]), u8(b[4]), u8(b[5])};
}

// The list itself: what stands there is its name.
bool is_push_setup(const Obis& code) noexcept {
  constexpr std::uint8_t push = 25;
  constexpr std::uint8_t setup = 9;
  return code.c() == push && code.d() == setup;
}

// {scaler, unit}
bool is_scale(const Tree& tree, std::size_t at) noexcept {
  return tree[at].tag == Tag::structure && tree[at].count == 2 && tree[at + 1].tag == Tag::int8 &&
         tree[at + 2].tag == Tag::enumeration;
}

void take_scale(const Tree& tree, std::size_t at, Entry& entry) noexcept {
  entry.scaler = static_cast<int>(number_of(tree[at + 1]).value_or(Decimal()).digits());
  entry.unit = cosem_unit(u8(tree[at + 2].bytes[0]));
  entry.scaled = true;
}

struct Known {
  std::string_view begin;
  Make make;
};

// Of list versions and logical device names, and of system titles.
constexpr std::array known = {
    Known{"AIDON", Make::aidon},       Known{"Kamstrup", Make::kamstrup},
    Known{"EMBRIQ", Make::landis_gyr}, Known{"KFM", Make::kaifa},
    Known{"KAM", Make::kamstrup},      Known{"SAG", Make::sagemcom},
    Known{"LGZ", Make::landis_gyr},    Known{"LGB", Make::landis_gyr},
    Known{"ISK", Make::iskraemeco},    Known{"SMS", Make::siemens},
    Known{"ELS", Make::elster},        Known{"AID", Make::aidon},
};

Make make_of(std::string_view text) noexcept {
  for (const Known& one : known) {
    if (text.substr(0, one.begin.size()) == one.begin) return one.make;
  }
  return Make::unknown;
}

class Walker {
 public:
  Walker(const Tree& tree, List& list) : tree_(tree), list_(list) {}

  void walk(std::size_t at);

 private:
  // Itself, or the list within it, or the list within that.
  [[nodiscard]] bool begins_with_code(std::size_t at) const noexcept {
    while (tree_[at].is_list() && tree_[at].count > 0)
      ++at;
    return is_code(tree_[at]);
  }

  std::size_t pair(std::size_t at, std::size_t end);
  void without_code(std::size_t at, bool first, bool last);

  const Tree& tree_;
  List& list_;
};

// A code, its value, and the value's scale where it has one. Returns what follows them.
std::size_t Walker::pair(std::size_t at, std::size_t end) {
  const std::size_t value = tree_[at].end;
  std::size_t next = tree_[value].end;
  Entry entry;
  entry.code = code_of(tree_[at]);
  entry.value = &tree_[value];
  if (next < end && is_scale(tree_, next)) {
    take_scale(tree_, next, entry);
    next = tree_[next].end;
  }
  const bool plain = !tree_[value].is_list() && tree_[value].tag != Tag::null;
  if (plain && !is_push_setup(entry.code)) list_.entries.push_back(entry);
  return next;
}

void Walker::without_code(std::size_t at, bool first, bool last) {
  const Node& node = tree_[at];
  if (first && node.tag == Tag::octets && node.bytes.size() == stamp_size) {
    list_.clock = date_time_of(node.bytes);
  } else if (first && is_text(node)) {
    // Kamstrup: the version leads the list, without the code that others give it.
    list_.version = text_in(node);
    list_.entries.emplace_back();
    list_.entries.back().code = Obis{1, 1, 0, 2, 129};
    list_.entries.back().value = &node;
  } else if (last && is_text(node) && !list_.entries.empty()) {
    Entry number;
    number.code = Obis{0, 0, 96, 1, 0};
    number.value = &node;
    list_.entries.push_back(number);
  }
}

void Walker::walk(std::size_t at) {
  const std::size_t end = tree_[at].end;
  const std::size_t front = at + 1;
  for (std::size_t i = front; i < end;) {
    const std::size_t next = tree_[i].end;
    if (is_code(tree_[i]) && next < end) {
      i = pair(i, end);
      continue;
    }
    if (tree_[i].is_list() && begins_with_code(i)) {
      walk(i);
    } else if (at == 0) {
      without_code(i, i == front, next == end);
    }
    i = next;
  }
}

// {class u16, code, attribute i8, index u16}; later editions add {restriction} and [columns].
bool is_descriptor(const Tree& tree, std::size_t at) noexcept {
  constexpr std::uint32_t with_restriction = 6;
  return tree[at].tag == Tag::structure &&
         (tree[at].count == 4 || tree[at].count == with_restriction) &&
         tree[at + 1].tag == Tag::uint16 && is_code(tree[at + 2]) &&
         tree[at + 3].tag == Tag::int8 && tree[at + 4].tag == Tag::uint16;
}

bool has_descriptors(const Tree& tree) noexcept {
  if (tree[0].count < 2 || !tree[1].is_list() || tree[1].count == 0) return false;
  for (std::size_t i = 2; i < tree[1].end; i = tree[i].end) {
    if (!is_descriptor(tree, i)) return false;
  }
  return true;
}

// The first descriptor is the list itself, which has no value.
Result<> read_descriptors(const Tree& tree, List& list) {
  constexpr std::uint8_t value_attribute = 2;
  const std::size_t descriptors = tree[1].count;
  const std::size_t values = tree[0].count - 1;
  if (values != descriptors && values + 1 != descriptors) {
    return Error{Errc::malformed, "the list announces " + std::to_string(descriptors) +
                                      " objects and brings " + std::to_string(values) + " values"};
  }
  std::size_t descriptor = 2;
  if (values < descriptors) descriptor = tree[descriptor].end;
  for (std::size_t value = tree[1].end; value < tree[0].end; value = tree[value].end) {
    const bool shown = u8(tree[descriptor + 3].bytes[0]) == value_attribute;
    const bool plain = !tree[value].is_list() && tree[value].tag != Tag::null;
    Entry entry;
    entry.code = code_of(tree[descriptor + 2]);
    entry.value = &tree[value];
    if (shown && plain) list.entries.push_back(entry);
    descriptor = tree[descriptor].end;
  }
  if (tree[2].count == 4) list.make = Make::landis_gyr;
  return {};
}

void read_places(const Tree& tree, const Places& places, List& list) {
  std::size_t at = 1;
  for (std::size_t i = 0; i < places.form.size(); ++i) {
    const Node& node = tree[at];
    if (places.form[i] == 'V') list.version = text_in(node);
    if (i == 0 && places.form[i] == 'C') {
      list.clock = date_time_of(node.bytes);
    } else if (places.form[i] != 'O' && places.form[i] != '-') {
      Entry entry;
      entry.code = places.codes[i];
      entry.value = &node;
      list.entries.push_back(entry);
    }
    at = node.end;
  }
  list.make = places.make;
}

// Nothing but texts was taken, and numbers stand around that no code explains: a list whose places
// have a meaning that we do not know, not a telegram of a meter that has nothing to tell.
bool leaves_the_numbers(const Tree& tree, const List& list) noexcept {
  const auto is_number = [](const Node& node) { return number_of(node).has_value(); };
  const bool taken = std::any_of(list.entries.begin(), list.entries.end(),
                                 [&](const Entry& entry) { return is_number(*entry.value); });
  if (taken) return false;
  for (std::size_t i = 1; i < tree[0].end; i = tree[i].end) {
    if (is_number(tree[i])) return true;
  }
  return false;
}

// Text of an object of the list, empty when it is not there.
std::string_view text_at(const List& list, std::uint8_t c, std::uint8_t d, std::uint8_t e) {
  for (const Entry& entry : list.entries) {
    const Obis& code = entry.code;
    if (code.c() == c && code.d() == d && code.e() == e && is_text(*entry.value))
      return text_in(*entry.value);
  }
  return {};
}

void find_make(std::string_view system_title, List& list) {
  if (list.version.empty()) list.version = text_at(list, 0, 2, 129);
  const std::string_view device_name = text_at(list, 42, 0, 0);
  for (const std::string_view text : {list.version, system_title, device_name}) {
    const Make make = make_of(text);
    if (make != Make::unknown) {
      list.make = make;
      return;
    }
  }
  if (list.make != Make::unknown) return;
  const bool scaled = std::any_of(list.entries.begin(), list.entries.end(),
                                  [](const Entry& entry) { return entry.scaled; });
  // E450: codes and values without scale behind a clock, and not a word who sends them.
  if (!scaled && list.clock) list.make = Make::landis_gyr;
}

void finish(List& list) {
  for (Entry& entry : list.entries) {
    entry.meaning = meaning_of(entry.code);
    if (entry.scaled || !entry.meaning) continue;
    const auto raw = number_of(*entry.value);
    if (!raw) continue;
    const auto scale = usual_scale(list.make, *entry.meaning, *raw);
    if (!scale) continue;
    entry.scaler = scale->scaler;
    entry.unit = scale->unit;
    entry.scaled = true;
  }
}

}  // namespace

Result<> read_list(const Tree& tree, std::string_view system_title, List& list) {
  list = List();
  list.entries.reserve(tree.size() / 2);
  if (tree.size() == 0 || !tree[0].is_list() || tree[0].count == 0)
    return Error{Errc::unsupported, "the telegram carries an empty list"};
  if (has_descriptors(tree)) {
    if (auto read = read_descriptors(tree, list); !read) return read.error();
  } else if (const Places* places = places_of(tree)) {
    read_places(tree, *places, list);
  } else {
    Walker(tree, list).walk(0);
  }
  if (list.entries.empty() || leaves_the_numbers(tree, list)) {
    return Error{Errc::unsupported, "a list of " + std::to_string(tree[0].count) +
                                        " elements in a form that no meter we know sends"};
  }
  find_make(system_title, list);
  if (list.make == Make::unknown && tree.untyped()) list.make = Make::sagemcom;
  finish(list);
  return {};
}

}  // namespace meterbridge::protocol::dlms
