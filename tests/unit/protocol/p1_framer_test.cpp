// SPDX-License-Identifier: MIT
#include "protocol/p1/receiver.hpp"
#include "protocol/p1/responder.hpp"
#include "protocol/p1/settings.hpp"
#include "unit/protocol/p1_support.hpp"

#include <algorithm>
#include <bit>

#include <gtest/gtest.h>

namespace {

using namespace p1_test;
using p1::Country;

const std::string dutch = p1::telegram_text(Country::nl, face());
const std::string old_dutch = telegram_without_crc(
    "ISk5\\2MT382-1003",
    {"0-0:96.1.1(5A424556303030303031323334353637)", "1-0:1.8.1(16719.940*kWh)",
     "1-0:1.8.2(19403.220*kWh)", "1-0:1.7.0(0000.89*kW)"});

constexpr std::string_view key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

std::string encrypted(Country country, std::uint32_t counter) {
  Bytes cipher_key(16, std::byte{0xAA});
  auto frame = p1::encrypt_frame(p1::telegram_text(country, face()), cipher_key,
                                 p1::default_authentication_key(), "MBRTEST1", counter);
  return frame ? to_text(*frame) : std::string();
}

std::string with_parity(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::popcount(byte) % 2 != 0) c = static_cast<char>(byte | 0x80U);
  }
  return text;
}

std::string without(std::string text, char unwanted) {
  std::erase(text, unwanted);
  return text;
}

// A stream with everything that may happen on a line.
std::string wild_stream() {
  std::string damaged = dutch;
  damaged[300] = static_cast<char>(damaged[300] ^ 4);
  return dutch.substr(200) + dutch + damaged + "\xFF!\x01/\x80\r\n!/x\n" + dutch +
         dutch.substr(0, 350) + dutch + encrypted(Country::lu, 7) +
         encrypted(Country::lu, 8).substr(0, 300) + encrypted(Country::lu, 9) +
         p1::telegram_text(Country::hu, face()) + dutch.substr(0, 120);
}

std::vector<std::string> in_blocks(const std::string& stream, Dice& dice) {
  auto settings = p1::read_settings(p1_test::settings({{"key", key}}));
  settings->options.one_meter = false;
  p1::Memory memory;
  p1::Cipher cipher(std::move(settings->keys));
  p1::Receiver receiver(settings->options, memory, cipher);
  std::vector<std::string> found;
  const auto drain = [&] {
    while (const auto decoded = receiver.next()) {
      found.push_back(decoded_json(*decoded));
    }
  };
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t size =
        std::min(1 + dice.below(dice.below(4) == 0 ? 2000 : 60), stream.size() - at);
    receiver.push(to_bytes(std::string_view(stream).substr(at, size)));
    at += size;
    drain();
  }
  receiver.finish();
  drain();
  return found;
}

TEST(P1Framer, YieldsTheSameTelegramsHoweverTheStreamIsCut) {
  const std::string stream = wild_stream();
  const auto whole = as_json(decode(stream, {{"key", key}}));
  ASSERT_GE(whole.size(), 10U);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Dice dice(seed);
    ASSERT_EQ(in_blocks(stream, dice), whole) << "seed " << seed;
  }
}

TEST(P1Framer, YieldsTheSameTelegramsByteByByte) {
  const std::string stream = wild_stream();
  auto settings = p1::read_settings(p1_test::settings({{"key", key}}));
  settings->options.one_meter = false;
  p1::Memory memory;
  p1::Cipher cipher(std::move(settings->keys));
  p1::Receiver receiver(settings->options, memory, cipher);
  std::vector<std::string> found;
  for (const char c : stream) {
    receiver.push(to_bytes(std::string_view(&c, 1)));
    while (const auto decoded = receiver.next()) {
      found.push_back(decoded_json(*decoded));
    }
  }
  receiver.finish();
  while (const auto decoded = receiver.next()) {
    found.push_back(decoded_json(*decoded));
  }
  EXPECT_EQ(found, as_json(decode(stream, {{"key", key}})));
}

TEST(P1Framer, FindsTheGoodTelegramsOfAWildStream) {
  const auto found = decode(wild_stream(), {{"key", key}});
  const std::vector<Status> expected = {
      Status::ok, Status::checksum,       Status::ok, Status::truncated, Status::ok,
      Status::ok, Status::authentication, Status::ok, Status::ok,        Status::truncated};
  EXPECT_EQ(statuses(found), expected);
}

TEST(P1Framer, GivesOffsetsAndLengthsOfTheStream) {
  const auto found = decode("noise\r\n" + dutch + dutch);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].offset, 7U);
  EXPECT_EQ(found[0].length, dutch.size());
  EXPECT_EQ(found[1].offset, 7U + dutch.size());
}

// Where the telegram carries a check, no flipped bit may change what is read.
TEST(P1Framer, AnyFlippedBitIsDetectedOrChangesNothing) {
  const auto good = decode(dutch);
  ASSERT_EQ(statuses(good), std::vector<Status>{Status::ok});
  const std::string told = telegram_json(good[0].telegram);
  for (std::size_t at = 0; at < dutch.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = dutch;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      for (const Decoded& decoded : decode(damaged)) {
        if (!decoded.ok()) continue;
        ASSERT_EQ(telegram_json(decoded.telegram), told) << "byte " << at << " bit " << bit;
      }
    }
  }
}

TEST(P1Framer, AnyFlippedBitOfAnEncryptedFrameIsDetected) {
  const std::string frame = encrypted(Country::lu, 77);
  ASSERT_EQ(statuses(decode(frame, {{"key", key}})), std::vector<Status>{Status::ok});
  for (std::size_t at = 0; at < frame.size(); ++at) {
    std::string damaged = frame;
    damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << (at % 8)));
    for (const Decoded& decoded : decode(damaged, {{"key", key}})) {
      ASSERT_FALSE(decoded.ok()) << "byte " << at;
    }
  }
}

TEST(P1Framer, AFlippedBitNeverCostsTheNextTelegram) {
  for (std::size_t at = 0; at < dutch.size(); at += 3) {
    std::string damaged = dutch;
    damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ 0x10U);
    const auto found = decode(damaged + dutch);
    ASSERT_FALSE(found.empty()) << at;
    ASSERT_TRUE(found.back().ok()) << at << " " << found.back().error;
    ASSERT_EQ(found.back().offset, damaged.size()) << at;
  }
}

TEST(P1Framer, ATelegramCutAnywhereNeverCostsTheNextOne) {
  for (const std::string& text : {dutch, old_dutch}) {
    for (std::size_t length = 1; length < text.size(); ++length) {
      const auto found = decode(text.substr(0, length) + text);
      ASSERT_FALSE(found.empty());
      // Without check sum the first part is indistinguishable once its exclamation mark came.
      ASSERT_TRUE(found.back().ok()) << length << " " << found.back().error;
      ASSERT_EQ(found.back().telegram.items.size(), decode(text)[0].telegram.items.size())
          << length;
      ASSERT_EQ(found.back().offset, length) << length;
    }
  }
}

TEST(P1Framer, AnEncryptedFrameCutAnywhereNeverCostsTheNextOne) {
  const std::string first = encrypted(Country::lu, 1);
  const std::string second = encrypted(Country::lu, 2);
  for (std::size_t length = 1; length < first.size(); length += 7) {
    const auto found = decode(first.substr(0, length) + second, {{"key", key}});
    ASSERT_FALSE(found.empty());
    ASSERT_TRUE(found.back().ok()) << length << " " << found.back().error;
  }
}

TEST(P1Framer, RepairsTelegramsWhoseReturnsATtyTookAway) {
  EXPECT_EQ(statuses(decode(without(dutch, '\r'))), std::vector<Status>{Status::ok});
  std::string mapped = dutch;
  std::replace(mapped.begin(), mapped.end(), '\r', '\n');
  EXPECT_EQ(statuses(decode(mapped)), std::vector<Status>{Status::ok});
}

TEST(P1Framer, ARepairedTelegramIsStillChecked) {
  std::string damaged = without(dutch, '\r');
  damaged[100] = '7';
  EXPECT_EQ(statuses(decode(damaged)), std::vector<Status>{Status::checksum});
}

TEST(P1Framer, AcceptsAMissingLeadingZeroAndLowerCaseInTheCrc) {
  int shortened = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string text = body("ABC5TEST", {"1-0:1.8.0(" + std::to_string(i) + "*kWh)"});
    std::string crc = crc_line(text);
    std::string small = crc;
    for (char& c : small)
      c = static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c);
    ASSERT_EQ(statuses(decode(text + small)), std::vector<Status>{Status::ok});
    if (crc.front() != '0') continue;
    ++shortened;
    crc.erase(0, crc.find_first_not_of('0'));
    ASSERT_EQ(statuses(decode(text + crc)), std::vector<Status>{Status::ok});
  }
  EXPECT_GT(shortened, 3);
}

TEST(P1Framer, ADamagedCrcIsNeverTakenForAnAbsentOne) {
  const std::string text = body("ABC5TEST", {"1-0:1.8.0(000001.000*kWh)"});
  for (const std::string_view check :
       {"12G4\r\n", " \x01\r\n", "-\r\n", "12345\r\n", "....\r\n", "\x8D\r\n"}) {
    EXPECT_EQ(statuses(decode(text + std::string(check))), std::vector<Status>{Status::checksum})
        << check;
  }
}

TEST(P1Framer, AStreamThatEndsInsideTheCheckIsTruncated) {
  const std::size_t mark = dutch.rfind('!');
  for (std::size_t digits = 0; digits < 4; ++digits) {
    const std::string cut = dutch.substr(0, mark + 1 + digits);
    EXPECT_EQ(statuses(decode(cut)), std::vector<Status>{Status::truncated}) << digits;
    EXPECT_EQ(statuses(decode(dutch + cut)), (std::vector<Status>{Status::ok, Status::truncated}));
  }
  EXPECT_EQ(statuses(decode(dutch.substr(0, mark + 5))), std::vector<Status>{Status::ok});
  std::string damaged = dutch.substr(0, mark + 5);
  damaged[200] = static_cast<char>(damaged[200] ^ 1);
  EXPECT_EQ(statuses(decode(damaged)), std::vector<Status>{Status::checksum});
}

TEST(P1Framer, ATrimmedCaptureOfAMeterOlderThanCheckSumsIsRead) {
  const std::string trimmed = old_dutch.substr(0, old_dutch.size() - 2);
  EXPECT_EQ(statuses(decode(trimmed)), std::vector<Status>{Status::ok});
  // Not when a telegram of the same meter had a CRC.
  const std::string checked = trimmed + crc_line(trimmed);
  EXPECT_EQ(statuses(decode(checked + trimmed)),
            (std::vector<Status>{Status::ok, Status::truncated}));
}

// What looks like the head of an encrypted frame may be noise before plain telegrams.
TEST(P1Framer, NoiseLikeAnEncryptedFrameCostsNoPlainTelegram) {
  using namespace std::string_literals;
  std::string stream;
  for (int i = 0; i < 12; ++i)
    stream += dutch;
  for (const std::string& noise :
       {"\xDB\x08"s + "ABCDEFGH" + "\x82\x03\x00\x30"s,
        "\xDB\x08"s + "ABCDEFGH" + "\x82\x03\x00\x00"s,
        "\xDB\x08"s + "ABCDEFGH" + "\x82\x03\x00\x31"s,
        "\xDB\x08"s + "ABCDEFGH" + "\x82\x03\x00\x20"s,
        "\xDB\x08"s + "ABCDEFGH" + "\x82\x1F\x00\x30"s, "\xDB\x08"s + "ABCDEFGH" + "\x0A\x30"s,
        "\xDB\x00\x82\x03\x00\x30"s}) {
    for (const std::string_view end : {"", "\r\n"}) {
      for (const bool with_key : {false, true}) {
        const std::string all = noise + std::string(end) + stream;
        const auto found = with_key ? decode(all, {{"key", key}}) : decode(all);
        std::size_t good = 0;
        for (const Decoded& decoded : found) {
          good += decoded.ok() ? 1 : 0;
          EXPECT_NE(decoded.status, Status::key) << decoded.error;
          EXPECT_NE(decoded.status, Status::authentication) << decoded.error;
        }
        EXPECT_EQ(good, 12U) << to_hex_upper(to_bytes(noise)) << with_key;
      }
    }
  }
}

TEST(P1Framer, ABeginningAtTheEndOfTheStreamIsTruncated) {
  using namespace std::string_literals;
  for (const std::string& start : {"/XMX"s, "/XMX5LGBBF"s, "\xDB\x08M"s, "\xDB\x08MBRTEST1\x82"s}) {
    const auto found = decode(dutch + start);
    ASSERT_EQ(statuses(found), (std::vector<Status>{Status::ok, Status::truncated})) << start;
    EXPECT_EQ(found[1].offset, dutch.size());
    EXPECT_EQ(found[1].length, start.size());
  }
  for (const std::string& start : {"/"s, "/XM"s, "/12"s, "\xDB"s, "\xDB\x08"s, "x/XMX5"s}) {
    EXPECT_EQ(statuses(decode(dutch + start)), std::vector<Status>{Status::ok}) << start;
  }
}

TEST(P1Framer, ATelegramWithoutCrcIsDamagedOnceTheMeterSentOne) {
  const std::string text = body("ABC5TEST", {"1-0:1.8.0(000001.000*kWh)"});
  const auto found = decode(text + "\r\n" + text + crc_line(text) + text + "\r\n");
  const std::vector<Status> expected = {Status::ok, Status::ok, Status::checksum};
  EXPECT_EQ(statuses(found), expected);
  // Another meter in the same capture is judged for itself.
  EXPECT_EQ(decode(text + crc_line(text) + old_dutch).back().status, Status::ok);
}

TEST(P1Framer, TheErrorNamesBothCrcs) {
  const auto found = decode(body("ABC5TEST", {"1-0:1.8.0(000001.000*kWh)"}) + "1234\r\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].error.substr(0, 7), "CRC is ");
  EXPECT_NE(found[0].error.find("the telegram says 1234"), std::string::npos);
}

TEST(P1Framer, ChecksCanBeSwitchedOffOrReplaced) {
  const std::string text = body("HLY5\\D545-METER", {"1-0:1.8.0(000001.000*kWh)"});
  EXPECT_EQ(decode(text + "1234\r\n", {{"crc", "off"}})[0].status, Status::ok);
  const std::string x25 = text + crc_line(text, protocol::Crc16::Kind::x25);
  EXPECT_EQ(decode(x25)[0].status, Status::checksum);
  EXPECT_EQ(decode(x25, {{"crc", "x25"}})[0].status, Status::ok);
}

TEST(P1Framer, KnowsTheCheckValuesOfBothPolynomials) {
  EXPECT_EQ(protocol::crc16("123456789"), 0xBB3D);
  EXPECT_EQ(protocol::crc16("123456789", protocol::Crc16::Kind::modbus), 0x4B37);
  EXPECT_EQ(protocol::crc16("123456789", protocol::Crc16::Kind::x25), 0x906E);
}

TEST(P1Framer, TwoMashedTelegramsWithoutCrcAreNotMixed) {
  const auto found = decode(old_dutch.substr(0, 70) + old_dutch);
  const std::vector<Status> expected = {Status::truncated, Status::ok};
  EXPECT_EQ(statuses(found), expected);
}

TEST(P1Framer, ASlashInsideTheHeaderBeginsNoTelegram) {
  const auto found = decode(telegram("HLY5/D545-METER", {"1-0:1.8.0(000001.000*kWh)"}));
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
  EXPECT_EQ(found[0].telegram.identification, "HLY5/D545-METER");
  EXPECT_EQ(
      statuses(decode(telegram_without_crc("HLY5/DTSD-METER", {"1-0:1.8.0(000001.000*kWh)"}))),
      std::vector<Status>{Status::ok});
}

TEST(P1Framer, ALineFeedBeforeTheSlashIsSkipped) {
  const auto found = decode("\n" + telegram("CTA5ZIV-METER", {"1-0:1.8.1(000001.000*kWh)"}));
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
  EXPECT_EQ(found[0].offset, 1U);
}

TEST(P1Framer, GivesUpATelegramWithoutEndAndGoesOn) {
  std::string endless = "/ABC5TEST\r\n\r\n";
  while (endless.size() < p1::Framer::longest) {
    endless += "1-0:1.8.0(000001.000*kWh)\r\n";
  }
  const auto found = decode(endless + dutch);
  const std::vector<Status> expected = {Status::malformed, Status::ok};
  EXPECT_EQ(statuses(found), expected);
}

TEST(P1Framer, ReadsA7E1TelegramThatCameAs8N1) {
  const auto plain = decode(old_dutch);
  const auto found = decode(with_parity(old_dutch + old_dutch));
  const std::vector<Status> expected = {Status::ok, Status::ok};
  ASSERT_EQ(statuses(found), expected);
  EXPECT_EQ(telegram_json(found[0].telegram), telegram_json(plain[0].telegram));
  EXPECT_EQ(decode(with_parity(old_dutch), {{"seven_bit", "true"}})[0].status, Status::ok);
}

TEST(P1Framer, AWrongParityBitIsAWrongCheckSum) {
  std::string damaged = with_parity(old_dutch);
  damaged[80] = static_cast<char>(static_cast<unsigned char>(damaged[80]) ^ 2U);
  EXPECT_EQ(statuses(decode(damaged)), std::vector<Status>{Status::checksum});
}

TEST(P1Framer, AnUnfinishedTelegramAtTheEndIsTruncated) {
  const auto found = decode(dutch.substr(0, 400));
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::truncated});
  EXPECT_EQ(found[0].length, 400U);
  EXPECT_EQ(statuses(decode(encrypted(Country::lu, 1).substr(0, 400), {{"key", key}})),
            std::vector<Status>{Status::truncated});
}

TEST(P1Framer, NoiseAloneIsNoTelegram) {
  Dice dice(5);
  std::string noise;
  for (int i = 0; i < 20000; ++i)
    noise += static_cast<char>(dice.below(256));
  for (const Decoded& decoded : decode(noise))
    EXPECT_FALSE(decoded.ok());
  EXPECT_TRUE(decode("").empty());
}

}  // namespace
