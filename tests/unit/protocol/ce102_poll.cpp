// SPDX-License-Identifier: MIT
#include "bytes_of.hpp"
#include "ce102_bench.hpp"

#include <algorithm>

namespace meterbridge::protocol::ce102 {
namespace {

using namespace std::chrono_literals;
using protocol::test::hex;
using protocol::test::reading;
using protocol::test::settings_of;
using namespace test;

TEST(Ce102Poll, ReadsACe307) {
  Bench bench(ce307_meter, ce307_meter);
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import"), "10000.06");
  EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.01");
  EXPECT_EQ(reading(*telegram, "energy_import_t2"), "2000.02");
  EXPECT_EQ(reading(*telegram, "energy_import_t3"), "3000.03");
  EXPECT_EQ(reading(*telegram, "energy_import_t4"), "4000.00");
  EXPECT_EQ(reading(*telegram, "tariff"), "2");
  EXPECT_EQ(reading(*telegram, "status"), "ok");
  EXPECT_EQ(reading(*telegram, "serial"), "011791165813462");
  EXPECT_EQ(reading(*telegram, "clock"), "2026-11-20T18:30:00Z");
  EXPECT_EQ(reading(*telegram, "firmware"), "10.2.3 (2012-05-17)");
  EXPECT_EQ(telegram->meter.manufacturer, "Energomera");
  EXPECT_EQ(telegram->meter.serial, "011791165813462");
  ASSERT_NE(telegram->find("0130:00"), nullptr);
  EXPECT_EQ(telegram->find("0130:00")->value->str(), "10000.06");
  ASSERT_NE(telegram->find("0130:04"), nullptr);
  EXPECT_EQ(telegram->protocol, "ce102");
}

TEST(Ce102Poll, ReadsSlowThingsOnceAndEnergyEachTime) {
  Bench bench(ce307_meter, ce307_meter);
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked(), (std::vector<std::string>{"0130 0000", "0130 0001", "0130 0002",
                                                     "0130 0003", "0130 0004", "0120 ", "0103 ",
                                                     "0100 ", "011A 00", "011A 01"}));
  const auto second = bench.poll();
  ASSERT_TRUE(second);
  EXPECT_EQ(bench.asked().size(), 7U);
  EXPECT_EQ(reading(*second, "serial"), "011791165813462");  // still told
  for (unsigned i = 0; i < Ce102Driver::slow_every; ++i)
    ASSERT_TRUE(bench.poll());
  const auto asked = bench.asked();
  EXPECT_EQ(std::ranges::count(asked, "011A 00"), 1);
}

TEST(Ce102Poll, AsksAClassicMeterWithItsOwnParameters) {
  const Set meter = {{"address", "12345"}, {"family", "classic"}, {"decimals", "3"}};
  Bench bench(meter, {{"address", "12345"}, {"family", "classic"}, {"tariffs", "2"}});
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  const auto asked = bench.asked();
  EXPECT_EQ(asked[0], "0101 ");
  EXPECT_EQ(asked[1], "0131 00");
  EXPECT_EQ(asked[2], "0130 0000");  // tariff 1
  EXPECT_EQ(asked[3], "0130 0100");  // tariff 2
  EXPECT_EQ(reading(*telegram, "energy_import"), "10000.064");
  EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.010");
  EXPECT_EQ(reading(*telegram, "energy_import_t2"), "2000.020");
  EXPECT_EQ(reading(*telegram, "energy_import_t3"), "");
  EXPECT_EQ(reading(*telegram, "status"), "");
  EXPECT_NE(telegram->find("0131:00"), nullptr);
  EXPECT_NE(telegram->find("0130:01"), nullptr);
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked()[0], "0131 00");  // the decimals are known
}

TEST(Ce102Poll, LearnsTheFamilyFromTheVersion) {
  for (const std::string_view family : {"classic", "r51", "ce307"}) {
    Bench bench({{"address", "7"}, {"family", family}}, {{"address", "7"}});
    const auto telegram = bench.poll();
    ASSERT_TRUE(telegram) << family << ": " << telegram.error().detail();
    EXPECT_EQ(bench.asked().front(), "0100 ") << family;
    EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.01") << family;
    ASSERT_TRUE(bench.poll());
    EXPECT_NE(bench.asked().front(), "0100 ") << family;
  }
}

TEST(Ce102Poll, AnUnknownCoreAsksForTheSetting) {
  Bench bench({{"address", "7"}}, {{"address", "7"}});
  bench.twist = [](const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    Frame reply;
    reply.to = request.from;
    reply.from = request.to;
    reply.command = request.command;
    reply.data = hex("420101170512");
    return std::vector<VirtualLine::Arrival>{{1ms, build_reply(reply)}};
  };
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::unsupported);
  EXPECT_NE(telegram.error().detail().find("set `family`"), std::string::npos);
}

// 00 00 asks for the sum in one family and for tariff 1 in the other: the length of the answer
// tells.
TEST(Ce102Poll, AWrongFamilyIsRefusedNotBelieved) {
  {
    Bench bench({{"address", "7"}, {"family", "ce307"}},
                {{"address", "7"}, {"family", "classic"}, {"decimals", "2"}});
    const auto telegram = bench.poll();
    ASSERT_FALSE(telegram);
    EXPECT_EQ(telegram.error().code(), Errc::exception);  // this family has no command for the sum
  }
  Bench bench({{"address", "7"}, {"family", "classic"}}, {{"address", "7"}, {"family", "ce307"}});
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::mismatch);
  EXPECT_NE(telegram.error().detail().find("classic"), std::string::npos);
}

TEST(Ce102Poll, ARefusedPasswordIsNeverTriedAgain) {
  Bench bench({{"address", "7"}, {"password", "111111"}, {"family", "ce307"}},
              {{"address", "7"}, {"password", "777777"}, {"family", "ce307"}});
  for (int i = 0; i < 10; ++i) {
    const auto telegram = bench.poll();
    ASSERT_FALSE(telegram);
    EXPECT_EQ(telegram.error().code(), Errc::access);
    EXPECT_NE(telegram.error().detail().find("password"), std::string::npos);
    EXPECT_EQ(telegram.error().detail().find("777777"), std::string::npos);
  }
  EXPECT_EQ(bench.line().sent().size(), 1U);
}

TEST(Ce102Poll, RemembersWhatTheMeterDoesNotHave) {
  for (const std::string_view code : {"00", "04", "10", ""}) {
    Bench bench(ce307_meter, ce307_meter);
    bench.twist = [&](const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
      if (request.command == 0x0130 && u8(request.data[1]) == 3)
        return error_reply(request, hex(code));
      return std::nullopt;
    };
    const auto first = bench.poll();
    ASSERT_TRUE(first) << code << ": " << first.error().detail();
    EXPECT_EQ(reading(*first, "energy_import_t3"), "");
    EXPECT_EQ(reading(*first, "energy_import_t4"), "4000.00");
    EXPECT_EQ(std::ranges::count(bench.asked(), "0130 0003"), 1) << code;
    ASSERT_TRUE(bench.poll());
    EXPECT_EQ(std::ranges::count(bench.asked(), "0130 0003"), 0) << code;
  }
}

TEST(Ce102Poll, SkipsAMissingRecordOnceOnly) {
  Bench bench(ce307_meter, ce307_meter);
  bench.twist = [&](const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (request.command == 0x0130 && u8(request.data[1]) == 3)
      return error_reply(request, hex("20"));
    return std::nullopt;
  };
  ASSERT_TRUE(bench.poll());
  bench.twist = nullptr;
  const auto second = bench.poll();
  ASSERT_TRUE(second);
  EXPECT_EQ(reading(*second, "energy_import_t3"), "3000.03");
}

TEST(Ce102Poll, RepeatsAMalformedRequestOnce) {
  Bench bench(ce307_meter, ce307_meter);
  int refused = 0;
  bench.twist = [&](const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (refused++ == 0) return error_reply(request, hex("01"));
    return std::nullopt;
  };
  ASSERT_TRUE(bench.poll());
  bench.asked();
  bench.twist = [&](const Frame& request) {
    return std::optional(error_reply(request, hex("01")));
  };
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::exception);
  EXPECT_EQ(bench.asked().size(), 2U);
}

TEST(Ce102Poll, ErrorRepliesAreToldInWords) {
  for (const auto& [code, words] : {std::pair("03", "family"), std::pair("05", "button"),
                                    std::pair("80", "memory"), std::pair("00", "does not know")}) {
    Bench bench(ce307_meter, ce307_meter);
    bench.twist = [reply = code](const Frame& request) {
      return std::optional(error_reply(request, hex(reply)));
    };
    const auto telegram = bench.poll();
    ASSERT_FALSE(telegram);
    EXPECT_EQ(telegram.error().code(), Errc::exception);
    EXPECT_NE(telegram.error().detail().find(words), std::string::npos)
        << telegram.error().detail();
    EXPECT_EQ(bench.asked().size(), 1U) << code;
  }
}

TEST(Ce102Poll, AMeterThatFallsSilentBehindItsEnergyStillDeliversIt) {
  Bench bench(ce307_meter, ce307_meter);
  bench.twist = [](const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (request.command == 0x0120) return std::vector<VirtualLine::Arrival>{};
    return std::nullopt;
  };
  const auto first = bench.poll();
  ASSERT_TRUE(first);
  EXPECT_EQ(reading(*first, "energy_import_t4"), "4000.00");
  EXPECT_EQ(reading(*first, "status"), "");
  ASSERT_TRUE(bench.poll());
  const auto third = bench.poll();  // after two silences the clock is left alone
  ASSERT_TRUE(third);
  EXPECT_EQ(reading(*third, "status"), "ok");
}

TEST(Ce102Poll, ASilentMeterIsATimeoutAfterAllAttempts) {
  Bench bench(ce307_meter, {{"address", "13462"}, {"family", "ce307"}, {"retries", "1"}});
  bench.twist = [](const Frame&) { return std::optional(std::vector<VirtualLine::Arrival>{}); };
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::timeout);
  EXPECT_EQ(bench.asked().size(), 2U);
}

TEST(Ce102Poll, NeverTakesTheAnswerOfAnotherAddress) {
  Bench bench(ce307_meter, ce307_meter);
  Mischief mischief;
  mischief.foreign = true;
  bench.responder().misbehave(mischief);
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::mismatch);
  EXPECT_NE(telegram.error().detail().find("13463"), std::string::npos)
      << telegram.error().detail();
}

TEST(Ce102Poll, AnotherSerialNumberMustBeReadTwice) {
  Bench bench(ce307_meter, ce307_meter);
  ASSERT_TRUE(bench.poll());
  int swapped = 0;  // the parts do not say which they are: one swap makes a wrong number
  bench.twist = [&](const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (request.command == 0x0130 && swapped == 0) return std::vector<VirtualLine::Arrival>{};
    return std::nullopt;
  };
  ASSERT_FALSE(bench.poll());  // after a failure everything is read again
  bench.twist = [&](const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (request.command != 0x011A || swapped >= 2) return std::nullopt;
    ++swapped;
    Frame reply;
    reply.to = request.from;
    reply.from = request.to;
    reply.command = request.command;
    reply.data = hex(swapped == 1 ? "3131313131313131" : "3232323232323200");
    return std::vector<VirtualLine::Arrival>{{1ms, build_reply(reply)}};
  };
  const auto wrong = bench.poll();
  ASSERT_TRUE(wrong);
  EXPECT_EQ(swapped, 2);
  EXPECT_EQ(reading(*wrong, "serial"), "011791165813462");
  const auto right = bench.poll();
  ASSERT_TRUE(right);
  EXPECT_EQ(reading(*right, "serial"), "011791165813462");
}

TEST(Ce102Poll, ExperimentalValuesOnlyOnRequest) {
  const Set meter = {{"address", "7"}, {"family", "r51"}};
  Bench without(meter, meter);
  const auto plain = without.poll();
  ASSERT_TRUE(plain);
  for (const std::string& asked : without.asked())
    EXPECT_FALSE(asked.starts_with("018")) << asked;

  Bench with(meter, {{"address", "7"}, {"family", "r51"}, {"instant", "true"}});
  const auto full = with.poll();
  ASSERT_TRUE(full);
  EXPECT_EQ(reading(*full, "voltage"), "230.10");
  EXPECT_EQ(reading(*full, "current"), "5.361");
  EXPECT_EQ(reading(*full, "power"), "1234.000");
}

TEST(Ce102Poll, AnImpossibleVoltageTakesTheOtherValuesWithIt) {
  Bench bench({{"address", "7"}, {"family", "r51"}}, {{"address", "7"},
                                                      {"family", "r51"},
                                                      {"instant", "true"},
                                                      {"instant_byte_order", "high_first"}});
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram);
  EXPECT_EQ(reading(*telegram, "voltage"), "");
  EXPECT_EQ(reading(*telegram, "power"), "");
  EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.01");
}

TEST(Ce102Poll, TheStatusNamesFaultBits) {
  const auto status = parse_status(hex("052000000f0203000000"));
  ASSERT_FALSE(parse_status(hex("052000000f0203")));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->text, "memory fault, bit 0, memory fault, bit 2, battery");
  EXPECT_EQ(status->tariff, 3);
}

TEST(Ce102Settings, FindTheAddressInTheSerialNumber) {
  EXPECT_EQ(*address_from_serial("011791165813462"), 13462);
  EXPECT_EQ(*address_from_serial("011791165899462"), 9462);  // five digits would exceed 65535
  EXPECT_EQ(*address_from_serial("9462"), 9462);
  EXPECT_FALSE(address_from_serial("462"));
  EXPECT_FALSE(address_from_serial("13462a"));
  Bench bench(ce307_meter, {{"serial", "011791165813462"}, {"family", "ce307"}});
  EXPECT_TRUE(bench.poll());
}

TEST(Ce102Settings, AreRefusedInWords) {
  EXPECT_EQ(ce102_protocol.driver(settings_of(ce102_protocol)).error().code(), Errc::invalid);
  const auto secret = ce102_protocol.driver(
      settings_of(ce102_protocol, {{"address", "1"}, {"password", "hunter2"}}));
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().detail().find("hunter2"), std::string::npos);
  EXPECT_FALSE(ce102_protocol.driver(
      settings_of(ce102_protocol, {{"address", "1"}, {"response_timeout", "1ms"}})));
}

}  // namespace
}  // namespace meterbridge::protocol::ce102
