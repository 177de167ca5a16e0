// SPDX-License-Identifier: MIT
// Limits and states of readings, compared digit by digit.
#include "core/text.hpp"
#include "meter/alarms.hpp"

#include <utility>

namespace meterbridge::meter {
namespace {

using config::AlarmSettings;
using Verdict = Finding::Verdict;

bool means_on(std::string_view word) {
  return same_ignoring_case(word, "on") || same_ignoring_case(word, "true") || word == "1";
}

std::string text_of(const Value& value) {
  if (const auto* const number = std::get_if<Decimal>(&value)) return number->str();
  if (const auto* const flag = std::get_if<bool>(&value)) return *flag ? "on" : "off";
  if (const auto* const text = std::get_if<std::string>(&value)) return sanitised(*text, 60);
  return iso_utc(std::get<Seconds>(value));
}

bool says(const Value& value, const std::string& word) {
  if (const auto* const flag = std::get_if<bool>(&value)) return *flag == means_on(word);
  if (const auto* const number = std::get_if<Decimal>(&value)) {
    const auto wanted = Decimal::parse(word);
    return wanted && *number == *wanted;
  }
  return same_ignoring_case(text_of(value), trimmed(word));
}

Finding state_of(const AlarmSettings& alarm, const TraceName& name, const Trace& trace) {
  const bool wanted = alarm.is_not.empty();
  const std::string& word = wanted ? alarm.is : alarm.is_not;
  const bool over = says(trace.value, word) == wanted;
  std::string words = name.text() + " is " + text_of(trace.value);
  if (over && !wanted) words += ", not " + word;
  return Finding(over ? Verdict::over : Verdict::calm, std::move(words));
}

// What is compared with the limits: the value, or its change. Both sides are multiplied by times,
// so that nothing is divided: change / elapsed against limit / per.
struct Compared {
  Decimal value;
  Decimal by;  // the limit is multiplied by it
  std::string words;
};

std::optional<Compared> compared(const AlarmSettings& alarm, const TraceName& name,
                                 const Trace& trace) {
  const Decimal* const now = trace.number();
  if (now == nullptr) return std::nullopt;
  if (!alarm.per)
    return Compared{*now, Decimal(1), name.text() + " " + with_unit(*now, trace.unit)};
  // A poll may come a little early.
  const auto enough = *alarm.per - *alarm.per / 20;
  for (auto point = trace.past.rbegin(); point != trace.past.rend(); ++point) {
    if (trace.at - point->first < enough) continue;
    const auto elapsed = std::chrono::floor<Milliseconds>(trace.at - point->first);
    const auto change = now->minus(point->second);
    if (!change) return std::nullopt;
    const auto scaled = change->times(Decimal(alarm.per->count()));
    if (!scaled) return std::nullopt;
    const auto seconds = std::chrono::round<std::chrono::seconds>(elapsed);
    return Compared{*scaled, Decimal(elapsed.count()),
                    name.text() + " changed by " + with_unit(*change, trace.unit) + " in " +
                        duration_text(seconds)};
  }
  return std::nullopt;
}

std::string limit_words(const AlarmSettings& alarm, const Decimal& limit, Unit unit) {
  return with_unit(limit, unit) + (alarm.per ? " in " + duration_text(*alarm.per) : "");
}

// Over beyond the limit, calm when it is back behind the hysteresis. A product that overflows is no
// answer.
Finding level_of(const AlarmSettings& alarm, const TraceName& name, const Trace& trace) {
  const auto what = compared(alarm, name, trace);
  if (!what) return Finding();
  Finding finding(Verdict::calm, what->words);
  if (!alarm.per) finding.value = *trace.number();
  const auto judge = [&](const Decimal& limit, bool above) {
    const auto edge = limit.times(what->by);
    const auto back = above ? limit.minus(alarm.hysteresis) : limit.plus(alarm.hysteresis);
    const auto behind = back ? back->times(what->by) : back;
    if (!edge || !behind) return Finding();
    Finding side(Verdict::nearly, what->words);
    side.value = finding.value;
    side.beneath = !above;
    if (above ? what->value > *edge : what->value < *edge) {
      side.verdict = Verdict::over;
      side.words += (above ? " above " : " below ") + limit_words(alarm, limit, trace.unit);
    } else if (above ? what->value <= *behind : what->value >= *behind) {
      side.verdict = Verdict::calm;
    }
    return side;
  };
  if (alarm.above) finding = judge(*alarm.above, true);
  if (alarm.below && finding.verdict != Verdict::over) {
    Finding low = judge(*alarm.below, false);
    if (low.verdict != Verdict::calm || !alarm.above) finding = std::move(low);
  }
  return finding;
}

}  // namespace

Finding find_limit(const AlarmSettings& alarm, const Traces& traces, const Moment& now) {
  Finding worst;
  bool any = false;
  for (const auto* const entry : traces.spoken_for(*alarm.key)) {
    const auto& [name, trace] = *entry;
    Finding one;
    if (traces.fresh(trace, now.steady))
      one =
          alarm.above || alarm.below ? level_of(alarm, name, trace) : state_of(alarm, name, trace);
    if (one.verdict == Verdict::over) return one;
    // One that cannot be told keeps the others from being calm.
    const bool heavier = one.verdict == Verdict::unknown ? worst.verdict != Verdict::unknown
                                                         : worst.verdict == Verdict::calm;
    if (!any || heavier) worst = std::move(one);
    any = true;
  }
  return worst;
}

}  // namespace meterbridge::meter
