// SPDX-License-Identifier: MIT
// Dialogues for tests of those who carry them out.
#pragma once

#include "protocol/dialogue.hpp"

#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace meterbridge::io::test {

inline protocol::Telegram telegram(std::string name) {
  protocol::Telegram one;
  one.protocol = std::move(name);
  return one;
}

// Says the steps of a list one after the other, and records what it is told.
class ListedDialogue final : public protocol::Dialogue {
 public:
  explicit ListedDialogue(std::vector<protocol::Step> steps) : steps_(steps.begin(), steps.end()) {}

  Result<protocol::Step> next() override {
    if (steps_.empty()) return Error(Errc::no_frame, "the list is over; heard: " + heard);
    auto step = std::move(steps_.front());
    steps_.pop_front();
    return step;
  }

  void received(ByteView bytes) override { heard += to_text(bytes); }

  void silence() override { heard += "<silence>"; }

  std::string heard;

 private:
  std::deque<protocol::Step> steps_;
};

// A pushing meter: a telegram for every line of text, however the bytes are cut.
class LineListener final : public protocol::Dialogue {
 public:
  explicit LineListener(Milliseconds patience) : patience_(patience) {}

  Result<protocol::Step> next() override {
    const auto end = buffer_.find('\n');
    if (end == std::string::npos) {
      if (std::exchange(silent_, false)) return Error(Errc::timeout, "nothing arrived");
      return protocol::Step(protocol::step::Listen(patience_));
    }
    auto found = telegram(buffer_.substr(0, end));
    buffer_.erase(0, end + 1);
    return protocol::Step(protocol::step::Finished(std::move(found)));
  }

  void received(ByteView bytes) override { buffer_ += to_text(bytes); }

  void silence() override { silent_ = true; }

 private:
  Milliseconds patience_;
  std::string buffer_;
  bool silent_ = false;
};

class ThrowingDialogue final : public protocol::Dialogue {
 public:
  Result<protocol::Step> next() override { throw std::runtime_error("index 7 of 3"); }

  void received(ByteView) override {}

  void silence() override {}
};

}  // namespace meterbridge::io::test
