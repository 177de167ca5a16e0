// SPDX-License-Identifier: MIT
// How the guard comes to believe what it held: another meter (P30), and the user's word.
#include "meter/guard.hpp"

#include <utility>

namespace meterbridge::meter {
namespace {

// What a replaced meter's counters must be raised by to go on from the old reading.
Decimal raised(const Decimal& carried, const Decimal& old, const Decimal& fresh) {
  const auto gap = old.minus(fresh);
  if (!gap) return carried;
  const auto sum = carried.plus(*gap);
  return sum ? *sum : carried;
}

}  // namespace

void Guard::look_at_serial(const Sample& sample, const Moment& now, Verdict& verdict) {
  const std::string& serial = sample.identity.serial;
  if (serial.empty()) return;
  if (memory_.serial.empty()) memory_.serial = serial;
  if (serial == memory_.serial) {
    if (memory_.newcomer.empty()) return;
    verdict.notices.push_back(
        {Notice::Kind::released,
         "the meter with serial number " + serial + " answers again, not " + memory_.newcomer});
    memory_.newcomer.clear();
    memory_.held.clear();
    for (auto& [key, track] : tracks_)
      track.held.reset();
    return;
  }
  if (!settings_->guard.enabled) {
    verdict.notices.push_back({Notice::Kind::replaced, "meter replaced: serial number " +
                                                           memory_.serial + " became " + serial});
    memory_.newcomer = serial;
    adopt_newcomer(Continuation::new_cycle, now);
    return;
  }
  if (serial != memory_.newcomer) {
    memory_.newcomer = serial;
    memory_.newcomer_since = now.wall;
    memory_.newcomer_seen = 0;
    verdict.notices.push_back(
        {Notice::Kind::replaced,
         "meter replaced: serial number " + memory_.serial + " became " + serial +
             "; its counters wait for set/replace (or go on by themselves as a new cycle after " +
             duration_text(settings_->guard.over) + ")"});
  }
  ++memory_.newcomer_seen;
  if (memory_.newcomer_seen < settings_->guard.confirmations ||
      now.wall - memory_.newcomer_since < settings_->guard.over)
    return;
  verdict.notices.push_back({Notice::Kind::released, "the new meter with serial number " + serial +
                                                         " is believed: a new cycle begins"});
  adopt_newcomer(Continuation::new_cycle, now);
}

void Guard::adopt_newcomer(Continuation how, const Moment& now) {
  for (auto old = memory_.registers.begin(); old != memory_.registers.end();) {
    const auto track = tracks_.find(old->first);
    const bool seen = track != tracks_.end() && track->second.held;
    if (how == Continuation::carry_on && seen) {
      GuardMemory::Register& kept = old->second;
      kept.carried = raised(kept.carried, kept.value, track->second.held->latest);
      kept.at = now.wall;
      ++old;
    } else {
      old = memory_.registers.erase(old);
    }
  }
  for (auto& [key, track] : tracks_) {
    track.held.reset();
    track.grown.reset();
  }
  memory_.held.clear();
  memory_.earlier.push_back(std::exchange(memory_.serial, std::exchange(memory_.newcomer, {})));
  decided_ = true;
}

Result<std::string> Guard::accept(std::optional<ReadingKey> key, const Moment& now) {
  if (!memory_.newcomer.empty()) return replace(Continuation::new_cycle, now);
  std::string done;
  std::string kept;
  for (auto& [each, track] : tracks_) {
    if (!track.held || (key && each != *key)) continue;
    if (!track.held->provable) {
      kept += (kept.empty() ? "" : ", ") + each.text() + " (" + track.held->why + ")";
      continue;
    }
    done += (done.empty() ? "" : ", ") + each.text() + " " + track.held->latest.str();
    if (const auto old = memory_.registers.find(each); old != memory_.registers.end()) {
      old->second.value = track.held->latest;
      old->second.at = now.wall;
    }
    track.last = track.held->latest;
    track.grown.reset();
    track.held.reset();
  }
  if (done.empty()) {
    if (!kept.empty()) return Error(Errc::not_found, "no word makes these possible: " + kept);
    return Error(Errc::not_found, "nothing is held back");
  }
  decided_ = true;
  return "accepted: " + done;
}

Result<std::string> Guard::replace(Continuation how, const Moment& now) {
  const std::string words =
      how == Continuation::carry_on ? "counts on from the old reading" : "begins a new cycle";
  if (!memory_.newcomer.empty()) {
    const std::string serial = memory_.newcomer;
    adopt_newcomer(how, now);
    return "the meter with serial number " + serial + " " + words;
  }
  // A meter that tells no serial number: what fell is taken for the new meter's.
  std::size_t count = 0;
  for (auto& [key, track] : tracks_) {
    const auto old = memory_.registers.find(key);
    if (!track.held || !track.held->provable || old == memory_.registers.end()) continue;
    GuardMemory::Register& kept = old->second;
    if (how == Continuation::carry_on) {
      kept.carried = raised(kept.carried, kept.value, track.held->latest);
    } else {
      kept.value = track.held->latest;
      kept.carried = Decimal();
    }
    kept.at = now.wall;
    track.grown.reset();
    track.held.reset();
    ++count;
  }
  if (count == 0)
    return Error(Errc::not_found, "nothing is held back: the same meter answers as before");
  decided_ = true;
  return "the new meter " + words + " (" + std::to_string(count) + " counters)";
}

}  // namespace meterbridge::meter
