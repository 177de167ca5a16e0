// SPDX-License-Identifier: MIT
#include "sink/influxdb/line_protocol.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <chrono>

namespace meterbridge::sink::influxdb {
namespace {

// A name in the line: blank, comma and equals sign are escaped. A backslash has no escape there,
// and at the end of a name it would escape what follows: it becomes a stroke. Line ends and other
// controls have no form at all. (Ids, keys and units hold nothing of the kind.)
void append_name(std::string& out, std::string_view name, bool measurement) {
  for (const char letter : sanitised(name)) {
    if (letter == ' ' || letter == ',' || (letter == '=' && !measurement)) out += '\\';
    out += letter == '\\' ? '/' : letter;
  }
}

std::string escaped(std::string_view name) {
  std::string out;
  append_name(out, name, false);
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char letter : sanitised(text)) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + '"';
}

struct Worded {
  std::string_view field;  // where the measurement is a quantity
  std::string value;       // empty: nothing to say
};

// Each kind of value has a field of its own: the database refuses a second type in a field. A
// number without a point is a float there, too.
Worded worded(const Value& value) {
  if (const auto* const number = std::get_if<Decimal>(&value)) return {"value", number->str()};
  if (const auto* const flag = std::get_if<bool>(&value)) return {"flag", *flag ? "true" : "false"};
  if (const auto* const time = std::get_if<Seconds>(&value))
    return {"text", in_quotes(iso_utc(*time))};
  const auto& text = std::get<std::string>(value);
  return {"text", text.empty() ? "" : in_quotes(text)};
}

void append_tag(std::string& series, std::string_view name, std::string_view value) {
  if (value.empty()) return;  // a tag without value is an error of syntax
  series += ',';
  series += name;
  series += '=';
  append_name(series, value, false);
}

// The n of input_<n> and counter_<n>, which begins at 0.
std::string number_of(const ReadingKey& key) {
  ReadingKey plain;
  plain.quantity = key.quantity;
  plain.number = key.number;
  const std::string text = plain.text();
  const std::size_t length = name(key.quantity).size();
  return text.size() > length ? text.substr(length + 1) : std::string();
}

// What one part adds to the text of a key: "import", "l1_l2", "channel3".
std::string part_of(const ReadingKey& key, auto ReadingKey::*part) {
  ReadingKey with;
  with.quantity = key.quantity;
  with.number = key.number;
  const std::string without = with.text();
  with.channel = key.channel;
  with.*part = key.*part;
  const std::string text = with.text();
  if (text.size() <= without.size()) return {};
  // The scope stands before the quantity, all else behind it.
  return text.starts_with(without) ? text.substr(without.size() + 1)
                                   : text.substr(0, text.size() - without.size() - 1);
}

// Tags in alphabetical order, which spares the database a sort.
std::string series_of(const Sample& sample, const Reading& reading, const Form& form) {
  std::string series;
  if (form.measurement == Measurement::meter) {
    append_name(series, sample.meter, true);
    append_tag(series, "meter", sample.meter);
    return series;
  }
  const ReadingKey& key = reading.key;
  append_name(series, name(key.quantity), true);
  const auto tag = [&](std::string_view name, std::string_view value) {
    append_tag(series, name, value.empty() && form.all_tags ? "none" : value);
  };
  tag("aspect", part_of(key, &ReadingKey::aspect));
  tag("direction", part_of(key, &ReadingKey::direction));
  tag("meter", sample.meter);
  tag("number", number_of(key));
  tag("phase", part_of(key, &ReadingKey::phase));
  tag("scope", part_of(key, &ReadingKey::scope));
  tag("tariff", key.tariff == 0 ? "" : std::to_string(key.tariff));
  tag("unit", symbol(reading.unit));
  return series;
}

std::int64_t stamp(Instant at, Precision precision) {
  if (precision == Precision::seconds)
    return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  return at.time_since_epoch().count();
}

}  // namespace

std::vector<Point> points_of(const Sample& sample, const Form& form) {
  std::vector<Point> points;
  for (const Reading& reading : sample.readings) {
    Worded said = worded(reading.value);
    if (said.value.empty()) continue;
    std::string series = series_of(sample, reading, form);
    const std::int64_t time =
        stamp(reading.time ? Instant(*reading.time) : sample.at, form.precision);
    auto point = std::ranges::find_if(
        points, [&](const Point& p) { return p.time == time && p.series == series; });
    if (point == points.end()) {
      points.emplace_back();
      point = std::prev(points.end());
      point->series = std::move(series);
      point->time = time;
    }
    point->fields.emplace_back(form.measurement == Measurement::meter ? escaped(reading.key.text())
                                                                      : std::string(said.field),
                               std::move(said.value));
  }
  return points;
}

void append_line(std::string& text, const Point& point) {
  text += point.series;
  char separator = ' ';
  for (const Field& field : point.fields) {
    text += separator;
    text += field.name;
    text += '=';
    text += field.value;
    separator = ',';
  }
  text += ' ';
  text += std::to_string(point.time);
  text += '\n';
}

}  // namespace meterbridge::sink::influxdb
