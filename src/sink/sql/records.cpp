// SPDX-License-Identifier: MIT
#include "sink/sql/records.hpp"

#include "core/text.hpp"

namespace meterbridge::sink::sql {
namespace {

constexpr std::size_t longest_text = 4000;

bool fits(const std::string& digits) {
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  const std::size_t end = std::min(digits.find('.'), digits.size());
  const std::size_t behind = end == digits.size() ? 0 : digits.size() - end - 1;
  return end - sign <= most_integer_digits && behind <= most_decimals;
}

}  // namespace

Record record_of(const journal::Entry& entry) {
  const Sample& sample = entry.sample;
  Record record;
  record.sequence = entry.sequence;
  record.meter = sample.meter;
  record.parent = sample.parent;
  record.identity = sample.identity;
  record.at = sample.at;
  record.event = journal::event_of(sample);
  if (record.event) record.event->text = sanitised(record.event->text, longest_text);
  for (const Reading& reading : sample.readings) {
    Value value;
    value.name = reading.key.text();
    value.unit = symbol(reading.unit);
    value.at = reading.time ? Instant(*reading.time) : sample.at;
    if (const auto* const number = std::get_if<Decimal>(&reading.value)) {
      value.number = number->str();
      value.decimals = std::to_string(number->precision());
      if (!fits(*value.number)) {
        record.trouble += (record.trouble.empty() ? "" : "; ") + value.name + ": " + *value.number +
                          " has more digits than a column holds";
        continue;
      }
    } else if (const auto* const flag = std::get_if<bool>(&reading.value)) {
      value.number = *flag ? "1" : "0";
      value.decimals = "0";
    } else if (const auto* const time = std::get_if<Seconds>(&reading.value)) {
      value.text = iso_utc(*time);
    } else {
      value.text = sanitised(std::get<std::string>(reading.value), longest_text);
      if (value.text->empty()) continue;
    }
    record.values.push_back(std::move(value));
  }
  return record;
}

}  // namespace meterbridge::sink::sql
