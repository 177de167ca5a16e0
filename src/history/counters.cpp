// SPDX-License-Identifier: MIT
#include "history/counters.hpp"

namespace meterbridge::history {
namespace {

// In words; empty when no counter fell.
std::string fall_of(const std::map<ReadingKey, Decimal>& last, const Sample& sample) {
  for (const Reading& reading : sample.readings) {
    const auto* const now = std::get_if<Decimal>(&reading.value);
    if (now == nullptr || !is_cumulative(reading.key)) continue;
    const auto before = last.find(reading.key);
    if (before != last.end() && *now < before->second)
      return reading.key.text() + " falls from " + before->second.str() + " to " + now->str();
  }
  return {};
}

void remember(std::map<ReadingKey, Decimal>& last, const Sample& sample) {
  for (const Reading& reading : sample.readings) {
    const auto* const now = std::get_if<Decimal>(&reading.value);
    if (now != nullptr && is_cumulative(reading.key)) last.insert_or_assign(reading.key, *now);
  }
}

}  // namespace

void Counters::pass(Meter& meter, Place place, Sample&& sample) {
  meter.at = sample.at;
  remember(meter.last, sample);
  sink_.pass(place, std::move(sample));
}

void Counters::refuse(Meter& meter) {
  for (const Held& held : meter.held)
    sink_.refuse(held.place, held.why);
  meter.held.clear();
}

void Counters::put(Place place, Sample&& sample) {
  Meter& meter = meters_[sample.meter];
  if (sample.at < meter.at) {
    sink_.pass(place, std::move(sample));
    return;
  }
  std::string why = fall_of(meter.last, sample);
  if (why.empty()) {
    refuse(meter);
    pass(meter, place, std::move(sample));
    return;
  }
  // Lower ones that fall among each other are no new beginning either.
  std::map<ReadingKey, Decimal> among;
  for (const Held& held : meter.held)
    remember(among, held.sample);
  if (!fall_of(among, sample).empty()) refuse(meter);
  meter.held.push_back({place, std::move(sample), std::move(why)});
  if (meter.held.size() < believed_after) return;
  std::vector<Held> believed;
  believed.swap(meter.held);
  const Held& first = believed.front();
  sink_.tell("line " + std::to_string(first.place.line) + ": " + first.sample.meter + ": " +
             first.why + " at " + iso_utc(first.sample.at) +
             " and goes on from there: another meter, or a leap before");
  for (Held& held : believed)
    pass(meter, held.place, std::move(held.sample));
}

void Counters::flush() {
  for (auto& [name, meter] : meters_)
    refuse(meter);
}

}  // namespace meterbridge::history
