// SPDX-License-Identifier: MIT
// The store of samples, and that of the last bytes.
#include "config/reader.hpp"
#include "config/tables.hpp"
#include "core/text.hpp"

#include <array>
#include <charconv>

namespace meterbridge::config {
namespace {

constexpr std::uint64_t least_size = 1'000'000;
constexpr std::uint64_t greatest_size = 1'000'000'000'000;
constexpr std::uint64_t least_box = 4'000;
constexpr std::uint64_t greatest_box = 16'000'000;

constexpr std::array black_box_fields{
    Field{.spec = {.name = "size",
                   .help = "memory for each line, in kB or MB; the oldest bytes leave",
                   .fallback = "64kB"}},
    Field{.spec = {.name = "cases",
                   .type = SettingType::integer,
                   .help = "so many files are kept in the state directory, one each time a meter "
                           "that was read fails; 0 keeps none",
                   .fallback = "8",
                   .maximum = 100}},
};

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

constinit const Section black_box_section{"black_box", black_box_fields};

JournalSettings read_journal(const Node& node, const SettingValues& values, Problems& problems) {
  JournalSettings journal;
  // Without a section, too, what the table says holds.
  Node nothing;
  nothing.kind = Kind::map;
  journal.sync = read_section(nothing, journal_section, {}, problems).duration("sync");
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

BlackBoxSettings read_black_box(const Node& node, const SettingValues& values, Problems& problems) {
  BlackBoxSettings box;
  if (values.has("black_box") && values.text("black_box") == "off") box.size = 0;
  const Node* map = map_in(node, "black_box");
  if (map == nullptr) return box;
  const SettingValues own = read_section(*map, black_box_section, {}, problems);
  box.cases = static_cast<std::size_t>(own.integer("cases"));
  const auto size = bytes_of(own.text("size"));
  const Node* given = map->find("size");
  if (size && *size >= least_box && *size <= greatest_box) {
    box.size = static_cast<std::size_t>(*size);
  } else if (given != nullptr && own.has("size")) {
    complain(problems, *given, shown(*given) + " is no size between 4kB and 16MB");
  }
  return box;
}

}  // namespace meterbridge::config
