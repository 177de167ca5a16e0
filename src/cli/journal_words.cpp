// SPDX-License-Identifier: MIT
#include "cli/journal_words.hpp"

#include "cli/sample_json.hpp"
#include "journal/event.hpp"
#include "protocol/json/moment.hpp"
#include "sink/csv/layout.hpp"
#include "sink/influxdb/line_protocol.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace meterbridge::cli {
namespace {

constexpr std::size_t entries_at_once = 500;

std::string line_of_json(const journal::Entry& entry) {
  JsonWriter json;
  json.object().member("sequence", entry.sequence);
  const Sample& sample = entry.sample;
  sample_members(json, sample);
  // All of it, so that `journal import` makes the same sample again.
  if (sample.origin == TimeOrigin::meter) json.member("origin", "meter");
  for (const auto& [name, text] :
       {std::pair("parent", &sample.parent),
        std::pair("manufacturer", &sample.identity.manufacturer),
        std::pair("model", &sample.identity.model), std::pair("serial", &sample.identity.serial),
        std::pair("firmware", &sample.identity.firmware),
        std::pair("document", &sample.document)}) {
    if (!text->empty()) json.member(name, *text);
  }
  json.end();
  return json.text() + "\n";
}

std::string lines_of_influx(const journal::Entry& entry) {
  std::string text;
  for (const auto& point : sink::influxdb::points_of(entry.sample, {}))
    sink::influxdb::append_line(text, point);
  return text;
}

// The columns of one table for all that is meant: known only when all of it was seen once.
struct Columns {
  Columns() = default;
  std::set<ReadingKey> keys;
  std::set<std::string> meters;

  [[nodiscard]] std::string header() const {
    std::string text = "time_utc,time_local";
    if (meters.size() > 1) text += ",meter";
    for (const ReadingKey& key : keys)
      text += "," + key.text();
    return text + "\n";
  }

  [[nodiscard]] std::string line(const journal::Entry& entry) const {
    std::string text;
    if (journal::is_event(entry.sample)) return text;
    for (const sink::csv::Row& row : sink::csv::rows_of(sink::csv::Layout::daily, entry)) {
      std::map<std::string_view, std::string_view> cells;
      for (std::size_t i = 0; i < row.keys.size(); ++i)
        cells.emplace(row.keys[i], row.cells[i]);
      text += row.head;
      if (meters.size() > 1) text += "," + sink::csv::in_quotes(entry.sample.meter);
      for (const ReadingKey& key : keys) {
        const auto cell = cells.find(key.text());
        text += ",";
        if (cell != cells.end()) text += cell->second;
      }
      text += "\n";
    }
    return text;
  }
};

// Each entry that is meant, oldest first, in pieces: what `each` makes of them goes to `write`.
Result<> for_each(journal::Archive& archive, const Selection& selection, const WriteText& write,
                  const std::function<std::string(const journal::Entry&)>& each) {
  for (journal::Sequence sequence = 0;;) {
    const auto entries = archive.after(sequence, selection.span, entries_at_once);
    if (!entries) return entries.error();
    if (entries->empty()) return {};
    std::string text;
    for (const journal::Entry& entry : *entries) {
      sequence = entry.sequence;
      if (selection.holds(entry.sample)) text += each(entry);
    }
    if (!write(text)) return {};
  }
}

Result<Columns> columns_of(journal::Archive& archive, const Selection& selection) {
  Columns columns;
  const auto done = for_each(
      archive, selection, [](std::string_view) { return true; },
      [&](const journal::Entry& entry) {
        if (!journal::is_event(entry.sample)) columns.meters.insert(entry.sample.meter);
        for (const Reading& reading : entry.sample.readings)
          columns.keys.insert(reading.key);
        return std::string();
      });
  if (!done) return done.error();
  return columns;
}

}  // namespace

bool Selection::holds(const Sample& sample) const {
  if (meters.empty()) return true;
  return std::ranges::any_of(meters, [&](const std::string& meter) {
    return sample.meter == meter || sample.parent == meter;
  });
}

Result<Instant> parse_time(std::string_view text, Instant now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  std::string whole(text);
  constexpr std::size_t date = sizeof "2026-11-20" - 1;
  constexpr std::size_t minutes = sizeof "2026-11-20T18:30" - 1;
  if (whole.size() == date) whole += "T00:00:00";
  if (whole.size() >= minutes && (whole.size() == minutes || whole[minutes] != ':'))
    whole.insert(minutes, ":00");
  const auto moment = protocol::json::parse_moment(protocol::json::Format::iso, whole);
  if (moment) return Instant(*moment);
  return Error(Errc::invalid,
               "\"" + std::string(text) +
                   "\" is no time (write for example 2026-11-20, "
                   "2026-11-20T18:30, 2026-11-20T18:30:00Z, or 24h for so long ago)");
}

Result<Selection> selection_of(const Arguments& arguments, Instant now) {
  Selection selection;
  for (const auto& [name, place] :
       {std::pair("--from", &selection.span.from), std::pair("--to", &selection.span.to)}) {
    const auto given = arguments.value(name);
    if (!given) continue;
    const auto at = parse_time(*given, now);
    if (!at) return at.error().within(name);
    *place = *at;
  }
  if (selection.span.from && selection.span.to && *selection.span.from >= *selection.span.to)
    return Error(Errc::invalid, "--from is not before --to: that is no time at all");
  selection.meters = arguments.values("--meter");
  return selection;
}

bool holds_meter(journal::Archive& archive, const std::string& meter) {
  Selection selection;
  selection.meters = {meter};
  bool found = false;
  const auto look = [&](std::string_view text) {
    found = !text.empty();
    return !found;
  };
  (void)for_each(archive, selection, look, [](const journal::Entry&) { return std::string("x"); });
  return found;
}

Result<> write_export(journal::Archive& archive, const Selection& selection, ExportFormat format,
                      const WriteText& write) {
  if (format == ExportFormat::json) return for_each(archive, selection, write, line_of_json);
  if (format == ExportFormat::influx) return for_each(archive, selection, write, lines_of_influx);
  const auto columns = columns_of(archive, selection);
  if (!columns) return columns.error();
  if (!write(columns->header())) return {};
  return for_each(archive, selection, write,
                  [&](const journal::Entry& entry) { return columns->line(entry); });
}

}  // namespace meterbridge::cli
