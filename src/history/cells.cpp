// SPDX-License-Identifier: MIT
#include "history/cells.hpp"

#include "core/text.hpp"
#include "history/stamp.hpp"
#include "protocol/json/text.hpp"

#include <algorithm>

namespace meterbridge::history {
namespace {

constexpr std::size_t longest_text = 4000;

bool says_nothing(std::string_view cell) {
  for (const std::string_view word :
       {"", "NULL", "\\N", "null", "None", "nan", "NaN", "unknown", "unavailable"}) {
    if (cell == word) return true;
  }
  return false;
}

bool is_text(Quantity quantity) {
  return quantity == Quantity::serial || quantity == Quantity::firmware ||
         quantity == Quantity::status || quantity == Quantity::message;
}

Error wrong_number(std::string_view cell) {
  return {Errc::malformed, "\"" + sanitised(cell, 40) + "\" is no number"};
}

Result<std::optional<Reading>> flag_of(const ReadingKey& key, std::string_view cell) {
  const bool on = cell == "on" || cell == "true" || cell == "1" || cell == "t";
  const bool off = cell == "off" || cell == "false" || cell == "0" || cell == "f";
  if (!on && !off)
    return Error(Errc::malformed, "\"" + sanitised(cell, 40) + "\" is neither on nor off");
  return std::optional(Reading(key, on));
}

Result<std::optional<Reading>> time_of(const ReadingKey& key, std::string_view cell) {
  const auto stamp = parse_stamp(cell);
  if (!stamp) return stamp.error();
  if (!stamp->at) return Error(Errc::malformed, "the time has no zone");
  return std::optional(Reading(key, std::chrono::floor<std::chrono::seconds>(*stamp->at)));
}

}  // namespace

Result<> split(std::string_view line, char separator, std::vector<Cell>& cells,
               std::size_t& column) {
  std::size_t count = 0;
  for (std::size_t at = 0;;) {
    if (count == cells.size()) cells.emplace_back();
    Cell& cell = cells[count++];
    cell.text.clear();
    cell.null = false;
    cell.column = at + 1;
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at >= line.size()) {
          column = cell.column;
          return Error(Errc::malformed, "a quotation mark has no partner");
        }
        if (line[at] != '"') {
          cell.text += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          cell.text += line[at++];
        } else {
          ++at;
          break;
        }
      }
    }
    const std::size_t end = std::min(line.find(separator, at), line.size());
    cell.text += line.substr(at, end - at);
    if (end == line.size()) break;
    at = end + 1;
  }
  cells.resize(count);
  return {};
}

std::optional<Target> target_of(const Layout& layout, const Options& options,
                                std::string_view name) {
  if (const auto said = options.mapping.find(name); said != options.mapping.end())
    return said->second;
  Target target;
  const auto known = std::ranges::find(layout.names, name, &Name::name);
  if (known == layout.names.end() && !layout.ours) return std::nullopt;
  const std::string_view text = known == layout.names.end() ? name : known->key;
  const auto key = ReadingKey::parse(text);
  if (!key) return std::nullopt;
  target.key = *key;
  target.unit = canonical_unit(key->quantity);
  if (known != layout.names.end() && !known->unit.empty()) {
    const auto unit = unit_from(known->unit);
    if (!unit) return std::nullopt;
    target.unit = *unit;
    target.unit_said = true;
  }
  return target;
}

Result<std::optional<Reading>> reading_of(const Target& target, std::string_view cell,
                                          bool decimal_comma) {
  cell = trimmed(cell);
  if (says_nothing(cell)) return std::optional<Reading>();
  const Quantity quantity = target.key.quantity;
  if (quantity == Quantity::input) return flag_of(target.key, cell);
  if (quantity == Quantity::clock) return time_of(target.key, cell);
  if (is_text(quantity)) return std::optional(Reading(target.key, sanitised(cell, longest_text)));
  std::string digits(cell);
  if (decimal_comma) std::ranges::replace(digits, ',', '.');
  auto number = Decimal::parse(digits);
  if (!number) {
    if (const auto other = protocol::json::number_of(digits)) number = *other;
  }
  // "0001" is a name that a meter gives, not the number 1.
  if (quantity == Quantity::tariff && (!number || number->str() != digits))
    return std::optional(Reading(target.key, sanitised(cell, longest_text)));
  if (!number) return wrong_number(cell);
  if (quantity == Quantity::heat && target.unit == Unit::none)
    return Error(Errc::malformed, "the file does not say the unit of " + target.key.text() +
                                      ": say it with --map " + target.key.text() + "=" +
                                      target.key.text() + ":kWh (or MJ, GJ)");
  if (quantity == Quantity::value || canonical_unit(quantity) == Unit::none)
    return std::optional(Reading(target.key, *number, target.unit));
  auto reading = Reading::make(target.key, *number, target.unit);
  if (!reading) return reading.error();
  return std::optional(std::move(*reading));
}

Result<std::pair<std::string, Target>> parse_mapping(std::string_view text) {
  const std::size_t equal = text.rfind('=');
  if (equal == std::string_view::npos || equal == 0)
    return Error(Errc::invalid, "\"" + std::string(text) + "\": write NAME=KEY or NAME=KEY:UNIT");
  std::string_view right = text.substr(equal + 1);
  const std::size_t colon = right.find(':');
  const auto key = ReadingKey::parse(right.substr(0, colon));
  if (!key) return key.error();
  Target target;
  target.key = *key;
  target.unit = canonical_unit(key->quantity);
  if (colon != std::string_view::npos) {
    const auto unit = unit_for(*key, right.substr(colon + 1));
    if (!unit) return unit.error();
    target.unit = *unit;
    target.unit_said = true;
  }
  return std::pair(std::string(text.substr(0, equal)), target);
}

}  // namespace meterbridge::history
