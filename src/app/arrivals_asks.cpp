// SPDX-License-Identifier: MIT
// What a hub misses, and when whom it asks for it.
#include "app/arrivals.hpp"
#include "core/json_writer.hpp"

#include <algorithm>

namespace meterbridge::app {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_asked = 20;       // questions without an answer yet
constexpr std::size_t most_in_silence = 10;  // of them, to leaves of which nothing is heard
constexpr auto first_patience = 10s;         // with a question; doubled each time
constexpr auto longest_patience = 5min;
constexpr int most_tries = 6;  // of a question to a leaf that speaks
// Another hub may have what we miss: it says so every few seconds.
constexpr auto shared_patience = 45s;
// With a gap that another one should ask for: it may be gone.
constexpr auto foreign_patience = 3 * shared_patience;

}  // namespace

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
  question.had = chain.have.complete();
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
  outcome.words.push_back(meter + ": " + numbers_text(*gap) +
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

}  // namespace meterbridge::app
