// SPDX-License-Identifier: MIT
// InfluxDB's line protocol: measurement,tag=value field=value,field=value time
#include "history/forms.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::history {
namespace {

struct Field {
  Field() = default;
  std::string name, value;
  std::size_t column = 0;
};

struct Line {
  Line() = default;
  std::string measurement;
  std::vector<Field> tags, fields;
  std::string time;
  std::size_t time_column = 0;

  [[nodiscard]] std::string_view tag(std::string_view name) const {
    const auto found = std::ranges::find(tags, name, &Field::name);
    return found == tags.end() ? std::string_view() : std::string_view(found->value);
  }
};

// Up to one of the characters that no backslash stands before.
std::string take(std::string_view text, std::size_t& at, std::string_view ends) {
  std::string out;
  for (; at < text.size() && ends.find(text[at]) == std::string_view::npos; ++at) {
    const bool escape = text[at] == '\\' && at + 1 < text.size() &&
                        std::string_view(" ,=\\").find(text[at + 1]) != std::string_view::npos;
    if (escape) ++at;
    out += text[at];
  }
  return out;
}

bool take_value(std::string_view text, std::size_t& at, std::string& out) {
  if (at >= text.size() || text[at] != '"') {
    out = take(text, at, " ,");
    return !out.empty();
  }
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') {
      ++at;
      return true;
    }
    if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\'))
      ++at;
    out += text[at];
  }
  return false;
}

std::optional<Line> parse(std::string_view text, std::size_t& at) {
  Line line;
  at = 0;
  line.measurement = take(text, at, ", ");
  while (at < text.size() && text[at] == ',') {
    Field tag;
    tag.name = take(text, ++at, "= ,");
    if (at >= text.size() || text[at] != '=') return std::nullopt;
    tag.value = take(text, ++at, " ,");
    line.tags.push_back(std::move(tag));
  }
  if (line.measurement.empty() || at >= text.size() || text[at] != ' ') return std::nullopt;
  do {
    Field field;
    field.column = ++at + 1;
    field.name = take(text, at, "= ,");
    if (at >= text.size() || text[at] != '=' || !take_value(text, ++at, field.value))
      return std::nullopt;
    line.fields.push_back(std::move(field));
  } while (at < text.size() && text[at] == ',');
  if (at < text.size() && text[at] == ' ') {
    line.time_column = at + 2;
    line.time = trimmed(text.substr(at));
  }
  return line;
}

// 12i, 12u: integers; t, T, True: flags.
std::string_view plain(std::string_view value) {
  const bool number =
      value.size() > 1 && value[0] != 't' && value[0] != 'f' &&
      (value.back() == 'i' || value.back() == 'u') &&
      std::string_view("0123456789").find(value[value.size() - 2]) != std::string_view::npos;
  if (number) value.remove_suffix(1);
  if (value == "T" || value == "True" || value == "TRUE") return "true";
  if (value == "F" || value == "False" || value == "FALSE") return "false";
  return value;
}

// Where the measurement is a quantity and tags say the rest; empty when it is not so.
std::string key_of_quantity(const Line& line) {
  const bool usual =
      line.fields.size() == 1 && (line.fields[0].name == "value" || line.fields[0].name == "flag" ||
                                  line.fields[0].name == "text");
  if (!usual || line.tag("meter").empty()) return {};
  std::string key;
  const auto add = [&](std::string_view part, std::string_view before = "") {
    if (part.empty() || part == "none") return;
    key += (key.empty() ? "" : "_") + std::string(before) + std::string(part);
  };
  add(line.tag("scope"));
  add(line.measurement);
  for (const std::string_view tag : {"number", "direction", "aspect", "phase"})
    add(line.tag(tag));
  add(line.tag("tariff"), "t");
  return ReadingKey::parse(key) ? key : std::string();
}

class LineProtocol final : public FormReader {
 public:
  explicit LineProtocol(const Layout& layout) : layout_(layout) {}

  void read(Run& run, std::uint64_t number, std::string_view text) override {
    text = trimmed(text);
    if (text.empty() || text.front() == '#' || text.starts_with("CREATE DATABASE")) return;
    std::size_t at = 0;
    const auto line = parse(text, at);
    if (!line) {
      run.fault({number, at + 1}, "no line of InfluxDB's line protocol");
      return;
    }
    if (line->time.empty()) {
      run.fault({number, 0}, "the line has no time");
      return;
    }
    const bool orman = line->measurement == orman_measurement;
    const Layout& names = orman ? *find_layout("saiman-orman") : layout_;
    Sample sample;
    sample.meter = line->tag("meter");
    if (sample.meter.empty() && !orman) sample.meter = line->measurement;
    const auto time = run.time_of(names, line->time, "", sample.meter);
    if (!time) {
      run.fault({number, line->time_column}, time.error().detail());
      return;
    }
    sample.at = *time;
    if (fields(run, number, *line, names, sample)) run.put({number, 0}, std::move(sample), names);
  }

 private:
  static bool fields(Run& run, std::uint64_t number, const Line& line, const Layout& names,
                     Sample& sample) {
    const std::string quantity = key_of_quantity(line);
    for (const Field& field : line.fields) {
      const std::string_view name = quantity.empty() ? std::string_view(field.name) : quantity;
      auto target = target_of(names, run.options(), name);
      if (!target) {
        run.note("field " + sanitised(name, 60) +
                 " is left out: it is no reading key (--map NAME=KEY takes it over)");
        continue;
      }
      if (const std::string_view unit = line.tag("unit");
          !quantity.empty() && !unit.empty() && unit != "none" && !target->unit_said) {
        if (const auto known = unit_for(target->key, unit)) target->unit = *known;
      }
      auto reading = reading_of(*target, plain(field.value), false);
      if (!reading) {
        run.fault({number, field.column}, field.name + ": " + reading.error().detail());
        return false;
      }
      if (*reading) sample.readings.push_back(std::move(**reading));
    }
    return true;
  }

  const Layout& layout_;
};

}  // namespace

bool is_line_protocol(std::string_view line) {
  std::size_t at = 0;
  const auto parsed = parse(trimmed(line), at);
  return parsed && !parsed->time.empty() && parse_stamp(parsed->time);
}

std::unique_ptr<FormReader> line_protocol_reader(const Layout& layout) {
  return std::make_unique<LineProtocol>(layout);
}

}  // namespace meterbridge::history
