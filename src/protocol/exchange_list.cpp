// SPDX-License-Identifier: MIT
#include "protocol/exchange_list.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace meterbridge::protocol {

namespace {

// USB adapters say that a byte has left when they have it: its end would come at the new speed.
// Meters do not answer sooner than after 20 ms.
constexpr Milliseconds last_character{10};

}  // namespace

ExchangeList::ExchangeList(const Timing& timing, std::function<Result<Telegram>()> finish)
    : timing_(timing),
      finish_(std::move(finish)),
      unsettled_(timing.unsettled && !timing.numbered) {}

void ExchangeList::add_next(Exchange exchange) {
  exchanges_.insert(running_ ? std::next(exchanges_.begin()) : exchanges_.begin(),
                    std::move(exchange));
}

void ExchangeList::clear() {
  if (running_) {
    exchanges_.resize(1);
  } else {
    exchanges_.clear();
  }
}

Result<Step> ExchangeList::next() {
  if (!steps_.empty()) {
    Step step = std::move(steps_.front());
    steps_.pop_front();
    return step;
  }
  switch (phase_) {
    case Phase::begin:
      phase_ = Phase::ready;
      return quiet(timing_.opening + (unsettled_ ? long_quiet() : timing_.pause));
    case Phase::ready:
      if (crowded_ && !waited_) {
        waited_ = true;
        return Step(step::Drain(2 * timing_.settle));
      }
      return ask();
    case Phase::listening:
      return Step(step::Listen(response()));
    case Phase::answered:
      return proceed();
    case Phase::failed:
      return repeat_or_lose();
    case Phase::over:
      break;
  }
  return Error(Errc::bug, "the dialogue was asked for a step after its end");
}

Result<Step> ExchangeList::ask() {
  crowded_ = false;
  waited_ = false;
  if (exchanges_.empty()) {
    auto telegram = finish_();
    if (!exchanges_.empty())  // then the phase is `ready`
      return quiet(timing_.numbered ? timing_.pause : long_quiet());
    phase_ = Phase::over;
    if (!telegram) return telegram.error();
    return Step(step::Finished(std::move(*telegram)));
  }
  return begin(true);
}

// Not `fresh`: what arrived behind the answer before belongs to this one.
Result<Step> ExchangeList::begin(bool fresh) {
  const Exchange& asked = exchanges_.front();
  phase_ = Phase::listening;
  running_ = true;
  unsettled_ = !timing_.numbered;
  ++attempt_;
  if (fresh) arrived_.clear();
  why_.reset();
  steps_.assign(asked.before.begin(), asked.before.end());
  if (!asked.request.empty()) {
    steps_.emplace_back(step::Send(asked.request));
    if (asked.tune) steps_.emplace_back(step::Pause(last_character));
  }
  if (asked.tune) steps_.emplace_back(step::Retune(*asked.tune));
  heard_ = arrived_.size();
  look();
  return next();
}

int ExchangeList::attempts() const {
  const int usual = exchanges_.front().attempts.value_or(timing_.attempts);
  return there_ ? usual : std::min(usual, timing_.first_attempts.value_or(usual));
}

Milliseconds ExchangeList::response() const {
  return exchanges_.front().response.value_or(timing_.response);
}

Result<Step> ExchangeList::proceed() {
  // Bytes behind the answer: perhaps it was sent twice.
  unsettled_ = !timing_.numbered && (attempt_ > 1 || !arrived_.empty());
  if (fatal_) return end(*fatal_);
  exchanges_.pop_front();
  running_ = false;
  attempt_ = 0;
  phase_ = Phase::ready;
  if (exchanges_.empty()) return ask();
  if (exchanges_.front().request.empty()) return begin(false);
  // Not a Pause: what arrives unasked between two exchanges belongs to nobody.
  return quiet(unsettled_ ? long_quiet() : timing_.pause);
}

Result<Step> ExchangeList::quiet(Milliseconds length) {
  if (timing_.numbered && length <= Milliseconds::zero()) return ask();
  return Step(step::Drain(length));
}

Result<Step> ExchangeList::repeat_or_lose() {
  if (attempt_ < attempts()) {
    phase_ = Phase::ready;
    return Step(step::Drain(timing_.settle));
  }
  Exchange& lost = exchanges_.front();
  const std::string tries = attempt_ == 1 ? "" : " (" + std::to_string(attempt_) + " attempts)";
  const Error why(why_->code(), lost.what + ": " + why_->detail() + tries);
  if (!lost.on_lost) return end(why);
  const auto go_on = lost.on_lost(why);
  if (!go_on) return end(go_on.error());
  attempt_ = std::max(attempt_, 2);  // an answer may still come: drain for long
  return proceed();
}

Result<Step> ExchangeList::end(Error why) {
  phase_ = Phase::over;
  return why;
}

void ExchangeList::received(ByteView bytes) {
  if (phase_ != Phase::listening) return;
  arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
  heard_ += bytes.size();
  look();
}

void ExchangeList::look() {
  take_frames(exchanges_.front().framer);
  if (phase_ == Phase::listening && heard_ > exchanges_.front().longest) {
    attempt_failed(why_ ? *why_ : Error(Errc::no_frame, "noise instead of an answer"));
  }
}

void ExchangeList::take_frames(const Framer& framer) {
  while (phase_ == Phase::listening && !arrived_.empty()) {
    const Cut cut = framer(arrived_);
    const std::size_t drop = std::min(cut.drop, arrived_.size());
    const std::size_t frame = std::min(cut.frame, arrived_.size() - drop);
    if (drop + frame == 0) break;
    if (cut.broken) why_ = cut.broken;
    const auto begin = arrived_.begin() + static_cast<std::ptrdiff_t>(drop);
    const Bytes whole(begin, begin + static_cast<std::ptrdiff_t>(frame));
    arrived_.erase(arrived_.begin(), begin + static_cast<std::ptrdiff_t>(frame));
    if (!whole.empty()) judge(whole);
  }
}

void ExchangeList::judge(ByteView frame) {
  Exchange& asked = exchanges_.front();
  if (std::ranges::equal(frame, asked.request)) {  // the adapter hears itself
    heard_ -= std::min(heard_, frame.size());
    return;
  }
  const auto verdict = asked.on_reply(frame);
  if (!verdict) {
    fatal_ = verdict.error();
    phase_ = Phase::answered;
    return;
  }
  switch (verdict->kind_) {
    case Verdict::Kind::taken:
      phase_ = Phase::answered;
      there_ = true;
      break;
    case Verdict::Kind::ignored:
      why_ = verdict->why_;
      break;
    case Verdict::Kind::repeat:
      there_ = true;
      attempt_failed(verdict->why_);
      break;
  }
}

void ExchangeList::silence() {
  if (phase_ != Phase::listening) return;
  // By value: the judge may add exchanges.
  const Framer at_silence = exchanges_.front().at_silence;
  if (at_silence) take_frames(at_silence);
  if (phase_ == Phase::listening) attempt_failed(why_ ? *why_ : silent());
}

void ExchangeList::attempt_failed(Error why) {
  why_ = std::move(why);
  phase_ = Phase::failed;
}

Error ExchangeList::silent() const {
  const std::string limit = " within " + duration_text(response());
  if (heard_ == 0) return {Errc::timeout, "no answer" + limit};
  return {Errc::no_frame, std::to_string(heard_) + " bytes, but no whole answer" + limit};
}

}  // namespace meterbridge::protocol
