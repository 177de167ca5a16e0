// SPDX-License-Identifier: MIT
// The bridge as a hub: samples that other instances read and numbered.
#include "app/bridge.hpp"

#include <utility>

namespace meterbridge::app {

// Their guards have let them pass: ours would take an hour that comes in a second for a leap. And
// whatever our clock says, theirs counts.
bool Bridge::deliver_numbered(const MeterState& main, const std::vector<Sample>& samples,
                              const protocol::Telegram& telegram) {
  auto numbered = numbered_sample(telegram, main.facts.id);
  if (!numbered) return false;
  if (numbered->numbered.topic.starts_with(facts_.base + "/")) return true;  // our own
  // With factors and offsets of ours; a message may be about no sample.
  if (samples.back().meter == numbered->meter) numbered->readings = samples.back().readings;
  const bool shared = main.plan->shared;
  carry_out(arrivals_.take(*std::move(numbered), shared, {clock_.now(), clock_.steady()}),
            telegram);
  return true;
}

void Bridge::carry_out(const Arrivals::Outcome& outcome, const protocol::Telegram& telegram) {
  for (const NumberedSample& sample : outcome.samples) {
    Sample kept = static_cast<const Sample&>(sample);  // the numbers stay here
    kept.document = mark_of(sample.numbered);
    if (on_sample) on_sample(kept, telegram);
  }
  for (const Arrivals::Ask& ask : outcome.asks)
    publish_({ask.topic, ask.payload, false});
  for (const std::string& line : outcome.words)
    log_(true, line);
  if (!outcome.show) return;
  MeterState* main = find(outcome.show->parent);
  if (main == nullptr) return;
  MeterState& state = submeter(*main, *outcome.show);
  take(state, *outcome.show);
  if (!state.announced) say_discovery(state);
  set_online(state, true);
  show(state, std::exchange(state.show_all, false));
}

void Bridge::tend_leaves() {
  if (!connected_ || arrivals_.empty()) return;
  carry_out(arrivals_.tick({clock_.now(), clock_.steady()}), {});
}

}  // namespace meterbridge::app
