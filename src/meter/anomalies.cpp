// SPDX-License-Identifier: MIT
// Readings that contradict one another, or stand still. Nothing is refused for it: the values go
// out, and somebody is told. All comparisons are exact, with room for the digits that a meter does
// not send.
#include "meter/alarms.hpp"
#include "meter/limits.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::meter {
namespace {

using config::AlarmSettings;
using Verdict = Finding::Verdict;
using Time = Traces::Time;

constexpr std::array outer{Phase::l1, Phase::l2, Phase::l3};
constexpr std::uint64_t enough_polls = 10;  // fewer values that are the same tell nothing
constexpr std::uint64_t enough_moves = 10;  // of others, while one stands still
constexpr std::size_t enough_values = 3;    // that all stand still: then the meter does
constexpr std::int64_t idle_watts = 20;     // differences below tell nothing

Decimal resolution(const Decimal& value) {
  return Decimal(1, -value.precision());
}

Decimal magnitude(const Decimal& value) {
  return value.is_negative() ? Decimal(-value.digits(), value.exponent()) : value;
}

// Sums and products of what is there; once something overflows there is no result.
class Sum {
 public:
  explicit Sum(const Decimal& first) : value_(first) {}

  Sum& plus(const Decimal& other) {
    if (value_) value_ = value_->plus(other);
    return *this;
  }

  Sum& minus(const Decimal& other) {
    if (value_) value_ = value_->minus(other);
    return *this;
  }

  Sum& times(const Decimal& other) {
    if (value_) value_ = value_->times(other);
    return *this;
  }

  [[nodiscard]] std::optional<Decimal> value() const {
    return value_ ? std::optional<Decimal>(*value_) : std::nullopt;
  }

 private:
  Result<Decimal> value_;
};

std::optional<Decimal> number_at(const Traces& traces, const ReadingKey& key, Time now) {
  const Trace* const trace = traces.find(key, now);
  const Decimal* const number = trace == nullptr ? nullptr : trace->number();
  return number == nullptr ? std::nullopt : std::optional<Decimal>(*number);
}

// Net, import positive: as one reading, or as import less export.
std::optional<Decimal> net_power(const Traces& traces, Quantity quantity, Phase phase, Time now) {
  if (const auto net = number_at(traces, make_key(quantity, Direction::none, phase), now))
    return net;
  const auto in = number_at(traces, make_key(quantity, Direction::import, phase), now);
  const auto out = number_at(traces, make_key(quantity, Direction::export_, phase), now);
  if (!in || !out) return in;
  return Sum(*in).minus(*out).value();
}

std::string phase_name(Phase phase) {
  constexpr std::array<std::string_view, 4> names{"", "L1", "L2", "L3"};
  return std::string(names[static_cast<std::size_t>(phase)]);
}

// |a - b| more than percent of `whole` and the slack.
std::optional<bool> apart(const Decimal& a, const Decimal& b, const Decimal& whole,
                          const Decimal& percent, const Decimal& slack) {
  const auto difference = Sum(a).minus(b).value();
  const auto allowed = Sum(whole).times(percent).times(Decimal(1, -2)).plus(slack).value();
  if (!difference || !allowed) return std::nullopt;
  return magnitude(*difference) > *allowed;
}

Finding sum_of(const AlarmSettings& alarm, const Traces& traces, Quantity quantity, Time now) {
  const auto total = net_power(traces, quantity, Phase::none, now);
  if (!total) return Finding();
  Sum sum{Decimal(0)};
  Sum whole{Decimal(0)};
  Sum slack{Decimal(idle_watts)};
  for (const Phase phase : outer) {
    const auto part = net_power(traces, quantity, phase, now);
    if (!part) return Finding();
    sum.plus(*part);
    whole.plus(magnitude(*part));
    slack.plus(resolution(*part));
  }
  slack.plus(resolution(*total));
  if (!sum.value() || !whole.value() || !slack.value()) return Finding();
  const auto wrong = apart(*sum.value(), *total, std::max(*whole.value(), magnitude(*total)),
                           alarm.tolerance, *slack.value());
  if (!wrong) return Finding();
  const Unit unit = canonical_unit(quantity);
  return Finding(*wrong ? Verdict::over : Verdict::calm,
                 std::string(name(quantity)) + " of the phases is " +
                     with_unit(*sum.value(), unit) + " together, the total " +
                     with_unit(*total, unit));
}

// Voltage times current against the power of one phase. Without a power factor the power may be
// less, but not more.
Finding product_of(const AlarmSettings& alarm, const Traces& traces, Phase phase, Time now) {
  const auto u = number_at(traces, make_key(Quantity::voltage, Direction::none, phase), now);
  const auto i = number_at(traces, make_key(Quantity::current, Direction::none, phase), now);
  const auto p = net_power(traces, Quantity::power, phase, now);
  if (!u || !i || !p) return Finding();
  const auto factor =
      number_at(traces, make_key(Quantity::power_factor, Direction::none, phase), now);
  const Decimal one(1);
  const Decimal used = factor ? magnitude(*factor) : one;
  const Decimal volts = magnitude(*u);
  const Decimal amperes = magnitude(*i);
  const auto apparent = Sum(volts).times(amperes).value();
  // Two units of each last digit: some meters cut off where others round.
  const auto slack = [&]() -> std::optional<Decimal> {
    const auto of_u = Sum(amperes).times(resolution(*u)).value();
    const auto of_i = Sum(volts).times(resolution(*i)).value();
    const auto of_factor =
        apparent && factor ? Sum(*apparent).times(resolution(*factor)).value() : Decimal(0);
    if (!of_u || !of_i || !of_factor) return std::nullopt;
    return Sum(*of_u)
        .plus(*of_i)
        .plus(*of_factor)
        .plus(resolution(*p))
        .times(Decimal(2))
        .plus(Decimal(idle_watts))
        .value();
  }();
  const auto product = apparent ? Sum(*apparent).times(used).value() : apparent;
  if (!product || !slack) return Finding();
  const Decimal power = magnitude(*p);
  const auto wrong = apart(*product, power, std::max(*product, power), alarm.tolerance, *slack);
  if (!wrong) return Finding();
  const bool over = *wrong && (factor || power > *product);
  std::string words = (phase == Phase::none ? std::string() : phase_name(phase) + ": ") +
                      with_unit(*u, Unit::V) + " times " + with_unit(*i, Unit::A);
  if (factor) words += " times " + factor->str();
  words += " is not " + with_unit(*p, Unit::W);
  return Finding(over ? Verdict::over : Verdict::calm, std::move(words));
}

Finding heavier(Finding a, Finding b) {
  const auto weight = [](const Finding& f) {
    return f.verdict == Verdict::over ? 2 : static_cast<int>(f.verdict != Verdict::unknown);
  };
  return weight(a) >= weight(b) ? std::move(a) : std::move(b);
}

// Electricity with four digits never stands still for long; fewer digits, temperatures and what a
// user measures may.
bool always_moves(const ReadingKey& key, const Decimal& number) {
  switch (key.quantity) {
    case Quantity::power_factor:
    case Quantity::temperature:
    case Quantity::temperature_flow:
    case Quantity::temperature_return:
    case Quantity::value:
      return false;
    default:
      return is_measured(key) && magnitude(number).digits() >= 1000;
  }
}

}  // namespace

// No load is no fault: a zero may stand still. What has not moved since we began to look is not
// known before the time has passed.
Finding find_stuck(const AlarmSettings& alarm, const Traces& traces, const Moment& now) {
  std::size_t still = 0;
  std::size_t moving = 0;
  bool known = false;
  bool waiting = false;
  const auto watched = alarm.key ? traces.spoken_for(*alarm.key) : traces.everything();
  for (const auto* const entry : watched) {
    const auto& [name, trace] = *entry;
    const Decimal* const number = trace.number();
    if (number == nullptr || !traces.fresh(trace, now.steady)) continue;
    known = true;
    if (alarm.key ? number->is_zero() : !always_moves(name.key, *number)) continue;
    if (now.steady - trace.changed < alarm.span || trace.seen < enough_polls) {
      ++moving;
      waiting |= !trace.moved;
      continue;
    }
    ++still;
    if (!alarm.key && traces.moves() - trace.moves_of_others < enough_moves) continue;
    return Finding(Verdict::over, name.text() + " says " + with_unit(*number, trace.unit) +
                                      " for " + duration_text(alarm.span) +
                                      (alarm.key ? "" : ", while other readings move"));
  }
  if (!known || waiting) return Finding();
  // A meter whose values all stand still repeats an old answer: gateways do that.
  if (alarm.key || moving != 0 || still < enough_values) return Finding(Verdict::calm);
  return Finding(Verdict::over, "nothing that this meter measures has changed for " +
                                    duration_text(alarm.span) + ": old answers are repeated");
}

Finding find_sign(const Traces& traces, const Moment& now) {
  Finding finding;
  for (const auto& [name, trace] : traces.all()) {
    const Quantity quantity = name.key.quantity;
    const bool one_way = name.key.direction == Direction::import ||
                         name.key.direction == Direction::export_ ||
                         quantity == Quantity::voltage || quantity == Quantity::frequency;
    const Decimal* const number = trace.number();
    if (!one_way || number == nullptr || !traces.fresh(trace, now.steady)) continue;
    if (number->is_negative())
      return Finding(Verdict::over,
                     name.text() + " " + with_unit(*number, trace.unit) + " is negative");
    finding = Finding(Verdict::calm);
  }
  return finding;
}

Finding find_lost_phase(const AlarmSettings& alarm, const Traces& traces, const Moment& now) {
  std::string words;
  std::optional<Decimal> low;
  std::optional<Decimal> high;
  int phases = 0;
  for (const Phase phase : outer) {
    const auto volts =
        number_at(traces, make_key(Quantity::voltage, Direction::none, phase), now.steady);
    if (!volts) continue;
    ++phases;
    if (!low || *volts < *low) low = volts;
    if (!high || *volts > *high) high = volts;
    words += (words.empty() ? "" : ", ") + phase_name(phase) + " " + with_unit(*volts, Unit::V);
  }
  if (phases < 2) return Finding();
  const auto least =
      Sum(Decimal(100)).minus(alarm.tolerance).times(*high).times(Decimal(1, -2)).value();
  if (!least) return Finding();
  const bool lost = *low < *least;
  return Finding(lost ? Verdict::over : Verdict::calm,
                 "voltages far apart (" + words + "): a phase or the neutral is lost");
}

Finding find_phase_sum(const AlarmSettings& alarm, const Traces& traces, const Moment& now) {
  return heavier(sum_of(alarm, traces, Quantity::power, now.steady),
                 sum_of(alarm, traces, Quantity::reactive_power, now.steady));
}

Finding find_power_product(const AlarmSettings& alarm, const Traces& traces, const Moment& now) {
  Finding finding;
  for (const Phase phase : outer)
    finding = heavier(std::move(finding), product_of(alarm, traces, phase, now.steady));
  // A meter of one phase has no L1.
  if (finding.verdict == Verdict::unknown)
    finding = product_of(alarm, traces, Phase::none, now.steady);
  return finding;
}

}  // namespace meterbridge::meter
