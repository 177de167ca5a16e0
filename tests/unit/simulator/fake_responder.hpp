// SPDX-License-Identifier: MIT
// A meter for tests: answers every line of text with its registers as text.
#pragma once

#include "protocol/responder.hpp"

#include <string>

namespace meterbridge::simulator {

class FakeResponder final : public protocol::Responder {
 public:
  explicit FakeResponder(std::string address) : address_(std::move(address)) {}

  void show(const protocol::MeterFace& face) override { face_ = face; }

  void misbehave(const protocol::Mischief& mischief) override { mischief_ = mischief; }

  // "A?\n" is answered with "A 123.456\n" when A is our address.
  std::vector<Bytes> received(ByteView bytes) override {
    std::vector<Bytes> answers;
    for (std::byte b : bytes) {
      const char c = static_cast<char>(b);
      if (c != '\n') {
        line_ += c;
        continue;
      }
      if (line_ == address_ + "?") answers.push_back(text());
      line_.clear();
    }
    return answers;
  }

  Bytes push() override { return text(); }

 private:
  [[nodiscard]] Bytes text() const {
    std::string from = mischief_.foreign ? "foreign" : address_;
    if (mischief_.wrong_key) from += "(key)";
    return to_bytes(from + " " + face_.energy_import[0].str() + "\n");
  }

  std::string address_;
  std::string line_;
  protocol::MeterFace face_;
  protocol::Mischief mischief_;
};

}  // namespace meterbridge::simulator
