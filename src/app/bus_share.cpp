// SPDX-License-Identifier: MIT
#include "app/bus_share.hpp"

#include <algorithm>

namespace meterbridge::app {

BusShare::BusShare(int percent, Span overhead)
    : percent_(std::clamp(percent, 1, 100)), overhead_(overhead) {}

void BusShare::answered(std::string_view meter, Time end) {
  Member& member = members_[std::string(meter)];
  member.failures = 0;
  member.suspected = false;
  member.answered = end;
  member.ended = end;
}

void BusShare::failed(std::string_view meter, Time begin, Time end) {
  Member& member = members_[std::string(meter)];
  ++member.failures;
  // Only what happened since its last attempt tells the meter's silence from the line's: when
  // nobody answers any more, everyone keeps his pace, and the recovery ladder its reasons.
  member.suspected = member.failures >= patience && others_answered_since(member.ended, member);
  member.ended = end;
  member.cost = end - begin + overhead_;
}

void BusShare::forget(std::string_view meter) {
  if (const auto found = members_.find(meter); found != members_.end()) members_.erase(found);
}

void BusShare::forgive() {
  for (auto& [id, member] : members_) {
    member.failures = 0;
    member.suspected = false;
  }
}

bool BusShare::suspects(std::string_view meter) const {
  const Member* const member = find(meter);
  return member != nullptr && member->suspected;
}

// With n suspects each has an n-th of the allowance, and keeps away for n * (100 + percent) /
// percent times what its failure cost. The allowance is of the time that all suspects leave, hence
// the 100 + percent.
BusShare::Time BusShare::earliest(std::string_view meter) const {
  const Member* const member = find(meter);
  if (member == nullptr || !member->suspected) return Time{};
  const auto suspects = std::count_if(members_.begin(), members_.end(),
                                      [](const auto& entry) { return entry.second.suspected; });
  return member->ended + member->cost * (suspects * (100 + percent_)) / percent_;
}

const BusShare::Member* BusShare::find(std::string_view meter) const {
  const auto found = members_.find(meter);
  return found == members_.end() ? nullptr : &found->second;
}

bool BusShare::others_answered_since(Time since, const Member& member) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
    return &entry.second != &member && entry.second.answered != Time{} &&
           entry.second.answered >= since;
  });
}

}  // namespace meterbridge::app
