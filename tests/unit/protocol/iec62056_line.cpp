// SPDX-License-Identifier: MIT
#include "iec62056_bench.hpp"

#include <random>

namespace meterbridge::protocol::iec62056_21 {
namespace {

// Property: answers cut anywhere into pieces make the same telegram.
TEST_F(Iec62056Poll, AnyCutOfTheAnswersGivesTheSame) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  std::string whole;
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    auto line = line_with(meters, [&](std::vector<VirtualLine::Arrival>& arrivals) {
      std::vector<VirtualLine::Arrival> pieces;
      for (const auto& arrival : arrivals) {
        std::size_t at = 0;
        while (at < arrival.bytes.size()) {
          const std::size_t length =
              seed == 0 ? arrival.bytes.size() : 1 + random() % arrival.bytes.size();
          const std::size_t end = std::min(arrival.bytes.size(), at + length);
          VirtualLine::Arrival piece;
          piece.after = arrival.after + Milliseconds(static_cast<int>(at));
          piece.bytes.assign(arrival.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                             arrival.bytes.begin() + static_cast<std::ptrdiff_t>(end));
          pieces.push_back(std::move(piece));
          at = end;
        }
      }
      arrivals = std::move(pieces);
    });
    const auto telegram = poll(*driver_of(settings), line);
    ASSERT_TRUE(telegram) << seed << ": " << telegram.error().detail();
    const std::string json = telegram_json(*telegram);
    if (seed == 0) whole = json;
    EXPECT_EQ(json, whole) << seed;
  }
  EXPECT_NE(whole.find("energy_import_t4"), std::string::npos);
}

// P09: nothing that a disturbed line does makes a wrong value. The meter never changes, so every
// value that is read must be the one of the undisturbed poll.
TEST_F(Iec62056Poll, NoFaultOfTheLineMakesAWrongValueP09) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto calm = line_with(meters);
  const auto right = poll(*driver_of(settings), calm);
  ASSERT_TRUE(right);
  int good = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    std::mt19937 random(seed);
    Bytes before;
    auto line = line_with(meters, [&](std::vector<VirtualLine::Arrival>& arrivals) {
      for (auto& arrival : arrivals) {
        const Bytes sent = arrival.bytes;
        switch (random() % 12) {
          case 0:
            arrival.bytes[random() % arrival.bytes.size()] ^=
                static_cast<std::byte>(1U << random() % 7);
            break;
          case 1:
            arrival.bytes.resize(random() % arrival.bytes.size());
            break;
          case 2:
            arrival.after += Milliseconds(2000);
            break;
          case 3:
            if (!before.empty()) arrival.bytes = before;
            break;
          case 4:
            arrival.bytes.insert(arrival.bytes.begin(), static_cast<std::byte>(random() % 128));
            break;
          default:
            break;
        }
        before = sent;
      }
      std::erase_if(arrivals, [](const auto& arrival) { return arrival.bytes.empty(); });
    });
    const auto driver = driver_of(settings);
    for (int i = 0; i < 4; ++i) {
      const auto telegram = poll(*driver, line);
      if (!telegram) continue;
      ++good;
      for (const Reading& one : telegram->readings.front().readings) {
        const std::string key = one.key.text();
        ASSERT_EQ(reading(*telegram, key), reading(*right, key)) << key << " seed " << seed;
      }
    }
  }
  EXPECT_GT(good, 200);
}

// Saiman answers without the code that was asked: an answer that comes after its time would fit the
// next question. However late it is, it is taken for its own question or for none.
TEST_F(Iec62056Poll, ALateAnswerWithoutItsCodeIsNeverTakenForAnotherP07P09) {
  const auto settings = saiman();
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto calm = line_with(meters);
  const auto right = poll(*driver_of(settings), calm);
  ASSERT_TRUE(right);
  int good = 0;
  int late = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&random](int limit) {
      return Milliseconds(static_cast<int>(random() % static_cast<unsigned>(limit)));
    };
    auto line = line_with(meters, [&](std::vector<VirtualLine::Arrival>& arrivals) {
      for (std::size_t i = 0, count = arrivals.size(); i < count; ++i) {
        switch (random() % 10) {
          case 0:
            arrivals[i].after += below(3300);  // more than twice what is waited for
            ++late;
            break;
          case 1:
            arrivals[i].after += below(1500);
            break;
          case 2: {
            VirtualLine::Arrival again = arrivals[i];
            again.after += below(90);
            arrivals.push_back(std::move(again));
            break;
          }
          case 3:
            arrivals[i].bytes.clear();
            break;
          default:
            break;
        }
      }
      std::erase_if(arrivals, [](const auto& arrival) { return arrival.bytes.empty(); });
    });
    const auto driver = driver_of(settings);
    for (int i = 0; i < 3; ++i) {
      const auto telegram = poll(*driver, line);
      if (!telegram) continue;
      ++good;
      for (const Reading& one : telegram->readings.front().readings) {
        const std::string key = one.key.text();
        ASSERT_EQ(reading(*telegram, key), reading(*right, key)) << key << " seed " << seed;
      }
    }
  }
  EXPECT_GT(good, 600);
  EXPECT_GT(late, 500);
}

TEST_F(Iec62056Poll, AnotherMasterAndAForeignAnswerAreNotTakenP08) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto line = line_with(meters);
  Mischief mischief;
  mischief.other_master = true;
  meters.front().misbehave(mischief);
  const auto telegram = poll(*driver_of(settings), line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "energy_import"), "1891.880");
  mischief = {};
  mischief.foreign = true;
  meters.front().misbehave(mischief);
  const auto foreign = poll(*driver_of(settings), line);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code(), Errc::mismatch);
}

TEST_F(Iec62056Poll, AMaximumHasItsStampAndFormerOnesAreNoReadings) {
  const auto all = iec62056_21_protocol.decode(
      readout("EMH4LZQJ",
              "1.6.1(0.4325*kW)(1230314114500)\r\n1.6.2(0.5*kW)(23-03-14 11:45)\r\n"
              "1.6.1*01(9.9*kW)(2302081815)\r\n1.6.3(0.7*kW)(0000000000)\r\n"
              "1.8.1(5*kWh)(4*kWh)(3*kWh)\r\n1.8.2&01(7,25*kWh)\r\n1.8.3(  1.5 * kWh)\r\n"
              "1-0:1.8.0*255 (9.5*kWh)\r\nC.2.1(00)(  )\r\n!\r\n"),
      default_settings(iec62056_21_protocol.settings));
  ASSERT_EQ(statuses(all), "ok") << all[0].error;
  const Telegram& t = all[0].telegram;
  EXPECT_EQ(item(t, "1-0:1.6.1*255"), "0.4325 kW");
  EXPECT_EQ(iso_utc(*t.find("1-0:1.6.1*255")->time),
            "2023-03-14T11:45:00Z");  // no summer time in UTC
  EXPECT_EQ(iso_utc(*t.find("1-0:1.6.2*255")->time), "2023-03-14T11:45:00Z");
  EXPECT_FALSE(t.find("1-0:1.6.3*255")->time);
  EXPECT_EQ(item(t, "1-0:1.6.1*01"), "9.9 kW");
  EXPECT_EQ(item(t, "1-0:1.8.1*255"), "5 kWh");
  EXPECT_EQ(item(t, "1.8.2&01"), "7.25 kWh");
  EXPECT_EQ(item(t, "1-0:1.8.3*255"), "1.5 kWh");
  EXPECT_EQ(item(t, "C.2.1"), "(00)()");
  EXPECT_EQ(reading(t, "power_import_peak_t1"), "432.5");
  EXPECT_EQ(reading(t, "energy_import"), "9.5");
  EXPECT_EQ(reading(t, "energy_import_t1"), "");  // of which month, nobody says
  EXPECT_EQ(reading(t, "energy_import_t3"), "1.5");
}

TEST(Iec62056Line, AttributesBehindACommaAreItemsOfTheirOwn) {
  const auto all = iec62056_21_protocol.decode(
      to_bytes("/ZPA5\\2AM363\r\n0.9.1(211156)\r\n0.9.2(20260130)\r\n1.8.0(0036486*kWh)\r\n"
               "1.6.0(2.002*kW)\r\n1.6.0,5(202601130730)\r\n!\r\n"),
      default_settings(iec62056_21_protocol.settings));
  ASSERT_EQ(statuses(all), "ok") << all[0].error;
  const Telegram& t = all[0].telegram;
  EXPECT_EQ(item(t, "1.6.0,5"), "202601130730");
  EXPECT_EQ(reading(t, "power_import_peak"), "2002");
  EXPECT_EQ(reading(t, "energy_import"), "36486");
  EXPECT_EQ(reading(t, "clock"), "2026-01-30T21:11:56Z");
}

// Rows of a load profile have no code; only where a check tells that nothing is lost do they go
// with the one before.
TEST(Iec62056Line, RowsWithoutACodeBelongToTheOneBefore) {
  const auto settings = default_settings(iec62056_21_protocol.settings);
  const auto decode = [&](std::string_view text) {
    return iec62056_21_protocol.decode(to_bytes(text), settings);
  };
  const std::string lines =
      "C.1.0(0641)P.01(1211)(15)(1.5)(kW)\r\n(0.012)\r\n(0.034)\r\n1.8.0(5.1*kWh)\r\n!\r\n";
  const std::string block = "\x02" + lines + "\x03";
  std::string whole = "/ISk5MT860\r\n" + block;
  whole += static_cast<char>(
      u8(block_check(to_bytes(std::string_view(block).substr(1)), Check::exclusive_or)));
  const auto all = decode(whole);
  ASSERT_EQ(statuses(all), "ok") << all[0].error;
  const Item* profile = all[0].telegram.find("P.01");
  ASSERT_NE(profile, nullptr);
  EXPECT_EQ(profile->groups,
            (std::vector<std::string>{"1211", "15", "1.5", "kW", "0.012", "0.034"}));
  EXPECT_EQ(reading(all[0].telegram, "energy_import"), "5.1");
  EXPECT_EQ(statuses(decode("/ISk5MT860\r\n" + lines)), "malformed");
}

// Pafal's 12EC3g says each value twice; Landis+Gyr's E650 has the net reactive power of each phase.
TEST(Iec62056Line, AValueThatIsSaidTwiceIsOne) {
  const auto all = iec62056_21_protocol.decode(
      to_bytes("/PAF5EC3gr00006\r\n0.0.0(72044837)(72044837)\r\n1.8.0*00(783.16)(783.16)\r\n"
               "131.7.0(-0.82*kvar)\r\n151.7.0(-0.25*kvar)\r\n!\r\n"),
      default_settings(iec62056_21_protocol.settings));
  ASSERT_EQ(statuses(all), "ok") << all[0].error;
  const Telegram& t = all[0].telegram;
  EXPECT_EQ(t.meter.serial, "72044837");
  EXPECT_EQ(reading(t, "energy_import"), "783.16");
  EXPECT_EQ(reading(t, "reactive_power"), "-820");
  EXPECT_EQ(reading(t, "reactive_power_l1"), "-250");
}

// A terminal that is not raw makes LF of CR, an editor CR LF to LF: the block check tells.
TEST_F(Iec62056Poll, CarriageReturnsThatATerminalChangedArePutBack) {
  for (const Check rule : {Check::exclusive_or, Check::sum}) {
    const std::string good = to_text(readout("ABC5X", lines, rule));
    for (const std::string_view line_end : {"\n\n", "\n"}) {
      std::string cooked;
      for (std::size_t i = 0; i < good.size(); ++i) {
        const bool end = good[i] == '\r' && i + 1 < good.size() && good[i + 1] == '\n';
        cooked += end ? std::string(line_end) : std::string(1, good[i]);
        if (end) ++i;
      }
      const auto all = iec62056_21_protocol.decode(to_bytes(cooked),
                                                   default_settings(iec62056_21_protocol.settings));
      ASSERT_EQ(statuses(all), "ok");
      EXPECT_EQ(reading(all[0].telegram, "energy_import"), "61561.289");
      std::string bad = cooked;
      bad[bad.find("061561") + 2] = '2';
      EXPECT_EQ(statuses(iec62056_21_protocol.decode(
                    to_bytes(bad), default_settings(iec62056_21_protocol.settings))),
                "checksum");
    }
  }
}

// Property: whatever noise is around a readout, it is found.
TEST_F(Iec62056Poll, NoiseAroundAReadoutCostsNothing) {
  const Bytes good = readout("ISK5MT174", lines);
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    const auto noise = [&random](std::size_t most) {
      Bytes bytes(random() % most);
      for (std::byte& b : bytes)
        b = static_cast<std::byte>("\x7f\xff\x02\x01\x03?!ab(\r\n"[random() % 12]);
      return bytes;
    };
    Bytes stream = noise(20);
    const Bytes echo = to_bytes("/?!\r\n");
    if (seed % 2 == 0) stream.insert(stream.end(), echo.begin(), echo.end());
    stream.insert(stream.end(), good.begin(), good.end());
    const Bytes behind = noise(20);
    stream.insert(stream.end(), behind.begin(), behind.end());
    int found = 0;
    for (const Decoded& one :
         iec62056_21_protocol.decode(stream, default_settings(iec62056_21_protocol.settings))) {
      if (!one.ok()) continue;
      ++found;
      EXPECT_EQ(reading(one.telegram, "energy_import"), "61561.289") << seed;
    }
    EXPECT_EQ(found, 1) << seed << " " << to_hex(stream).substr(0, 60);
  }
}

}  // namespace
}  // namespace meterbridge::protocol::iec62056_21
