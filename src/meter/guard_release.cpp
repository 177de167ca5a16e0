// SPDX-License-Identifier: MIT
// How the guard comes to believe what it held: counters that begin again with 0 by themselves,
// another meter (P30), and the user's word.
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

// Half a turn at most, and no more than can be counted since it was read last: what is further away
// was reset, or nobody looked for too long.
bool Guard::may_wrap(const Reading& reading, const Track& track,
                     const GuardMemory::Register& before, const Moment& now) const {
  if (!reading.wraps) return false;
  const auto over = std::get_if<Decimal>(&reading.value)->plus(*reading.wraps);
  const auto growth = over ? over->minus(before.value) : over;
  if (!growth || growth->is_negative()) return false;
  const double counted = growth->approximate();
  if (counted * 2 > reading.wraps->approximate()) return false;
  if (!track.limits.per_hour) return true;
  std::chrono::duration<double, std::ratio<3600>> hours = std::chrono::seconds(1);
  if (track.believed) {
    hours += now.steady - *track.believed;
  } else {
    if (!clock_is_set(now.wall) || now.wall < before.at) return false;
    hours += now.wall - before.at;
  }
  return counted <= per_hour(reading, track) * hours.count();
}

// A fall that may be the counter's own beginning at 0 is believed with the next reading that goes
// on from it. Zero itself tells nothing: a module that was switched off says it, too.
Guard::Decision Guard::judge_fall(Reading& reading, Track& track, GuardMemory::Register& before,
                                  const Moment& now, Verdict& verdict) {
  const Decimal value = *std::get_if<Decimal>(&reading.value);
  const std::string unit(symbol(reading.unit));
  const std::string why =
      "lower than " + before.value.str() + (unit.empty() ? "" : " " + unit) + " before";
  const auto found = memory_.held.find(reading.key);
  const bool may = may_wrap(reading, track, before, now);
  if (found == memory_.held.end() && may) {
    Held& held = memory_.held[reading.key];
    held.first = held.latest = value;
    held.since = held.latest_at = now.wall;
    held.wraps = true;
    held.why = value.str() + " refused: " + why;
    reading.value = before.value;
    return Decision::keep_old;
  }
  const bool zero = value == before.carried;
  if (found == memory_.held.end() || !found->second.wraps || !may || zero ||
      !follows(reading, track, found->second, now))
    return hold(reading, track, true, why, now, verdict);
  if (found->second.confirmations == 0) memory_.held.erase(found);
  count_on(reading, before);
  return Decision::take;
}

void Guard::count_on(Reading& reading, GuardMemory::Register& before) {
  const auto over = std::get_if<Decimal>(&reading.value)->plus(*reading.wraps);
  const auto carried = before.carried.plus(*reading.wraps);
  if (!over || !carried) return;
  reading.value = *over;
  before.carried = *carried;
  decided_ = true;
}

// With the guard off every fall of such a counter is a new turn.
void Guard::follow_wraps(Sample& sample, const Moment& now, Verdict& verdict) {
  for (Reading& reading : sample.readings) {
    const auto* const value = std::get_if<Decimal>(&reading.value);
    if (!reading.wraps || value == nullptr || !is_cumulative(reading.key)) continue;
    const auto old = memory_.registers.find(reading.key);
    if (old != memory_.registers.end() && *value < old->second.value)
      count_on(reading, old->second);
    settle(reading, track_of(reading), now, verdict);
  }
}

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

// Adds what the meter before had counted to a register that goes on from it.
void Guard::carry(Reading& reading, const std::string& scale, Verdict& verdict) {
  compare_scale(reading, scale, verdict);
  const auto found = memory_.registers.find(reading.key);
  if (found == memory_.registers.end()) return;
  GuardMemory::Register& kept = found->second;
  const Decimal fresh = *std::get_if<Decimal>(&reading.value);
  if (kept.carry_next && memory_.newcomer.empty()) {
    kept.carried = raised(Decimal(), kept.value, fresh);
    kept.carry_next = false;
    decided_ = true;
  }
  if (const auto sum = fresh.plus(kept.carried)) reading.value = *sum;
}

// Measured in another way since: the numbers cannot be compared, nor added.
void Guard::compare_scale(const Reading& reading, const std::string& scale, Verdict& verdict) {
  const auto found = memory_.registers.find(reading.key);
  if (found == memory_.registers.end()) return;
  const GuardMemory::Register& kept = found->second;
  if (kept.unit == reading.unit && kept.scale == scale) return;
  if (kept.carry_next || kept.carried != Decimal())
    verdict.notices.push_back(
        {Notice::Kind::replaced, reading.key.text() +
                                     ": factor, offset or unit changed; what was counted before "
                                     "is no longer added (offset does it)"});
  memory_.registers.erase(found);
}

// What is held of a register tells the gap already; of the others the next value will.
void Guard::adopt_newcomer(Continuation how, const Moment& now) {
  if (how == Continuation::new_cycle) memory_.registers.clear();
  for (auto& [key, kept] : memory_.registers) {
    const auto held = memory_.held.find(key);
    if (held != memory_.held.end())
      kept.carried = raised(kept.carried, kept.value, held->second.latest);
    kept.carry_next = held == memory_.held.end();
    kept.at = now.wall;
  }
  memory_.held.clear();
  for (auto& [key, track] : tracks_)
    track.grown.reset();
  memory_.earlier.push_back(std::exchange(memory_.serial, std::exchange(memory_.newcomer, {})));
  decided_ = true;
}

// A restored register may not have been seen in this run.
void Guard::moved(const ReadingKey& key) {
  if (const auto track = tracks_.find(key); track != tracks_.end()) track->second.grown.reset();
}

Result<std::string> Guard::accept(std::optional<ReadingKey> key, const Moment& now) {
  if (!memory_.newcomer.empty()) return replace(Continuation::new_cycle, now);
  std::string done;
  std::string kept;
  for (auto held = memory_.held.begin(); held != memory_.held.end();) {
    const auto& [each, what] = *held;
    if (key && each != *key) {
      ++held;
      continue;
    }
    if (!what.provable) {
      kept += (kept.empty() ? "" : ", ") + each.text() + " (" + what.why + ")";
      ++held;
      continue;
    }
    done += (done.empty() ? "" : ", ") + each.text() + " " + what.latest.str();
    if (const auto old = memory_.registers.find(each); old != memory_.registers.end()) {
      old->second.value = what.latest;
      old->second.at = now.wall;
    } else if (const auto track = tracks_.find(each); track != tracks_.end()) {
      track->second.last = what.latest;
    }
    moved(each);
    held = memory_.held.erase(held);
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
  const std::size_t count = std::erase_if(memory_.held, [&](const auto& entry) {
    const auto& [key, held] = entry;
    const auto old = memory_.registers.find(key);
    if (!held.provable || old == memory_.registers.end()) return false;
    GuardMemory::Register& kept = old->second;
    if (how == Continuation::carry_on) {
      kept.carried = raised(kept.carried, kept.value, held.latest);
    } else {
      kept.value = held.latest;
      kept.carried = Decimal();
    }
    kept.at = now.wall;
    moved(key);
    return true;
  });
  if (count == 0)
    return Error(Errc::not_found, "nothing is held back: the same meter answers as before");
  decided_ = true;
  return "the new meter " + words + " (" + std::to_string(count) + " counters)";
}

}  // namespace meterbridge::meter
