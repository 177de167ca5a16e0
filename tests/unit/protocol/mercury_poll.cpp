// SPDX-License-Identifier: MIT
// Polls of a simulated Mercury 23x, well and badly behaved.
#include "mercury_bench.hpp"
#include "protocol/left_out.hpp"
#include "protocol/mercury/driver.hpp"
#include "protocol/mercury/requests.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace meterbridge::protocol::mercury {
namespace {

using namespace test;

const Set meter = {{"address", "72"}};
const std::string opening = "0101010101010101";

class MercuryPoll : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

std::size_t count(const std::vector<std::string>& all, std::string_view body) {
  return static_cast<std::size_t>(std::ranges::count(all, body));
}

TEST_F(MercuryPoll, ReadsWhatTheMeterShows) {
  Bench bench(mercury_protocol, meter, meter);
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{
           {"energy_import", "10000.100"},
           {"energy_import_t1", "1000.010"},
           {"energy_import_t4", "4000.040"},
           {"energy_export", "0.077"},
           {"energy_export_t1", "0.070"},
           {"reactive_energy_import", "7500.075"},
           {"reactive_energy_export", ""},  // not metered: no zero takes its place
           {"energy_import_l1", "5000.050"},
           {"power", "-2199.50"},
           {"power_l1", "1200.00"},
           {"power_l2", "-3400.00"},
           {"power_l3", "0.50"},
           {"reactive_power_l2", "-2550.00"},
           {"apparent_power_l2", "4250.00"},
           {"power_factor_l1", "0.800"},
           {"power_factor_l2", "-0.800"},
           {"voltage_l1", "230.10"},
           {"current_l1", "6.701"},
           {"current_l3", "0.002"},
           {"frequency", "50.00"},
           {"phase_angle_l3_l1", "120.00"},
           {"clock", "2026-11-20T18:30:00Z"},
           {"serial", "41906072"},
           {"firmware", "9.00.01"},
           {"status", "ok"},
           {"message", "transformers: voltage 1, current 20, not applied"},
           {"temperature", ""},
           {"thd_voltage_l1", ""},
       })
    EXPECT_EQ(reading(*telegram, key), value) << key;
  EXPECT_EQ(telegram->meter.serial, "41906072");
  EXPECT_EQ(telegram->meter.manufacturer, "Incotex");
  EXPECT_FALSE(telegram->time);
  const auto first = bench.asked();
  EXPECT_EQ(first.front(), opening);
  EXPECT_EQ(count(first, "0800"), 1U);
  // Serial number, ratios and version are remembered.
  const auto again = bench.poll();
  ASSERT_TRUE(again);
  EXPECT_EQ(reading(*again, "serial"), "41906072");
  EXPECT_EQ(bench.asked().size(), first.size() - 3);
}

TEST_F(MercuryPoll, WhatWasEncodedIsDecodedAgain) {
  std::mt19937 dice(3);
  Bench bench(mercury_protocol, meter, meter);
  MeterFace now = face();
  for (int round = 0; round < 60; ++round) {
    for (std::size_t i = 0; i < 4; ++i) {
      now.energy_import[i] =
          *now.energy_import[i].plus(Decimal(static_cast<std::int64_t>(dice() % 100'000'000)));
      now.energy_export[i] =
          *now.energy_export[i].plus(Decimal(static_cast<std::int64_t>(dice() % 99)));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      now.voltage[i] = Decimal(static_cast<std::int64_t>(dice() % 40000), -2);
      now.current[i] = Decimal(static_cast<std::int64_t>(dice() % 800'000) * 4, -3);
      now.power[i] = Decimal(static_cast<std::int64_t>(dice() % 1'000'000) - 500'000, -2);
    }
    bench.responder().show(now);
    Bench fresh(mercury_protocol, meter, meter);
    fresh.responder().show(now);
    const auto telegram = fresh.poll();
    ASSERT_TRUE(telegram) << telegram.error().detail();
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string tariff = "_t" + std::to_string(i + 1);
      EXPECT_EQ(*Decimal::parse(reading(*telegram, "energy_import" + tariff)),
                *now.energy_import[i].shifted(-3));
      EXPECT_EQ(*Decimal::parse(reading(*telegram, "energy_export" + tariff)),
                *now.energy_export[i].shifted(-3));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string phase = "_l" + std::to_string(i + 1);
      EXPECT_EQ(*Decimal::parse(reading(*telegram, "voltage" + phase)), now.voltage[i]);
      EXPECT_EQ(*Decimal::parse(reading(*telegram, "current" + phase)),
                *now.current[i].times(Decimal(125, -2)));
      EXPECT_EQ(*Decimal::parse(reading(*telegram, "power" + phase)), now.power[i]);
    }
  }
}

// What is sent twice, or once more in the place of the next answer, has the wrong length.
TEST_F(MercuryPoll, P09NoQuestionIsFollowedByOneWithAnAnswerOfTheSameLength) {
  for (const char* tariffs : {"0", "1", "2", "3", "4"}) {
    for (const char* phases : {"1", "3"}) {
      for (const char* extended : {"false", "true"}) {
        const Set set = {
            {"address", "72"}, {"tariffs", tariffs}, {"phases", phases}, {"extended", extended}};
        Bench bench(mercury_protocol, set, set);
        MeterFace shown = face();  // the meter has no tariffs but those that are asked for
        for (std::size_t i = static_cast<std::size_t>(*tariffs - '0'); i < 4 && i > 0; ++i)
          shown.energy_import[i] = shown.energy_export[i] = Decimal();
        bench.responder().show(shown);
        for (int poll = 0; poll < 2; ++poll) {
          const auto telegram = bench.poll();
          ASSERT_TRUE(telegram) << telegram.error().detail();
          EXPECT_EQ(reading(*telegram, "temperature"), *extended == 't' ? "23" : "");
          EXPECT_EQ(reading(*telegram, "thd_voltage_l1"), *extended == 't' ? "1.50" : "");
          const auto asked = bench.asked();
          for (std::size_t i = 1; i < asked.size(); ++i) {
            EXPECT_NE(reply_lengths(hex(asked[i])).front(),
                      reply_lengths(hex(asked[i - 1])).front())
                << asked[i - 1] << " " << asked[i];
          }
        }
      }
    }
  }
}

TEST_F(MercuryPoll, ASinglePhaseHasNoOthers) {
  const Set single = {{"address", "72"}, {"phases", "1"}};
  Bench bench(mercury_protocol, single, single);
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram);
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
  for (const char* key : {"voltage_l2", "power_l3", "phase_angle_l1_l2", "energy_import_l2"})
    EXPECT_EQ(reading(*telegram, key), "") << key;
}

TEST_F(MercuryPoll, ThePasswordIsSentAsConfigured) {
  struct Case {
    Set set;
    const char* sent;
  };

  for (const Case& c : {
           Case{{{"address", "72"}}, "0101010101010101"},
           Case{{{"address", "72"}, {"password_format", "ascii"}}, "0101313131313131"},
           Case{{{"address", "72"}, {"password", "123450"}}, "0101010203040500"},
           Case{{{"address", "72"}, {"password", "aBc~ 1"}, {"password_format", "ascii"}},
                "01016142637e2031"},
           Case{{{"address", "72"}, {"password", "1213141516f0"}}, "01011213141516f0"},
       }) {
    Bench bench(mercury_protocol, c.set, c.set);
    EXPECT_TRUE(bench.poll());
    EXPECT_EQ(bench.asked().front(), c.sent);
  }
  for (const char* wrong : {"", "12345", "1234567", "aBcdef", "12131415161g"}) {
    const auto driver = mercury_protocol.driver(
        settings_of(mercury_protocol, {{"address", "72"}, {"password", wrong}}));
    ASSERT_FALSE(driver) << wrong;
    EXPECT_EQ(driver.error().code(), Errc::invalid);
  }
  EXPECT_FALSE(mercury_protocol.driver(settings_of(mercury_protocol, {})));
  const auto owner =
      mercury_protocol.driver(settings_of(mercury_protocol, {{"address", "1"}, {"level", "2"}}));
  ASSERT_FALSE(owner);
  EXPECT_NE(owner.error().detail().find("may write"), std::string::npos);
}

TEST_F(MercuryPoll, P23ARefusedPasswordIsNeverSentAgain) {
  Bench bench(mercury_protocol, meter, {{"address", "72"}, {"password", "654321"}});
  for (int poll = 0; poll < 5; ++poll) {
    const auto telegram = poll % 2 == 0 ? bench.poll() : bench.knock();
    ASSERT_FALSE(telegram);
    EXPECT_EQ(telegram.error().code(), Errc::access);
    EXPECT_NE(telegram.error().detail().find("password"), std::string::npos);
    EXPECT_EQ(telegram.error().detail().find("654321"), std::string::npos);
  }
  EXPECT_EQ(bench.line().sent().size(), 1U);
}

// An internal error of the meter is no word about the password.
TEST_F(MercuryPoll, AnInternalErrorIsTriedAgainInTheNextPoll) {
  Bench bench(mercury_protocol, meter, meter);
  bench.twist = [](const Bytes&) { return Arrivals{{50ms, wire("48 02")}}; };
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::exception);
  bench.twist = nullptr;
  EXPECT_TRUE(bench.poll());
}

TEST_F(MercuryPoll, AChannelThatClosedIsOpenedAgainOnce) {
  Bench bench(mercury_protocol, meter, meter);
  MeterFace now = face();
  int asked = 0;
  bench.twist = [&](const Bytes&) -> std::optional<Arrivals> {
    if (++asked == 5) now.now += std::chrono::seconds(21);
    bench.responder().show(now);
    return std::nullopt;
  };
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import_t4"), "4000.040");
  const auto all = bench.asked();
  EXPECT_EQ(count(all, opening), 2U);
  EXPECT_EQ(all[4], all[6]);  // asked, the channel opened, asked again
  // A meter whose channel does not stay open.
  bench.twist = [](const Bytes& request) -> std::optional<Arrivals> {
    if (request[1] == std::byte{1}) return std::nullopt;
    return Arrivals{{50ms, wire("48 05")}};
  };
  const auto failed = bench.poll();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail(), "the energy: the meter answers: the channel is not open (5)");
  EXPECT_EQ(count(bench.asked(), opening), 2U);
}

TEST_F(MercuryPoll, P10WhatTheMeterRefusesIsAskedOnce) {
  Bench bench(mercury_protocol, meter, meter);
  const std::set<std::string> refused{"056000", "050003", "080a", "081651"};
  bench.twist = [&](const Bytes& request) -> std::optional<Arrivals> {
    const std::string body = to_hex(ByteView(request).subspan(1, request.size() - 3));
    if (!refused.contains(body)) return std::nullopt;
    return Arrivals{{50ms, wire("48 01")}};
  };
  for (int poll = 0; poll < 3; ++poll) {
    const auto telegram = bench.poll();
    ASSERT_TRUE(telegram) << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
    EXPECT_EQ(reading(*telegram, "energy_import_t4"), "4000.040");
    EXPECT_EQ(reading(*telegram, "energy_import_t3"), "");
    EXPECT_EQ(reading(*telegram, "energy_import_l1"), "");
  }
  const auto all = bench.asked();
  for (const std::string& body : refused)
    EXPECT_EQ(count(all, body), 1U) << body;
  const auto left_out = dynamic_cast<const LeavesOut&>(bench.driver()).left_out();
  ASSERT_EQ(left_out.size(), refused.size());
  EXPECT_NE(left_out.front().find("the meter answers"), std::string::npos) << left_out.front();
}

TEST_F(MercuryPoll, WhatIsNotAnsweredTwiceIsLeftAlone) {
  Bench bench(mercury_protocol, meter, meter);
  bench.twist = [&](const Bytes& request) -> std::optional<Arrivals> {
    if (to_hex(ByteView(request).subspan(1, 2)) == "080a") return Arrivals{};
    return std::nullopt;
  };
  for (int poll = 0; poll < 4; ++poll) {
    const auto telegram = bench.poll();
    ASSERT_TRUE(telegram) << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "status"), "");
    EXPECT_EQ(reading(*telegram, "energy_import_l1"), "5000.050");
  }
  EXPECT_EQ(count(bench.asked(), "080a"), 6U);  // three attempts in two polls
}

TEST_F(MercuryPoll, RatiosAreAppliedOnRequestAndNeverGuessed) {
  const Set on = {{"address", "72"}, {"apply_ratio", "true"}};
  Bench bench(mercury_protocol, on, on);
  for (int poll = 0; poll < 2; ++poll) {
    const auto telegram = bench.poll();
    ASSERT_TRUE(telegram);
    EXPECT_EQ(reading(*telegram, "energy_import"), "200002.000");
    EXPECT_EQ(reading(*telegram, "current_l1"), "134.020");
    EXPECT_EQ(reading(*telegram, "power_l1"), "24000.00");
    EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
    EXPECT_EQ(reading(*telegram, "power_factor_l1"), "0.800");
    EXPECT_EQ(reading(*telegram, "message"), "transformers: voltage 1, current 20, applied");
  }
  Bench without(mercury_protocol, on, on);
  without.twist = [](const Bytes& request) -> std::optional<Arrivals> {
    if (to_hex(ByteView(request).subspan(1, 2)) != "0802") return std::nullopt;
    return Arrivals{{50ms, wire("48 01")}};
  };
  const auto telegram = without.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::exception);
  EXPECT_NE(telegram.error().detail().find("the transformer ratios"), std::string::npos);
}

TEST_F(MercuryPoll, P09AnAdapterThatEchoesIsHarmlessAndNoMeter) {
  Bench bench(mercury_protocol, meter, meter);
  bool there = true;
  bench.twist = [&](const Bytes& request) {
    Arrivals arrivals{{2ms, request}};
    if (!there) return std::optional(arrivals);
    for (Bytes& answer : bench.responder().received(request))
      arrivals.push_back({80ms, std::move(answer)});
    return std::optional(arrivals);
  };
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "frequency"), "50.00");
  there = false;
  const auto alone = bench.poll();
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code(), Errc::timeout);
  EXPECT_EQ(alone.error().detail(), "opening the channel: no answer within 500ms (3 attempts)");
}

TEST_F(MercuryPoll, P08AnotherMasterIsNamedWhileReadingsGoOn) {
  Bench bench(mercury_protocol, meter, meter);
  Mischief mischief;
  mischief.other_master = true;
  bench.responder().misbehave(mischief);
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.driver().remark(),
            "another master is talking on the line: it asks the address 73");
  bench.responder().misbehave({});
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.driver().remark(), "");
  bench.line().inject(10ms, wire("33 05 00 00"));  // between two polls
  ASSERT_TRUE(bench.poll());
  EXPECT_NE(bench.driver().remark().find("address 51"), std::string::npos);
}

TEST_F(MercuryPoll, FailuresSayWhatIsWrong) {
  struct Case {
    const char* heard;  // instead of the energy
    Errc code;
    const char* words;
  };

  for (const Case& c : {
           Case{"49 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", Errc::mismatch, "address 73"},
           Case{"48 00 a6 59 00 e2 59 00 5b 59", Errc::mismatch, "9 bytes of data"},
           Case{"48 00", Errc::mismatch, "only \"ok\""},
           Case{"48 04", Errc::exception, "corrected today"},
       }) {
    Bench bench(mercury_protocol, meter, meter);
    bench.twist = [&](const Bytes& request) -> std::optional<Arrivals> {
      if (request[1] != std::byte{5}) return std::nullopt;
      return Arrivals{{50ms, wire(c.heard)}};
    };
    const auto telegram = bench.poll();
    ASSERT_FALSE(telegram);
    EXPECT_EQ(telegram.error().code(), c.code) << c.heard;
    EXPECT_NE(telegram.error().detail().find(c.words), std::string::npos)
        << telegram.error().detail();
  }
  Bench damaged(mercury_protocol, meter, meter);
  damaged.twist = [](const Bytes&) { return Arrivals{{50ms, hex("48 00 00 00")}}; };
  const auto telegram = damaged.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::checksum);
  Bench absent(mercury_protocol, {{"address", "5"}}, meter);
  ASSERT_FALSE(absent.knock());
  EXPECT_EQ(absent.line().sent().size(), 1U);
}

TEST_F(MercuryPoll, ATimeOutMultiplierIsWaitedFor) {
  const Set slow = {{"address", "72"}, {"timeout_factor", "4"}};
  Bench bench(mercury_protocol, meter, slow);
  bench.twist = [&](const Bytes& request) {
    Arrivals arrivals;
    for (Bytes& answer : bench.responder().received(request))
      arrivals.push_back({1900ms, std::move(answer)});
    return std::optional(arrivals);
  };
  EXPECT_TRUE(bench.poll());
}

// Whatever arrives late, twice, damaged, from others or in the place of another answer: what is
// delivered is right.
TEST_F(MercuryPoll, P09ConfusionGivesNoWrongValue) {
  std::mt19937 dice(17);
  const auto chance = [&dice](unsigned percent) { return dice() % 100 < percent; };
  Bench bench(mercury_protocol, meter, meter);
  MeterFace now = face();
  MeterFace oldest = now;
  MeterFace before = now;
  Bytes previous;
  std::size_t exchanges = 0;
  bench.twist = [&](const Bytes& request) {
    ++exchanges;
    Arrivals arrivals;
    for (Bytes& bytes : bench.responder().received(request)) {
      const Bytes right = bytes;
      if (chance(4)) continue;
      if (chance(10)) arrivals.push_back({2ms, request});
      if (chance(5)) arrivals.push_back({30ms, wire("49 00 40 5e 00 40 5e 00 40 5e")});
      if (chance(5) && !previous.empty()) bytes = previous;
      if (chance(4)) bytes[dice() % bytes.size()] ^= std::byte{0x10};
      if (chance(4)) bytes.resize(1 + dice() % bytes.size());
      const Milliseconds after(chance(6) ? dice() % 2200 : 60);
      arrivals.push_back({after, bytes});
      if (chance(5)) arrivals.push_back({after + 15ms, bytes});
      previous = right;
    }
    return std::optional(arrivals);
  };
  const auto within = [&](const Telegram& telegram, const std::string& key, const Decimal& least,
                          const Decimal& most) {
    const auto value = Decimal::parse(reading(telegram, key));
    if (!value) return;  // not read this time
    EXPECT_TRUE(*value >= least && *value <= most) << key << " is " << value->str();
  };
  std::size_t delivered = 0;
  while (exchanges < 10'000 && !HasFailure()) {
    oldest = std::exchange(before, now);
    now.energy_import[0] =
        *now.energy_import[0].plus(Decimal(static_cast<std::int64_t>(dice() % 5)));
    now.now += std::chrono::seconds(10);
    bench.responder().show(now);
    const auto telegram = bench.poll();
    bench.line().forget_sent();
    bench.line().wait(1000ms);
    if (!telegram) {
      EXPECT_NE(telegram.error().code(), Errc::access);
      continue;
    }
    ++delivered;
    for (std::size_t i = 0; i < 4; ++i) {
      within(*telegram, "energy_import_t" + std::to_string(i + 1),
             *oldest.energy_import[i].shifted(-3), *now.energy_import[i].shifted(-3));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string phase = "_l" + std::to_string(i + 1);
      within(*telegram, "voltage" + phase, now.voltage[i], now.voltage[i]);
      const Decimal current = *now.current[i].times(Decimal(125, -2));
      within(*telegram, "current" + phase, *current.minus(Decimal(1, -3)), current);
      within(*telegram, "power" + phase, now.power[i], now.power[i]);
    }
    within(*telegram, "frequency", now.frequency, now.frequency);
    within(*telegram, "reactive_power_l1", Decimal(900), Decimal(900));
    EXPECT_EQ(reading(*telegram, "serial"), "41906072");
  }
  std::printf("%zu exchanges, %zu polls delivered\n", exchanges, delivered);
  EXPECT_GT(delivered, 200U);
}

}  // namespace
}  // namespace meterbridge::protocol::mercury
