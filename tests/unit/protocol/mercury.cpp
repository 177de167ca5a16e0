// SPDX-License-Identifier: MIT
// Mercury 23x: requests, numbers, frames and `decode`.
#include "mercury_bench.hpp"
#include "protocol/mercury/answer.hpp"
#include "protocol/mercury/frame.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

namespace meterbridge::protocol::mercury {
namespace {

using nlohmann::json;
using namespace test;

class Mercury : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

using MercuryDecode = Mercury;

TEST_F(Mercury, OnlyRequestsThatReadCanBeBuilt) {
  for (unsigned code = 0; code < 256; ++code) {
    const auto first = static_cast<std::byte>(code);
    EXPECT_FALSE(build_request(1, Bytes{first}));
    for (unsigned parameter = 0; parameter < 256; ++parameter) {
      const auto second = static_cast<std::byte>(parameter);
      const bool plain = (code == 4 && parameter == 0) ||
                         (code == 8 && (parameter == 0 || parameter == 2 || parameter == 3 ||
                                        parameter == 5 || parameter == 0x0A));
      EXPECT_EQ(plain, bool(build_request(1, Bytes{first, second}))) << code << " " << parameter;
      for (const unsigned last : {0x00U, 0x01U, 0x11U, 0x30U, 0x51U, 0x70U, 0xFFU}) {
        const Bytes body{first, second, static_cast<std::byte>(last)};
        const bool energy =
            code == 5 && (parameter >> 4U <= 6 || (parameter >> 4U >= 9 && parameter >> 4U <= 13));
        const bool value = code == 8 && (parameter == 0x11 || parameter == 0x16) && last != 0xFF;
        EXPECT_EQ(energy || value, bool(build_request(1, body))) << to_hex(body);
      }
    }
  }
  // Of channels, only that of the reader.
  for (unsigned level = 0; level < 256; ++level) {
    Bytes body = hex("01 00 01 01 01 01 01 01");
    body[1] = static_cast<std::byte>(level);
    EXPECT_EQ(level == 1, bool(build_request(1, body))) << level;
  }
  EXPECT_FALSE(build_request(1, hex("01 01 01 01 01 01 01")));
  EXPECT_FALSE(build_request(1, hex("02")));
}

struct Example {
  unsigned bwri;
  const char* bytes;
  const char* value;
};

// Both signs of everything that has one, and what is absent.
TEST_F(Mercury, P19_NumbersOfEveryFormAndSign) {
  for (const Example& e : {
           Example{0x11, "00 40 5e", "241.28"},
           Example{0x21, "00 45 00", "0.069"},
           Example{0x00, "48 87 70", "5530.95"},   // the reactive power is reversed, not this one
           Example{0x01, "c8 87 70", "-5530.95"},  // both are
           Example{0x00, "88 87 70", "-5530.95"},
           Example{0x04, "40 d0 07", "-20.00"},
           Example{0x04, "80 d0 07", "20.00"},
           Example{0x08, "c1 6c e2", "1235.00"},
           Example{0x30, "40 b6 03", "0.950"},
           Example{0x30, "80 b6 03", "-0.950"},
           Example{0x40, "00 86 13", "49.98"},
           Example{0x51, "00 e0 2e", "120.00"},
           Example{0x51, "ff ff ff", ""},
           Example{0x00, "ff ff ff", ""},
           Example{0x00, "3f ff ff", "41943.03"},  // the greatest; absent is tested before masking
           Example{0x61, "96 00", "1.50"},
           Example{0x61, "ff ff", ""},
           Example{0x70, "00 17", "23"},
           Example{0x70, "ff f6", "-10"},
           Example{0x00, "01 00 40 e2", "1234.56"},
           Example{0x00, "00 80 a0 5b", "-234.56"},
           Example{0x04, "00 40 a0 5b", "-234.56"},
           Example{0x00, "ff ff ff ff", ""},
       }) {
    const auto form = form_of(static_cast<std::uint8_t>(e.bwri));
    ASSERT_TRUE(form);
    const auto value = parse_value(*form, hex(e.bytes));
    EXPECT_EQ(value ? value->str() : "", e.value) << std::hex << e.bwri << " " << e.bytes;
  }
  EXPECT_EQ(parse_energy(hex("30 00 28 c5")), 3196200);
  EXPECT_EQ(parse_energy(hex("ff ff ff ff")), std::nullopt);
  EXPECT_EQ(parse_energy(hex("ff ff fe ff")), 0xFFFFFFFE);
  for (const unsigned bwri : {0x0CU, 0x41U, 0x50U, 0x60U, 0x71U, 0x80U, 0x15U})
    EXPECT_FALSE(form_of(static_cast<std::uint8_t>(bwri))) << bwri;
}

TEST_F(Mercury, ImpossibleContentsAreErrors) {
  EXPECT_FALSE(parse_serial(hex("29 64 40 43 16 06 14")));
  EXPECT_EQ(parse_serial(hex("29 5a 40 43 16 0d 14"))->made, "160D14");
  EXPECT_FALSE(parse_version(hex("09 0a 01")));
  EXPECT_FALSE(parse_ratios(hex("00 00 00 01")));
  EXPECT_FALSE(parse_ratios(hex("ff ff ff ff")));
  EXPECT_EQ(parse_ratios(hex("00 0a 01 2c"))->current, 300);
  EXPECT_FALSE(parse_clock(hex("30 59 24 04 20 11 25 01")));
  EXPECT_FALSE(parse_clock(hex("3a 59 21 04 20 11 25 01")));
}

// What a dialogue sees of bytes that come one by one is what it sees of all at once.
TEST_F(Mercury, AnyCutGivesTheSameAnswer) {
  std::mt19937 dice(7);
  const Bytes request = wire("48 08 16 11");
  const Bytes answer = wire("48 00 a6 59 00 e2 59 00 5b 59");
  for (int round = 0; round < 300; ++round) {
    Bytes heard;
    for (auto i = dice() % 9; i > 0; --i)
      heard.push_back(static_cast<std::byte>(dice() % 2 == 0 ? 0x48 : dice() & 0xFFU));
    const std::size_t noise = heard.size();
    const bool echo = dice() % 2 == 0;
    if (echo) heard.insert(heard.end(), request.begin(), request.end());
    heard.insert(heard.end(), answer.begin(), answer.end());
    const std::size_t end = noise + (echo ? request.size() : answer.size());
    for (std::size_t so_far = 0; so_far <= heard.size(); ++so_far) {
      const Cut cut = find_answer(ByteView(heard).first(so_far), request, 9);
      EXPECT_EQ(cut.frame, so_far < end ? 0U : end - noise) << so_far;
      EXPECT_EQ(cut.drop, so_far < end ? 0U : noise);
    }
  }
}

// "00 00 01 B0" is a whole good status, and the begin of this energy.
TEST_F(Mercury, AnEnergyThatBeginsLikeAStatusIsReadWhole) {
  const Bytes request = wire("00 05 00 00");
  const Bytes answer = wire("00 00 01 b0 20 ff ff ff ff 04 00 9c 95 ff ff ff ff");
  EXPECT_TRUE(crc_fits(ByteView(answer).first(4)));
  for (std::size_t so_far = 0; so_far < answer.size(); ++so_far)
    EXPECT_EQ(find_answer(ByteView(answer).first(so_far), request, 16).frame, 0U);
  const auto all = decode(mercury_protocol, request, answer);
  ASSERT_EQ(statuses(all), "ok");
  EXPECT_EQ(reading(all[0].telegram, "energy_import"), "16785.584");
}

// Own exchanges: request, answer (both without CRC) and readings.
struct Sample {
  const char* sent;
  const char* heard;
  std::vector<std::pair<const char*, const char*>> readings;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"48 05 00 00",
       "48 16 01 87 3c 00 00 0c 00 96 00 3f b4 ff ff ff ff",
       {{"energy_import", "18234.503"},
        {"energy_export", "0.012"},
        {"reactive_energy_import", "9876.543"}}},
      {"48 05 00 02",
       "48 5f 00 86 22 00 00 00 00 3b 00 bf 26 ff ff ff ff",
       {{"energy_import_t2", "6234.758"},
        {"energy_export_t2", "0.000"},
        {"reactive_energy_import_t2", "3876.543"}}},
      {"48 05 3b 00", "48 01 00 cd 81 ff ff ff ff 00 00 e1 10 ff ff ff ff", {}},
      {"48 05 60 00",
       "48 30 00 29 c5 30 00 29 00 04 00 9d 95",
       {{"energy_import_l1", "3196.201"},
        {"energy_import_l2", "3145.769"},
        {"energy_import_l3", "300.445"}}},
      {"48 08 16 11",
       "48 00 a6 59 00 e2 59 ff ff ff",
       {{"voltage_l1", "229.50"}, {"voltage_l2", "230.10"}}},
      {"48 08 16 30",
       "48 00 db 03 00 e8 03 80 b6 03",
       {{"power_factor_l1", "0.987"}, {"power_factor_l2", "1.000"}, {"power_factor_l3", "-0.950"}}},
      {"48 08 11 22", "48 00 45 00", {{"current_l2", "0.069"}}},
      {"48 08 16 40", "48 00 86 13", {{"frequency", "49.98"}}},
      {"48 08 00", "48 25 0c 54 48 09 03 15", {{"serial", "37128472"}}},
      {"48 08 02",
       "48 00 01 00 14",
       {{"message", "transformers: voltage 1, current 20, not applied"}}},
      {"48 08 03", "48 09 00 01", {{"firmware", "9.00.01"}}},
      {"48 08 0a", "48 00 00 00 00", {{"status", "ok"}}},
      {"48 08 0a", "48 00 00 40 00 00", {{"status", "self-test flags 0000400000"}}},
      {"48 04 00", "48 30 59 21 04 20 11 25 01", {{"clock", "2025-11-20T21:59:30Z"}}},
      {"48 01 01 01 01 01 01 01 01", "48 00", {}},
      {"48 02", "48 00", {}},
  };
  return all;
}

TEST_F(MercuryDecode, EveryAnswerIsItemsAndReadings) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.sent);
    const auto all = decode(mercury_protocol, wire(sample.sent), wire(sample.heard));
    ASSERT_EQ(statuses(all), "ok") << all[0].error;
    EXPECT_FALSE(all[0].telegram.items.empty());
    EXPECT_EQ(protocol::test::reading_count(all[0].telegram), sample.readings.size());
    for (const auto& [key, value] : sample.readings)
      EXPECT_EQ(reading(all[0].telegram, key), value);
  }
  const auto energy = decode(mercury_protocol, wire("48 05 00 02"), wire(samples()[1].heard));
  EXPECT_EQ(item(energy[0].telegram, "0500:02:A+"), "6234758 Wh");
  EXPECT_EQ(item(energy[0].telegram, "0500:02:R-"), "absent");
  const auto volts = decode(mercury_protocol, wire("48 08 16 11"), wire(samples()[4].heard));
  EXPECT_EQ(item(volts[0].telegram, "0816:12"), "230.10 V");
  EXPECT_EQ(item(volts[0].telegram, "0816:13"), "absent");
}

TEST_F(MercuryDecode, P18_PeriodsAreItemsAndNoReadings) {
  for (const char* array : {"10", "20", "3b", "40", "50", "90", "a0", "bc", "c0", "d0"}) {
    const auto all = decode(mercury_protocol, wire("48 05 " + std::string(array) + " 00"),
                            wire("48 01 00 cd 81 ff ff ff ff 00 00 e1 10 ff ff ff ff"));
    ASSERT_EQ(statuses(all), "ok") << array;
    EXPECT_EQ(all[0].telegram.items.size(), 2U) << array;
    EXPECT_EQ(protocol::test::reading_count(all[0].telegram), 0U) << array;
  }
}

TEST_F(MercuryDecode, AnyFlippedBitIsDetected) {
  for (const Sample& sample : samples()) {
    const Bytes sent = wire(sample.sent);
    const Bytes heard = wire(sample.heard);
    for (std::size_t bit = 0; bit < 8 * heard.size(); ++bit) {
      Bytes flipped = heard;
      flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_EQ(statuses(decode(mercury_protocol, sent, flipped)), "checksum")
          << sample.sent << " bit " << bit;
    }
    for (std::size_t length = 0; length < heard.size(); ++length) {
      const auto all =
          decode(mercury_protocol, sent,
                 Bytes(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(length)));
      // As long as a shorter answer, or as a status: that may as well be damaged.
      const auto shorter = reply_lengths(ByteView(sent).subspan(1, sent.size() - frame_overhead));
      const bool whole = length == status_length + frame_overhead ||
                         std::ranges::count(shorter, length - frame_overhead) != 0;
      EXPECT_EQ(statuses(all), whole ? "checksum" : "truncated") << sample.sent << " " << length;
    }
  }
}

TEST_F(MercuryDecode, WhatDoesNotBelongToTheRequestIsNamed) {
  struct Case {
    const char* sent;
    std::string heard;
    const char* statuses;
  };

  const auto text = [](std::string_view body) { return to_hex(wire(body)); };
  const std::string volts = text("48 00 a6 59 00 e2 59 00 5b 59");
  const std::string echo = text("48 08 16 11");
  for (const Case& c : {
           Case{"48 08 16 11", echo, "mismatch"},  // an adapter that hears itself, no meter
           Case{"48 08 16 11", echo + volts, "mismatch ok"},
           Case{"48 08 16 11", "00ff" + volts, "ok"},
           Case{"48 08 16 11", "00ff" + echo, "mismatch"},
           Case{"48 08 16 11", "00ff" + echo + volts, "mismatch ok"},
           Case{"48 08 16 40", "00ff" + text("48 08 16 40"), "mismatch"},  // 5406.94 Hz again
           Case{"48 08 16 11", volts + volts, "ok mismatch"},
           Case{"48 08 16 11", volts + "00ff", "ok malformed"},
           Case{"48 08 16 11", text("49 00 a6 59 00 e2 59 00 5b 59"), "mismatch"},
           Case{"48 08 16 11", text("49 00 a6 59 00 e2 59 00 5b 59") + volts, "mismatch ok"},
           Case{"48 08 16 00", volts, "mismatch"},                // the answer to another question
           Case{"48 08 16 11", text("48 00"), "mismatch"},        // no data
           Case{"48 08 16 40", text("48 08 16 40"), "mismatch"},  // 5406.94 Hz, if it were taken
           Case{"48 08 16 11", text("48 05"), "exception ok"},
           Case{"48 08 16 11", text("48 41"), "exception ok"},  // only the low half counts
           Case{"48 01 01 31 31 31 31 31 31", text("48 03"), "exception ok"},
           Case{"48 00", text("48 00"), "ok"},  // the link test is answered by its own bytes
           Case{"48 03 00", text("48 00"), "unsupported"},
           Case{"48 08 12", text("48 01 02 03 04 05 06"), "ok"},
           // Asked by somebody else: right answers that are not read.
           Case{"48 06 00 00 10", text("48 00 01 02 03 04 05 06 07"), "unsupported"},
           Case{"48 08 16 50", text("48 00 a6 59 00 e2 59 00 5b 59"), "unsupported"},
           Case{"48 08 16 50", text("49 00 a6 59 00 e2 59 00 5b 59"), "mismatch"},
           Case{"48 08 16 50", text("48 05"), "exception ok"},
       }) {
    const auto all = decode(mercury_protocol, wire(c.sent), hex(c.heard));
    EXPECT_EQ(statuses(all), c.statuses) << c.sent << " < " << c.heard;
    for (const Decoded& decoded : all)
      EXPECT_EQ(decoded.ok(), decoded.error.empty());
  }
  const auto refused = decode(mercury_protocol, wire("48 08 16 11"), wire("48 05"));
  EXPECT_EQ(refused[0].error, "the meter answers: the channel is not open (5)");
  EXPECT_EQ(item(refused[1].telegram, "status"), "5");
  EXPECT_EQ(protocol::test::reading_count(refused[1].telegram), 0U);
  const auto other = settings_of(mercury_protocol, {{"address", "73"}});
  EXPECT_EQ(statuses(decode(mercury_protocol, wire("48 08 16 11"), hex(volts), other)), "mismatch");
}

TEST_F(MercuryDecode, RatiosAreAppliedOnRequestOnlyAndOnlyWhenTold) {
  const auto on = settings_of(mercury_protocol, {{"apply_ratio", "true"}});
  std::vector<TranscriptLine> lines;
  const auto put = [&lines](bool sent, std::string_view body) {
    TranscriptLine line;
    line.sent = sent;
    line.bytes = wire(body);
    lines.push_back(line);
  };
  put(true, "48 08 16 21");
  put(false, "48 d2 04 01 00 00 00 00 00 00");
  put(true, "48 08 02");
  put(false, "48 00 0a 00 14");
  put(true, "48 08 16 21");
  put(false, "48 00 d2 04 00 00 00 00 00 00");
  put(true, "48 05 00 00");
  put(false, "48 30 00 28 c5 ff ff ff ff ff ff ff ff ff ff ff ff");
  const auto all = mercury_protocol.decode_transcript(lines, on);
  ASSERT_EQ(statuses(all), "ok ok ok ok");
  EXPECT_EQ(protocol::test::reading_count(all[0].telegram), 0U);  // not yet told
  EXPECT_EQ(reading(all[1].telegram, "message"), "transformers: voltage 10, current 20, applied");
  EXPECT_EQ(reading(all[2].telegram, "current_l1"), "24.680");
  EXPECT_EQ(item(all[2].telegram, "0816:21"), "1.234 A");  // items are as sent
  EXPECT_EQ(reading(all[3].telegram, "energy_import"), "639240.000");
}

TEST_F(MercuryDecode, AnswersAloneAreBytesWithoutReadings) {
  Bytes stream = hex("ff");
  for (const char* body : {"48 00 a6 59 00 e2 59 00 5b 59", "48 08 16 11", "48 00", "48 03"}) {
    const Bytes frame = wire(body);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  const auto all = mercury_protocol.decode(stream, default_settings(mercury_protocol.settings));
  EXPECT_EQ(statuses(all), "ok mismatch ok exception ok");
  EXPECT_EQ(all[0].offset, 1U);
  EXPECT_EQ(all[0].length, 12U);
  EXPECT_EQ(item(all[0].telegram, "data"), "00A65900E259005B59");
  for (const Decoded& decoded : all)
    EXPECT_EQ(protocol::test::reading_count(decoded.telegram), 0U);
  const auto broken = mercury_protocol.decode(hex("48 00 a6 59 00 e2 59"), SettingValues());
  EXPECT_EQ(statuses(broken), "checksum");
}

TEST_F(MercuryDecode, HostileBytesNeverHarm) {
  std::mt19937 dice(11);
  for (int round = 0; round < 3000; ++round) {
    Bytes sent(dice() % 14);
    Bytes heard(dice() % 40);
    for (Bytes* bytes : {&sent, &heard}) {
      for (std::byte& b : *bytes)
        b = static_cast<std::byte>(dice() % 3 == 0 ? dice() & 0xFFU : dice() % 9);
    }
    if (dice() % 2 == 0) sent = with_crc(sent);
    if (dice() % 2 == 0) heard = with_crc(heard);
    for (const Decoded& decoded : decode(mercury_protocol, sent, heard))
      EXPECT_EQ(decoded.ok(), decoded.error.empty());
    for (const Decoded& decoded : mercury_protocol.decode(heard, SettingValues()))
      EXPECT_FALSE(decoded_json(decoded).empty());
  }
}

TEST_F(MercuryDecode, EveryCapturedExchangeIsDecodedAsExpected) {
  const std::filesystem::path file = METERBRIDGE_SHARED_VECTORS "/mercury/mercury23x.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no shared vectors here";
  std::ifstream stream(file);
  const json vectors = json::parse(stream);
  std::size_t numbers = 0;
  for (const json& vector : vectors) {
    SCOPED_TRACE(vector["name"].get<std::string>());
    const json& expect = vector["expect"];
    const Bytes sent = hex(vector["request_hex"].get<std::string>());
    const auto all = decode(mercury_protocol, sent, hex(vector["response_hex"].get<std::string>()));
    if (expect.contains("valid")) {
      EXPECT_EQ(statuses(all), expect.contains("reason") ? "checksum" : "mismatch");
      continue;
    }
    const bool refused = expect.value("status", 0) != 0;
    ASSERT_EQ(statuses(all), refused ? "exception ok" : "ok");
    const Telegram& telegram = all.back().telegram;
    if (refused) {
      EXPECT_EQ(item(telegram, "status"), expect["status"].dump());
    }
    const std::string body = name_of(ByteView(sent).subspan(1, sent.size() - frame_overhead));
    const auto expect_item = [&](const std::string& which, const json& value, double scale) {
      const Item* found = telegram.find(body + which);
      EXPECT_EQ(found == nullptr, value.is_null()) << which;
      if (found == nullptr || value.is_null()) return;
      EXPECT_NEAR(found->value->approximate() * scale, value.get<double>(), 1e-9) << which;
      ++numbers;
    };
    for (const auto& [name, which] :
         {std::pair{"a_plus_wh", ":A+"}, std::pair{"a_minus_wh", ":A-"},
          std::pair{"r_plus_varh", ":R+"}, std::pair{"r_minus_varh", ":R-"}}) {
      if (expect.contains(name)) expect_item(which, expect[name], 1);
    }
    if (expect.contains("phase_wh")) {
      for (std::size_t i = 0; i < 3; ++i)
        expect_item(":L" + std::to_string(i + 1), expect["phase_wh"][i], 1);
    }
    for (const char* name : {"voltage_v", "current_a", "power_w", "power_var", "power_va",
                             "power_factor", "frequency_hz", "angle_deg"}) {
      if (!expect.contains(name)) continue;
      const json& list = expect[name];
      const unsigned bwri = expect["bwri"].get<unsigned>();
      const unsigned first = list.size() == 1 ? bwri : (bwri & 0xFCU) + (list.size() == 3 ? 1 : 0);
      for (std::size_t i = 0; i < list.size(); ++i) {
        const auto which = static_cast<std::byte>(first + i);
        const Item* found = telegram.find(body.substr(0, 4) + ":" + to_hex_upper(Bytes{which}));
        EXPECT_EQ(found == nullptr, list[i].is_null()) << i;
        if (found == nullptr || list[i].is_null()) continue;
        EXPECT_NEAR(found->value->approximate(), list[i].get<double>(), 1e-9);
        ++numbers;
      }
    }
    if (expect.contains("made")) {
      EXPECT_EQ(item(telegram, body), "(" + expect["serial"].get<std::string>() + ")(" +
                                          expect["made"].get<std::string>() + ")");
    }
    for (const char* name : {"version", "datetime"}) {
      if (!expect.contains(name)) continue;
      EXPECT_EQ(item(telegram, body), expect[name].get<std::string>());
    }
    if (expect.contains("kt")) {
      EXPECT_EQ(item(telegram, body + ":Kt"), expect["kt"].dump());
    }
    if (expect.contains("address")) {
      EXPECT_EQ(item(telegram, body), expect["address"].dump());
    }
  }
  EXPECT_GE(numbers, 45U);
}

}  // namespace
}  // namespace meterbridge::protocol::mercury
