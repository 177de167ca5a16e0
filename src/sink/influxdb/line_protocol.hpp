// SPDX-License-Identifier: MIT
// Samples as InfluxDB's line protocol: pure functions. docs/influxdb.md shows users the result.
#pragma once

#include "core/reading.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::sink::influxdb {

enum class Measurement : std::uint8_t {
  meter,    // one measurement a meter, one field a reading key
  quantity  // one measurement a quantity; what else the key says are tags
};
enum class Precision : std::uint8_t { milliseconds, seconds };

struct Form {
  Measurement measurement = Measurement::meter;
  Precision precision = Precision::milliseconds;
  // Tags that say nothing say "none". Version 3 keeps a table's first tags for ever.
  bool all_tags = false;
};

struct Field {
  Field() = default;

  Field(std::string n, std::string v) : name(std::move(n)), value(std::move(v)) {}

  std::string name;   // escaped
  std::string value;  // as the line says it: 173.640, "0001", true
};

// One line. The database identifies a point by its series and time, so its fields may as well
// come in several lines, and in any number of repetitions.
struct Point {
  Point() = default;
  std::string series;  // measurement and tags, escaped
  std::vector<Field> fields;
  std::int64_t time = 0;  // in the form's precision
};

// One point for all values that have the time of the sample, and one more for each other time that
// values of it have. Readings without text yield nothing: a field is never empty.
[[nodiscard]] std::vector<Point> points_of(const Sample& sample, const Form& form);

void append_line(std::string& text, const Point& point);  // with its line end

}  // namespace meterbridge::sink::influxdb
