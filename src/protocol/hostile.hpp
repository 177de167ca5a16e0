// SPDX-License-Identifier: MIT
// What the fuzz targets of the protocols share. An input of a polled protocol is a script: each
// record is a length byte and that many bytes from "the meter", length 0 is a silence, 255 the
// right answer of a simulated meter where there is one.
#pragma once

#include "protocol/registry.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

namespace meterbridge::protocol::hostile {

inline constexpr int polls = 3;
inline constexpr int most_steps = 20'000;
inline constexpr std::size_t most_telegrams = 1'000'000;
inline constexpr std::size_t right_answer = 255;

inline void require(bool promise) {
  if (!promise) std::abort();
}

inline void check(const Protocol& protocol, const std::vector<Decoded>& all) {
  for (const Decoded& decoded : all) {
    require(decoded.telegram.protocol == protocol.name);
    require(decoded.ok() == decoded.error.empty());
    require(decoded.ok() || decoded.telegram.items.empty());
    require(!decoded_json(decoded).empty());
  }
}

// As a stream, and as a transcript where the bytes are one.
inline void decode(const Protocol& protocol, ByteView bytes, const SettingValues& settings) {
  check(protocol, protocol.decode(bytes, settings));
  if (const auto lines = parse_transcript(to_text(bytes)))
    check(protocol, protocol.decode_transcript(*lines, settings));
}

// The bytes as the answer to a question.
inline void decode_answer(const Protocol& protocol, const Bytes& question, ByteView bytes,
                          const SettingValues& settings) {
  std::vector<TranscriptLine> exchange(2);
  exchange[0].sent = true;
  exchange[0].bytes = question;
  exchange[1].bytes.assign(bytes.begin(), bytes.end());
  check(protocol, protocol.decode_transcript(exchange, settings));
}

// One record of the script; what was heard.
inline Bytes answer(Dialogue& dialogue, Responder* meter, const Bytes& asked, ByteReader& script) {
  const std::size_t length = script.u8().value_or(0);
  if (length == right_answer && meter != nullptr) {
    for (const Bytes& sent : meter->received(asked))
      dialogue.received(sent);
    return asked;
  }
  const auto bytes = script.take(std::min(length, script.left()));
  if (length == 0 || !bytes || bytes->empty()) {
    dialogue.silence();
    return {};
  }
  dialogue.received(*bytes);
  return {bytes->begin(), bytes->end()};
}

// Some polls of one driver; `sent` looks at every request.
template <class Sent>
void converse(const Protocol& protocol, ByteView bytes, const SettingValues& settings,
              Responder* meter, const Sent& sent) {
  auto driver = protocol.driver(settings);
  require(driver.has_value());
  ByteReader script(bytes);
  for (int poll = 0; poll < polls; ++poll) {
    const auto dialogue = poll % 2 == 0 ? (*driver)->begin() : (*driver)->knock();
    Bytes asked;
    Bytes heard;
    for (int steps = 0;; ++steps) {
      require(steps < most_steps);
      const auto step = dialogue->next();
      if (!step || std::holds_alternative<step::Finished>(*step)) break;
      if (const auto* send = std::get_if<step::Send>(&*step)) {
        sent(send->bytes);
        asked = send->bytes;
      }
      if (std::holds_alternative<step::Drain>(*step)) dialogue->drained(heard);
      if (std::holds_alternative<step::Listen>(*step))
        heard = answer(*dialogue, meter, asked, script);
    }
  }
}

// The bytes as requests to a simulated meter; `sent` looks at every answer.
template <class Sent>
void play_meter(const Protocol& protocol, ByteView bytes, const SettingValues& settings,
                const Sent& sent) {
  auto responder = protocol.responder(settings);
  require(responder.has_value());
  (*responder)->show(MeterFace());
  for (const Bytes& answer : (*responder)->received(bytes))
    sent(answer);
}

// Cuts that depend on the input alone, so that a finding can be repeated.
class Cuts {
 public:
  explicit Cuts(ByteView bytes) {
    for (const std::byte b : bytes)
      state_ = (state_ ^ u8(b)) * 1099511628211U;
  }

  std::size_t next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return 1 + (state_ >> 33U) % ((state_ >> 60U) == 0 ? 700 : 40);
  }

 private:
  std::uint64_t state_ = 1469598103934665603U;
};

// The bytes at once, or in cuts.
template <class Take>
void feed(ByteView bytes, bool cut, const Take& take) {
  Cuts cuts(bytes);
  while (!bytes.empty()) {
    const std::size_t size = cut ? std::min(cuts.next(), bytes.size()) : bytes.size();
    const ByteView now = bytes.first(size);
    bytes = bytes.subspan(size);
    take(now, bytes.empty());
  }
}

// Everything that a listening dialogue says until it wants to listen again.
inline void listen(Dialogue& dialogue, std::vector<std::string>& said) {
  for (std::size_t i = 0; i < most_telegrams; ++i) {
    auto step = dialogue.next();
    if (!step) {
      said.push_back(std::string(name(step.error().code())) + ": " + step.error().detail());
    } else if (const auto* finished = std::get_if<step::Finished>(&*step)) {
      said.push_back(telegram_json(finished->telegram));
    } else {
      require(std::holds_alternative<step::Listen>(*step));  // it does nothing else
      return;
    }
  }
  std::abort();
}

inline std::vector<std::string> heard(Driver& driver, ByteView bytes, bool cut) {
  const auto dialogue = driver.begin();
  std::vector<std::string> said;
  listen(*dialogue, said);
  feed(bytes, cut, [&](ByteView now, bool) {
    dialogue->received(now);
    listen(*dialogue, said);
  });
  dialogue->silence();
  listen(*dialogue, said);
  return said;
}

// What a receiver of a pushing protocol finds; `told` makes text of it.
template <class Receiver, class Told>
std::vector<std::string> received(Receiver& receiver, ByteView bytes, bool cut, const Told& told) {
  std::vector<std::string> found;
  const auto drain = [&] {
    while (const auto decoded = receiver.next())
      found.push_back(told(*decoded));
  };
  feed(bytes, cut, [&](ByteView now, bool last) {
    receiver.push(now);
    if (!last) drain();
  });
  receiver.finish();
  drain();
  return found;
}

}  // namespace meterbridge::protocol::hostile
