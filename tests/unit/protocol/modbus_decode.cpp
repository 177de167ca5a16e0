// SPDX-License-Identifier: MIT
// Captured bytes and transcripts, offline.
#include "modbus_bench.hpp"

#include <random>

namespace meterbridge::protocol::modbus {
namespace {

using namespace test;
using protocol::test::hex;
using protocol::test::reading;

const Rows two_values = {"voltage_l1 address=0 function=4 type=f32",
                         "energy_import address=72 function=4 type=f32"};

std::vector<Decoded> transcript(const std::string& text, const SettingValues& settings) {
  const auto lines = parse_transcript(text);
  EXPECT_TRUE(lines) << text;
  return lines ? modbus_protocol.decode_transcript(*lines, settings) : std::vector<Decoded>();
}

// "ok 3:0x0000=1 3:0x0001=2", "checksum".
std::string summary(const std::vector<Decoded>& all) {
  std::string text;
  for (const Decoded& decoded : all) {
    if (!text.empty()) text += "; ";
    text += name(decoded.status);
    for (const Item& item : decoded.telegram.items) {
      text += " " + item.address + "=";
      if (item.value) text += item.value->str() + item.unit;
      if (item.text) text += *item.text;
      for (const std::string& group : item.groups)
        text += "(" + group + ")";
    }
  }
  return text;
}

std::string told(const std::string& text,
                 const SettingValues& settings = settings_of(modbus_protocol)) {
  return summary(transcript(text, settings));
}

TEST(ModbusDecode, ExchangesGiveItemsOfTheTableAndReadings) {
  const auto all = transcript("> 01 04 00 00 00 02 71 CB\n< 01 04 04 43 66 33 34 1B 38\n",
                              settings_with(two_values));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(summary(all), "ok 4:0x0000=230.20001V");
  EXPECT_EQ(reading(all[0].telegram, "voltage_l1"), "230.20001");
}

TEST(ModbusDecode, WithoutATableTheRegistersAreNumbers) {
  EXPECT_EQ(told("> 01 04 00 00 00 02 71 CB\n< 01 04 04 43 66 33 34 1B 38\n"),
            "ok 4:0x0000=17254 4:0x0001=13108");
  EXPECT_EQ(told("> 000700000006 01 0200 0A00 03\n< 000700000004 01 0201 05\n"),
            "ok 2:0x000A=1 2:0x000B=0 2:0x000C=1");
}

TEST(ModbusDecode, EveryKindOfFailureHasItsStatus) {
  const std::string asked = "> 010400000002 71cb\n";
  EXPECT_EQ(told(asked + "< 0104044366333 51b38\n"), "checksum");
  EXPECT_EQ(told(asked + "< 01040443663334 1b39\n"), "checksum");
  EXPECT_EQ(told(asked + "< 010404436633\n"), "truncated");
  EXPECT_EQ(told(asked + "< 01\n"), "truncated");
  EXPECT_EQ(told(asked), "truncated");
  EXPECT_EQ(told(asked + "< 018402c2c1\n"), "exception");
  EXPECT_EQ(told(asked + "< 010400000002 71cb\n"), "mismatch");                // the echo
  EXPECT_EQ(told(asked + "< 0104020e023c91\n"), "mismatch");                   // one register
  EXPECT_EQ(told(asked + "< 020404436633342838\n"), "mismatch");               // unit 2
  EXPECT_EQ(told("> 010300000002c40b\n< 01040443663334 1b38\n"), "mismatch");  // function 4
  EXPECT_EQ(told("> 010600000002080b\n< 010600000002080b\n"), "unsupported; unsupported");
  EXPECT_EQ(told("> 000700000006010400000002\n< 0008000000070104044366 3334\n"), "mismatch");
  EXPECT_EQ(told("> 000700000006010400000002\n< 0007000000060104044366 3334\n"),
            "malformed; truncated");
  EXPECT_EQ(told("> 000700000006010400000002\n< 0007000000070204044366 3334\n"), "mismatch");
  EXPECT_EQ(told("> 000700000006010400000002\n< 00070000000701040443\n"), "truncated");
  EXPECT_EQ(told("> 000700000006010400000002\n< 000700000003018402\n"), "exception");
  EXPECT_EQ(told(asked + "< 01040443663334 1b38 01040443663334 1b38\n").substr(0, 2), "ok");
  EXPECT_EQ(transcript(asked + "< 01040443663334 1b38 01040443663334 1b38\n",
                       settings_of(modbus_protocol))[1]
                .status,
            Status::mismatch);
}

TEST(ModbusDecode, AnswersAloneHaveNoAddresses) {
  const auto settings = settings_with(two_values);
  const auto all = modbus_protocol.decode(hex("01040443663334 1b38"), settings);
  EXPECT_EQ(summary(all), "ok 4=(4366)(3334)");
  EXPECT_EQ(protocol::test::reading_count(all[0].telegram), 0U);
  EXPECT_EQ(
      summary(modbus_protocol.decode(hex("ff00010404436633341b38018402c2c101040443"), settings)),
      "malformed; ok 4=(4366)(3334); exception; truncated");
  EXPECT_EQ(summary(modbus_protocol.decode(hex("00070000000701040443663334"), settings)),
            "ok 4=(4366)(3334)");
  EXPECT_EQ(summary(modbus_protocol.decode(hex("01040000000271cb"), settings)), "mismatch");
}

TEST(ModbusDecode, AnotherUnitIsAMismatchWhenOneIsNamed) {
  const std::string text = "> 01 04 00 00 00 02 71 CB\n< 01 04 04 43 66 33 34 1B 38\n";
  EXPECT_EQ(told(text, settings_with(two_values, {{"address", "2"}})), "mismatch");
  EXPECT_EQ(told(text, settings_with(two_values, {{"address", "1"}})), "ok 4:0x0000=230.20001V");
}

// What driver and simulated meter say to each other decodes to what the driver delivered.
TEST(ModbusDecode, ATranscriptOfAPollGivesItsReadings) {
  for (const std::string_view framing : {"rtu", "tcp"}) {
    const auto settings = settings_with(
        {"voltage_l1 address=10 model=103 scale_register=13",
         "power address=14 model=103 type=s16 scale_register=15", "input_2 address=5 function=2",
         "serial address=50 model=1 type=string length=16"},
        {{"framing", framing}});
    Bench bench(settings, settings);
    std::string text;
    bench.twist = [&](const std::string&, const Frame& request) {
      auto arrivals = bench.honest(wrap(bench.framing, request));
      text += "> " + to_hex(wrap(bench.framing, request)) + "\n";
      for (const auto& arrival : arrivals)
        text += "< " + to_hex(arrival.bytes) + "\n";
      return std::optional(arrivals);
    };
    const auto telegram = bench.poll();
    ASSERT_TRUE(telegram);
    SettingValues free = settings;
    free.set("framing", std::string("auto"));
    std::size_t found = 0;
    for (const Decoded& decoded : transcript(text, free)) {
      EXPECT_TRUE(decoded.ok()) << decoded.error;
      for (const Reading& one : decoded.telegram.readings.front().readings) {
        EXPECT_EQ(reading(*telegram, one.key.text()), reading(decoded.telegram, one.key.text()));
        ++found;
      }
    }
    EXPECT_EQ(found, protocol::test::reading_count(*telegram));
    EXPECT_EQ(found, 4U);
  }
}

TEST(ModbusDecode, AnyBytesAreDescribedWithoutHarm) {
  std::mt19937 dice(11);
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes(dice() % 300);
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(dice() % 7 == 0 ? dice() % 256 : dice() % 6);
    std::size_t covered = 0;
    for (const Decoded& decoded : modbus_protocol.decode(bytes, settings_with(two_values))) {
      EXPECT_EQ(decoded.ok(), decoded.error.empty());
      EXPECT_EQ(decoded.offset, covered);
      covered += decoded.length;
    }
    EXPECT_LE(covered, bytes.size());
    EXPECT_GE(covered + 1, bytes.size());
  }
}

// One flipped bit of an RTU answer never decodes.
TEST(ModbusDecode, AFlippedBitIsTold) {
  const Bytes wire = hex("01040443663334 1b38");
  for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
    Bytes flipped = wire;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto text = told("> 010400000002 71cb\n< " + to_hex(flipped) + "\n");
    EXPECT_EQ(text, "checksum") << bit;
  }
}

}  // namespace
}  // namespace meterbridge::protocol::modbus
