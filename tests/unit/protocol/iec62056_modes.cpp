// SPDX-License-Identifier: MIT
// Modes A, B and D, reads without a session, groups of codes, changes of speed.
#include "iec62056_bench.hpp"
#include "protocol/iec62056_21/models.hpp"
#include "protocol/iec62056_21/push.hpp"
#include "protocol/speed_change.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace meterbridge::protocol::iec62056_21 {
namespace {

SettingValues pushing(std::string_view model) {
  return test::settings_of(iec62056_21_push_protocol, {{"model", model}});
}

Bytes telegram_of(std::string_view model) {
  const auto responder = iec62056_21_push_protocol.responder(pushing(model));
  (*responder)->show(face());
  return (*responder)->push();
}

// What a listening dialogue makes of a stream that comes in these pieces.
std::string heard(std::span<const Bytes> pieces, const SettingValues& settings) {
  const auto driver = iec62056_21_push_protocol.driver(settings);
  const auto dialogue = (*driver)->begin();
  std::string text;
  std::size_t at = 0;
  int silences = 0;
  for (int i = 0; i < 10000; ++i) {
    const auto step = dialogue->next();
    if (!step) {
      if (step.error().code() == Errc::timeout && !pieces.empty())
        continue;  // it ended, that is all
      text += "! " + step.error().detail() + "\n";
    } else if (const auto* end = std::get_if<step::Finished>(&*step)) {
      text += telegram_json(end->telegram) + "\n";
    } else {
      EXPECT_TRUE(std::holds_alternative<step::Listen>(*step)) << "something was sent";
      if (at < pieces.size()) {
        dialogue->received(pieces[at++]);
      } else if (silences++ == 2) {
        break;
      } else {
        dialogue->silence();
      }
    }
  }
  return text;
}

class Iec62056Push : public testing::TestWithParam<std::string_view> {};

// Property: any cut of the stream gives the same telegrams.
TEST_P(Iec62056Push, IsReadInAnyCut) {
  const SettingValues settings = pushing(GetParam());
  const Bytes one = telegram_of(GetParam());
  Bytes stream = test::hex("00ff7f");
  for (int i = 0; i < 3; ++i) {
    stream.insert(stream.end(), one.begin(), one.end());
    const Bytes tail = to_bytes("  25803103\r\n\xFF\xFF\xFF\r\n");
    stream.insert(stream.end(), tail.begin(), tail.end());
  }
  std::string whole;
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    std::vector<Bytes> pieces;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t length = seed == 0 ? stream.size() : 1 + random() % (seed * 8);
      const std::size_t end = std::min(stream.size(), at + length);
      pieces.emplace_back(stream.begin() + static_cast<std::ptrdiff_t>(at),
                          stream.begin() + static_cast<std::ptrdiff_t>(end));
      at = end;
    }
    const std::string text = heard(pieces, settings);
    if (seed == 0) whole = text;
    ASSERT_EQ(text, whole) << seed;
  }
  EXPECT_EQ(std::ranges::count(whole, '\n'), 3) << whole;
  EXPECT_NE(whole.find("energy_import"), std::string::npos);
  EXPECT_EQ(whole.find("! "), std::string::npos) << whole;
}

// Property: with its parity checked, no flipped bit makes a wrong value. Without, a telegram cannot
// tell one digit from another: that is the meter's.
TEST_P(Iec62056Push, NoFlippedBitPassesTheParity) {
  SettingValues settings = pushing(GetParam());
  settings.set("software_parity", true);
  const Bytes good = with_parity(telegram_of(GetParam()));
  ASSERT_NE(heard(std::array{good}, settings).find("energy_import"), std::string::npos);
  const std::size_t end = good.size() - 2;  // behind the mark nothing counts
  const std::size_t step = 3;
  for (std::size_t at = 0; at < end; at += step) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::byte>(1U << (at % 8));
    const std::string text = heard(std::array{bad}, settings);
    ASSERT_EQ(text.find("readings"), std::string::npos) << at << text;
  }
}

// Property: what breaks off gives nothing, and does not take the next telegram with it.
TEST_P(Iec62056Push, ACutTelegramCostsOnlyItself) {
  const SettingValues settings = pushing(GetParam());
  const Bytes good = telegram_of(GetParam());
  const std::string whole = heard(std::array{good}, settings);
  for (std::size_t length = 1; length + 4 < good.size(); length += 7) {
    const Bytes part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    ASSERT_EQ(heard(std::array{part}, settings).find("readings"), std::string::npos) << length;
    Bytes line = part;
    line.push_back(std::byte{'\n'});
    const std::string text = heard(std::array{line, good}, settings);
    ASSERT_EQ(text.substr(text.size() - whole.size()), whole) << length;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Iec62056Push, testing::ValuesIn(push_model_names()),
                         [](const auto& one) {
                           std::string name(one.param);
                           std::erase(name, '-');
                           return name;
                         });

TEST(Iec62056PushFaults, AreSaidInWords) {
  const SettingValues settings = pushing("generic");
  EXPECT_NE(heard({}, settings).find("not one byte within"), std::string::npos);
  const auto text = [&](std::string_view content) {
    return heard(std::array{to_bytes(content)}, settings);
  };
  EXPECT_NE(text("/ABC5M\r\n1.8.0(5.1*kWh)\r\n").find("no end"), std::string::npos);
  EXPECT_NE(text("/ABC5M\r\n1.8.0(5.1*kWh\r\n!\r\n").find("not code(value)"), std::string::npos);
  EXPECT_NE(text("/ABC5M\r\n1.8.0(5.Z1*kWh)\r\n!\r\n").find("is no number"), std::string::npos);
  EXPECT_NE(text("/ABC5M\r\n1.8.0(5.1*kVh)\r\n!\r\n").find("has no unit"), std::string::npos);
  EXPECT_NE(text("/ABC5M\r\n1.8.0(5*kWh)\r\n1.8.0(6*kWh)\r\n!\r\n").find("comes twice"),
            std::string::npos);
  EXPECT_EQ(text("/ABC5M\r\n1.8.0(5*kWh)\r\n1.8.0*96(6*kWh)\r\n!\r\n").find("! "),
            std::string::npos);
  EXPECT_EQ(text("/abc5M\r\n1.8.0(5.1*kWh)\r\n!\r\n").find("readings"), std::string::npos);
  Bytes parity = with_parity(to_bytes(std::string(3000, 'a')));
  EXPECT_NE(heard(std::array{parity}, settings).find("parity in bit 7"), std::string::npos);
}

TEST(Iec62056PushFaults, HostileBytesAreBoundedAndNoTelegrams) {
  constexpr std::string_view letters = "/ABC5!\r\n\x02\x03(1.8.0*k)";
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    std::vector<Bytes> pieces(40);
    for (Bytes& piece : pieces) {
      piece.resize(random() % 900);
      for (std::byte& b : piece)
        b = static_cast<std::byte>(letters[random() % letters.size()]);
    }
    const std::string text = heard(pieces, pushing("generic"));
    EXPECT_EQ(text.find("energy"), std::string::npos) << seed;
  }
}

// --- polled ---

SettingValues energomera(
    std::initializer_list<std::pair<std::string_view, std::string_view>> more) {
  auto settings =
      test::settings_of(iec62056_21_protocol,
                        {{"family", "energomera-dlms"}, {"speed", "fixed"}, {"address", "312"}});
  for (const auto& [name, value] : more) {
    const auto spec = std::ranges::find(iec62056_21_protocol.settings, name, &SettingSpec::name);
    settings.set(name, *parse_setting(*spec, value));
  }
  return settings;
}

// CE207, CE208, CE307, CE308: the same values one by one, in groups, and without a session.
TEST_F(Iec62056Poll, GroupsAndReadsWithoutASessionGiveTheSame) {
  for (const std::string_view model : {"energomera-ce208", "energomera-ce308"}) {
    std::string readings;
    std::vector<std::size_t> requests;
    for (const auto& [read, group] :
         {std::pair<std::string_view, std::string_view>{"codes", "false"},
          {"codes", "true"},
          {"fast", "false"},
          {"fast", "true"}}) {
      const auto settings = energomera({{"model", model}, {"read", read}, {"group", group}});
      std::vector<Meter> meters;
      meters.emplace_back(settings);
      auto line = line_with(meters);
      const auto driver = driver_of(settings);
      ASSERT_TRUE(poll(*driver, line));
      line.forget_sent();
      const auto telegram = poll(*driver, line);
      ASSERT_TRUE(telegram) << telegram.error().detail();
      requests.push_back(line.sent().size());
      std::set<std::string> all;
      for (const Reading& one : telegram->readings.front().readings)
        all.insert(one.key.text() + "=" + reading(*telegram, one.key.text()));
      std::string text;
      for (const std::string& one : all)
        text += one + " ";
      if (readings.empty()) readings = text;
      EXPECT_EQ(text, readings) << read << group;
      for (const Bytes& sent : line.sent())
        EXPECT_LE(sent.size(), 180U);
      EXPECT_EQ(count_of(line.sent(), "ET0PE"), 0U);
      if (read == "fast") {
        EXPECT_EQ(count_of(line.sent(), "/?312!\x01R1\x02"), line.sent().size());
        EXPECT_EQ(count_of(line.sent(), "B0"), 0U);
      }
    }
    EXPECT_NE(readings.find("energy_import="), std::string::npos) << readings;
    EXPECT_LT(requests[1], requests[0]);
    EXPECT_LT(requests[3], requests[2]);
  }
}

// A code that the meter does not know spoils the group: then they are asked one by one.
TEST_F(Iec62056Poll, ARefusedGroupIsAskedCodeByCode) {
  const auto settings = energomera({{"group", "true"}});
  VirtualLine line([](const Bytes& sent) {
    std::vector<VirtualLine::Arrival> arrivals(1);
    const auto request = parse_request(sent);
    EXPECT_TRUE(request);
    Bytes& answer = arrivals[0].bytes;
    if (request->kind == Request::Kind::sign_on) answer = to_bytes("/EMR5CE2081.1\r\n");
    if (request->kind == Request::Kind::select) answer = build_block("P0", "(777777)", Check::sum);
    if (request->kind == Request::Kind::stop) arrivals.clear();
    if (request->kind != Request::Kind::read) return arrivals;
    std::string text = "(ERR12)";
    if (request->name == "VOLTA") text = "VOLTA(230.1)\r\n";
    if (request->name == "FREQU") text = "FREQU(50.0)\r\n";
    answer = build_block({}, text, Check::sum);
    return arrivals;
  });
  const auto driver = driver_of(settings);
  for (const std::size_t groups : {1U, 0U}) {
    line.forget_sent();
    const auto telegram = poll(*driver, line);
    ASSERT_TRUE(telegram) << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.1");
    EXPECT_EQ(reading(*telegram, "frequency"), "50.0");
    EXPECT_EQ(count_of(line.sent(), "GRPNM"), groups);
  }
}

// Every model that the simulator plays is read, in its mode and at its speeds.
TEST_F(Iec62056Poll, AModelOfEachModeIsReadAtItsSpeeds) {
  struct Case {
    std::string_view model, mode, data_baud, speed, key, value;
    std::vector<std::string> lines;
  };

  const std::vector<Case> cases{
      {"iskra-mt174",
       "auto",
       "0",
       "announced",
       "energy_import",
       "1891.880",
       {"300 7E1", "9600 7E1"}},
      {"landisgyr-zmf100", "auto", "0", "announced", "voltage_l1", "230", {"300 7E1", "4800 7E1"}},
      {"landisgyr-zmd120",
       "auto",
       "0",
       "announced",
       "power_import_peak_t1",
       "4310",
       {"300 7E1", "9600 7E1"}},
      {"emh-lzqj", "auto", "0", "announced", "energy_import_t2", "654.32", {"300 7E1", "4800 7E1"}},
      {"pafal-ec3", "auto", "0", "slow", "energy_import", "1891.88", {}},
      {"kamstrup-685", "a", "0", "announced", "energy_import", "1891.8", {"300 7E1"}},
      {"landisgyr-ultraheat", "b", "2400", "announced", "heat", "6.810", {"300 7E1", "2400 7E1"}},
  };
  for (const Case& one : cases) {
    const auto settings = test::settings_of(iec62056_21_protocol, {{"read", "readout"},
                                                                   {"model", one.model},
                                                                   {"mode", one.mode},
                                                                   {"data_baud", one.data_baud},
                                                                   {"speed", one.speed}});
    Meter meter(settings);
    const auto driver = driver_of(settings);
    const auto dialogue = driver->begin();
    std::vector<std::string> lines;
    std::vector<Bytes> waiting;
    for (int i = 0; i < 40; ++i) {
      const auto step = dialogue->next();
      ASSERT_TRUE(step) << one.model << step.error().detail();
      if (const auto* tune = std::get_if<step::Retune>(&*step)) {
        lines.push_back(tune->line.text());
      } else if (const auto* send = std::get_if<step::Send>(&*step)) {
        for (Bytes& answer : meter.hear(send->bytes))
          waiting.push_back(std::move(answer));
      } else if (std::holds_alternative<step::Listen>(*step)) {
        ASSERT_FALSE(waiting.empty()) << one.model;
        dialogue->received(waiting.front());
        waiting.erase(waiting.begin());
      } else if (const auto* end = std::get_if<step::Finished>(&*step)) {
        EXPECT_EQ(reading(end->telegram, one.key), one.value) << one.model;
        break;
      }
    }
    EXPECT_EQ(lines, one.lines) << one.model;
  }
}

// The simulated meter is deaf at another speed than its own, and returns to its first one.
TEST_F(Iec62056Poll, ASimulatedMeterHearsOnlyAtItsSpeed) {
  const auto settings = test::settings_of(iec62056_21_protocol, {{"family", "neva"}});
  const auto responder = *iec62056_21_protocol.responder(settings);
  auto* const line = dynamic_cast<SpeedChange*>(responder.get());
  ASSERT_NE(line, nullptr);
  const auto says = [&](std::uint32_t baud, const Bytes& bytes) {
    EXPECT_TRUE(line->hears_at(baud));
    return responder->received(bytes).size();
  };
  const Bytes ask = read_request(Read::r1, "200700FF", {}, Check::exclusive_or);
  EXPECT_EQ(says(9600, sign_on({})), 0U);
  EXPECT_EQ(says(300, sign_on({})), 1U);
  EXPECT_EQ(says(4800, option_select('5', '1')), 0U);
  EXPECT_EQ(says(300, option_select('5', '1')), 1U);
  EXPECT_EQ(says(4800, ask), 0U);
  EXPECT_EQ(says(9600, ask), 1U);
  EXPECT_EQ(says(300, ask), 0U);
  EXPECT_EQ(says(300, sign_on({})), 1U);
}

TEST_F(Iec62056Poll, AnotherTableIsAskedForByItsNumber) {
  auto settings = test::settings_of(iec62056_21_protocol,
                                    {{"read", "readout"}, {"table", "2"}, {"model", "emh-lzqj"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto line = line_with(meters);
  ASSERT_TRUE(poll(*driver_of(settings), line));
  EXPECT_EQ(to_text(line.sent().front()), "/2!\r\n");
}

// A readout that failed is ended before the meter is asked again.
TEST_F(Iec62056Poll, AFailedReadoutIsEndedBeforeTheNextSignOn) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"read", "readout"}, {"model", "iskra-mt174"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  bool broken = true;
  auto line = line_with(meters, [&](std::vector<VirtualLine::Arrival>& arrivals) {
    for (auto& arrival : arrivals) {
      if (arrival.bytes.size() > 100 && std::exchange(broken, false))
        arrival.bytes[50] ^= std::byte{1};
    }
  });
  const auto telegram = poll(*driver_of(settings), line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  ASSERT_EQ(line.sent().size(), 5U);
  EXPECT_EQ(to_hex(line.sent()[2]), "0142300371");
}

}  // namespace
}  // namespace meterbridge::protocol::iec62056_21
