// SPDX-License-Identifier: MIT
#include "core/bytes.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using namespace meterbridge;

namespace {

Bytes random_bytes(std::mt19937& random, std::size_t size) {
  Bytes bytes(size);
  for (std::byte& b : bytes)
    b = static_cast<std::byte>(random());
  return bytes;
}

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values)
    bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace

TEST(Hex, SurvivesTheWayThereAndBack) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes original = random_bytes(random, size);
    const auto small = from_hex(to_hex(original));
    const auto large = from_hex(to_hex_upper(original));
    ASSERT_TRUE(small && large);
    EXPECT_EQ(*small, original);
    EXPECT_EQ(*large, original);
  }
  EXPECT_EQ(to_hex(bytes_of({0xDB, 0x08})), "db08");
  EXPECT_EQ(to_hex_upper(bytes_of({0xDB, 0x08})), "DB08");
}

TEST(Hex, IgnoresWhiteSpaceBetweenDigits) {
  const auto bytes = from_hex(" db\t0\n8\r\n ");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, bytes_of({0xDB, 0x08}));
  ASSERT_TRUE(from_hex(""));
  EXPECT_TRUE(from_hex("")->empty());
}

TEST(Hex, NamesThePlaceOfTheFirstWrongCharacter) {
  const auto wrong = from_hex("00 1g");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), Errc::malformed);
  EXPECT_NE(wrong.error().detail().find("character 5"), std::string::npos)
      << wrong.error().detail();
  const auto odd = from_hex("00 1");
  ASSERT_FALSE(odd);
  EXPECT_NE(odd.error().detail().find("character 4"), std::string::npos) << odd.error().detail();
}

TEST(Bytes, CopyTextByteForByte) {
  std::mt19937 random(2);
  const Bytes original = random_bytes(random, 512);
  EXPECT_EQ(to_bytes(to_text(original)), original);
  EXPECT_EQ(to_text(bytes_of({0x41, 0x00, 0xFF})), std::string("A\0\xFF", 3));
}

TEST(ByteReader, ReadsNumbersInBothOrders) {
  const Bytes bytes = bytes_of({1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(ByteReader(bytes).little(2), 0x0201U);
  EXPECT_EQ(ByteReader(bytes).big(2), 0x0102U);
  EXPECT_EQ(ByteReader(bytes).big(3), 0x010203U);
  EXPECT_EQ(ByteReader(bytes).little(8), 0x0807060504030201U);
  EXPECT_EQ(ByteReader(bytes).big(8), 0x0102030405060708U);
}

TEST(ByteReader, AgreesWithItselfReversed) {
  std::mt19937 random(3);
  for (std::size_t size = 1; size <= 8; ++size) {
    const Bytes bytes = random_bytes(random, size);
    const Bytes reversed(bytes.rbegin(), bytes.rend());
    EXPECT_EQ(ByteReader(bytes).little(size), ByteReader(reversed).big(size));
  }
}

TEST(ByteReader, ReadsNothingAndMovesNowhereBeyondTheEnd) {
  const Bytes bytes = bytes_of({1, 2, 3});
  ByteReader reader(bytes);
  EXPECT_FALSE(reader.little(4));
  EXPECT_FALSE(reader.big(4));
  EXPECT_FALSE(reader.take(4));
  EXPECT_FALSE(reader.little(0));
  EXPECT_FALSE(reader.big(9));
  EXPECT_FALSE(reader.take(SIZE_MAX));
  EXPECT_EQ(reader.position(), 0U);
  EXPECT_EQ(reader.left(), 3U);
  EXPECT_EQ(reader.u8(), 1);
  ASSERT_TRUE(reader.take(2));
  EXPECT_EQ(reader.left(), 0U);
  EXPECT_FALSE(reader.u8());
  EXPECT_FALSE(reader.bcd());
  ASSERT_TRUE(reader.take(0));
  EXPECT_EQ(reader.position(), 3U);
}

TEST(ByteReader, ReadsPackedDigitsOnly) {
  for (int value = 0; value < 256; ++value) {
    const Bytes bytes = bytes_of({value});
    ByteReader reader(bytes);
    const auto digits = reader.bcd();
    if (value / 16 > 9 || value % 16 > 9) {
      EXPECT_FALSE(digits) << value;
      EXPECT_EQ(reader.position(), 0U);
    } else {
      EXPECT_EQ(digits, value / 16 * 10 + value % 16);
      EXPECT_EQ(reader.position(), 1U);
    }
  }
}

TEST(Result, CarriesTheErrorWithItsPlace) {
  const Error error = Error(Errc::timeout, "no answer within 1500 ms").within("meter kitchen");
  EXPECT_EQ(error.code(), Errc::timeout);
  EXPECT_EQ(error.detail(), "meter kitchen: no answer within 1500 ms");
  EXPECT_EQ(name(error.code()), "timeout");
}

TEST(Result, NamesEveryCodeOnce) {
  std::vector<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(Errc::watchdog); ++i) {
    const auto text = name(static_cast<Errc>(i));
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(std::count(seen.begin(), seen.end(), text), 0) << text;
    seen.push_back(text);
  }
  EXPECT_EQ(name(Errc::checksum), "checksum");
  EXPECT_EQ(name(Errc::authentication), "authentication");
  EXPECT_EQ(name(Errc::watchdog), "watchdog");
  EXPECT_EQ(name(static_cast<Errc>(200)), "bug");
}

TEST(Result, ThrowsALogicErrorWhenAnAbsentValueIsAskedFor) {
  const Result<int> failed = Error(Errc::checksum, "CRC is 99DA");
  try {
    static_cast<void>(failed.value());
    FAIL() << "nothing was thrown";
  } catch (const std::logic_error& thrown) {
    EXPECT_NE(std::string(thrown.what()).find("CRC is 99DA"), std::string::npos);
  }
}
