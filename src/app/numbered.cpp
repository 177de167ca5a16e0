// SPDX-License-Identifier: MIT
#include "app/numbered.hpp"

#include <charconv>
#include <ctime>
#include <utility>

namespace meterbridge::app {
namespace {

constexpr std::string_view leaf_mark = "leaf ";

std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

std::string item_text(const protocol::Telegram& telegram, std::string_view address) {
  const protocol::Item* const item = telegram.find(address);
  return item != nullptr && item->text ? *item->text : std::string();
}

std::uint64_t item_number(const protocol::Telegram& telegram, std::string_view address) {
  const protocol::Item* const item = telegram.find(address);
  return item != nullptr && item->value && item->value->digits() > 0 && item->value->exponent() == 0
             ? static_cast<std::uint64_t>(item->value->digits())
             : 0;
}

}  // namespace

std::optional<Instant> instant_of(const std::string& text) {
  std::tm parts{};
  const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) return std::nullopt;
  const Instant whole(std::chrono::seconds(::timegm(&parts)));
  std::string_view rest = end;
  if (rest == "Z") return whole;
  if (rest.size() != 5 || !rest.starts_with('.') || !rest.ends_with('Z')) return std::nullopt;
  rest.remove_prefix(1);
  const auto fraction = take_number(rest);
  if (!fraction || rest != "Z") return std::nullopt;
  return whole + Milliseconds(*fraction);
}

std::optional<NumberedSample> numbered_sample(const protocol::Telegram& telegram,
                                              const std::string& parent) {
  if (telegram.readings.empty() || telegram.readings.back().submeter.empty()) return std::nullopt;
  const MeterReadings& part = telegram.readings.back();
  NumberedSample sample;
  Numbered& numbered = sample.numbered;
  numbered.journal = item_text(telegram, "/journal");
  numbered.number = item_number(telegram, "/sequence");
  numbered.previous = item_number(telegram, "/previous");
  numbered.newest = item_number(telegram, "/newest");
  numbered.missing = item_text(telegram, "/missing");
  numbered.topic = item_text(telegram, "topic");
  if (numbered.journal.empty()) return std::nullopt;
  sample.parent = parent;
  sample.meter = parent + "_" + part.submeter;
  sample.identity = part.identity;
  if (part.readings.empty()) return sample;
  const auto at = instant_of(item_text(telegram, "/time"));
  if (!at || numbered.number == 0) return std::nullopt;
  sample.at = *at;
  sample.origin =
      item_text(telegram, "/origin") == "meter" ? TimeOrigin::meter : TimeOrigin::arrival;
  return sample;
}

std::string mark_of(const Numbered& numbered) {
  return std::string(leaf_mark) + std::to_string(numbered.number) + " " +
         std::to_string(numbered.previous) + " " + numbered.journal + " " + numbered.topic;
}

std::optional<Numbered> numbered_in(const Sample& sample) {
  std::string_view text = sample.document;
  if (!text.starts_with(leaf_mark)) return std::nullopt;
  text.remove_prefix(leaf_mark.size());
  const auto number = take_number(text);
  const auto previous = take_number(text);
  if (!number || !previous || text.empty()) return std::nullopt;
  Numbered numbered;
  numbered.number = *number;
  numbered.previous = *previous;
  numbered.journal = text.substr(0, text.find(' '));
  if (numbered.journal.size() < text.size())
    numbered.topic = text.substr(numbered.journal.size() + 1);
  return numbered;
}

}  // namespace meterbridge::app
