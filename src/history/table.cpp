// SPDX-License-Identifier: MIT
// Tables with a header: CSV of all kinds.
#include "history/forms.hpp"

#include <algorithm>

namespace meterbridge::history {
namespace {

std::optional<std::size_t> index_of(const std::vector<std::string>& names, std::string_view name) {
  if (name.empty()) return std::nullopt;
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

bool is_header_of(const Layout& layout, const std::vector<std::string>& names) {
  return index_of(names, layout.time) &&
         std::ranges::all_of(layout.marks, [&](std::string_view mark) {
           return index_of(names, mark).has_value();
         });
}

class Table final : public FormReader {
 public:
  explicit Table(const Layout& layout) : layout_(layout) {}

  void read(Run& run, std::uint64_t line, std::string_view text) override {
    // Comments, and what InfluxDB says of its columns.
    if (text.empty() || text.front() == '#') return;
    if (text == header_) return;
    Place place;
    place.line = line;
    if (const auto done = split(text, layout_.separator, cells_, place.column); !done) {
      run.fault(place, done.error().detail());
      return;
    }
    // Files that were put together, and tables one behind the other.
    if (!columns_.known() || cells_.front().text == first_) {
      std::vector<std::string> names;
      for (const Cell& cell : cells_)
        names.emplace_back(trimmed(cell.text));
      if (is_header_of(layout_, names)) {
        header_ = text;
        first_ = cells_.front().text;
        if (columns_.set(run, layout_, names)) return;
      }
      if (!columns_.known()) {
        run.fault(place, "no header of the layout " + std::string(layout_.name));
        return;
      }
    }
    columns_.read(run, line, cells_);
  }

 private:
  const Layout& layout_;
  Columns columns_;
  std::string header_;
  std::string first_;
  std::vector<Cell> cells_;
};

// 306.000000000000000000 was 306 or 306.00: nobody knows any more, and 18 zeros it was not.
std::string_view not_filled_up(std::string_view number) {
  constexpr std::size_t decimals = 18;
  const std::size_t point = number.find('.');
  if (point == std::string_view::npos || number.size() != point + 1 + decimals) return number;
  const std::size_t last = number.find_last_not_of('0');
  return number.substr(0, last == point ? point : last + 1);
}

Result<std::optional<Reading>> value_of(Target target, const Cell& cell, const Layout& layout) {
  if (cell.null) return std::optional<Reading>();
  const std::string_view text = layout.filled_up ? not_filled_up(trimmed(cell.text)) : cell.text;
  return reading_of(target, text, layout.decimal_comma);
}

}  // namespace

bool Columns::set(Run& run, const Layout& layout, const std::vector<std::string>& names) {
  if (!is_header_of(layout, names)) return false;
  layout_ = &layout;
  count_ = names.size();
  time_ = index_of(names, layout.time);
  season_ = index_of(names, layout.season);
  meter_ = index_of(names, layout.meter);
  key_ = index_of(names, layout.key);
  value_ = index_of(names, layout.value);
  unit_ = index_of(names, layout.unit);
  measurement_ = layout.form == Form::list ? index_of(names, "_measurement") : std::nullopt;
  targets_.assign(count_, std::nullopt);
  if (layout.form == Form::list) return true;
  std::string left_out;
  for (std::size_t i = 0; i < count_; ++i) {
    if (i == time_ || i == season_ || i == meter_ || names[i].empty()) continue;
    targets_[i] = target_of(layout, run.options(), names[i]);
    const auto known = std::ranges::find(layout.names, names[i], &Name::name);
    if (!targets_[i] && known == layout.names.end())
      left_out += (left_out.empty() ? "" : ", ") + sanitised(names[i], 60);
  }
  if (!left_out.empty())
    run.note("columns without a reading key are left out: " + left_out +
             " (--map NAME=KEY takes one over)");
  return true;
}

Result<Sample> Columns::begin(Run& run, const std::vector<Cell>& cells, Place& place) const {
  const auto at = [&](std::optional<std::size_t> index) {
    return index ? std::string_view(cells[*index].text) : std::string_view();
  };
  const bool too_long =
      cells.size() > count_ && !(cells.size() == count_ + 1 && cells.back().text.empty());
  if (cells.size() < count_ || too_long)
    return Error(Errc::malformed, std::to_string(cells.size()) + " cells where the header has " +
                                      std::to_string(count_));
  Sample sample;
  sample.meter = trimmed(at(meter_));
  if (measurement_ && sample.meter.empty() && at(measurement_) != orman_measurement)
    sample.meter = trimmed(at(measurement_));
  if (season_) {
    const std::string_view season = trimmed(at(season_));
    place.column = cells[*season_].column;
    if (!season.empty() && season != "S" && season != "W")
      return Error(Errc::malformed, "\"" + sanitised(season, 40) +
                                        "\" is no season (S summer, W winter, or nothing)");
  }
  place.column = cells[*time_].column;
  const auto time = run.time_of(*layout_, trimmed(at(time_)), trimmed(at(season_)), sample.meter);
  if (!time) return time.error();
  sample.at = *time;
  place.column = 0;
  return sample;
}

void Columns::read(Run& run, std::uint64_t line, const std::vector<Cell>& cells) const {
  Place place;
  place.line = line;
  auto sample = begin(run, cells, place);
  if (!sample) {
    run.fault(place, sample.error().detail());
    return;
  }
  const auto take = [&](const Target& target, std::size_t i) {
    auto reading = value_of(target, cells[i], *layout_);
    if (!reading) {
      run.fault({line, cells[i].column}, reading.error().detail());
      return false;
    }
    if (*reading) sample->readings.push_back(std::move(**reading));
    return true;
  };
  if (layout_->form != Form::list) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (targets_[i] && !take(*targets_[i], i)) return;
    }
    run.put(place, std::move(*sample), *layout_);
    return;
  }
  const bool orman = measurement_ && cells[*measurement_].text == orman_measurement;
  const Layout& names = orman ? *find_layout("saiman-orman") : *layout_;
  const std::string& name = cells[*key_].text;
  auto target = target_of(names, run.options(), name);
  // That logger's total is the first tariff once more.
  if (orman && name == "active_energy_total" && !run.options().mapping.contains(name))
    target.reset();
  if (!target) {
    run.note(sanitised(name, 60) +
             " is left out: it is no reading key (--map NAME=KEY takes it over)");
    return;
  }
  if (unit_ && !target->unit_said && !cells[*unit_].text.empty()) {
    const auto unit = unit_for(target->key, cells[*unit_].text);
    if (!unit) {
      run.fault({line, cells[*unit_].column}, unit.error().detail());
      return;
    }
    target->unit = *unit;
  }
  if (take(*target, *value_)) run.put(place, std::move(*sample), names);
}

std::unique_ptr<FormReader> table_reader(const Layout& layout) {
  return std::make_unique<Table>(layout);
}

}  // namespace meterbridge::history
