// SPDX-License-Identifier: MIT
#include "sink/graphite/lines.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace meterbridge::sink::graphite {
namespace {

using std::string_view_literals::operator""sv;

// In the order of Field, without `literal`.
constexpr std::array names{"base"sv,   "instance"sv, "meter"sv,    "device"sv,
                           "serial"sv, "key"sv,      "quantity"sv, "unit"sv};

Error wrong(const std::string& text) {
  return {Errc::invalid, text + "; a path looks like {base}.{meter}.{key}"};
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

Result<Field> field_named(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<Field>(found - names.begin() + 1);
  const std::string_view near = nearest(name, names);
  std::string text = "{" + sanitised(name, 40) + "} is no part of a path";
  if (!near.empty()) text += ", did you mean {" + std::string(near) + "}?";
  return wrong(text);
}

struct Old {
  std::string_view key;
  std::string_view path;
  int power;  // of ten, from our unit to that of the old name
};

// What the ESP32 logger for the customer interface of Netz NOE sends, in W, Wh, V and A.
constexpr std::array old_names{
    Old{"power_import", "momentanleistung.plus", 0},
    Old{"power_export", "momentanleistung.minus", 0},
    Old{"energy_import", "wirkenergie.plus", 3},
    Old{"energy_export", "wirkenergie.minus", 3},
    Old{"voltage_l1", "spannung.L1", 0},
    Old{"voltage_l2", "spannung.L2", 0},
    Old{"voltage_l3", "spannung.L3", 0},
    Old{"current_l1", "strom.L1", 0},
    Old{"current_l2", "strom.L2", 0},
    Old{"current_l3", "strom.L3", 0},
    Old{"power_factor", "cosphi", 0},
};

std::string value_of(const Reading& reading, int power) {
  if (const auto* const flag = std::get_if<bool>(&reading.value)) return *flag ? "1" : "0";
  const auto* const number = std::get_if<Decimal>(&reading.value);
  if (number == nullptr) return {};
  const auto moved = number->shifted(power);
  return moved ? moved->str() : std::string();
}

std::string part(const Piece& piece, const Sample& sample, const Reading& reading,
                 const Paths& paths) {
  switch (piece.field) {
    case Field::literal:
      return piece.text;
    case Field::base:
      return node(paths.base, true);
    case Field::instance:
      return node(paths.instance);
    case Field::meter:
      return node(sample.meter);
    case Field::device:
      return node(sample.parent.empty() ? sample.meter : sample.parent);
    case Field::serial:
      return node(sample.identity.serial);
    case Field::key:
      return node(reading.key.text());
    case Field::quantity:
      return node(name(reading.key.quantity));
    case Field::unit:
      return node(symbol(reading.unit));
  }
  return {};
}

// An empty node has no form: "a..b" would be another place with each server.
std::string without_empty_nodes(std::string_view path) {
  std::string out;
  for (const char letter : path) {
    if (letter == '.' && (out.empty() || out.back() == '.')) continue;
    out += letter;
  }
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::string path_of(const Sample& sample, const Reading& reading, const Paths& paths) {
  std::string path;
  for (const Piece& piece : paths.pieces)
    path += part(piece, sample, reading, paths);
  return without_empty_nodes(path);
}

}  // namespace

std::string node(std::string_view text, bool points) {
  std::string out;
  for (const char letter : text) {
    // One mark for each character, however many bytes it has.
    if ((static_cast<unsigned char>(letter) & 0xc0U) == 0x80U) continue;
    out += is_plain(letter) || (points && letter == '.') ? letter : '_';
  }
  return out;
}

Result<std::vector<Piece>> parse_path(std::string_view text) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    if (text.front() == '{') {
      const auto end = text.find('}');
      if (end == std::string_view::npos) return wrong("a { is not closed");
      const auto field = field_named(text.substr(1, end - 1));
      if (!field) return field.error();
      pieces.push_back({*field, {}});
      text.remove_prefix(end + 1);
      continue;
    }
    const auto end = std::min(text.find('{'), text.size());
    const std::string_view plain = text.substr(0, end);
    if (!std::ranges::all_of(plain, [](char c) { return is_plain(c) || c == '.'; })) {
      return wrong("\"" + sanitised(plain, 40) +
                   "\" has more than letters, digits, -, _ and points in it");
    }
    pieces.push_back({Field::literal, std::string(plain)});
    text.remove_prefix(end);
  }
  if (std::ranges::find(pieces, Field::key, &Piece::field) == pieces.end())
    return wrong("{key} is missing: all values of a meter would be one series");
  return pieces;
}

std::string lines_of(const Sample& sample, const Paths& paths) {
  std::string text;
  for (const Reading& reading : sample.readings) {
    std::string path;
    int power = 0;
    if (paths.netz_noe) {
      const auto found = std::ranges::find(old_names, reading.key.text(), &Old::key);
      if (found == old_names.end()) continue;
      path = node(paths.base, true) + "." + std::string(found->path);
      power = found->power;
    } else {
      path = path_of(sample, reading, paths);
    }
    const std::string value = value_of(reading, power);
    if (value.empty()) continue;
    const Instant at = reading.time ? Instant(*reading.time) : sample.at;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    text += path + " " + value + " " + std::to_string(seconds) + "\n";
  }
  return text;
}

}  // namespace meterbridge::sink::graphite
