// SPDX-License-Identifier: MIT
// Disturbances are made bit by bit from telegrams of our own responders, and must be recognised.
#include "protocol/symptoms.hpp"

#include "dice.hpp"
#include "protocol/face.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

namespace meterbridge::protocol {
namespace {

constexpr LineSettings p1_line{115200, 8, Parity::none, 1};
constexpr LineSettings usual{9600, 8, Parity::none, 1};

// What a meter sends in some minutes; each telegram differs a little.
Bytes telegrams(const Protocol& protocol, int count, int first) {
  auto responder = protocol.responder(default_settings(protocol.settings));
  EXPECT_TRUE(responder);
  Bytes stream;
  for (int i = first; i < first + count; ++i) {
    MeterFace face;
    face.now = Seconds(std::chrono::seconds(1'700'000'000 + 10 * i));
    face.power = {Decimal(280 + 7 * i), Decimal(573 - i), Decimal(115 + 3 * i)};
    face.current = {Decimal(1250 + i, -3), Decimal(2500, -3), Decimal(500 + i, -3)};
    face.energy_import = {Decimal(1'234'560 + 13 * i), Decimal(654'320 + i)};
    (*responder)->show(face);
    const Bytes one = (*responder)->push();
    stream.insert(stream.end(), one.begin(), one.end());
  }
  return stream;
}

Conversation talk_of(std::string_view name, const LineSettings& line, Bytes heard) {
  Conversation talk;
  talk.protocol = find_protocol(name);
  talk.line = line;
  talk.serial = true;
  talk.heard = std::move(heard);
  if (talk.protocol->pushes) talk.typical = telegrams(*talk.protocol, 1, 1000);
  return talk;
}

std::string name_of(const std::optional<Symptom>& symptom) {
  return symptom ? std::string(symptom->name) : "nothing";
}

TEST(Uart, WhoHasTheSameSettingsReceivesWhatIsSent) {
  test::Dice dice(1);
  for (const LineSettings& line : usual_lines()) {
    Bytes bytes(200);
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(dice.below(line.data_bits == 7 ? 128 : 256));
    EXPECT_EQ(as_received(bytes, line, line), bytes) << line.text();
  }
}

TEST(Uart, AParityBitIsTheEighthBitOfWhoDoesNotKnowIt) {
  const Bytes odd{std::byte{0x31}};  // three bits: even parity adds one
  const LineSettings seven{9600, 7, Parity::even, 1};
  EXPECT_EQ(as_received(odd, seven, usual), Bytes{std::byte{0xb1}});
  const Bytes even{std::byte{0x33}};
  EXPECT_EQ(as_received(even, seven, usual), even);
}

TEST(Uart, NothingMakesItLoopOrGrow) {
  test::Dice dice(2);
  for (int i = 0; i < 300; ++i) {
    Bytes bytes(dice.below(60));
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(dice.below(256));
    const auto lines = usual_lines();
    const auto& from = lines[dice.below(lines.size())];
    const auto& to = lines[dice.below(lines.size())];
    const auto got = as_received(bytes, from, to, dice.below(2) == 0);
    const auto bits = (bytes.size() * 12 + 14) * to.baud / from.baud;
    EXPECT_LE(got.size(), bits / 8 + 2);
  }
}

// P1: a meter that sends at 115200, and an adapter that is set to something else.
TEST(Symptoms, AnotherSpeedIsNamedByItsBytes) {
  for (const std::string_view name : {"p1", "sml"}) {
    const Bytes sent = telegrams(*find_protocol(name), 4, 1);
    for (const LineSettings& meter : {p1_line, usual, LineSettings{19200, 8, Parity::none, 1}}) {
      for (const LineSettings& ours : {p1_line, usual, LineSettings{4800, 8, Parity::none, 1}}) {
        // Of binary telegrams too little is left when they are received too slowly.
        // And what is received far too fast is nothing but zeros, as on a line at the wrong level.
        if (ours.baud > 8 * meter.baud) continue;
        if (meter.baud == ours.baud || (name == "sml" && ours.baud < meter.baud)) continue;
        const auto symptom = symptom_of(talk_of(name, ours, as_received(sent, meter, ours)));
        EXPECT_EQ(name_of(symptom), "line")
            << name << " " << meter.text() << " read as " << ours.text();
        if (!symptom || !symptom->line) continue;
        EXPECT_EQ(symptom->line->baud, meter.baud) << name << " as " << ours.text();
        EXPECT_NE(symptom->advice.find("`baud: " + std::to_string(meter.baud) + "`"),
                  std::string::npos);
      }
    }
  }
}

TEST(Symptoms, AnInvertedLineIsNamed) {
  const Bytes sent = telegrams(*find_protocol("p1"), 4, 1);
  const auto heard = as_received(sent, p1_line, p1_line, true);
  const auto symptom = symptom_of(talk_of("p1", p1_line, heard));
  ASSERT_EQ(name_of(symptom), "inverted");
  EXPECT_NE(symptom->advice.find("inverting"), std::string::npos);
}

TEST(Symptoms, BytesThatAGatewayChangedAreNamed) {
  const Bytes sent = telegrams(*find_protocol("p1"), 1, 1);
  Bytes inverted = sent;
  Bytes parity = as_received(sent, {9600, 7, Parity::even, 1}, usual);
  for (std::byte& byte : inverted)
    byte = ~byte;
  EXPECT_EQ(name_of(symptom_of(talk_of("p1", p1_line, inverted))), "inverted");
  EXPECT_EQ(name_of(symptom_of(talk_of("p1", usual, parity))), "parity");
}

TEST(Symptoms, TelegramsOfAnotherProtocolAreNamed) {
  const Bytes sml = telegrams(*find_protocol("sml"), 2, 1);
  const auto symptom = symptom_of(talk_of("p1", usual, sml));
  ASSERT_EQ(name_of(symptom), "protocol");
  EXPECT_NE(symptom->words.find("SML"), std::string::npos) << symptom->words;
  EXPECT_EQ(name_of(symptom_of(talk_of("sml", usual, telegrams(*find_protocol("p1"), 2, 1)))),
            "protocol");
}

TEST(Symptoms, OurOwnRequestsAreAnEcho) {
  auto talk = talk_of("modbus", usual, to_bytes("\x01\x03\x02\x10 3DU"));
  talk.sent = talk.heard;
  EXPECT_EQ(name_of(symptom_of(talk)), "echo");
  talk.heard.pop_back();
  EXPECT_EQ(name_of(symptom_of(talk)), "echo");
  talk.heard.back() ^= std::byte{1};
  EXPECT_EQ(name_of(symptom_of(talk)), "nothing");
  talk.heard = to_bytes("\x01\x03");
  EXPECT_EQ(name_of(symptom_of(talk)), "nothing");
}

TEST(Symptoms, ALineAtTheWrongLevelIsNamed) {
  auto talk = talk_of("modbus", usual, Bytes(40));
  auto symptom = symptom_of(talk);
  ASSERT_EQ(name_of(symptom), "break");
  EXPECT_NE(symptom->advice.find("A and B"), std::string::npos);
  EXPECT_EQ(name_of(symptom_of(talk_of("p1", p1_line, Bytes(40)))), "break");
}

// Whoever is told something wrong is worse off than who is told nothing.
TEST(Symptoms, WhatIsRightOrOnlyNoiseIsNotGuessedAt) {
  for (const std::string_view name : {"p1", "sml"}) {
    const Bytes sent = telegrams(*find_protocol(name), 3, 1);
    for (unsigned seed = 1; seed <= 20; ++seed) {
      test::Dice dice(seed);
      Bytes flipped = sent;
      for (int i = 0; i < 12; ++i)
        flipped[dice.below(flipped.size())] ^= static_cast<std::byte>(1U << dice.below(8));
      EXPECT_EQ(guess_line(flipped, telegrams(*find_protocol(name), 1, 500), usual).has_value(),
                false)
          << name << seed;
      Bytes noise(300);
      for (std::byte& byte : noise)
        byte = static_cast<std::byte>(dice.below(256));
      EXPECT_EQ(name_of(symptom_of(talk_of(name, usual, noise))), "nothing") << name << seed;
    }
  }
  EXPECT_EQ(name_of(symptom_of(talk_of("p1", usual, {}))), "nothing");
}

}  // namespace
}  // namespace meterbridge::protocol
