// SPDX-License-Identifier: MIT
#include "iec62056_bench.hpp"
#include "protocol/left_out.hpp"

#include <array>

namespace meterbridge::protocol::iec62056_21 {
namespace {

TEST_F(Iec62056Poll, ReadsATableOfCodesAndSaysGoodbye) {
  std::vector<Meter> meters;
  meters.emplace_back(saiman());
  auto line = line_with(meters);
  const auto driver = driver_of(saiman());
  const auto telegram = poll(*driver, line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
  EXPECT_EQ(reading(*telegram, "current_l1"), "1.25");
  EXPECT_EQ(reading(*telegram, "power"), "970");
  EXPECT_EQ(reading(*telegram, "energy_import"), "1891.88");
  EXPECT_EQ(telegram->find("D513")->value->str(), "1891.88");
  EXPECT_EQ(to_hex(line.sent().back()), "0142300371");
  EXPECT_EQ(count_of(line.sent(), "P1"), 1U);
}

TEST_F(Iec62056Poll, ThreeMetersOnOneLineAnswerOnlyToTheirAddressesP06) {
  std::vector<Meter> meters;
  for (const std::string_view address : {"101", "102", "103"})
    meters.emplace_back(saiman(address));
  auto line = line_with(meters);
  for (const std::string_view address : {"102", "000103", "101"}) {
    const auto telegram = poll(*driver_of(saiman(address)), line);
    ASSERT_TRUE(telegram) << address << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "energy_import"), "1891.88");
  }
  const auto absent = poll(*driver_of(saiman("104")), line);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code(), Errc::timeout);
}

TEST_F(Iec62056Poll, ARefusedPasswordIsSentOnceEver) {
  std::vector<Meter> meters;
  meters.emplace_back(saiman());
  auto line = line_with(meters);
  SettingValues settings = saiman();
  settings.set("password", Secret("11111111"));
  const auto driver = driver_of(settings);
  for (int i = 0; i < 5; ++i) {
    const auto telegram = poll(*driver, line);
    ASSERT_FALSE(telegram);
    EXPECT_EQ(telegram.error().code(), Errc::access);
    EXPECT_EQ(telegram.error().detail().find("11111111"), std::string::npos);
  }
  EXPECT_EQ(count_of(line.sent(), "P1"), 1U);
  EXPECT_EQ(to_hex(line.sent().back()), "0142300371");
  const std::size_t sent = line.sent().size();
  ASSERT_FALSE(line.converse(*driver->knock()));
  EXPECT_EQ(line.sent().size(), sent);
}

// Nobody knows whether the meter heard it and counted it as a wrong one.
TEST_F(Iec62056Poll, APasswordWithoutAnswerIsNotRepeatedInTheSamePoll) {
  std::vector<Meter> meters;
  meters.emplace_back(saiman());
  auto line = line_with(meters, [](std::vector<VirtualLine::Arrival>& arrivals) {
    std::erase_if(arrivals, [](const auto& arrival) { return arrival.bytes.size() == 1; });
  });
  const auto telegram = poll(*driver_of(saiman()), line);
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::timeout);
  EXPECT_EQ(count_of(line.sent(), "P1"), 1U);
}

TEST_F(Iec62056Poll, WithoutPasswordNoneIsSent) {
  SettingValues settings = saiman();
  settings.set("password", Secret());
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto line = line_with(meters);
  ASSERT_TRUE(poll(*driver_of(settings), line));
  EXPECT_EQ(count_of(line.sent(), "P1"), 0U);
}

// P10: one unknown code costs only itself, and is not asked again.
TEST_F(Iec62056Poll, AnUnknownCodeIsLeftOutAndNamedP10) {
  const Row unknown{{"code", "C999"}, {"key", "frequency"}, {"form", "counts"}};
  const SettingValues settings = with_codes(saiman(), {unknown});
  std::vector<Meter> meters;
  meters.emplace_back(saiman());
  auto line = line_with(meters);
  const auto driver = driver_of(settings);
  for (int i = 0; i < 3; ++i) {
    const auto telegram = poll(*driver, line);
    ASSERT_TRUE(telegram) << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "frequency"), "");
    EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
    // Told once; what is left out stays in sight.
    const bool told = driver->remark().find("C999: the meter answers ERR12") != std::string::npos;
    EXPECT_EQ(told, i == 0) << driver->remark();
  }
  EXPECT_EQ(count_of(line.sent(), "C999"), 1U);
  const auto left_out = dynamic_cast<const LeavesOut*>(driver.get())->left_out();
  ASSERT_EQ(left_out.size(), 1U);
  EXPECT_NE(left_out.front().find("C999: the meter answers ERR12"), std::string::npos);
}

TEST_F(Iec62056Poll, TheAnswerThatMeansAbsentIsNoValue) {
  const SettingValues settings = saiman();
  const auto driver = driver_of(settings);
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto line = line_with(meters, [](std::vector<VirtualLine::Arrival>& arrivals) {
    for (auto& arrival : arrivals) {
      if (to_text(arrival.bytes).find("(0097)") != std::string::npos ||
          to_text(arrival.bytes).find("(000097)") != std::string::npos)
        arrival.bytes = build_block({}, "(D000D000000000)", Check::exclusive_or);
    }
  });
  const auto telegram = poll(*driver, line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "power"), "");
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
  EXPECT_EQ(driver->remark(), "C921: the meter does not have it");
}

TEST_F(Iec62056Poll, AZeroIsReadOnceMoreP16) {
  SettingValues settings = saiman();
  settings = with_codes(std::move(settings), {{{"code", "C900"},
                                               {"key", "voltage_l1"},
                                               {"form", "counts"},
                                               {"scale", "0.01"},
                                               {"doubt_zero", "true"}}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  int zeros = 1;
  auto line = line_with(meters, [&zeros](std::vector<VirtualLine::Arrival>& arrivals) {
    for (auto& arrival : arrivals) {
      if (to_text(arrival.bytes).find("(023010)") != std::string::npos && zeros-- > 0)
        arrival.bytes = build_block({}, "(000000)", Check::exclusive_or);
    }
  });
  const auto driver = driver_of(settings);
  auto telegram = poll(*driver, line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
  zeros = 100;  // a phase that is really dead
  telegram = poll(*driver, line);
  ASSERT_TRUE(telegram);
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "0.00");
}

TEST_F(Iec62056Poll, NoSettingMakesACommandOfItsOwn) {
  SettingValues settings = saiman();
  settings.set("prefix", std::string("7F0157310203"));
  const auto driver = iec62056_21_protocol.driver(settings);
  ASSERT_FALSE(driver);
  EXPECT_NE(driver.error().detail().find("01 begins a command"), std::string::npos);
}

// 7E1 through an adapter or gateway that only knows 8N1.
TEST_F(Iec62056Poll, ParityIsAddedAndCheckedInSoftware) {
  SettingValues settings = saiman();
  settings.set("software_parity", true);
  settings.set("prefix", std::string("7F7F7F"));
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  bool flip = false;
  auto line = line_with(meters, [&flip](std::vector<VirtualLine::Arrival>& arrivals) {
    for (auto& arrival : arrivals) {
      if (flip && arrival.bytes.size() > 6) arrival.bytes[4] ^= std::byte{0x80};
    }
  });
  const auto telegram = poll(*driver_of(settings), line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.10");
  EXPECT_EQ(to_hex(line.sent().front()), "ffffffaf3f218d0a");
  flip = true;
  EXPECT_FALSE(poll(*driver_of(settings), line));
}

TEST_F(Iec62056Poll, HeatMetersAreWokenAndChangeTheSpeedByThemselves) {
  const auto settings = test::settings_of(iec62056_21_protocol,
                                          {{"mode", "b"}, {"data_baud", "2400"}, {"wakeup", "65"}});
  const auto driver = driver_of(settings);
  const auto dialogue = driver->begin();
  std::vector<std::string> steps;
  const Bytes data = build_block({}, "6.8(0328.871*GJ)\r\n!\r\n", Check::exclusive_or);
  for (int i = 0; i < 20; ++i) {
    const auto step = dialogue->next();
    ASSERT_TRUE(step) << step.error().detail();
    if (const auto* tune = std::get_if<step::Retune>(&*step)) {
      steps.push_back(tune->line.text());
    } else if (const auto* send = std::get_if<step::Send>(&*step)) {
      steps.push_back(std::to_string(send->bytes.size()) + " bytes");
    } else if (std::holds_alternative<step::Pause>(*step)) {
      steps.emplace_back("pause");
    } else if (std::holds_alternative<step::Listen>(*step)) {
      const bool first = steps.back() == "5 bytes";
      dialogue->received(first ? to_bytes("/LUGCUH50\r\n") : data);
      steps.emplace_back("heard");
    } else if (const auto* end = std::get_if<step::Finished>(&*step)) {
      EXPECT_EQ(reading(end->telegram, "heat"), "328.871");
      break;
    }
  }
  const std::vector<std::string> wanted{"300 7E1", "65 bytes", "pause", "5 bytes",
                                        "heard",   "2400 7E1", "heard"};
  EXPECT_EQ(steps, wanted);
}

// Mode A: the data follow the identification at once, perhaps in the same block of bytes.
TEST_F(Iec62056Poll, DataRightBehindTheIdentificationAreNotLost) {
  const auto settings = test::settings_of(iec62056_21_protocol, {{"mode", "a"}});
  Bytes all = to_bytes("/KAM MC\r\n");
  const Bytes data =
      build_block({}, "0.0(00005077354)\r\n6.8(00433.65*GJ)\r\n6.31(0109868*h)!\r\n", Check::sum);
  all.insert(all.end(), data.begin(), data.end());
  for (const std::size_t cut : {std::size_t{4}, std::size_t{9}, std::size_t{20}, all.size()}) {
    VirtualLine line([&](const Bytes&) {
      std::vector<VirtualLine::Arrival> arrivals(2);
      const auto middle = all.begin() + static_cast<std::ptrdiff_t>(cut);
      arrivals[0].bytes.assign(all.begin(), middle);
      arrivals[1].after = Milliseconds(700);
      arrivals[1].bytes.assign(middle, all.end());
      if (arrivals[1].bytes.empty()) arrivals.pop_back();
      return arrivals;
    });
    const auto telegram = poll(*driver_of(settings), line);
    ASSERT_TRUE(telegram) << cut << ": " << telegram.error().detail();
    EXPECT_EQ(reading(*telegram, "heat"), "433.65");
  }
}

TEST_F(Iec62056Poll, TariffsOfAMeterKeepTheirNumbersP27) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto line = line_with(meters);
  const auto telegram = poll(*driver_of(settings), line);
  ASSERT_TRUE(telegram) << telegram.error().detail();
  const std::array wanted{"1891.880", "1234.560", "654.320", "1.000", "2.000"};
  EXPECT_EQ(reading(*telegram, "energy_import"), wanted[0]);
  for (std::size_t tariff = 1; tariff < wanted.size(); ++tariff)
    EXPECT_EQ(reading(*telegram, "energy_import_t" + std::to_string(tariff)), wanted[tariff]);
}

// CE207, CE208, CE307 and CE308 have no ET0PE; their registers are in the archive of days.
TEST_F(Iec62056Poll, WhereARegisterIsRefusedItsArchiveIsAskedForNowP10) {
  const auto settings =
      test::settings_of(iec62056_21_protocol, {{"family", "energomera"}, {"speed", "fixed"}});
  VirtualLine line([](const Bytes& sent) {
    std::vector<VirtualLine::Arrival> arrivals(1);
    const auto request = parse_request(sent);
    EXPECT_TRUE(request);
    Bytes& answer = arrivals[0].bytes;
    if (request->kind == Request::Kind::sign_on) answer = to_bytes("/EMR5CE3081.1\r\n");
    if (request->kind == Request::Kind::select) answer = build_block("P0", "(777777)", Check::sum);
    if (request->kind == Request::Kind::stop) arrivals.clear();
    if (request->kind != Request::Kind::read) return arrivals;
    std::string text = "(ERR12)";
    if (request->name == "EMD01" && request->arguments == "0.0,1")
      text = "EMD01(20.08.24,0.45991)(0.41342)\r\n";
    if (request->name == "POWEP") text = "POWEP(0.1)(0.2)(-0.3)(0.0)\r\n";
    answer = build_block({}, text, Check::sum);
    return arrivals;
  });
  const auto driver = driver_of(settings);
  const auto first = poll(*driver, line);
  ASSERT_TRUE(first) << first.error().detail();
  EXPECT_EQ(reading(*first, "energy_import"), "0.45991");
  EXPECT_EQ(reading(*first, "energy_import_t1"), "0.41342");
  EXPECT_EQ(reading(*first, "power_l3"), "-300");
  EXPECT_EQ(count_of(line.sent(), "EMD02("), 1U);
  line.forget_sent();
  const auto second = poll(*driver, line);
  ASSERT_TRUE(second) << second.error().detail();
  EXPECT_EQ(reading(*second, "energy_import"), "0.45991");
  EXPECT_EQ(count_of(line.sent(), "ET0PE("), 0U);
  EXPECT_EQ(count_of(line.sent(), "EMD02("), 0U);
}

TEST_F(Iec62056Poll, NothingButReadsCanBeSent) {
  const auto settings = test::settings_of(
      iec62056_21_protocol, {{"family", "neva"}, {"operand_password", "true"}, {"speed", "slow"}});
  std::vector<Meter> meters;
  meters.emplace_back(settings);
  auto line = line_with(meters);
  ASSERT_TRUE(poll(*driver_of(settings), line));
  for (const Bytes& sent : line.sent()) {
    const auto request = parse_request(sent);
    ASSERT_TRUE(request) << to_hex(sent);
    EXPECT_NE(request->kind, Request::Kind::other) << to_hex(sent);
    EXPECT_TRUE(request->kind != Request::Kind::read || request->command == "R1");
  }
}

TEST(Iec62056Codes, WhatIsWrongWithARowIsSaidByItsColumn) {
  const auto fault = [](const Row& row) {
    const auto settings = with_codes(default_settings(iec62056_21_protocol.settings), {row});
    const auto faults = code_tables().front().check(settings);
    if (faults.empty()) return std::string("none");
    return faults.front().column + ": " + faults.front().text;
  };
  EXPECT_EQ(fault({{"code", "C900"}, {"key", "voltage_l1"}}), "none");
  EXPECT_EQ(fault({{"code", "C9()"}, {"key", "voltage_l1"}}).substr(0, 5), "code:");
  EXPECT_EQ(fault({{"code", "C900"}, {"key", "voltage_x"}}).substr(0, 4), "key:");
  EXPECT_EQ(fault({{"code", "C900"}, {"key", "voltage_l1"}, {"unit", "kWh"}}).substr(0, 5),
            "unit:");
  EXPECT_EQ(fault({{"code", "C900"}, {"key", "voltage_l1"}, {"digits", "8"}}).substr(0, 7),
            "digits:");
  EXPECT_EQ(fault({{"code", "C900"}, {"key", "serial"}, {"form", "number"}}).substr(0, 5), "form:");
  EXPECT_EQ(fault({{"code", "C900"}, {"key", "clock"}}).substr(0, 5), "form:");
  EXPECT_EQ(fault({{"code", "C900"}, {"key", "power"}, {"scale", "0"}}).substr(0, 6), "scale:");
  EXPECT_FALSE(
      iec62056_21_protocol.driver(with_codes(default_settings(iec62056_21_protocol.settings),
                                             {{{"code", "C900"}, {"key", "voltage_x"}}})));
}

}  // namespace
}  // namespace meterbridge::protocol::iec62056_21
