// SPDX-License-Identifier: MIT
// A line without time: carries out the steps of a dialogue against anything that answers, as fast
// as it can.
#pragma once

#include "protocol/dialogue.hpp"

#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace meterbridge::protocol::test {

class VirtualLine {
 public:
  struct Arrival {
    Milliseconds after{};
    Bytes bytes;
  };

  // Called with every request; what comes back, and how long after the request.
  using Meter = std::function<std::vector<Arrival>(const Bytes& request)>;

  explicit VirtualLine(Meter meter) : meter_(std::move(meter)) {}

  // Until Finished or an Error. A dialogue that does not end is an Error of kind watchdog.
  Result<Telegram> converse(Dialogue& dialogue) {
    for (int steps = 0; steps < 10000; ++steps) {
      auto step = dialogue.next();
      if (!step) return step.error();
      if (auto* finished = std::get_if<step::Finished>(&*step))
        return std::move(finished->telegram);
      carry_out(dialogue, *step);
    }
    return Error(Errc::watchdog, "the dialogue does not end");
  }

  [[nodiscard]] const std::vector<Bytes>& sent() const { return sent_; }

  [[nodiscard]] Milliseconds now() const { return now_; }

  void wait(Milliseconds length) { now_ += length; }

  // Something that nobody asked for.
  void inject(Milliseconds after, Bytes bytes) {
    arrivals_.emplace(now_ + after, std::move(bytes));
  }

  void forget_sent() { sent_.clear(); }

 private:
  void carry_out(Dialogue& dialogue, const Step& step) {
    if (const auto* send = std::get_if<step::Send>(&step)) {
      sent_.push_back(send->bytes);
      for (Arrival& arrival : meter_(send->bytes)) {
        arrivals_.emplace(now_ + arrival.after, std::move(arrival.bytes));
      }
    } else if (const auto* listen = std::get_if<step::Listen>(&step)) {
      hear(dialogue, now_ + listen->at_most);
    } else if (const auto* pause = std::get_if<step::Pause>(&step)) {
      now_ += pause->length;
    } else if (const auto* drain = std::get_if<step::Drain>(&step)) {
      while (!arrivals_.empty() && arrivals_.begin()->first <= now_ + drain->quiet) {
        now_ = std::max(now_, arrivals_.begin()->first);
        dialogue.drained(arrivals_.begin()->second);
        arrivals_.erase(arrivals_.begin());
      }
      now_ += drain->quiet;
    }
  }

  void hear(Dialogue& dialogue, Milliseconds until) {
    if (arrivals_.empty() || arrivals_.begin()->first > until) {
      now_ = until;
      dialogue.silence();
      return;
    }
    now_ = std::max(now_, arrivals_.begin()->first);
    const Bytes bytes = std::move(arrivals_.begin()->second);
    arrivals_.erase(arrivals_.begin());
    dialogue.received(bytes);
  }

  Meter meter_;
  std::vector<Bytes> sent_;
  std::multimap<Milliseconds, Bytes> arrivals_;
  Milliseconds now_{};
};

}  // namespace meterbridge::protocol::test
