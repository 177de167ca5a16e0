// SPDX-License-Identifier: MIT
#include "protocol/p1/cipher.hpp"
#include "protocol/p1/responder.hpp"
#include "unit/protocol/p1_support.hpp"

#include <gtest/gtest.h>

namespace {

using namespace p1_test;
using p1::Country;

constexpr std::string_view key = "00000000000000000000000000C0FFEE";
constexpr std::string_view other_key = "00000000000000000000000000C0FFEF";
constexpr std::string_view auth_key = "0102030405060708090A0B0C0D0E0F10";
constexpr std::string_view title = "MBRTEST1";

Bytes bytes_of(std::string_view hex) {
  auto bytes = from_hex(hex);
  return bytes ? *bytes : Bytes();
}

std::string frame(std::string_view text, std::uint32_t counter,
                  const std::optional<Bytes>& authentication = p1::default_authentication_key(),
                  std::string_view with_key = key) {
  auto made = p1::encrypt_frame(text, bytes_of(with_key), authentication, title, counter);
  return made ? to_text(*made) : std::string();
}

const std::string text = p1::telegram_text(Country::lu, face());

Status status(const std::string& stream, std::initializer_list<Named> named) {
  const auto found = decode(stream, named);
  return found.size() == 1 ? found[0].status : Status::mismatch;
}

TEST(P1Cipher, EncryptedAndDecryptedIsTheSameTelegram) {
  const auto found = decode(frame(text, 1), {{"key", key}});
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
  EXPECT_EQ(telegram_json(found[0].telegram), telegram_json(decode(text)[0].telegram));
}

TEST(P1Cipher, ShortFramesUseTheShortLengthForms) {
  for (const std::size_t lines : {1U, 3U, 12U}) {
    std::string small = "/ABC5X\r\n\r\n";
    for (std::size_t i = 0; i < lines; ++i)
      small += "1-0:" + std::to_string(i + 1) + ".8.0(1*kWh)\r\n";
    small += "!\r\n";
    EXPECT_EQ(status(frame(small, 1), {{"key", key}}), Status::ok) << small.size();
  }
}

TEST(P23, AuthenticationFailureAndDecryptedButUnknownAreTwoFaults) {
  EXPECT_EQ(status(frame(text, 1), {}), Status::key);
  EXPECT_EQ(status(frame(text, 1), {{"key", other_key}}), Status::authentication);
  // Without a tag nothing but the plaintext tells.
  EXPECT_EQ(status(frame(text, 1, std::nullopt), {{"key", other_key}}), Status::key);
  EXPECT_EQ(status(frame("\x0F hello, I am an APDU", 1), {{"key", key}}), Status::unsupported);
}

TEST(P23, TenRefusedTagsInARowAskForTheKey) {
  std::string stream;
  for (std::uint32_t i = 1; i <= 12; ++i)
    stream += frame(text, i);
  const auto found = decode(stream, {{"key", other_key}});
  ASSERT_EQ(found.size(), 12U);
  EXPECT_EQ(found[8].error.find("wrong key?"), std::string::npos);
  EXPECT_NE(found[9].error.find("wrong key?"), std::string::npos);
}

TEST(P23, NoMessageEverShowsAKey) {
  for (const auto& stream : {frame(text, 1), frame(text, 1, std::nullopt), text.substr(0, 100)}) {
    for (const auto& decoded : decode(stream, {{"key", other_key}, {"auth_key", auth_key}})) {
      const std::string told = lower(decoded_json(decoded));
      EXPECT_EQ(told.find("c0ffe"), std::string::npos) << told;
      EXPECT_EQ(told.find("01020304"), std::string::npos) << told;
    }
  }
  SettingValues wrong = settings({{"key", key}});
  wrong.set("auth_key", Secret("deadbeef"));
  const auto driver = p1::p1_protocol.driver(wrong);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().detail().find("deadbeef"), std::string::npos);
  EXPECT_NE(driver.error().detail().find("auth_key"), std::string::npos);
}

TEST(P24, WithAndWithoutAuthenticationKey) {
  const Bytes own = bytes_of(auth_key);
  EXPECT_EQ(status(frame(text, 1, own), {{"key", key}, {"auth_key", auth_key}}), Status::ok);
  EXPECT_EQ(status(frame(text, 1, own), {{"key", key}}), Status::authentication);
  EXPECT_EQ(status(frame(text, 1, Bytes()), {{"key", key}, {"auth_key", "none"}}), Status::ok);
  EXPECT_EQ(status(frame(text, 1, Bytes()), {{"key", key}}),
            Status::ok);  // the usual key, then none
  EXPECT_EQ(status(frame(text, 1), {{"key", key}, {"auth_key", "none"}}), Status::authentication);
}

TEST(P24, TheSecurityByteDecides) {
  EXPECT_EQ(status(frame(text, 1, std::nullopt), {{"key", key}}), Status::ok);
  std::string damaged = text;
  damaged[60] ^= 1;
  EXPECT_EQ(status(frame(damaged, 1, std::nullopt), {{"key", key}}), Status::checksum);
  EXPECT_EQ(status(frame(damaged, 1), {{"key", key}}), Status::ok)
      << "the tag decides, not the inner CRC";
}

// Without a tag nothing proves the text but its own CRC.
TEST(P24, WithoutATagTheTextIsCheckedAsAPlainTelegramIs) {
  const std::string good = body("ABC5X", {"1-0:1.8.1(1.5*kWh)", "1-0:1.8.2(2.5*kWh)"});
  const std::string bad = body("ABC5X", {"1-0:1.8.1(1.5*kWh)", "1-0?1.8.2(2.5*kWh)"});
  const auto bare = decode(frame(bad + "\r\n", 1, std::nullopt), {{"key", key}});
  ASSERT_EQ(statuses(bare), std::vector<Status>{Status::ok});
  EXPECT_EQ(reading(bare[0].telegram, "energy_import_t1"), "1.5");
  EXPECT_EQ(reading(bare[0].telegram, "energy_import"), "") << "a sum of a text nobody proved";
  const auto proved = decode(frame(bad + crc_line(bad), 1, std::nullopt), {{"key", key}});
  EXPECT_EQ(reading(proved[0].telegram, "energy_import"), "1.5");
  // Once it sent a CRC, one without is damaged.
  EXPECT_EQ(statuses(decode(frame(good + crc_line(good), 1, std::nullopt) +
                                frame(good + "\r\n", 2, std::nullopt),
                            {{"key", key}})),
            (std::vector<Status>{Status::ok, Status::checksum}));
  const std::string x25 = frame(good + crc_line(good, protocol::Crc16::Kind::x25), 1, std::nullopt);
  EXPECT_EQ(status(x25, {{"key", key}}), Status::checksum);
  EXPECT_EQ(status(x25, {{"key", key}, {"crc", "x25"}}), Status::ok);
  EXPECT_EQ(status(frame("/ABC5X\r\n\r\n!\r\n", 1, std::nullopt), {{"key", key}}), Status::key);
}

TEST(P24, AnUnknownSuiteIsNamed) {
  std::string other_suite = frame(text, 1);
  other_suite[2 + 8 + 3] = '\x31';
  const auto found = decode(other_suite + frame(text, 2), {{"key", key}});
  ASSERT_EQ(statuses(found), (std::vector<Status>{Status::unsupported, Status::ok}));
  EXPECT_NE(found[0].error.find("security control 31"), std::string::npos);
}

TEST(P24, AnEmptyLineBeforeTheHeaderIsSkipped) {
  const auto expected = telegram_json(decode(text)[0].telegram);
  for (const std::string_view before : {"\r\n", "\n", "\r\n\r\n"}) {
    const auto found = decode(frame(std::string(before) + text, 1), {{"key", key}});
    ASSERT_EQ(statuses(found), std::vector<Status>{Status::ok});
    EXPECT_EQ(telegram_json(found[0].telegram), expected);
    EXPECT_EQ(status(frame(std::string(before) + text, 1, std::nullopt), {{"key", key}}),
              Status::ok);
  }
}

TEST(P24, AnUnsupportedCombinationIsNamed) {
  std::string only_authenticated = frame(text, 1);
  only_authenticated[2 + 8 + 3] = '\x10';
  const auto found = decode(only_authenticated, {{"key", key}});
  ASSERT_EQ(statuses(found), std::vector<Status>{Status::unsupported});
  EXPECT_NE(found[0].error.find("security control 10"), std::string::npos);
}

TEST(P24, TheSystemTitleMayBeConfigured) {
  std::string untitled = frame(text, 1);
  untitled.erase(2, title.size());
  untitled[1] = '\0';
  EXPECT_EQ(status(untitled, {{"key", key}}), Status::key);
  EXPECT_EQ(status(untitled, {{"key", key}, {"system_title", "4D42525445535431"}}), Status::ok);
}

TEST(P1Cipher, ARepeatedOrLowerCounterIsAReplay) {
  const auto found =
      decode(frame(text, 10) + frame(text, 10) + frame(text, 9) + frame(text, 11), {{"key", key}});
  const std::vector<Status> expected = {Status::ok, Status::replay, Status::replay, Status::ok};
  EXPECT_EQ(statuses(found), expected);
}

TEST(P1Cipher, ACounterThatBeganAgainIsBelievedAfterThreeInARow) {
  const auto found =
      decode(frame(text, 1000) + frame(text, 1) + frame(text, 2) + frame(text, 3) + frame(text, 4),
             {{"key", key}});
  const std::vector<Status> expected = {Status::ok, Status::replay, Status::replay, Status::ok,
                                        Status::ok};
  EXPECT_EQ(statuses(found), expected);
}

}  // namespace
