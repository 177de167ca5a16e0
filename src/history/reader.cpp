// SPDX-License-Identifier: MIT
#include "history/reader.hpp"

#include "history/forms.hpp"
#include "history/lines.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::history {
namespace {

constexpr std::uint64_t looked_at = 2000;  // lines, until a layout must be known

bool has_columns(const Layout& layout, std::string_view line) {
  std::vector<Cell> cells;
  std::size_t column = 0;
  if (layout.time.empty() || !split(line, layout.separator, cells, column)) return false;
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(cells, [&](const Cell& c) { return trimmed(c.text) == name; });
  };
  return has(layout.time) && std::ranges::all_of(layout.marks, has);
}

bool begins_dump(std::string_view line) {
  for (const std::string_view word :
       {"CREATE TABLE", "INSERT INTO", "INSERT IGNORE", "DROP TABLE"}) {
    if (same_ignoring_case(line.substr(0, word.size()), word)) return true;
  }
  return false;
}

struct Chosen {
  Chosen() = default;
  const Layout* layout = nullptr;
  Form form = Form::table;
};

// By the first line that says something.
Chosen by_line(std::string_view line, const Layout* wanted) {
  Chosen chosen;
  chosen.layout = wanted;
  const auto found = std::ranges::find_if(
      layouts(), [&](const Layout& layout) { return has_columns(layout, line); });
  if (begins_dump(line)) {
    chosen.layout = wanted != nullptr ? wanted : find_layout("energy-data");
    chosen.form = Form::dump;
  } else if (line.starts_with('{')) {
    chosen.layout = find_layout("json");
  } else if (found != layouts().end()) {
    chosen.layout = wanted != nullptr && has_columns(*wanted, line) ? wanted : &*found;
  } else if (is_line_protocol(line)) {
    chosen.layout =
        line.starts_with(orman_measurement) ? find_layout("saiman-orman") : find_layout("influx");
  }
  if (chosen.layout != nullptr && chosen.form != Form::dump) chosen.form = chosen.layout->form;
  return chosen;
}

Error unknown(const std::string& path) {
  std::string names;
  for (const Layout& layout : layouts())
    names += (names.empty() ? "" : ", ") + std::string(layout.name);
  return {Errc::unsupported, path + ": its layout is none that is known (" + names + ")"};
}

std::unique_ptr<FormReader> make(const Chosen& chosen) {
  switch (chosen.form) {
    case Form::json:
      return json_reader(*chosen.layout);
    case Form::lines:
      return line_protocol_reader(*chosen.layout);
    case Form::dump:
      return dump_reader(*chosen.layout);
    case Form::table:
    case Form::list:
      break;
  }
  return table_reader(*chosen.layout);
}

bool says_something(std::string_view line) {
  line = trimmed(line);
  return !line.empty() && line.front() != '#' && !line.starts_with("--") && !line.starts_with("/*");
}

}  // namespace

void Run::fault(Place place, const std::string& why) {
  events_.fault(place, why);
}

void Run::note(const std::string& text) {
  if (noted_.size() < 100 && noted_.insert(text).second) events_.note(text);
}

void Run::flush() {
  if (pending_layout_ == nullptr) return;
  Sample sample = std::exchange(pending_, Sample());
  const Layout& layout = *std::exchange(pending_layout_, nullptr);
  if (layout.mend != nullptr && !layout.mend(sample)) return;
  if (sample.readings.empty()) return;
  ++given_;
  events_.sample(pending_place_, std::move(sample));
}

void Run::put(Place place, Sample&& sample, const Layout& layout) {
  const bool whole = layout.form == Form::table || layout.form == Form::json;
  const bool same = !whole && pending_layout_ == &layout && pending_.at == sample.at &&
                    pending_.meter == sample.meter;
  const auto is_there = [&](const Reading& reading) {
    return std::ranges::find(pending_.readings, reading.key, &Reading::key) !=
           pending_.readings.end();
  };
  if (same && std::ranges::none_of(sample.readings, is_there)) {
    std::ranges::move(sample.readings, std::back_inserter(pending_.readings));
    return;
  }
  flush();
  pending_ = std::move(sample);
  pending_place_ = place;
  pending_layout_ = &layout;
}

Result<Instant> Run::time_of(const Layout& layout, std::string_view text, std::string_view season,
                             const std::string& meter) {
  const auto stamp = parse_stamp(text);
  if (!stamp) return stamp.error();
  if (stamp->at) return *stamp->at;
  if (layout.utc) return Instant(Seconds(stamp->local.at.time_since_epoch())) + stamp->fraction;
  std::optional<Season> said;
  if (season == "S" || season == "W") said = season == "S" ? Season::summer : Season::winter;
  return clock_.instant_of(*stamp, said, meter);
}

Result<Summary> read_file(const std::string& path, const Options& options, const Events& events) {
  auto lines = Lines::open(path);
  if (!lines) return lines.error();
  Run run(options, events);
  Summary summary;
  std::unique_ptr<FormReader> reader;
  for (;;) {
    const auto line = lines->next();
    if (!line) return line.error();
    if (!*line) break;
    std::string_view text = **line;
    if (lines->number() == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (!reader) {
      if (lines->number() > looked_at) return unknown(path);
      if (!says_something(text)) continue;
      const Chosen chosen = by_line(text, options.layout);
      if (chosen.layout == nullptr) return unknown(path);
      if (options.layout != nullptr && options.layout != chosen.layout)
        return Error(Errc::unsupported, path + ": its layout is " +
                                            std::string(chosen.layout->name) + ", not " +
                                            std::string(options.layout->name));
      summary.layout = chosen.layout;
      events.begin(*chosen.layout);
      reader = make(chosen);
    }
    reader->read(run, lines->number(), text);
  }
  run.flush();
  summary.lines = lines->number();
  if (summary.layout == nullptr) return Error(Errc::malformed, path + ": it is empty");
  return summary;
}

std::string meter_of_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string file = path.substr(slash + 1);
  const bool dated = file.size() >= 7 && file.starts_with("20") && file[4] == '-';
  const std::size_t before = path.rfind('/', slash - 1);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  const std::string folder = path.substr(begin, slash - begin);
  return dated && folder != "." && folder != ".." ? folder : std::string();
}

}  // namespace meterbridge::history
