// SPDX-License-Identifier: MIT
// The dialogue of request/answer protocols: one question at a time, each with its own judge.
//
// An answer that does not fit is ignored until the time runs out. After a timeout the line is
// drained before anything is sent again; after an answer that needed more than one attempt it is
// drained for longer than two questions are apart, because the answers to the earlier attempts may
// still be on their way and would fit the next question in protocols whose answers do not repeat it
// (CE102: tariff 1 would land in tariff 2).
#pragma once

#include "protocol/dialogue.hpp"

#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol {

// What a framer sees at the front of the bytes that have arrived: `drop` bytes that belong to no
// frame, then `frame` bytes that are a whole one. Both zero = more bytes are needed. `broken`: the
// dropped bytes were a frame, but faulty.
struct Cut {
  Cut() = default;
  std::size_t drop = 0;
  std::size_t frame = 0;
  std::optional<Error> broken;
};

using Framer = std::function<Cut(ByteView arrived)>;

// What a question makes of one whole frame.
class Verdict {
 public:
  // The answer; the list goes on with the next question.
  static Verdict taken() { return Verdict(Kind::taken, {}); }

  // Not the answer to this question; `why` is told when no better one comes.
  static Verdict ignored(std::string why) {
    return Verdict(Kind::ignored, Error(Errc::mismatch, std::move(why)));
  }

  // The answer, but the question must be repeated; counts as an attempt.
  static Verdict repeat(Error why) { return Verdict(Kind::repeat, std::move(why)); }

 private:
  friend class ExchangeList;
  enum class Kind { taken, ignored, repeat };

  Verdict(Kind kind, Error why) : kind_(kind), why_(std::move(why)) {}

  Kind kind_;
  Error why_;
};

// One question. The functions may add further exchanges to the list, or clear it.
struct Exchange {
  // More bytes than this without an answer are noise: the attempt is over.
  static constexpr std::size_t max_noise = 1024;

  Exchange() = default;
  std::string what;          // for messages: "the energy of tariff 1"
  std::vector<Step> before;  // carried out before the request: another speed, a wake-up
  Bytes request;             // empty: the answer follows that of the exchange before by itself
  std::optional<LineSettings> tune;      // the line changes to it once the request has left
  std::optional<Milliseconds> response;  // instead of Timing's
  std::optional<int> attempts;           // instead of Timing's
  std::size_t longest = max_noise;       // answer, with the noise around it
  Framer framer;
  // What the bytes are when nothing more comes: for protocols whose frames end with silence, where
  // the begin of a long answer may look like a whole short one.
  Framer at_silence;
  std::function<Result<Verdict>(ByteView frame)> on_reply;  // an Error ends the poll
  // All attempts failed. Empty, or an Error: the poll ends. Success: the list goes on without the
  // answer.
  std::function<Result<>(const Error& why)> on_lost;
};

class ExchangeList final : public Dialogue {
 public:
  struct Timing {
    Timing() = default;
    Milliseconds response{1500};  // from the end of the request to each block of bytes
    Milliseconds pause{50};       // quiet line between two exchanges
    Milliseconds opening{0};      // so much more before the first
    Milliseconds settle{200};     // quiet line after a timeout
    int attempts = 3;
    std::optional<int> first_attempts;  // fewer, until something was answered
    bool unsettled = false;             // answers of an earlier poll may still be on their way
    // Answers repeat the number of their question: late ones do no harm, nothing needs to be
    // drained.
    bool numbered = false;
  };

  static constexpr std::size_t max_noise = Exchange::max_noise;

  // `finish` makes the telegram when no exchange is left. When it adds exchanges instead, the list
  // goes on with them after a long quiet, and what it returned does not count.
  ExchangeList(const Timing& timing, std::function<Result<Telegram>()> finish);

  void add(Exchange exchange) { exchanges_.push_back(std::move(exchange)); }

  // The next one after the running one, before those that wait.
  void add_next(Exchange exchange);

  // Drops what was not asked yet; the running exchange stays.
  void clear();

  // Somebody else asked something: his answer is awaited before the next question goes out.
  void let_others_finish() noexcept { crowded_ = true; }

  // Answers to what was asked may still come: the next poll of this meter must begin `unsettled`.
  [[nodiscard]] bool unsettled() const noexcept { return unsettled_; }

  Result<Step> next() override;
  void received(ByteView bytes) override;
  void silence() override;

 private:
  enum class Phase { begin, ready, listening, answered, failed, over };

  Result<Step> ask();
  Result<Step> begin(bool fresh);
  Result<Step> proceed();
  void look();
  [[nodiscard]] int attempts() const;
  [[nodiscard]] Milliseconds response() const;
  Result<Step> repeat_or_lose();
  Result<Step> end(Error why);
  void take_frames(const Framer& framer);
  void judge(ByteView frame);
  void attempt_failed(Error why);
  [[nodiscard]] Error silent() const;
  // Quiet before the next question; none at all costs no step.
  Result<Step> quiet(Milliseconds length);

  // Longer than two questions are apart: late answers come at that distance, each of them ends up
  // drained.
  [[nodiscard]] Milliseconds long_quiet() const { return 2 * (timing_.response + timing_.settle); }

  Timing timing_;
  std::function<Result<Telegram>()> finish_;
  // The front one is running. A list: a judge may put another one behind itself.
  std::list<Exchange> exchanges_;
  std::deque<Step> steps_;  // of asking, not yet carried out
  Phase phase_ = Phase::begin;
  int attempt_ = 0;
  Bytes arrived_;
  std::size_t heard_ = 0;  // bytes of this attempt that were not our echo
  bool running_ = false;   // the front exchange was begun
  bool there_ = false;     // something was answered
  bool unsettled_ = false;
  bool crowded_ = false;      // somebody else's answer may still come
  bool waited_ = false;       // and was waited for
  std::optional<Error> why_;  // why the last attempt failed, or why its frames did not fit
  std::optional<Error> fatal_;
};

}  // namespace meterbridge::protocol
