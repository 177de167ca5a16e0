// SPDX-License-Identifier: MIT
// Writes JSON with numbers from their own digits (a JSON library would pass them through a double).
#pragma once

#include "core/decimal.hpp"
#include "core/reading.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace meterbridge {

// Commas and quotes are the writer's business. Text that is no UTF-8 is sanitised. Usage:
//   JsonWriter json; json.object().member("value", decimal).member("unit", "kWh").end();
//   json.text()
class JsonWriter {
 public:
  JsonWriter() { text_.reserve(usual_size); }

  JsonWriter& object();
  JsonWriter& array();
  JsonWriter& end();  // closes the innermost object or array
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);

  JsonWriter& value(const char* text) { return value(std::string_view(text)); }

  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }

  JsonWriter& value(const Decimal& number);
  JsonWriter& value(bool flag);
  JsonWriter& value(std::int64_t number);
  template <class T>

  requires std::is_integral_v<T> JsonWriter& value(T number) { return raw(std::to_string(number)); }

  JsonWriter& value(double number) = delete;  // numbers have digits of their own here
  JsonWriter& value(const Value& reading);    // Seconds as ISO 8601 text
  // A reading as a member: numbers as "value", all else as "text" (times in ISO 8601, flags as on
  // and off), so that who reads `value` always finds a number.
  JsonWriter& content(const Value& reading);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // already valid JSON

  template <class T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void separate();

  struct Level {
    bool object;
    bool first;
  };

  static constexpr std::size_t usual_size = 1024;

  std::string text_;
  std::vector<Level> open_;
  bool after_key_ = false;
};

}  // namespace meterbridge
