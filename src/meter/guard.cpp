// SPDX-License-Identifier: MIT
#include "meter/guard.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace meterbridge::meter {
namespace {

constexpr int step_confirmations = 2;
constexpr double seconds_per_hour = 3600;

const Decimal& number_of(const Reading& reading) {
  return *std::get_if<Decimal>(&reading.value);
}

// One unit of the last digit that both numbers have.
Decimal resolution(const Decimal& a, const Decimal& b) {
  return Decimal(1, -std::min(a.precision(), b.precision()));
}

bool counts_energy(Unit unit) {
  const Dimension what = dimension(unit);
  return what == Dimension::active_energy || what == Dimension::reactive_energy ||
         what == Dimension::apparent_energy;
}

// The largest power that the sample tells: a plant larger than our defaults shows itself.
double largest_power(const Sample& sample) {
  double largest = 0;
  for (const Reading& reading : sample.readings) {
    const bool power = reading.key.quantity == Quantity::power ||
                       reading.key.quantity == Quantity::reactive_power ||
                       reading.key.quantity == Quantity::apparent_power;
    const auto* const value = std::get_if<Decimal>(&reading.value);
    if (power && value != nullptr) largest = std::max(largest, std::abs(value->approximate()));
  }
  return largest;
}

std::string scale_of(const config::MeterSettings& settings, const ReadingKey& key) {
  const auto found = settings.readings.find(key);
  if (found == settings.readings.end()) return {};
  const auto text = [](const std::optional<Decimal>& value) {
    return value ? value->str() : std::string();
  };
  if (!found->second.factor && !found->second.offset) return {};
  return text(found->second.factor) + "/" + text(found->second.offset);
}

}  // namespace

Guard::Track& Guard::track_of(const Reading& reading) {
  const auto [found, fresh] = tracks_.try_emplace(reading.key);
  if (fresh) {
    found->second.limits = limits_of(reading.key, reading.unit, *settings_);
    found->second.scale = scale_of(*settings_, reading.key);
  }
  return found->second;
}

Guard::Verdict Guard::admit(Sample& sample, const Moment& now) {
  Verdict verdict;
  look_at_serial(sample, now, verdict);
  for (Reading& reading : sample.readings) {
    if (std::holds_alternative<Decimal>(reading.value) && is_cumulative(reading.key))
      carry(reading, track_of(reading).scale, verdict);
  }
  if (!settings_->guard.enabled) {
    follow_wraps(sample, now, verdict);
    return verdict;
  }
  watts_ = largest_power(sample);
  const auto out = [&](Reading& reading) {
    if (!std::holds_alternative<Decimal>(reading.value)) return false;
    const auto options = settings_->readings.find(reading.key);
    if (options != settings_->readings.end() && options->second.hidden) return false;
    Track& track = track_of(reading);
    const Decision decision = judge(reading, track, now, verdict);
    if (decision == Decision::take) settle(reading, track, now, verdict);
    if (decision != Decision::refuse) return false;
    ++verdict.refused;
    if (verdict.why.empty())
      verdict.why = reading.key.text() + ": " + memory_.held.at(reading.key).why;
    return true;
  };
  // In order, and each once: std::remove_if promises neither.
  std::vector<Reading> admitted;
  admitted.reserve(sample.readings.size());
  for (Reading& reading : sample.readings) {
    if (!out(reading)) admitted.push_back(std::move(reading));
  }
  sample.readings = std::move(admitted);
  return verdict;
}

Guard::Decision Guard::judge(Reading& reading, Track& track, const Moment& now, Verdict& verdict) {
  if (is_cumulative(reading.key)) return judge_register(reading, track, now, verdict);
  const Decimal& value = number_of(reading);
  const Limits& limits = track.limits;
  if (limits.minimum && value < *limits.minimum)
    return hold(reading, track, false, "below " + with_unit(*limits.minimum, reading.unit), now,
                verdict);
  if (limits.maximum && value > *limits.maximum)
    return hold(reading, track, false, "above " + with_unit(*limits.maximum, reading.unit), now,
                verdict);
  if (limits.step && track.last) {
    const auto step = value.minus(*track.last);
    if (!step || std::abs(step->approximate()) > limits.step->approximate())
      return hold(
          reading, track, true,
          "more than " + with_unit(*limits.step, reading.unit) + " away from " + track.last->str(),
          now, verdict);
  }
  return Decision::take;
}

Guard::Decision Guard::judge_register(Reading& reading, Track& track, const Moment& now,
                                      Verdict& verdict) {
  const Decimal& value = number_of(reading);
  if (value.is_negative())
    return hold(reading, track, false, "a counter is never negative", now, verdict);
  if (track.limits.maximum && value > *track.limits.maximum)
    return hold(reading, track, false, "above " + with_unit(*track.limits.maximum, reading.unit),
                now, verdict);
  const auto old = memory_.registers.find(reading.key);
  if (old == memory_.registers.end()) return Decision::take;
  GuardMemory::Register& before = old->second;
  if (!memory_.newcomer.empty())
    return hold(reading, track, false, "another meter answers, serial number " + memory_.newcomer,
                now, verdict);
  if (value < before.value) {
    const auto fall = before.value.minus(value);
    if (!fall || *fall > resolution(value, before.value))
      return judge_fall(reading, track, before, now, verdict);
    reading.value = before.value;  // rounding of a sum, or a digit less than before (P17)
    before.at = now.wall;
    track.believed = now.steady;
    memory_.held.erase(reading.key);
    return Decision::keep_old;
  }
  if (too_fast(reading, track, before, now))
    return hold(reading, track, true,
                "more than this meter can count since " + with_unit(before.value, reading.unit) +
                    " (set max_power or main_fuse if it can)",
                now, verdict);
  return Decision::take;
}

double Guard::per_hour(const Reading& reading, const Track& track) const {
  double most = track.limits.per_hour->approximate();
  if (track.limits.assumed && counts_energy(reading.unit)) most = std::max(most, watts_ * 2 / 1000);
  return most;
}

bool Guard::too_fast(const Reading& reading, const Track& track, const GuardMemory::Register& old,
                     const Moment& now) const {
  if (!track.limits.per_hour) return false;
  using Span = std::chrono::duration<double>;
  Span span{1};
  if (track.grown) {
    span += now.steady - *track.grown;
  } else {
    // From an earlier run, or not seen to move in this one. With a clock that was not set nobody
    // knows how long that was.
    if (!clock_is_set(now.wall) || now.wall < old.at) return false;
    span += (now.wall - old.at) + update_period(reading.key);
  }
  const auto growth = number_of(reading).minus(old.value);
  if (!growth) return true;
  const double slack = 2 * resolution(number_of(reading), old.value).approximate();
  return growth->approximate() - slack > per_hour(reading, track) * span.count() / seconds_per_hour;
}

// Whether a refused value goes on from the refused one before it, as a live register would.
bool Guard::follows(const Reading& reading, const Track& track, const Held& held,
                    const Moment& now) const {
  const Decimal& value = number_of(reading);
  const auto growth = value.minus(held.latest);
  if (!growth) return false;
  if (!is_cumulative(reading.key))
    return !track.limits.step ||
           std::abs(growth->approximate()) <= track.limits.step->approximate();
  if (growth->is_negative()) return false;
  if (!track.limits.per_hour) return true;
  const std::chrono::duration<double> span =
      now.wall - held.latest_at + std::chrono::duration<double>(update_period(reading.key));
  return growth->approximate() <= per_hour(reading, track) * span.count() / seconds_per_hour;
}

bool Guard::convinced(const ReadingKey& key, const Held& held, const Moment& now) const {
  if (!held.provable) return false;
  if (!is_cumulative(key)) return held.confirmations >= step_confirmations;
  // A register that lives grows; a frozen wrong number never convinces, and zero least of all.
  return held.confirmations >= settings_->guard.confirmations &&
         now.wall - held.since >= settings_->guard.over && held.latest > held.first;
}

Guard::Decision Guard::hold(const Reading& reading, Track& track, bool provable, std::string why,
                            const Moment& now, Verdict& verdict) {
  const Decimal& value = number_of(reading);
  const auto [found, begins] = memory_.held.try_emplace(reading.key);
  Held& held = found->second;
  const bool told = held.confirmations != 0;
  if (begins || !follows(reading, track, held, now)) {
    held = Held();
    held.first = value;
    held.since = now.wall;
  }
  held.latest = value;
  held.latest_at = now.wall;
  held.provable = provable;
  held.why = with_unit(value, reading.unit) + " refused: " + why;
  ++held.confirmations;
  if (convinced(reading.key, held, now)) {
    track.grown.reset();
    decided_ |= is_cumulative(reading.key);
    return Decision::take;
  }
  // A changed serial number is said once for the meter.
  if (!told && memory_.newcomer.empty())
    verdict.notices.push_back({Notice::Kind::refused, reading.key.text() + ": " + held.why});
  return Decision::refuse;
}

void Guard::settle(const Reading& reading, Track& track, const Moment& now, Verdict& verdict) {
  const Decimal& value = number_of(reading);
  if (const auto held = memory_.held.extract(reading.key)) {
    const bool told = held.mapped().confirmations != 0;
    verdict.notices.push_back(
        {told ? Notice::Kind::released : Notice::Kind::refused,
         reading.key.text() + ": " +
             (told ? with_unit(value, reading.unit) + " is believed, and goes on"
                   : held.mapped().why)});
  }
  if (!is_cumulative(reading.key)) {
    track.last = value;
    return;
  }
  const auto [old, fresh] = memory_.registers.try_emplace(reading.key);
  GuardMemory::Register& kept = old->second;
  if (!fresh && value > kept.value) track.grown = now.steady;
  track.believed = now.steady;
  kept.value = value;
  kept.unit = reading.unit;
  kept.at = now.wall;
  if (fresh) {
    kept.scale = track.scale;
    track.grown.reset();
  }
}

std::size_t Guard::held() const noexcept {
  return memory_.held.size();
}

GuardMemory Guard::memory() const {
  GuardMemory memory = memory_;
  std::erase_if(memory.held, [](const auto& each) { return !is_cumulative(each.first); });
  return memory;
}

void Guard::restore(GuardMemory memory) {
  memory_ = std::move(memory);
}

bool Guard::take_decided() noexcept {
  return std::exchange(decided_, false);
}

}  // namespace meterbridge::meter
