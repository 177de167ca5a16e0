// SPDX-License-Identifier: MIT
// Driver, poll and table.
#include "dlt645_bench.hpp"

#include <random>

namespace meterbridge::protocol::dlt645 {
namespace {

using namespace bench;

TEST(Dlt645Poll, ReadsWhatTheMeterShows) {
  const auto old = settings_for(old_rows);
  Bench bench(old, old);
  auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{
           {"power", "2199.5"},
           {"voltage_l1", "230"},
           {"energy_import", "10000.10"},
           {"energy_import_t1", "1000.01"},
           {"energy_import_t2", "2000.02"},
           {"clock", "2026-11-20T18:30:00Z"},
           {"serial", "000000844718"},
       })
    EXPECT_EQ(reading(*telegram, key), value) << key;
  EXPECT_EQ(telegram->meter.serial, "000000844718");
  EXPECT_EQ(bench.codes(), (std::vector<std::string>{"B630", "B611", "901F", "C012", "C032"}));
  telegram = bench.poll();
  ASSERT_TRUE(telegram);
  EXPECT_EQ(reading(*telegram, "serial"), "000000844718");
  EXPECT_EQ(bench.codes(), (std::vector<std::string>{"B630", "B611", "901F", "C012"}));
  const auto fresh = settings_for(new_rows);
  Bench newer(fresh, fresh);
  telegram = newer.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import"), "10000.10");
  EXPECT_EQ(reading(*telegram, "current_l1"), "5.361");
  EXPECT_EQ(reading(*telegram, "power"), "-2199.5");  // 1200 - 3400 + 0.5
}

TEST(Dlt645Poll, WhatIsRefusedTwiceIsLeftOutAndNamed_P10) {
  auto meter_rows = old_rows;
  std::erase_if(meter_rows, [](const Row& row) { return std::string_view(row.code) == "B611"; });
  Bench bench(settings_for(meter_rows), settings_for(old_rows));
  bench.twist = [](const Bytes& request) -> std::optional<Bench::Arrivals> {
    if (request == asked("C012")) return Bench::Arrivals{};
    return std::nullopt;
  };
  for (int poll = 0; poll < 3; ++poll) {
    const auto telegram = bench.poll();
    ASSERT_TRUE(telegram) << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "voltage_l1"), "");
    EXPECT_EQ(reading(*telegram, "energy_import"), "10000.10");
    EXPECT_EQ(bench.driver().remark().empty(), poll == 2);
  }
  const auto codes = bench.codes();
  EXPECT_EQ(std::ranges::count(codes, "B611"), 2);
  EXPECT_EQ(std::ranges::count(codes, "C012"), 6);  // three attempts in two polls
  const auto* out = dynamic_cast<const LeavesOut*>(&bench.driver());
  ASSERT_NE(out, nullptr);
  EXPECT_EQ(
      out->left_out(),
      (std::vector<std::string>{"B611 (voltage_l1): the meter refuses: it has no such value",
                                "C012 (clock): the value C012: no answer within 2s (3 attempts)"}));
  for (unsigned poll = 0; poll < Dlt645Driver::all_every; ++poll)
    ASSERT_TRUE(bench.poll());
  EXPECT_EQ(std::ranges::count(bench.codes(), "B611"), 1);
}

TEST(Dlt645Poll, FailuresSayWhatIsWrong) {
  const auto settings = settings_for(old_rows);
  Bench absent(settings_for(old_rows, 7), settings);
  const auto silent = absent.poll();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code(), Errc::timeout);
  EXPECT_EQ(silent.error().detail(), "the value B611: no answer within 2s (3 attempts)");
  Bench foreign(settings, settings);
  Mischief mischief;
  mischief.foreign = true;
  foreign.responder().misbehave(mischief);
  const auto other = foreign.poll();
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::mismatch);
  EXPECT_NE(other.error().detail().find("address 000000844719"), std::string::npos)
      << other.error().detail();
  Bench empty(settings_for(new_rows), settings_for({{"02010100", "voltage_l1", 2}}));
  const auto refused = empty.poll();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::exception);
  EXPECT_EQ(refused.error().detail(),
            "no value was read; 02010100: the meter refuses: it has no such value");
  EXPECT_EQ(dlt645_protocol.driver(settings_for({}, 1)).error().detail(),
            "`codes` is empty: which values does this meter have?");
  SettingValues nobody = default_settings(dlt645_protocol.settings);
  EXPECT_NE(dlt645_protocol.driver(nobody).error().detail().find("needs its address"),
            std::string::npos);
}

TEST(Dlt645Poll, P09EchoesDoublesAndStrangersGiveNoWrongValue) {
  const auto settings = settings_for(old_rows);
  std::mt19937 dice(23);
  const auto chance = [&dice](unsigned percent) { return dice() % 100 < percent; };
  Bench bench(settings, settings);
  Bytes previous;
  std::size_t exchanges = 0;
  bench.twist = [&](const Bytes& request) {
    ++exchanges;
    Bench::Arrivals arrivals;
    for (Bytes& bytes : bench.responder().received(request)) {
      const Bytes right = bytes;
      if (chance(5)) continue;
      if (chance(30)) arrivals.push_back({2ms, request});
      if (chance(10)) arrivals.push_back({20ms, answer("901F", "99999999", 844719)});
      if (chance(10) && !previous.empty()) bytes = previous;
      if (chance(5)) bytes[dice() % bytes.size()] ^= std::byte{0x04};
      const Milliseconds after(chance(10) ? dice() % 5000 : 60);
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
    for (const auto& [key, value] :
         {std::pair{"power", "2199.5"}, std::pair{"voltage_l1", "230"},
          std::pair{"energy_import", "10000.10"}, std::pair{"energy_import_t1", "1000.01"},
          std::pair{"serial", "000000844718"}}) {
      const std::string read = reading(*telegram, key);
      EXPECT_TRUE(read.empty() || read == value) << key << " is " << read;
    }
  }
  EXPECT_GT(delivered, 1000U);
}

// A watchdog that ends it sooner would never see the slow meter's last value.
TEST(Dlt645Poll, ASlowMeterHasTimeForAllItsValues) {
  auto settings = settings_for({{"B611", "voltage_l1", 2}});
  EXPECT_EQ((*dlt645_protocol.driver(settings))->longest_poll(), Milliseconds(31'500));
  settings.set("retries", std::int64_t{0});
  EXPECT_EQ((*dlt645_protocol.driver(settings))->longest_poll(), Milliseconds(30'000));
  settings = settings_for(old_rows);
  settings.set("gap", Milliseconds(1000));
  settings.set("response_timeout", Milliseconds(3000));
  EXPECT_EQ((*dlt645_protocol.driver(settings))->longest_poll(), Milliseconds(132'000));
}

TEST(Dlt645Poll, ATableThatContradictsItselfIsRefusedInWords) {
  const auto fault = [](const std::vector<Row>& rows) {
    const auto driver = dlt645_protocol.driver(settings_for(rows));
    return driver ? std::string("none") : driver.error().detail();
  };
  EXPECT_EQ(fault({{"B611", "voltage_l1", 2}}), "none");
  EXPECT_EQ(fault({{"B611", "voltage_l1", 2}, {"02010100", "voltage_l2", 2}}),
            "codes[1].code: must be 4 hex digits, as B630 (version 1997)");
  EXPECT_EQ(fault({{"02010100", "voltage_l1", 2}, {"0201020X", "voltage_l2", 2}}),
            "codes[1].code: must be 8 hex digits, as 02030000 (version 2007)");
  EXPECT_EQ(fault({{"B611", "clock", 2}}), "codes[0].bytes: a clock has 7");
  EXPECT_EQ(fault({{"B611", "voltage_l1", 2, "0"}}), "codes[0].scale: must not be 0");
  EXPECT_EQ(fault({{"B611", "voltage_l1", 2, "1", 0, false, "kWh"}}),
            "codes[0].unit: 'kWh' does not belong to voltage_l1");
  EXPECT_EQ(fault({{"901F", "energy_import", 4, "1", 1}, {"901F", "energy_export", 3, "1", 2}}),
            "codes[1].part: rows of one code are parts of one block: each has its part, and all "
            "have the same bytes");
}

}  // namespace
}  // namespace meterbridge::protocol::dlt645
