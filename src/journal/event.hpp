// SPDX-License-Identifier: MIT
// Events (alarms, a meter that was replaced) on their way to databases: entries beside the samples,
// with numbers of their own, so that none is lost while a place is away and none comes twice. In
// the journal they are samples without readings; sinks whose kind does not ask for them
// (sink::Kind::events) never see them.
#pragma once

#include "core/reading.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace meterbridge::journal {

// What the event topic says. Alarm and severity are empty where it is no alarm.
struct Event {
  Event() = default;
  std::string type;
  std::string alarm;
  std::string severity;
  std::string text;
};

// No consumer's document begins like this.
inline constexpr std::string_view event_mark = "event\n";

[[nodiscard]] inline Sample sample_of(const Event& event, std::string meter, std::string parent,
                                      Instant at) {
  Sample sample;
  sample.meter = std::move(meter);
  sample.parent = std::move(parent);
  sample.at = at;
  sample.document = std::string(event_mark) + event.type + "\n" + event.alarm + "\n" +
                    event.severity + "\n" + event.text;
  return sample;
}

[[nodiscard]] inline bool is_event(const Sample& sample) {
  return sample.readings.empty() && sample.document.starts_with(event_mark);
}

// Nothing: the sample is one of readings.
[[nodiscard]] inline std::optional<Event> event_of(const Sample& sample) {
  if (!is_event(sample)) return std::nullopt;
  std::string_view left = std::string_view(sample.document).substr(event_mark.size());
  Event event;
  for (std::string* word : std::array{&event.type, &event.alarm, &event.severity}) {
    const std::size_t end = left.find('\n');
    *word = left.substr(0, end);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
  event.text = left;
  return event;
}

}  // namespace meterbridge::journal
