// SPDX-License-Identifier: MIT
// Frames and their decoder.
#include "dlt645_bench.hpp"

#include <random>

namespace meterbridge::protocol::dlt645 {
namespace {

using namespace bench;

// As the program sends them that reads this meter for its author.
TEST(Dlt645, AsksAsMetersInUseAreAsked) {
  for (const auto& [code, wire] : std::vector<std::pair<const char*, const char*>>{
           {"B630", "fefefe68184784000000680102 63e9 02 16"},
           {"B611", "fefefe68184784000000680102 44e9 e3 16"},
           {"B621", "fefefe68184784000000680102 54e9 f3 16"},
           {"901F", "fefefe68184784000000680102 52c3 cb 16"},
           {"9110", "fefefe68184784000000680102 43c4 bd 16"},
           {"C012", "fefefe68184784000000680102 45f3 ee 16"},
       })
    EXPECT_EQ(to_hex(asked(code)), to_hex(hex(wire))) << code;
  EXPECT_EQ(to_hex(read_request(Version::v2007, std::nullopt, 0x00010000, 0)),
            to_hex(hex("68 aaaaaaaaaaaa 68 11 04 33333433 ae 16")));
}

TEST(Dlt645, ValuesAreStrict) {
  struct Case {
    const char* code;
    const char* payload;
    const char* status;
    const char* power;
  };

  const auto settings = settings_for(new_rows);
  for (const Case& one : {
           Case{"02030000", "342012", "ok", "12203.4"},
           Case{"02030000", "342092", "ok", "-12203.4"},
           Case{"02030000", "ffffff", "ok", ""},
           Case{"02030000", "34ff12", "malformed", ""},
           Case{"02030000", "342f12", "malformed", ""},
           Case{"02030000", "3420f2", "ok", "-72203.4"},
           Case{"02030000", "3420fa", "malformed", ""},
           Case{"02030000", "3420", "malformed", ""},
           Case{"02030000", "34201200", "malformed", ""},
           Case{"02030000", "", "malformed", ""},
           Case{"02030000", "34201200aa", "malformed", ""},
       }) {
    const auto all = decode(asked(one.code), answer(one.code, one.payload), settings);
    ASSERT_EQ(statuses(all), one.status) << one.payload;
    EXPECT_EQ(reading(all.front().telegram, "power"), one.power) << one.payload;
  }
}

TEST(Dlt645, BlocksMayBeShorterAndMayHaveAnEndMark) {
  const auto settings = settings_for(old_rows);

  struct Case {
    const char* payload;
    const char* status;
    const char* second;
  };

  for (const Case& one : {
           Case{"67452301 67009000 00453300", "ok", "3345.00"},
           Case{"67452301 67009000 00453300 aa", "ok", "3345.00"},
           Case{"67452301 67009000 00453300 00000000 aa", "ok", "3345.00"},
           Case{"67452301 67009000", "ok", ""},
           Case{"67452301 67009000 ffffffff", "ok", ""},
           Case{"67452301 67009000 00453300 16", "malformed", ""},
           Case{"67452301 67009000 0045", "malformed", ""},
           Case{"67452301 6700900a 00453300", "malformed", ""},
           Case{"aa", "malformed", ""},
           Case{"", "malformed", ""},
       }) {
    const auto all = decode(asked("901F"), answer("901F", one.payload), settings);
    ASSERT_EQ(statuses(all), one.status) << one.payload;
    EXPECT_EQ(reading(all.front().telegram, "energy_import_t2"), one.second) << one.payload;
    EXPECT_EQ(reading(all.front().telegram, "energy_import").empty(),
              std::string_view(one.status) != "ok")
        << one.payload;
  }
}

TEST(Dlt645, WhatDoesNotBelongToTheQuestionSaysWhatItIs) {
  const auto settings = settings_for(old_rows);
  const auto said = [&](const Bytes& heard) {
    const auto all = decode(asked("B611"), heard, settings);
    return statuses(all) + (all.empty() ? "" : ": " + all.back().error);
  };
  EXPECT_EQ(said(answer("B611", "3102")), "ok: ");
  EXPECT_EQ(said(answer("B611", "3102", 844719)),
            "mismatch: an answer of the address 000000844719, asked was 000000844718");
  EXPECT_EQ(said(answer("B612", "3102")), "mismatch: an answer to B612, asked was B611");
  EXPECT_EQ(said(answer("02010100", "3102")), "mismatch: an answer to 02010100, asked was B611");
  EXPECT_EQ(said(make_frame(844718, 0xC1, hex("02"))),
            "exception: the meter refuses: it has no such value");
  EXPECT_EQ(said(make_frame(844718, 0xC1, hex("04"))),
            "exception: the meter refuses: it wants a password");
  EXPECT_EQ(said(make_frame(844718, 0xC1, hex("40"))), "exception: the meter refuses: error 40");
  EXPECT_EQ(said(make_frame(844718, 0xC1, {})),
            "exception: the meter refuses, and does not say why");
  EXPECT_EQ(said(make_frame(844718, 0xA1, hex("11b63102"))),
            "unsupported: the answer to B611 comes in several frames, which are not read: ask for "
            "its parts one by one");
  EXPECT_EQ(said(make_frame(844718, 0x84, hex("11b63102"))),
            "mismatch: an answer to another command (control 84), not to a read");
  EXPECT_EQ(said(make_frame(844718, 0x81, hex("11"))),
            "malformed: an answer too short for the code of a value");
  EXPECT_EQ(said(Bytes(asked("B611"))), "mismatch: the echo of the request");
  EXPECT_EQ(said(Bytes(5, std::byte{0xFE})), "");  // nothing but a line that wakes up
}

// The check is a sum: it finds every flipped bit, and no two that cancel out.
TEST(Dlt645, NoCutAndNoFlippedBitGivesAValue) {
  const auto settings = settings_for(old_rows);
  const Bytes request = asked("901F");
  const Bytes whole = answer("901F", "67452301 67009000 00453300");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto all = decode(
        request, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), settings);
    EXPECT_EQ(statuses(all), size > 1 ? "truncated" : "") << size;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes broken = whole;
    broken[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    for (const Decoded& one : decode(request, broken, settings)) {
      EXPECT_FALSE(one.ok()) << bit;
      EXPECT_EQ(test::reading_count(one.telegram), 0U) << bit;
    }
  }
  // Two flips that the sum does not see: what they make is no other meter's, no other value's, and
  // has decimal digits only.
  std::mt19937 dice(645);
  std::size_t passed = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes broken = whole;
    const std::size_t at = 1 + dice() % (whole.size() - 3);
    const std::uint8_t by = static_cast<std::uint8_t>(1 + dice() % 255);
    const std::size_t other = 1 + dice() % (whole.size() - 3);
    broken[at] = static_cast<std::byte>((u8(broken[at]) + by) & 0xFFU);
    broken[other] = static_cast<std::byte>((u8(broken[other]) - by) & 0xFFU);
    if (broken == whole) continue;
    for (const Decoded& one : decode(request, broken, settings)) {
      if (!one.ok()) continue;
      ++passed;
      EXPECT_TRUE(std::equal(broken.begin(), broken.begin() + 12, whole.begin()));
    }
  }
  EXPECT_GT(passed, 10U);  // so much a sum can do
}

TEST(Dlt645, EveryCutOfTheStreamGivesTheSame) {
  Bytes noise = hex("fefe 00 68 aa fefe");
  const Bytes whole = answer("B611", "3102");
  noise.insert(noise.end(), whole.begin(), whole.end());
  for (std::size_t size = 0; size < noise.size(); ++size)
    EXPECT_EQ(find_frame(ByteView(noise).first(size)).frame, 0U);
  const Cut cut = find_frame(noise);
  EXPECT_EQ(cut.frame, whole.size());
  EXPECT_EQ(cut.drop, noise.size() - whole.size());
  Bytes twice = noise;
  twice.insert(twice.end(), noise.begin(), noise.end());
  EXPECT_EQ(find_frame(twice).drop, cut.drop);
}

// There is no other maker of requests, and it knows no other command.
TEST(Dlt645, OnlyReadsAreSent) {
  for (const Version version : {Version::v1997, Version::v2007}) {
    for (std::uint32_t code = 0; code < 0x10000; code += 7) {
      const Bytes wire = read_request(version, code, code, 2);
      const auto frame = parse_frame(ByteView(wire).subspan(2));
      ASSERT_TRUE(frame);
      EXPECT_EQ(frame->control, version == Version::v1997 ? 0x01 : 0x11);
      EXPECT_EQ(frame->data.size(), code_length(version));
    }
  }
}

}  // namespace
}  // namespace meterbridge::protocol::dlt645
