// SPDX-License-Identifier: MIT
#include "app/arrivals.hpp"

#include "core/json_writer.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::app {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_meters = 20'000;  // a broken leaf, or a hostile one, invents names
constexpr std::size_t most_held = 500;       // samples of one meter that wait for those before them
constexpr std::size_t most_held_of_all = 200'000;  // readings
constexpr std::size_t most_asked = 20;             // questions without an answer yet
constexpr std::size_t most_in_silence = 10;        // of them, to leaves of which nothing is heard
constexpr auto first_patience = 10s;               // with a question; doubled each time
constexpr auto longest_patience = 5min;
constexpr int most_tries = 6;  // of a question to a leaf that speaks
// Another hub may have what we miss: it says so every few seconds.
constexpr auto shared_patience = 45s;
// With a gap that another one should ask for: it may be gone.
constexpr auto foreign_patience = 3 * shared_patience;
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

std::string count_text(const Span& gap) {
  return "numbers " + std::to_string(gap.after + 1) + " to " + std::to_string(gap.last);
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
  if (source.chains.size() >= most_chains) {
    held_ -= weight(source.chains.front().held);
    source.chains.erase(source.chains.begin());
  }
  Instant latest{};
  for (const Chain& older : source.chains)
    latest = std::max(latest, older.latest);
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
    chain.question = Question();
    chain.newest = numbered.newest;
    chain.open = numbered.newest > numbered.number;
    if (!numbered.missing.empty()) outcome.words.push_back(sample.meter + ": " + numbered.missing);
    return;
  }
  chain.latest = std::max(chain.latest, sample.at);
  if (numbered.number <= chain.begun && sample.at <= chain.known_before) return;
  outcome.samples.push_back(sample);
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
  if (numbered.number <= complete && sample.readings.empty()) {
    chain.question = Question();
    chain.newest = numbered.newest;
    chain.open = numbered.newest > complete;
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

// What the words of other hubs leave open: between where they ended and where we began nobody else
// misses anything.
void Arrivals::watch_gaps(Chain& chain, Time now) {
  const auto& spans = chain.have.all();
  for (auto behind = spans.begin(); behind != spans.end(); ++behind) {
    const bool gap = behind != spans.begin() || behind->first > chain.floor;
    const auto since = behind->first == chain.floor ? now : now + foreign_patience;
    if (gap) chain.mine.try_emplace(behind->first, since);
  }
}

// Gaps that nobody closes, or a leaf that invents them, must not fill the memory.
void Arrivals::bound(const std::string& meter, Chain& chain, Outcome& outcome) {
  if (chain.have.all().size() <= most_spans) return;
  const auto first = chain.have.all().begin();
  const Span gap{first->second, std::next(first)->first};
  ++given_up_;
  outcome.words.push_back(meter + ": " + count_text(gap) + " of the leaf are given up: more than " +
                          std::to_string(most_spans) + " gaps are open");
  chain.have.add(gap);
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
  Chain& chain = chain_of(source, sample, shared, outcome);
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

void Arrivals::ask_all(Time now, Outcome& outcome) {
  waiting_ = in_silence_ = 0;
  for (const auto& [meter, source] : sources_) {
    for (const Chain& chain : source.chains) {
      const Question& question = chain.question;
      if (!question.asked || now - *question.asked >= first_patience) continue;
      ++waiting_;
      if (question.unheard > 1) ++in_silence_;
    }
  }
  // In turn: leaves that are away must not keep the others waiting.
  const auto first = sources_.upper_bound(asked_last_);
  const auto ask_from = [&](auto from, auto to) {
    for (auto at = from; at != to; ++at) {
      for (Chain& chain : at->second.chains)
        ask(at->first, at->second, chain, now, outcome);
    }
  };
  ask_from(first, sources_.end());
  ask_from(sources_.begin(), first);
}

// What is missing, and whom to ask: of what is shared who got the sample behind the gap.
void Arrivals::ask(const std::string& meter, Source& source, Chain& chain, Time now,
                   Outcome& outcome) {
  std::optional<Span> gap;
  if (!chain.held.empty())
    gap = Span{chain.have.complete(), chain.held.begin()->second.numbered.previous};
  if (!source.shared_name.empty()) watch_gaps(chain, now);
  const auto& spans = chain.have.all();
  for (auto mine = chain.mine.begin(); mine != chain.mine.end();) {
    const auto behind = spans.find(mine->first);
    if (behind == spans.end()) {  // it was closed
      mine = chain.mine.erase(mine);
      continue;
    }
    if (mine->second == Time{}) mine->second = now;  // of an earlier run
    if (!gap && now - mine->second >= shared_patience)
      gap = Span{behind == spans.begin() ? 0 : std::prev(behind)->second, mine->first};
    ++mine;
  }
  Question& question = chain.question;
  const bool content = !gap && !chain.open && chain.mine.empty();
  if (content) question = Question();
  if ((!gap && !chain.open) || source.topic.empty()) return;
  if (gap && question.about != gap->last) {
    question = Question();
    question.about = gap->last;
  }
  const int times = std::max(question.tries, question.unheard);
  auto patience = std::min<std::chrono::milliseconds>(
      first_patience * (1 << std::min(times, 10)) / 2, longest_patience);
  // The answer may have come to another hub, which will say so.
  if (!chain.mine.empty())
    patience = std::max<std::chrono::milliseconds>(patience, shared_patience);
  if (question.asked && now - *question.asked < patience) return;
  if (question.asked && question.alive && question.tries >= most_tries)
    return give_up(meter, chain, gap, outcome);
  const bool in_silence = question.unheard > 0;
  if (waiting_ >= most_asked || (in_silence && in_silence_ >= most_in_silence)) return;
  ++waiting_;
  if (in_silence) ++in_silence_;
  ++question.unheard;
  asked_last_ = meter;
  question.tries = question.alive || question.tries == 0 ? question.tries + 1 : question.tries;
  question.asked = now;
  question.alive = false;
  JsonWriter json;
  json.object().member("journal", chain.journal);
  json.member("from", (gap ? gap->after : chain.have.complete()) + 1);
  if (gap) json.member("to", gap->last);
  json.end();
  outcome.asks.push_back({source.topic + "/set/resend", json.text()});
}

void Arrivals::give_up(const std::string& meter, Chain& chain, std::optional<Span> gap,
                       Outcome& outcome) {
  chain.question = Question();
  chain.open = false;
  if (!gap) {
    outcome.words.push_back(meter +
                            ": the leaf speaks and does not answer set/resend: what came "
                            "while it was not heard may be missing");
    return;
  }
  ++given_up_;
  outcome.words.push_back(meter + ": " + count_text(*gap) +
                          " of the leaf are given up: it speaks and does not answer set/resend");
  chain.have.add(*gap);
  drain(chain, outcome);
}

void Arrivals::connected() {
  for (auto& [meter, source] : sources_) {
    for (Chain& chain : source.chains)
      chain.question = Question();
    if (!source.shared_name.empty() || source.chains.empty()) continue;
    source.chains.back().open = true;
    source.chains.back().newest = 0;
  }
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
