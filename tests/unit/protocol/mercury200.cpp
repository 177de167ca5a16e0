// SPDX-License-Identifier: MIT
// Mercury 200/206: requests, `decode` and polls of a simulated meter.
#include "mercury_bench.hpp"
#include "protocol/mercury200/answer.hpp"
#include "protocol/mercury200/frame.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

namespace meterbridge::protocol::mercury200 {
namespace {

using nlohmann::json;
using namespace mercury::test;

const Set meter = {{"address", "925646"}};

class Mercury200 : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_F(Mercury200, OnlyCommandsThatReadCanBeBuilt) {
  std::size_t known = 0;
  for (unsigned code = 0; code < 256; ++code) {
    const auto command = static_cast<Command>(code);
    const auto plain = build_request(1, command);
    const auto with = build_request(1, command, Bytes(1));
    EXPECT_FALSE(plain && with) << code;
    EXPECT_FALSE(build_request(1, command, Bytes(2))) << code;
    EXPECT_FALSE(writes(static_cast<std::uint8_t>(code)) && (plain || with)) << code;
    if (plain || with) ++known;
  }
  EXPECT_EQ(known, rules.size() + 1);
  EXPECT_EQ(to_hex(*build_request(925646, Command::energy)), "000e1fce270354");
}

TEST_F(Mercury200, TheAddressComesFromTheSerialNumber) {
  EXPECT_EQ(*address_from_serial("06925646", true), 925646U);
  EXPECT_EQ(*address_from_serial("925646", true), 925646U);
  EXPECT_EQ(*address_from_serial("06925646", false), 6925646U);
  EXPECT_EQ(*address_from_serial("41234567", false), 41234567U);
  for (const char* wrong : {"", "12345", "1234x67", "99999999999", "-1234567"})
    EXPECT_FALSE(address_from_serial(wrong, false)) << wrong;
  EXPECT_FALSE(mercury200_protocol.driver(settings_of(mercury200_protocol, {})));
}

TEST_F(Mercury200, AnyDigitAboveNineIsAbsent) {
  EXPECT_EQ(parse_bcd(hex("00 12 34 56")), 123456);
  EXPECT_EQ(parse_bcd(hex("99 99 99 99")), 99999999);
  for (const char* absent : {"ff ff ff ff", "00 00 00 0a", "a0 00 00 00", "00 1f 00 00"})
    EXPECT_EQ(parse_bcd(hex(absent)), std::nullopt) << absent;
}

struct Sample {
  const char* sent;
  const char* heard;
  std::vector<std::pair<const char*, const char*>> readings;
  std::vector<std::pair<const char*, const char*>> items;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"00 0e 1f ce 27",
       "00 0e 1f ce 27 00 12 34 56 00 00 01 70 ff ff ff ff 00 00 00 0a",
       {{"energy_import", "1236.26"},
        {"energy_import_t1", "1234.56"},
        {"energy_import_t2", "1.70"}},
       {{"27:01", "1234.56 kWh"}, {"27:03", "absent"}}},
      {"00 0e 1f ce 27", "00 0e 1f ce 27 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff", {}, {}},
      {"00 0e 1f ce 63",
       "00 0e 1f ce 63 23 14 05 12 00 11 80",
       {{"voltage", "231.4"}, {"current", "5.12"}, {"power", "1180"}},
       {{"63:U", "231.4 V"}, {"63:P", "1180 W"}}},
      {"00 0e 1f ce 63",
       "00 0e 1f ce 63 02 31 05 12 00 11 80",  // whole volts, and the scale is not set
       {{"current", "5.12"}, {"power", "1180"}},
       {{"63:U", "23.1 V"}}},
      {"00 0e 1f ce 26", "00 0e 1f ce 26 01 23", {{"power", "1230"}}, {{"26", "1.23 kW"}}},
      {"00 0e 1f ce 81",
       "00 0e 1f ce 81 49 97 01 02 00 00 00 00 00 00",
       {{"frequency", "49.97"}, {"tariff", "2"}, {"status", "reverse energy"}},
       {{"81:tariff", "1"}, {"81:flags", "2"}}},
      {"00 0e 1f ce 21",
       "00 0e 1f ce 21 04 21 59 30 20 11 25",
       {{"clock", "2025-11-20T21:59:30Z"}},
       {{"21", "2025-11-20T21:59:30"}}},
      {"00 0e 1f ce 2c",
       "00 0e 1f ce 2c 01 11 24 06 18 04 11",
       {},
       {{"2C", "2011-04-18T11:24:06"}}},
      {"00 0e 1f ce 2f",
       "00 0e 1f ce 2f 00 69 ad 4e",
       {{"serial", "6925646"}},
       {{"2F", "6925646"}}},
      {"00 0e 1f ce 28",
       "00 0e 1f ce 28 08 03 00 01 03 10",
       {{"firmware", "8.3"}},
       {{"28", "(8.3)(2010-03-01)"}}},
      {"00 0e 1f ce 29", "00 0e 1f ce 29 03 05", {}, {{"29", "3.05 V"}}},
      {"00 0e 1f ce 69",
       "00 0e 1f ce 69 01 23 45 00 00 12",
       {},
       {{"69:on", "12345 h"}, {"69:off", "12 h"}}},
      {"00 0e 1f ce 32 0a",
       "00 0e 1f ce 32 00 00 01 00 00 00 02 00 00 00 00 00 00 00 00 00",
       {},
       {{"32:0A:01", "1.00 kWh"}}},
      {"00 0e 1f ce 85",
       "00 0e 1f ce 85 00 07 00 11 00 03 00 00 ff ff ff ff ff ff ff ff",
       {{"reactive_energy_import", "1000.11"},
        {"reactive_energy_import_t1", "700.11"},
        {"reactive_energy_import_t2", "300.00"}},
       {{"85:02", "300.00 kvarh"}}},
      {"00 0e 1f ce 61", "00 0e 1f ce 61 00 00 00 00 00 00 00", {}, {{"61", "absent"}}},
      {"00 0e 1f ce 2e", "00 0e 1f ce 2e 02", {}, {{"2E", "2"}}},
      {"00 0e 1f ce 66", "00 0e 1f ce 66 18 04 11", {}, {{"66", "2011-04-18"}}},
      {"00 0e 1f ce 86 00", "00 0e 1f ce 86 00 12 34", {}, {{"86:00", "001234"}}},
  };
  return all;
}

TEST_F(Mercury200, EveryAnswerIsItemsAndReadings) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.heard);
    const Bytes heard = wire(sample.heard);
    const auto all = decode(mercury200_protocol, wire(sample.sent), heard);
    ASSERT_EQ(statuses(all), "ok") << all[0].error;
    EXPECT_EQ(protocol::test::reading_count(all[0].telegram), sample.readings.size());
    for (const auto& [key, value] : sample.readings)
      EXPECT_EQ(reading(all[0].telegram, key), value) << key;
    for (const auto& [address, value] : sample.items)
      EXPECT_EQ(item(all[0].telegram, address), value);
    // The answer names its command: alone it has items, and no readings.
    const auto alone = mercury200_protocol.decode(heard, SettingValues());
    ASSERT_EQ(statuses(alone), "ok") << alone[0].error;
    EXPECT_EQ(protocol::test::reading_count(alone[0].telegram), 0U);
    EXPECT_EQ(alone[0].telegram.items.size(), all[0].telegram.items.size());
  }
}

TEST_F(Mercury200, P19_WholeVoltsAreASettingAndNoGuess) {
  const auto whole = settings_of(mercury200_protocol, {{"voltage_scale", "1"}});
  const Bytes sent = wire("00 0e 1f ce 63");
  const auto low =
      decode(mercury200_protocol, sent, wire("00 0e 1f ce 63 02 31 05 12 00 11 80"), whole);
  EXPECT_EQ(reading(low[0].telegram, "voltage"), "231");
  const auto high =
      decode(mercury200_protocol, sent, wire("00 0e 1f ce 63 23 14 05 12 00 11 80"), whole);
  EXPECT_EQ(reading(high[0].telegram, "voltage"), "");
}

TEST_F(Mercury200, AnyFlippedBitAndAnyCutIsDetected) {
  for (const Sample& sample : samples()) {
    const Bytes sent = wire(sample.sent);
    const Bytes heard = wire(sample.heard);
    for (std::size_t bit = 0; bit < 8 * heard.size(); ++bit) {
      Bytes flipped = heard;
      flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_EQ(statuses(decode(mercury200_protocol, sent, flipped)), "checksum")
          << sample.sent << " bit " << bit;
    }
    for (std::size_t length = 2; length < heard.size(); ++length) {
      const Bytes part(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_EQ(statuses(decode(mercury200_protocol, sent, part)), "truncated") << sample.sent;
    }
  }
}

TEST_F(Mercury200, WhatDoesNotBelongToTheRequestIsNamed) {
  struct Case {
    std::string heard;
    const char* statuses;
  };

  const auto text = [](std::string_view body) { return to_hex(wire(body)); };
  const std::string answer = text("00 0e 1f ce 29 03 05");
  const std::string echo = text("00 0e 1f ce 29");
  for (const Case& c : {
           Case{"", "truncated"},
           Case{echo, "mismatch"},
           Case{echo + answer, "mismatch ok"},
           Case{echo + "00" + answer, "mismatch ok"},  // echo and 00 00 have a right CRC, too
           Case{echo + "00000000", "mismatch truncated"},
           Case{answer + answer, "ok mismatch"},
           Case{"00" + answer, "ok"},
           Case{text("00 0e 1f cf 29 03 05"), "mismatch"},
           Case{text("00 0e 1f ce 26 03 05"), "mismatch"},
           Case{text("00 0e 1f ce 29 03 05 00"), "malformed"},
           Case{text("00 0e 1f ce 21 04 25 59 30 20 11 25"), "mismatch"},
       })
    EXPECT_EQ(statuses(decode(mercury200_protocol, wire("00 0e 1f ce 29"), hex(c.heard))),
              c.statuses)
        << c.heard;
  EXPECT_EQ(statuses(decode(mercury200_protocol, wire("00 0e 1f ce 21"),
                            wire("00 0e 1f ce 21 04 25 59 30 20 11 25"))),
            "malformed");  // hour 25
  EXPECT_EQ(
      statuses(decode(mercury200_protocol, wire("00 0e 1f ce 71 01"), wire("00 0e 1f ce 71"))),
      "unsupported");
  // The limit of power, which nobody polls.
  const auto limit =
      decode(mercury200_protocol, wire("00 0e 1f ce 22"), wire("00 0e 1f ce 22 15 00"));
  ASSERT_EQ(statuses(limit), "ok");
  EXPECT_EQ(item(limit[0].telegram, "22"), "1500");
  const auto other = settings_of(mercury200_protocol, {{"address", "5"}});
  EXPECT_EQ(statuses(decode(mercury200_protocol, wire("00 0e 1f ce 29"), hex(answer), other)),
            "mismatch");
}

TEST_F(Mercury200, HostileBytesNeverHarm) {
  std::mt19937 dice(5);
  const Bytes request = wire("00 0e 1f ce 27");
  for (int round = 0; round < 3000; ++round) {
    Bytes heard = dice() % 2 == 0 ? Bytes(request.begin(), request.begin() + 5) : Bytes();
    for (auto i = dice() % 30; i > 0; --i)
      heard.push_back(static_cast<std::byte>(dice() & 0xFFU));
    if (dice() % 2 == 0) heard = mercury::with_crc(heard);
    for (const Decoded& decoded : decode(mercury200_protocol, request, heard))
      EXPECT_EQ(decoded.ok(), decoded.error.empty());
    for (const Decoded& decoded : mercury200_protocol.decode(heard, SettingValues()))
      EXPECT_FALSE(decoded_json(decoded).empty());
    const Cut whole = find_answer(heard, request);
    for (std::size_t so_far = 0; so_far < whole.drop + whole.frame; ++so_far)
      EXPECT_EQ(find_answer(ByteView(heard).first(so_far), request).frame, 0U);
  }
}

TEST_F(Mercury200, EveryCapturedExchangeIsDecodedAsExpected) {
  const std::filesystem::path file = METERBRIDGE_SHARED_VECTORS "/mercury/mercury200.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no shared vectors here";
  std::ifstream stream(file);
  const json vectors = json::parse(stream);
  std::size_t numbers = 0;
  for (const json& vector : vectors) {
    SCOPED_TRACE(vector["name"].get<std::string>());
    const json& expect = vector["expect"];
    const auto all = decode(mercury200_protocol, hex(vector["request_hex"].get<std::string>()),
                            hex(vector["response_hex"].get<std::string>()));
    ASSERT_EQ(statuses(all), expect.contains("echo") ? "mismatch ok" : "ok");
    const Telegram& telegram = all.back().telegram;
    for (const auto& [name, address] :
         {std::pair{"t1_kwh", "27:01"}, std::pair{"t2_kwh", "27:02"}, std::pair{"t3_kwh", "27:03"},
          std::pair{"t4_kwh", "27:04"}, std::pair{"voltage_v", "63:U"},
          std::pair{"current_a", "63:I"}, std::pair{"serial", "2F"}, std::pair{"battery_v", "29"},
          std::pair{"frequency_hz", "81:f"}, std::pair{"tariff_index", "81:tariff"}}) {
      if (!expect.contains(name)) continue;
      const Item* found = telegram.find(address);
      EXPECT_EQ(found == nullptr, expect[name].is_null()) << name;
      if (found == nullptr || expect[name].is_null()) continue;
      EXPECT_NEAR(found->value->approximate(), expect[name].get<double>(), 1e-9) << name;
      ++numbers;
    }
    if (expect.contains("power_w")) {
      EXPECT_EQ(reading(telegram, "power").substr(0, 5), expect["power_w"].dump().substr(0, 5));
    }
    if (expect.contains("datetime")) {
      EXPECT_EQ(telegram.items.at(0).text, expect["datetime"].get<std::string>());
    }
    if (expect.contains("fw_date")) {
      EXPECT_EQ(item(telegram, "28"), "(" + expect["version"].get<std::string>() + ")(" +
                                          expect["fw_date"].get<std::string>() + ")");
    }
  }
  EXPECT_GE(numbers, 12U);
}

TEST_F(Mercury200, ReadsWhatTheMeterShows) {
  const Set two = {{"address", "925646"}, {"tariffs", "2"}, {"reactive", "true"}};
  Bench bench(mercury200_protocol, two, two);
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{
           {"energy_import", "3000.03"},  // tariffs that the meter does not have are not counted
           {"energy_import_t1", "1000.01"},
           {"energy_import_t2", "2000.02"},
           {"energy_import_t3", ""},
           {"reactive_energy_import_t1", "750.00"},
           {"voltage", "230.1"},
           {"current", "5.36"},
           {"power", "1200"},
           {"frequency", "50.00"},
           {"tariff", "2"},
           {"status", "ok"},
           {"clock", "2026-11-20T18:30:00Z"},
           {"serial", "6925646"},
           {"firmware", "8.3"},
       })
    EXPECT_EQ(reading(*telegram, key), value) << key;
  EXPECT_EQ(bench.asked(4), (std::vector<std::string>{"27", "63", "81", "21", "85", "2f", "28"}));
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked(4), (std::vector<std::string>{"27", "63", "81", "21", "85"}));
  EXPECT_EQ(bench.driver().remark(), "");
}

TEST_F(Mercury200, ASilentCommandIsLeftAloneAndAnUnbelievableVoltageIsTold) {
  Bench bench(mercury200_protocol, {{"address", "925646"}, {"voltage_scale", "1"}}, meter);
  bench.twist = [](const Bytes& request) -> std::optional<Arrivals> {
    if (request[4] == std::byte{0x81}) return Arrivals{};
    return std::nullopt;
  };
  for (int poll = 0; poll < 4; ++poll) {
    const auto telegram = bench.poll();
    ASSERT_TRUE(telegram) << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "frequency"), "");
    EXPECT_EQ(reading(*telegram, "voltage"), "");
    EXPECT_EQ(reading(*telegram, "clock"), "2026-11-20T18:30:00Z");
    EXPECT_EQ(bench.driver().remark(),
              "the voltage of 23.0 V is not believable and not shown: is voltage_scale right?");
  }
  const auto all = bench.asked(4);
  EXPECT_EQ(std::ranges::count(all, "81"), 6);  // three attempts in two polls
}

TEST_F(Mercury200, FailuresSayWhatIsWrong) {
  Bench absent(mercury200_protocol, {{"address", "7"}}, meter);
  const auto silent = absent.poll();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().detail(), "the energy: no answer within 500ms (3 attempts)");
  EXPECT_FALSE(absent.knock());
  EXPECT_EQ(absent.line().sent().size(), 4U);
  Bench damaged(mercury200_protocol, meter, meter);
  damaged.twist = [](const Bytes&) { return Arrivals{{50ms, hex("000e1fce27000004160000")}}; };
  const auto cut = damaged.poll();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code(), Errc::truncated);
  Bench foreign(mercury200_protocol, meter, meter);
  Mischief mischief;
  mischief.foreign = true;
  foreign.responder().misbehave(mischief);
  const auto other = foreign.poll();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::mismatch);
  EXPECT_NE(other.error().detail().find("address 925647"), std::string::npos);
}

TEST_F(Mercury200, P09EchoesDoublesAndStrangersGiveNoWrongValue) {
  std::mt19937 dice(23);
  const auto chance = [&dice](unsigned percent) { return dice() % 100 < percent; };
  Bench bench(mercury200_protocol, meter, meter);
  Bytes previous;
  std::size_t exchanges = 0;
  bench.twist = [&](const Bytes& request) {
    ++exchanges;
    Arrivals arrivals;
    for (Bytes& bytes : bench.responder().received(request)) {
      const Bytes right = bytes;
      if (chance(5)) continue;
      if (chance(30)) arrivals.push_back({2ms, request});
      if (chance(10))
        arrivals.push_back(
            {20ms, wire("00 0e 1f cf 27 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99")});
      if (chance(10) && !previous.empty()) bytes = previous;
      if (chance(5)) bytes[dice() % bytes.size()] ^= std::byte{0x04};
      const Milliseconds after(chance(10) ? dice() % 2200 : 60);
      arrivals.push_back({after, bytes});
      if (chance(10)) arrivals.push_back({after + 20ms, bytes});
      previous = right;
    }
    return std::optional(arrivals);
  };
  std::size_t delivered = 0;
  while (exchanges < 10'000 && !HasFailure()) {
    const auto telegram = bench.poll();
    bench.line().forget_sent();
    if (!telegram) continue;
    ++delivered;
    EXPECT_EQ(reading(*telegram, "energy_import"), "10000.10");
    EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.01");
    for (const auto& [key, value] :
         {std::pair{"voltage", "230.1"}, std::pair{"power", "1200"},
          std::pair{"frequency", "50.00"}, std::pair{"serial", "6925646"}}) {
      const std::string read = reading(*telegram, key);
      EXPECT_TRUE(read.empty() || read == value) << key << " is " << read;
    }
  }
  EXPECT_GT(delivered, 1000U);
}

}  // namespace
}  // namespace meterbridge::protocol::mercury200
