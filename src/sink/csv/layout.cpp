// SPDX-License-Identifier: MIT
#include "sink/csv/layout.hpp"

#include "core/reading_key.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::sink::csv {
namespace {

constexpr std::string_view always = "time_utc,time_local";

// A sub-meter's name has its serial number in it, which is the meter's own word.
std::string folder_name(std::string_view meter) {
  std::string name;
  for (const char c : meter) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || (c == '.' && !name.empty());
    name += plain ? c : '_';
  }
  return name.empty() ? "_" : name.substr(0, 200);
}

std::string cell_of(const Value& value) {
  if (const auto* number = std::get_if<Decimal>(&value)) return number->str();
  if (const auto* text = std::get_if<std::string>(&value)) return in_quotes(*text);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "on" : "off";
  return iso_utc(std::get<Seconds>(value));
}

void append_two(std::string& text, long number) {
  text += static_cast<char>('0' + number / 10 % 10);
  text += static_cast<char>('0' + number % 10);
}

}  // namespace

std::string in_quotes(std::string_view cell) {
  std::string text(cell);
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  if (text.find_first_of("\",") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::vector<std::string> columns_of(std::string_view header) {
  std::vector<std::string> columns;
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    columns.emplace_back(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return columns;
}

std::string local_with_offset(Instant instant) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(instant);
  const LocalTime local = to_local(whole);
  const auto offset = std::chrono::floor<std::chrono::minutes>(local.at.time_since_epoch() -
                                                               whole.time_since_epoch());
  std::string text = iso_local(local);
  const std::string utc = iso_utc(instant);  // its milliseconds are ours
  text += utc.substr(utc.size() - 5, 4);
  const auto minutes = static_cast<long>(offset.count() < 0 ? -offset.count() : offset.count());
  text += offset.count() < 0 ? '-' : '+';
  append_two(text, minutes / 60);
  text += ':';
  append_two(text, minutes % 60);
  return text;
}

std::vector<Row> rows_of(Layout layout, const journal::Entry& entry) {
  if (layout == Layout::okosmero) return okosmero_rows(entry);
  const Sample& sample = entry.sample;
  if (sample.readings.empty()) return {};
  std::vector<Row> rows(1);
  Row& row = rows.front();
  row.sequence = entry.sequence;
  row.folder = folder_name(sample.meter);
  const std::string local = local_with_offset(sample.at);
  row.stem = local.substr(0, layout == Layout::monthly ? 7 : 10);
  row.extension = ".csv";
  row.header = always;
  row.head = iso_utc(sample.at) + "," + local;
  std::vector<const Reading*> readings;
  for (const Reading& reading : sample.readings)
    readings.push_back(&reading);
  std::ranges::sort(readings, {}, [](const Reading* reading) { return reading->key; });
  for (const Reading* reading : readings) {
    row.keys.push_back(reading->key.text());
    row.cells.push_back(cell_of(reading->value));
  }
  return rows;
}

}  // namespace meterbridge::sink::csv
