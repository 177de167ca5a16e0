// SPDX-License-Identifier: MIT
// A protocol without input and output: it says what the line must do, and is told what came of it.
//
// The driver of a dialogue (io::converse, a test, a fuzzer) calls next() and carries out the step:
//   Send      write all bytes, then next()
//   Listen    read for at most that long from now: received() with every block, in any cut, then
//   next() again;
//             silence() when the time ran out without a byte, then next()
//   Pause     do nothing for that long, then next()
//   Drain     throw away what arrives until the line was quiet for that long, then next()
//             (drained() is told what it was)
//   Retune    change speed and parity, then next()
//   Finished  a telegram; the poll is over
// An Error from next() ends the poll. A *listening* dialogue (pushing meters) is never over: after
// Finished or an Error, next() goes on with what is still buffered; it is only replaced when the
// link was reopened.
#pragma once

#include "core/bytes.hpp"
#include "core/line_settings.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "protocol/telegram.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace meterbridge::protocol {

namespace step {
struct Send {
  explicit Send(Bytes b) : bytes(std::move(b)) {}

  Bytes bytes;
};

struct Listen {
  explicit Listen(Milliseconds m) : at_most(m) {}

  Milliseconds at_most;
};

struct Pause {
  explicit Pause(Milliseconds m) : length(m) {}

  Milliseconds length;
};

struct Drain {
  explicit Drain(Milliseconds m) : quiet(m) {}

  Milliseconds quiet;
};

struct Retune {
  explicit Retune(LineSettings l) : line(l) {}

  LineSettings line;
};

struct Finished {
  explicit Finished(Telegram t) : telegram(std::move(t)) {}

  Telegram telegram;
};
}  // namespace step

using Step =
    std::variant<step::Send, step::Listen, step::Pause, step::Drain, step::Retune, step::Finished>;

// What a block came in, on links that carry messages instead of a stream (MQTT).
struct Envelope {
  Envelope() = default;
  std::string topic;
  // The broker kept the message from before we listened; nobody says how old it is.
  bool retained = false;
  bool last = true;  // the message ends with this block
};

class Dialogue {
 public:
  virtual ~Dialogue() = default;
  virtual Result<Step> next() = 0;

  // Before received(), where the link carries messages. Who reads a stream need not care.
  virtual void enclosed(const Envelope&) {}

  virtual void received(ByteView bytes) = 0;
  virtual void silence() = 0;

  // What a Drain threw away: no answer, but it may tell who else talks on the line.
  virtual void drained(ByteView) {}
};

// Says why nothing is sent, and sends nothing: the meter refused our password.
class NothingToSend final : public Dialogue {
 public:
  explicit NothingToSend(Error why) : why_(std::move(why)) {}

  Result<Step> next() override { return why_; }

  void received(ByteView) override {}

  void silence() override {}

 private:
  Error why_;
};

// One configured meter as its protocol sees it: owns what must be remembered between polls
// (registers that the meter does not know, its serial number, a refused password that must never be
// tried again).
class Driver {
 public:
  virtual ~Driver() = default;
  // A new poll; for a pushing meter a new listening dialogue. The dialogue may refer to the driver.
  virtual std::unique_ptr<Dialogue> begin() = 0;

  // The same for a meter that is probably away, and whose silence costs others their time: gives up
  // sooner, as long as nothing was heard of it.
  virtual std::unique_ptr<Dialogue> knock() { return begin(); }

  // How long one poll may take when it is longer than usual (a readout at 300 Bd): the watchdog
  // must know.
  [[nodiscard]] virtual std::optional<Milliseconds> longest_poll() const { return std::nullopt; }

  // Takes over what never changes and is the same in both, the register table for example: a
  // thousand meters of a kind then have one of it.
  virtual void share(Driver& /*elder*/) {}

  // What was wrong on the line during the last poll although the poll came to its end: one sentence
  // for a person, or nothing.
  [[nodiscard]] virtual std::string remark() const { return {}; }
};

}  // namespace meterbridge::protocol
