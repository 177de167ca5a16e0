// SPDX-License-Identifier: MIT
#include "app/unstamped.hpp"

#include <utility>

namespace meterbridge::app {
namespace {

// About what it takes in memory.
std::size_t weight_of(const protocol::Telegram& telegram) {
  std::size_t bytes = sizeof telegram;
  for (const protocol::Item& item : telegram.items) {
    bytes += sizeof item + item.address.size() + (item.text ? item.text->size() : 0);
    for (const std::string& group : item.groups)
      bytes += sizeof group + group.size();
  }
  for (const MeterReadings& meter : telegram.readings) {
    bytes += sizeof meter;
    for (const Reading& reading : meter.readings) {
      const auto* text = std::get_if<std::string>(&reading.value);
      bytes += sizeof reading + (text == nullptr ? 0 : text->size());
    }
  }
  return bytes;
}

}  // namespace

void Unstamped::hold(const protocol::Telegram& telegram, std::optional<Milliseconds> took,
                     Steady::time_point came) {
  held_.push_back({telegram, took, came, weight_of(telegram)});
  bytes_ += held_.back().weight;
  while (bytes_ > most_bytes && held_.size() > 1) {
    bytes_ -= held_.front().weight;
    held_.pop_front();
    ++lost_;
  }
}

std::vector<KeptTelegram> Unstamped::release(Instant now, Steady::time_point steady) {
  std::vector<KeptTelegram> kept;
  if (held_.empty() || !clock_is_set(now)) return kept;
  for (Held& each : std::exchange(held_, {})) {
    const Instant at = now - std::chrono::duration_cast<Milliseconds>(steady - each.came);
    kept.push_back({std::move(each.telegram), each.took, at});
  }
  bytes_ = 0;
  lost_ = 0;
  return kept;
}

}  // namespace meterbridge::app
