// SPDX-License-Identifier: MIT
#include "hastats/plan.hpp"

#include <algorithm>

namespace meterbridge::hastats {
namespace {

// Floats of this size differ behind it, whatever they mean.
constexpr int compared = 4;

bool differs(const Decimal& a, const Decimal& b) {
  const auto difference = a.minus(b);
  if (!difference) return true;
  const auto rounded = difference->rounded(compared);
  return !rounded || !rounded->is_zero();
}

Error falls(Seconds at, const Decimal& from, const Decimal& to) {
  return {Errc::refused, "the counter falls from " + short_text(from) + " to " + short_text(to) +
                             " in the hour of " + iso_utc(at) +
                             ": another meter? Fill the hours before and after it in two goes "
                             "(--from, --to)"};
}

// a + (b - c)
Result<Decimal> moved(const Decimal& a, const Decimal& b, const Decimal& c) {
  const auto grown = b.minus(c);
  if (!grown) return grown.error();
  return a.plus(*grown);
}

class Planner {
 public:
  Planner(const std::vector<Row>& there, const Hours& hours, const Range& range)
      : hours_(hours), range_(range) {
    for (const Row& row : there)
      there_.emplace(row.start, row);
  }

  Result<Plan> plan() {
    choose();
    for (auto it = chosen_.begin(); it != chosen_.end();) {
      // A group ends where a row stands that stays.
      std::vector<Seconds> group{*it};
      for (++it; it != chosen_.end() && !stays_between(group.back(), *it); ++it)
        group.push_back(*it);
      if (auto done = fill(group); !done) return done.error();
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] bool wanted(Seconds hour) const {
    return (!range_.from || hour >= *range_.from) && (!range_.to || hour < *range_.to);
  }

  void choose() {
    for (const auto& [hour, state] : hours_) {
      if (!wanted(hour)) continue;
      const auto row = there_.find(hour);
      const bool missing = row == there_.end();
      if (range_.from && (missing || differs(row->second.state, state))) chosen_.push_back(hour);
      if (range_.from || (!missing && !stood_still(row->second, state))) continue;
      // What came before the entity was there is only filled when it is asked for.
      if (there_.empty() || hour < there_.begin()->first) continue;
      // The hour in which the gap began ended without its last values.
      const auto before = there_.find(hour - hours_in_step);
      const auto known = hours_.find(hour - hours_in_step);
      if (before != there_.end() && known != hours_.end() &&
          differs(before->second.state, known->second) && before->second.state < known->second &&
          (chosen_.empty() || chosen_.back() < before->first))
        chosen_.push_back(before->first);
      chosen_.push_back(hour);
    }
  }

  // Hours in which Home Assistant itself was off it makes up when it starts: with the state that it
  // had last (seen in 2024.3.3 and 2026.11.0).
  [[nodiscard]] bool stood_still(const Row& row, const Decimal& counted) const {
    const auto before = there_.find(row.start - hours_in_step);
    if (before == there_.end() || differs(before->second.state, row.state)) return false;
    if (!(row.state < counted) || !differs(row.state, counted)) return false;
    // What stays behind it must not be a fall: hours that stood still, too, and are not known here.
    for (auto it = there_.upper_bound(row.start); it != there_.end(); ++it) {
      const auto known = hours_.find(it->first);
      const bool still = !differs(it->second.state, row.state);
      if (!still || known == hours_.end() || !wanted(it->first))
        return !(it->second.state < counted);
    }
    return true;
  }

  [[nodiscard]] bool is_chosen(Seconds hour) const {
    return std::ranges::binary_search(chosen_, hour);
  }

  [[nodiscard]] bool stays_between(Seconds first, Seconds second) const {
    for (auto it = there_.upper_bound(first); it != there_.end() && it->first < second; ++it) {
      if (!is_chosen(it->first)) return true;
    }
    return false;
  }

  Result<> fill(const std::vector<Seconds>& group) {
    const auto after = there_.upper_bound(group.back());
    const auto first = there_.lower_bound(group.front());
    std::optional<Row> anchor;
    if (first != there_.begin()) {
      anchor = std::prev(first)->second;
      const auto sum = anchor->sum.plus(shift_);
      if (!sum) return sum.error();
      anchor->sum = *sum;
    }
    const bool begins = !anchor;
    if (begins && after == there_.end())
      return Error(Errc::refused, "Home Assistant has no hour of it to go on from");
    if (begins) {
      anchor = after->second;
      if (after->second.state < hours_.at(group.back()))
        return falls(after->first, hours_.at(group.back()), after->second.state);
    }
    Decimal last = begins ? hours_.at(group.front()) : anchor->state;
    for (const Seconds hour : group) {
      const Decimal& state = hours_.at(hour);
      if (state < last && differs(state, last)) return falls(hour, last, state);
      const auto sum = moved(anchor->sum, state, anchor->state);
      const auto counted = state.minus(last);
      if (!sum) return sum.error();
      if (!counted) return counted.error();
      Step step;
      step.row.start = hour;
      step.row.state = state;
      step.row.sum = *sum;
      if (!begins || hour != group.front()) step.counted = *counted;
      if (const auto old = there_.find(hour); old != there_.end()) step.before = old->second;
      plan_.steps.push_back(step);
      last = state;
    }
    if (begins || after == there_.end()) return {};
    return join(*anchor, last, after->second);
  }

  // Behind the group sums must go on: they do where Home Assistant counted the leap as one.
  Result<> join(const Row& anchor, const Decimal& last, const Row& after) {
    if (after.state < last && differs(after.state, last))
      return falls(after.start, last, after.state);
    const auto right = moved(anchor.sum, after.state, anchor.state);
    const auto now = after.sum.plus(shift_);
    if (!right) return right.error();
    if (!now) return now.error();
    if (!differs(*right, *now)) return {};
    const auto by = right->minus(*now);
    if (!by) return by.error();
    const auto shift = shift_.plus(*by);
    if (!shift) return shift.error();
    shift_ = *shift;
    Shift found;
    found.after = plan_.steps.size();
    found.from = after.start;
    found.by = *by;
    plan_.shifts.push_back(found);
    return {};
  }

  static constexpr std::chrono::hours hours_in_step{1};

  const Hours& hours_;
  const Range& range_;
  std::map<Seconds, Row> there_;
  std::vector<Seconds> chosen_;
  Decimal shift_;
  Plan plan_;
};

}  // namespace

std::string short_text(const Decimal& number) {
  std::string text = number.str();
  if (text.find('.') == std::string::npos) return text;
  while (text.ends_with('0'))
    text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

Result<Plan> make_plan(const std::vector<Row>& there, const Hours& hours, const Range& range) {
  return Planner(there, hours, range).plan();
}

}  // namespace meterbridge::hastats
