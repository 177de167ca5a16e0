// SPDX-License-Identifier: MIT
#include "mqtt/traffic.hpp"

#include "mqtt/fingerprint.hpp"

namespace meterbridge::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_echoes = 20000;
constexpr auto echo_time = 10s;  // a broker answers sooner, or is frozen

std::uint64_t print_of(std::string_view topic, std::string_view payload) {
  return fingerprint(payload, fingerprint({"\0", 1}, fingerprint(topic)));
}

}  // namespace

void Echoes::forget_old(TrafficTime now) {
  while (!order_.empty() &&
         (order_.size() > most_echoes || now - order_.front().time > echo_time)) {
    const auto found = counts_.find(order_.front().print);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
    order_.pop_front();
  }
}

void Echoes::sent(std::string_view topic, std::string_view payload, TrafficTime now) {
  const std::uint64_t print = print_of(topic, payload);
  order_.push_back({print, now});
  ++counts_[print];
  forget_old(now);
}

bool Echoes::recognise(std::string_view topic, std::string_view payload, TrafficTime now) {
  forget_old(now);
  const std::uint64_t print = print_of(topic, payload);
  const auto found = counts_.find(print);
  if (found == counts_.end()) return false;
  if (--found->second == 0) counts_.erase(found);
  // Its place in the order must not take another one's count with it later.
  for (auto& entry : order_) {
    if (entry.print != print) continue;
    entry.print = 0;
    break;
  }
  return true;
}

bool StormGuard::counts(std::string_view topic, std::string_view payload, bool backlog,
                        TrafficTime now) {
  if (now - window_ >= 1s) {
    window_ = now;
    topics_.clear();
    messages_.clear();
  }
  const bool same = ++messages_[print_of(topic, payload)] > limit_;
  if (backlog) return same;
  return same || ++topics_[fingerprint(topic)] > limit_;
}

}  // namespace meterbridge::mqtt
