// SPDX-License-Identifier: MIT
#include "protocol/p1/responder.hpp"
#include "unit/protocol/p1_support.hpp"

#include <gtest/gtest.h>

namespace {

using namespace p1_test;
using p1::Country;

constexpr std::string_view key = "00000000000000000000000000C0FFEE";

std::unique_ptr<Driver> driver(std::initializer_list<Named> named = {}) {
  auto made = p1::p1_protocol.driver(settings(named));
  return made ? *std::move(made) : nullptr;
}

// What the dialogue says until it wants to listen: "ok", or the name of an error.
std::vector<std::string> said(Dialogue& dialogue) {
  std::vector<std::string> all;
  for (int i = 0; i < 1000; ++i) {
    auto step = dialogue.next();
    if (!step) {
      all.emplace_back(name(step.error().code()));
    } else if (std::holds_alternative<step::Finished>(*step)) {
      all.emplace_back("ok");
    } else if (std::holds_alternative<step::Listen>(*step)) {
      return all;
    } else {
      all.emplace_back("unexpected step");
    }
  }
  all.emplace_back("never listens");
  return all;
}

std::vector<std::string> told(Dialogue& dialogue, std::string_view bytes) {
  dialogue.received(to_bytes(bytes));
  return said(dialogue);
}

using Words = std::vector<std::string>;
const std::string text = p1::telegram_text(Country::nl, face());

TEST(P1Dialogue, ListensAndYieldsEveryTelegramOfABlock) {
  const auto meter = driver();
  const auto dialogue = meter->begin();
  EXPECT_EQ(said(*dialogue), Words{});
  EXPECT_EQ(told(*dialogue, text + text + text.substr(0, 100)), (Words{"ok", "ok"}));
  EXPECT_EQ(told(*dialogue, text.substr(100)), Words{"ok"});
}

TEST(P1Dialogue, GoesOnAfterAnErrorWithWhatIsBuffered) {
  const auto meter = driver();
  const auto dialogue = meter->begin();
  std::string damaged = text;
  damaged[200] ^= 1;
  EXPECT_EQ(told(*dialogue, damaged + text), (Words{"checksum", "ok"}));
}

TEST(P1Dialogue, SilenceIsATimeoutAndAHalfTelegramIsTruncated) {
  const auto meter = driver({{"timeout", "12s"}});
  const auto dialogue = meter->begin();
  const auto step = dialogue->next();
  ASSERT_TRUE(step && std::holds_alternative<step::Listen>(*step));
  EXPECT_EQ(std::get<step::Listen>(*step).at_most, Milliseconds(12000));
  dialogue->silence();
  EXPECT_EQ(said(*dialogue), Words{"timeout"});
  EXPECT_EQ(told(*dialogue, text.substr(0, 300)), Words{});
  dialogue->silence();
  EXPECT_EQ(said(*dialogue), Words{"truncated"});
  EXPECT_EQ(told(*dialogue, text), Words{"ok"}) << "what came before the silence is forgotten";
}

TEST(P1Dialogue, TheDriverRemembersAcrossReopenedLinks) {
  const auto meter = driver();
  EXPECT_EQ(told(*meter->begin(), text), Words{"ok"});
  const std::string bare = text.substr(0, text.rfind('!') + 1) + "\r\n";
  EXPECT_EQ(told(*meter->begin(), bare), Words{"checksum"})
      << "the meter sends CRCs: this one lost its own";
  EXPECT_EQ(told(*driver()->begin(), bare), Words{"ok"});
}

TEST(P1Dialogue, AReplayedFrameIsRefusedAlsoAfterTheLinkWasReopened) {
  const auto meter = driver({{"key", key}});
  auto responder = p1::p1_protocol.responder(settings({{"key", key}}));
  ASSERT_TRUE(responder);
  (*responder)->show(face());
  const std::string frame = to_text((*responder)->push());
  EXPECT_EQ(told(*meter->begin(), frame), Words{"ok"});
  EXPECT_EQ(told(*meter->begin(), frame), Words{"replay"});
  EXPECT_EQ(told(*meter->begin(), to_text((*responder)->push())), Words{"ok"});
}

std::string noise_error(std::string_view bytes) {
  const auto meter = driver();
  const auto dialogue = meter->begin();
  dialogue->received(to_bytes(bytes));
  const auto step = dialogue->next();
  if (step) return "no error";
  return std::string(name(step.error().code())) + ": " + step.error().detail();
}

TEST(P22, BytesWithoutTelegramAreNamedWithAHintWhereOneIsKnown) {
  Dice dice(3);
  std::string wrong_speed;
  std::string hdlc;
  std::string sml;
  for (int i = 0; i < 5000; ++i) {
    wrong_speed += static_cast<char>(dice.below(256));
    hdlc += i % 120 == 0 ? '\x7E' : i % 120 == 1 ? '\xA8' : static_cast<char>(dice.below(256) | 1U);
    sml += i % 100 < 4 ? '\x1B' : static_cast<char>(dice.below(100) + 128);
  }
  EXPECT_NE(noise_error(wrong_speed).find("no_frame"), std::string::npos)
      << noise_error(wrong_speed);
  EXPECT_NE(noise_error(wrong_speed).find("wrong speed or parity"), std::string::npos)
      << noise_error(wrong_speed);
  EXPECT_NE(noise_error(hdlc).find("protocol dlms"), std::string::npos) << noise_error(hdlc);
  EXPECT_NE(noise_error(sml).find("protocol sml"), std::string::npos) << noise_error(sml);
  EXPECT_EQ(noise_error(std::string(4000, 'x')), "no error");
}

TEST(P22, ARunOfNoiseIsOneErrorPerFourKilobytes) {
  const auto meter = driver();
  const auto dialogue = meter->begin();
  EXPECT_EQ(told(*dialogue, std::string(10000, '?')), (Words{"no_frame", "no_frame"}));
  EXPECT_EQ(told(*dialogue, text), Words{"ok"});
}

}  // namespace
