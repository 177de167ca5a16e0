// SPDX-License-Identifier: MIT
// The store of samples.
#include "config/reader.hpp"
#include "config/tables.hpp"
#include "core/text.hpp"

#include <charconv>

namespace meterbridge::config {
namespace {

constexpr std::uint64_t least_size = 1'000'000;
constexpr std::uint64_t greatest_size = 1'000'000'000'000;

// "200MB", "1 GB" in bytes.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  const std::string unit =
      lower(trimmed(text.substr(static_cast<std::size_t>(parsed.ptr - text.data()))));
  std::uint64_t factor = 0;
  if (unit == "kb") factor = 1000;
  if (unit == "mb") factor = 1'000'000;
  if (unit == "gb") factor = 1'000'000'000;
  if (factor == 0 || number > greatest_size / factor) return std::nullopt;
  return number * factor;
}

JournalStore store_of(const std::string& word) {
  if (word == "on") return JournalStore::disk;
  if (word == "memory") return JournalStore::memory;
  return word == "off" ? JournalStore::off : JournalStore::automatic;
}

}  // namespace

JournalSettings read_journal(const Node& node, const SettingValues& values, Problems& problems) {
  JournalSettings journal;
  const Node* place = node.find("journal");
  if (values.has("journal")) journal.store = store_of(values.text("journal"));
  if (const Node* map = map_in(node, "journal")) {
    const SettingValues own = read_section(*map, journal_section, {}, problems);
    place = map;
    journal.store = store_of(own.text("store"));
    journal.commit = own.duration("commit");
    journal.sync = own.duration("sync");
    journal.keep = own.duration("keep");
    journal.samples = static_cast<std::size_t>(own.integer("samples"));
    const auto size = bytes_of(own.text("size"));
    const Node* given = map->find("size");
    if (given != nullptr && own.has("size") && (!size || *size < least_size)) {
      complain(problems, *given,
               shown(*given) + " is no size (write for example 200MB or 1GB; at least 1MB)");
    } else if (size) {
      journal.size = *size;
    }
  }
#ifdef METERBRIDGE_WITHOUT_SQLITE
  if (place != nullptr && journal.store == JournalStore::disk)
    complain(problems, *place,
             "this program was built without SQLite: write journal: memory, or journal: off");
#else
  (void)place;
#endif
  return journal;
}

}  // namespace meterbridge::config
