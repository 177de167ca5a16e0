// SPDX-License-Identifier: MIT
#include "journal/ledger.hpp"

#include <algorithm>

namespace meterbridge::journal {
namespace {

constexpr std::string_view cursor_prefix = "cursor:";
constexpr std::string_view dropped_prefix = "dropped:";
constexpr std::size_t most_at_once = 4096;

// Room for a while: making it for each sample alone would write a page more each time.
constexpr std::uint64_t spare_share = 100;

// How many of the oldest must go for the size; at most the given number.
std::size_t surplus(const Ledger& ledger, std::uint64_t size) {
  if (size == 0 || ledger.bytes <= size || ledger.entries == 0) return 0;
  const std::uint64_t wanted = size - size / spare_share;
  const std::uint64_t bytes_each = std::max<std::uint64_t>(ledger.bytes / ledger.entries, 1);
  return static_cast<std::size_t>(
      std::min<std::uint64_t>((ledger.bytes - wanted) / bytes_each + 1, most_at_once));
}

}  // namespace

void Ledger::drop(Sequence sequence) {
  bool wanted = false;
  for (auto& [name, cursor] : cursors) {
    if (!cursor.active || cursor.at >= sequence) continue;
    ++cursor.dropped;
    wanted = true;
  }
  if (wanted) ++dropped;
}

void Ledger::lose_all() {
  std::uint64_t most = 0;
  for (auto& [name, cursor] : cursors) {
    if (!cursor.active || cursor.at >= committed) continue;
    const std::uint64_t lost = std::min<std::uint64_t>(entries, committed - cursor.at);
    cursor.dropped += lost;
    most = std::max(most, lost);
  }
  dropped += most;
  committed = oldest = reserved = 0;
  entries = bytes = 0;
}

Sequence Ledger::taken() const {
  Sequence least = std::numeric_limits<Sequence>::max();
  for (const auto& [name, cursor] : cursors) {
    if (cursor.active) least = std::min(least, cursor.at);
  }
  return least;
}

Status Ledger::status() const {
  Status status;
  status.entries = entries;
  status.bytes = bytes;
  status.dropped = dropped;
  status.damaged = damaged;
  for (const auto& [sink, cursor] : cursors) {
    if (cursor.active) status.sinks.push_back({sink, cursor.at, cursor.dropped});
  }
  return status;
}

Result<Ledger> recall(Store& store) {
  const auto marks = store.marks();
  if (!marks) return marks.error();
  const auto newest = store.newest();
  if (!newest) return newest.error();
  const auto first = store.oldest(1);
  if (!first) return first.error();
  const auto bytes = store.bytes();
  if (!bytes) return bytes.error();
  const auto mark = [&](std::string_view name) {
    const auto found = marks->find(name);
    return found == marks->end() ? std::uint64_t{0} : static_cast<std::uint64_t>(found->second);
  };
  // Counted up to a point that was stored with it; what came behind it is little.
  const auto rest = store.count_after(mark("counted"));
  if (!rest) return rest.error();
  Ledger ledger;
  ledger.committed = *newest;
  ledger.oldest = first->empty() ? 0 : first->front().first;
  ledger.reserved = mark("reserved");
  ledger.front = mark("front");
  ledger.entries = mark("entries") + *rest;
  ledger.bytes = *bytes;
  ledger.dropped = mark("dropped");
  ledger.damaged = mark("damaged");
  ledger.imported = marks->contains(imported_mark);
  for (const auto& [name, value] : *marks) {
    if (!name.starts_with(cursor_prefix)) continue;
    const std::string sink = name.substr(cursor_prefix.size());
    Cursor& cursor = ledger.cursors[sink];
    cursor.at = static_cast<Sequence>(value);
    cursor.dropped = mark(std::string(dropped_prefix) + sink);
  }
  return ledger;
}

Result<> write_marks(Store& store, const Ledger& ledger) {
  Marks marks;
  const auto set = [&](std::string name, std::uint64_t value) {
    marks.insert_or_assign(std::move(name), static_cast<std::int64_t>(value));
  };
  set("reserved", ledger.reserved);
  set("front", ledger.front);
  set("entries", ledger.entries);
  set("counted", ledger.committed);
  set("dropped", ledger.dropped);
  set("damaged", ledger.damaged);
  for (const auto& [sink, cursor] : ledger.cursors) {
    set(std::string(cursor_prefix) + sink, cursor.at);
    set(std::string(dropped_prefix) + sink, cursor.dropped);
  }
  for (const auto& [name, value] : marks) {
    if (auto done = store.set_mark(name, value); !done) return done;
  }
  return {};
}

Result<bool> make_room(Store& store, Ledger& ledger, const Limits& limits) {
  const std::size_t for_size = surplus(ledger, limits.size);
  if (for_size == 0 && !limits.before) return false;
  const auto oldest = store.oldest(most_at_once);
  if (!oldest) return oldest.error();
  const Sequence taken = ledger.taken();
  std::size_t leaving = 0;
  for (const auto& [sequence, at] : *oldest) {
    const bool old = limits.before && at < *limits.before && sequence <= taken;
    if (leaving >= for_size && !old) break;
    ledger.drop(sequence);
    ++leaving;
  }
  if (leaving == 0) return false;
  const Sequence through = (*oldest)[leaving - 1].first;
  if (auto done = store.remove_through(through); !done) return done.error();
  ledger.entries -= std::min<std::uint64_t>(ledger.entries, leaving);
  const auto first = store.oldest(1);
  if (!first) return first.error();
  ledger.oldest = first->empty() ? 0 : first->front().first;
  return leaving == most_at_once;
}

}  // namespace meterbridge::journal
