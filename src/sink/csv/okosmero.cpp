// SPDX-License-Identifier: MIT
// The files of the okosmero data logger: its JSON documents, one a line, and a table of the few
// values that its web page draws. Both are filed under the meter's own date.
#include "core/reading.hpp"
#include "core/text.hpp"
#include "sink/csv/layout.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace meterbridge::sink::csv {
namespace {

constexpr std::string_view header = "MeterId,Time,DST,Import,Export,TotalImport,TotalExport";

struct Stamp {
  std::string date;  // 2023-07-24
  std::string clock;
  char season = 'W';
};

// From a quotation mark to behind its partner.
std::size_t end_of_text(std::string_view json, std::size_t at) {
  for (++at; at < json.size(); ++at) {
    if (json[at] == '\\') {
      ++at;
    } else if (json[at] == '"') {
      return at + 1;
    }
  }
  return json.size();
}

std::size_t skip_blanks(std::string_view json, std::size_t at) {
  return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

// A value of any kind: to the comma or bracket that ends it.
std::size_t end_of_value(std::string_view json, std::size_t at) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = end_of_text(json, at);
      // The firmware forgets the comma before Message.
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
    ++at;
  }
  return json.size();
}

std::string text_of(std::string_view document, std::string_view name) {
  const auto member = member_of(document, name);
  if (!member || member->size() < 2 || member->front() != '"') return {};
  return sanitised(member->substr(1, member->size() - 2));
}

// As Python prints a float: the shortest form, with a digit behind the point.
std::string shortest(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  while (text.ends_with('0') && !text.ends_with(".0"))
    text.pop_back();
  return text;
}

// The first number of a list, or the number itself.
std::string number_of(std::string_view document, std::string_view name) {
  auto member = member_of(document, name);
  if (!member) return {};
  if (member->starts_with('[')) member->remove_prefix(1);
  const auto number = Decimal::parse(trimmed(member->substr(0, member->find_first_of(",]"))));
  return number ? shortest(number->str()) : std::string();
}

// What the guard held back is not in the sample, and must not be in a file.
std::string checked(const journal::Entry& entry, std::string_view member, Quantity quantity,
                    Direction direction) {
  const ReadingKey key = make_key(quantity, direction);
  for (const Reading& reading : entry.sample.readings) {
    const auto* number = std::get_if<Decimal>(&reading.value);
    if (reading.key != key || number == nullptr) continue;
    std::string text = number_of(entry.sample.document, member);
    if (!text.empty()) return text;
    const auto kilo = reading.unit == Unit::W ? number->shifted(-3) : Result<Decimal>(*number);
    return kilo ? shortest(kilo->str()) : std::string();
  }
  return {};
}

std::optional<int> two_digits(std::string_view text, std::size_t at) {
  int number = 0;
  const auto read = std::from_chars(text.data() + at, text.data() + at + 2, number);
  if (read.ec != std::errc() || read.ptr != text.data() + at + 2) return std::nullopt;
  return number;
}

Stamp stamp_of(const LocalTime& local, char season) {
  const std::string text = iso_local(local);
  Stamp stamp;
  stamp.date = text.substr(0, 10);
  stamp.clock = text.substr(11);
  stamp.season = season;
  return stamp;
}

// YYMMDDhhmmssX
std::optional<Stamp> meter_stamp(std::string_view text) {
  if (text.size() != 13 || (text[12] != 'S' && text[12] != 'W')) return std::nullopt;
  int parts[6] = {};
  for (std::size_t i = 0; i < 6; ++i) {
    const auto part = two_digits(text, i * 2);
    if (!part) return std::nullopt;
    parts[i] = *part;
  }
  const auto local =
      LocalTime::make(2000 + parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  if (!local) return std::nullopt;
  return stamp_of(*local, text[12]);
}

// A meter without a clock: ours.
Stamp our_stamp(Instant at) {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const LocalTime local = to_local(second);
  const auto offset = [](Seconds instant) {
    return to_local(instant).at.time_since_epoch() - instant.time_since_epoch();
  };
  constexpr auto half_year = std::chrono::hours(24 * 182);
  const auto now = offset(second);
  const auto usual = std::min({now, offset(second - half_year), offset(second + half_year)});
  return stamp_of(local, now > usual ? 'S' : 'W');
}

std::string one_line(std::string_view document) {
  std::string line(trimmed(document));
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

}  // namespace

std::optional<std::string_view> member_of(std::string_view object, std::string_view name) {
  std::size_t at = skip_blanks(object, 0);
  if (at >= object.size() || object[at] != '{') return std::nullopt;
  ++at;
  while (at < object.size()) {
    at = skip_blanks(object, at);
    if (at < object.size() && object[at] == ',') at = skip_blanks(object, at + 1);
    if (at >= object.size() || object[at] != '"') return std::nullopt;
    const std::size_t key_end = end_of_text(object, at);
    const std::string_view key = object.substr(at + 1, key_end - std::min(key_end, at + 2));
    at = skip_blanks(object, key_end);
    if (at >= object.size() || object[at] != ':') return std::nullopt;
    at = skip_blanks(object, at + 1);
    const std::size_t end = end_of_value(object, at);
    if (key == name) return trimmed(object.substr(at, end - at));
    if (end <= at) return std::nullopt;
    at = end;
  }
  return std::nullopt;
}

std::vector<Row> okosmero_rows(const journal::Entry& entry) {
  const std::string& document = entry.sample.document;
  if (document.empty()) return {};
  const Stamp stamp = meter_stamp(text_of(document, "Time")).value_or(our_stamp(entry.sample.at));
  std::string meter = text_of(document, "MeterID");
  if (meter.empty()) meter = entry.sample.identity.serial;
  std::vector<Row> rows(2);
  for (Row& row : rows) {
    row.sequence = entry.sequence;
    row.stem = stamp.date;
  }
  rows[0].extension = ".csv";
  rows[0].header = header;
  rows[0].head = in_quotes(meter) + "," + stamp.date + " " + stamp.clock + "," + stamp.season +
                 "," + checked(entry, "CurrentImport", Quantity::power, Direction::import) + "," +
                 checked(entry, "CurrentExport", Quantity::power, Direction::export_) + "," +
                 checked(entry, "ImportPower", Quantity::energy, Direction::import) + "," +
                 checked(entry, "ExportPower", Quantity::energy, Direction::export_);
  rows[1].extension = ".txt";
  rows[1].head = one_line(document);
  return rows;
}

}  // namespace meterbridge::sink::csv
