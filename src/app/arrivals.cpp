// SPDX-License-Identifier: MIT
#include "app/arrivals.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::app {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_meters = 20'000;  // a broken leaf, or a hostile one, invents names
constexpr std::size_t most_held = 500;       // samples of one meter that wait for those before them
constexpr std::size_t most_held_of_all = 200'000;  // readings
// Older ones are of an outage: Home Assistant would take their time for now.
constexpr auto still_new = 60s;

// A leaf that is heard elsewhere with another journal is somebody else; where the first is silent
// for so long it has moved.
constexpr auto moved_patience = 1h;

// What a sample takes in memory, roughly.
std::size_t weight(const NumberedSample& sample) {
  return sample.readings.size() + 1;
}

std::size_t weight(const std::map<std::uint64_t, NumberedSample>& held) {
  std::size_t sum = 0;
  for (const auto& [number, sample] : held)
    sum += weight(sample);
  return sum;
}

// Hubs may call their meters differently.
std::string name_for_all(const NumberedSample& sample) {
  return sample.meter.substr(std::min(sample.parent.size() + 1, sample.meter.size()));
}

}  // namespace

Arrivals::Source* Arrivals::source_of(const NumberedSample& sample, Time now, Outcome& outcome) {
  auto found = sources_.find(sample.meter);
  if (found == sources_.end()) {
    if (sources_.size() >= most_meters) {
      if (!std::exchange(full_, true))
        outcome.words.push_back(sample.meter + ": is of one meter more than " +
                                std::to_string(most_meters) + ", those of leaves: it is not taken");
      return nullptr;
    }
    found = sources_.try_emplace(sample.meter).first;
  }
  Source& source = found->second;
  const std::string& topic = sample.numbered.topic;
  if (source.topic.empty()) source.topic = topic;
  if (!source.heard) source.heard = now;  // the one of an earlier run has its time, too
  if (!topic.empty() && topic != source.topic) {
    const bool known =
        std::ranges::count(source.chains, sample.numbered.journal, &Chain::journal) != 0;
    if (!known && now - *source.heard < moved_patience) {
      if (!std::exchange(source.told, true))
        outcome.words.push_back(sample.meter + ": another leaf of this name says samples on " +
                                topic + "/sample; only those on " + source.topic +
                                "/sample are taken: each leaf needs an `instance` of its own");
      return nullptr;
    }
    source.topic = topic;
    source.told = false;
  }
  source.heard = now;
  return &source;
}

Arrivals::Chain& Arrivals::chain_of(Source& source, const NumberedSample& sample, bool shared,
                                    Outcome& outcome) {
  const Numbered& numbered = sample.numbered;
  const auto found = std::ranges::find(source.chains, numbered.journal, &Chain::journal);
  if (found != source.chains.end()) return *found;
  const bool first = source.chains.empty();
  if (!first)
    outcome.words.push_back(
        sample.meter + ": the leaf has a new journal: its samples are taken from its first on");
  Instant latest{};
  for (const Chain& older : source.chains)
    latest = std::max(latest, older.latest);
  if (source.chains.size() >= most_chains) {
    held_ -= weight(source.chains.front().held);
    source.chains.erase(source.chains.begin());
  }
  Chain& chain = source.chains.emplace_back();
  chain.journal = numbered.journal;
  chain.known_before = latest;
  chain.begun = first ? 0 : numbered.previous;
  // What was before the first that we ever saw is not ours. Other hubs may have it, or some of it.
  if (first && shared) chain.floor = numbered.previous;
  if (first && !shared) chain.have.add({0, numbered.previous});
  chain.open = !first && !shared;
  source.shown = 0;
  return chain;
}

void Arrivals::accept(Chain& chain, const NumberedSample& sample, Outcome& outcome) {
  const Numbered& numbered = sample.numbered;
  chain.have.add({numbered.previous, numbered.number});
  if (sample.readings.empty()) {
    hear_end(chain, numbered);
    if (!numbered.missing.empty()) outcome.words.push_back(sample.meter + ": " + numbered.missing);
    return;
  }
  chain.latest = std::max(chain.latest, sample.at);
  if (numbered.number <= chain.begun && sample.at <= chain.known_before) return;
  outcome.samples.push_back(sample);
}

// The last word of an answer. One that brought nothing does not make us ask again at once.
void Arrivals::hear_end(Chain& chain, const Numbered& numbered) {
  if (chain.have.complete() > chain.question.had) chain.question = Question();
  chain.newest = numbered.newest;
  chain.open = numbered.newest > chain.have.complete();
}

void Arrivals::drain(Chain& chain, Outcome& outcome) {
  while (!chain.held.empty()) {
    const auto first = chain.held.begin();
    if (first->second.numbered.previous > chain.have.complete()) return;
    if (first->first > chain.have.complete()) accept(chain, first->second, outcome);
    held_ -= weight(first->second);
    chain.held.erase(first);
  }
}

void Arrivals::take_in_order(Chain& chain, const NumberedSample& sample, Outcome& outcome) {
  const Numbered& numbered = sample.numbered;
  const std::uint64_t complete = chain.have.complete();
  if (sample.readings.empty() && (numbered.number <= complete || numbered.previous > complete)) {
    if (numbered.number <= complete) hear_end(chain, numbered);
    return;
  }
  if (numbered.number <= complete) {
    // A copy of one that we have is not newer than all that we have.
    if (sample.at <= chain.latest) return;
    outcome.words.push_back(sample.meter +
                            ": the leaf gives numbers again that it gave before (its journal is an "
                            "older copy): its samples are taken from here on");
    held_ -= weight(chain.held);
    chain.held.clear();
    chain.have.clear();
    chain.have.add({0, numbered.previous});
  }
  if (numbered.previous <= chain.have.complete()) {
    accept(chain, sample, outcome);
    drain(chain, outcome);
    return;
  }
  hold(chain, sample);
}

void Arrivals::hold(Chain& chain, const NumberedSample& sample) {
  if (chain.held.size() < most_held && held_ < most_held_of_all) {
    if (chain.held.emplace(sample.numbered.number, sample).second) held_ += weight(sample);
    return;
  }
  chain.open = true;
  chain.newest = 0;
}

void Arrivals::take_shared(Chain& chain, const NumberedSample& sample, Outcome& outcome, Time now) {
  const Numbered& numbered = sample.numbered;
  if (chain.have.holds(numbered.number) && !sample.readings.empty()) return;
  const bool gap = leaves_gap(chain, numbered);
  // What others got of an answer is known when they have said so, not with its end.
  const Question question = chain.question;
  accept(chain, sample, outcome);
  chain.question = question;
  chain.open = false;  // what is newest comes to others, too
  if (gap) chain.mine.try_emplace(numbered.previous, now);
}

bool Arrivals::leaves_gap(const Chain& chain, const Numbered& numbered) {
  return numbered.previous > chain.floor && !chain.have.holds(numbered.previous);
}

// Gaps that nobody closes, or a leaf that invents them, must not fill the memory.
void Arrivals::bound(const std::string& meter, Chain& chain, Outcome& outcome) {
  if (chain.have.all().size() <= most_spans) return;
  const auto first = chain.have.all().begin();
  const Span gap{first->second, std::next(first)->first};
  ++given_up_;
  outcome.words.push_back(meter + ": " + numbers_text(gap) +
                          " of the leaf are given up: more than " + std::to_string(most_spans) +
                          " gaps are open");
  chain.have.add(gap);
}

// A journal of before speaks again, and the one behind it does not any more: the old board is back.
// Alternating ones are two leaves on one topic.
bool Arrivals::takes_over(Source& source, Chain& chain, const NumberedSample& sample, Now now) {
  const Chain& newest = source.chains.back();
  const bool fresh = !sample.readings.empty() && sample.at > now.wall - still_new;
  if (&chain == &newest || !fresh || sample.at <= newest.latest) return false;
  if (newest.heard && now.steady - *newest.heard < still_new) return false;
  const auto at = source.chains.begin() + (&chain - source.chains.data());
  std::rotate(at, at + 1, source.chains.end());
  source.shown = 0;
  source.unseen.reset();
  return true;
}

void Arrivals::show(Source& source, const NumberedSample* fresh, Now now, Outcome& outcome) {
  const Chain& chain = source.chains.back();
  const auto is_newer = [&](const NumberedSample& sample) {
    return sample.numbered.journal == chain.journal && sample.numbered.number > source.shown;
  };
  if (fresh != nullptr && is_newer(*fresh) && fresh->at > now.wall - still_new) {
    outcome.show = *fresh;
    source.unseen.reset();
  } else {
    for (const NumberedSample& sample : outcome.samples) {
      if (is_newer(sample)) source.unseen = sample;
    }
    if (!source.unseen || !chain.held.empty() || chain.open) return;
    outcome.show = std::exchange(source.unseen, std::nullopt);
  }
  if (outcome.show) source.shown = outcome.show->numbered.number;
}

Arrivals::Outcome Arrivals::take(NumberedSample sample, bool shared, Now now) {
  Outcome outcome;
  Source* const heard = source_of(sample, now.steady, outcome);
  if (heard == nullptr) return outcome;
  Source& source = *heard;
  if (shared) source.shared_name = name_for_all(sample);
  // Who asks a leaf for a journal that it never had is answered, and nobody else needs to know.
  const bool known =
      std::ranges::count(source.chains, sample.numbered.journal, &Chain::journal) != 0;
  if (!known && sample.readings.empty()) return outcome;
  Chain* found = &chain_of(source, sample, shared, outcome);
  if (takes_over(source, *found, sample, now)) found = &source.chains.back();
  Chain& chain = *found;
  chain.heard = now.steady;
  chain.question.alive = true;
  chain.question.unheard = 0;
  if (shared) {
    take_shared(chain, sample, outcome, now.steady);
    bound(sample.meter, chain, outcome);
  } else {
    take_in_order(chain, sample, outcome);
  }
  if (chain.newest > 0 && chain.have.complete() >= chain.newest) chain.open = false;
  const Chain& newest = source.chains.back();
  if (&chain != &newest && !outcome.samples.empty() && outcome.samples.back().at > newest.latest &&
      !std::exchange(source.told, true))
    outcome.words.push_back(sample.meter + ": two leaves say samples on " + source.topic +
                            "/sample: each leaf needs an `instance` of its own");
  // The answer is on its way. What is read now comes without a question.
  const bool answer = sample.at <= now.wall - still_new;
  if (chain.question.asked && !outcome.samples.empty() && answer) {
    chain.question.asked = now.steady;
    chain.question.tries = 1;
  }
  show(source, sample.readings.empty() ? nullptr : &sample, now, outcome);
  if (sample.readings.empty()) ask_all(now.steady, outcome);
  return outcome;
}

Arrivals::Outcome Arrivals::tick(Now now) {
  Outcome outcome;
  ask_all(now.steady, outcome);
  return outcome;
}

void Arrivals::recall(const NumberedSample& sample, bool shared) {
  Source& source = sources_[sample.meter];
  if (!sample.numbered.topic.empty()) source.topic = sample.numbered.topic;
  if (shared) source.shared_name = name_for_all(sample);
  Outcome ignored;
  Chain& chain = chain_of(source, sample, shared, ignored);
  chain.open = false;
  const Numbered& numbered = sample.numbered;
  const bool again = numbered.number <= chain.have.complete() && sample.at > chain.latest;
  if (!shared && again) chain.have.clear();
  if (shared && leaves_gap(chain, numbered)) chain.mine.try_emplace(numbered.previous, Time{});
  // What was taken in order was all there was up to it.
  chain.have.add({shared ? numbered.previous : chain.have.complete(), numbered.number});
  chain.latest = std::max(chain.latest, sample.at);
}

}  // namespace meterbridge::app
