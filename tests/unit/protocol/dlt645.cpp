// SPDX-License-Identifier: MIT
#include "protocol/dlt645/dlt645.hpp"

#include "bytes_of.hpp"
#include "protocol/dlt645/driver.hpp"
#include "protocol/dlt645/frame.hpp"
#include "virtual_line.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>

namespace meterbridge::protocol::dlt645 {
namespace {

using namespace std::chrono_literals;
using test::hex;
using test::reading;
using test::VirtualLine;

struct Row {
  const char* code;
  const char* key;
  std::int64_t bytes;
  const char* scale = "1";
  std::int64_t part = 0;
  bool with_sign = false;
  const char* unit = "";
};

const std::vector<Row> old_rows{
    {"B630", "power", 3, "0.0001", 0, false, "kW"},
    {"B611", "voltage_l1", 2},
    {"901F", "energy_import", 4, "0.01", 1},
    {"901F", "energy_import_t1", 4, "0.01", 2},
    {"901F", "energy_import_t2", 4, "0.01", 3},
    {"C012", "clock", 7},
    {"C032", "serial", 6},
};
const std::vector<Row> new_rows{
    {"00010000", "energy_import", 4, "0.01"},
    {"02020100", "current_l1", 3, "0.001", 0, true},
    {"02030000", "power", 3, "0.0001", 0, true, "kW"},
};

SettingValues settings_for(const std::vector<Row>& rows, std::int64_t address = 844718) {
  SettingValues values = default_settings(dlt645_protocol.settings);
  values.set("address", address);
  values.set("version",
             std::string(rows.empty() || std::string_view(rows.front().code).size() == 4 ? "1997"
                                                                                         : "2007"));
  values.set("wake_up", std::int64_t{3});
  std::vector<SettingValues> all;
  for (const Row& row : rows) {
    SettingValues& one = all.emplace_back();
    one.set("code", std::string(row.code));
    one.set("key", std::string(row.key));
    one.set("bytes", row.bytes);
    one.set("scale", *Decimal::parse(row.scale));
    if (row.part != 0) one.set("part", row.part);
    if (row.with_sign) one.set("signed", true);
    if (*row.unit != 0) one.set("unit", std::string(row.unit));
  }
  values.add_rows(dlt645_protocol.tables.front(), all);
  return values;
}

MeterFace face() {
  MeterFace face;
  face.now = Seconds(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + 18h + 30min);
  face.energy_import = {Decimal(1000010), Decimal(2000020), Decimal(3000030), Decimal(4000040)};
  face.power = {Decimal(1200), Decimal(-3400), Decimal(50, -2)};
  face.current = {Decimal(5361, -3), Decimal(14782, -3), Decimal(2, -3)};
  return face;
}

std::vector<Decoded> decode(const Bytes& sent, const Bytes& heard, const SettingValues& settings) {
  std::vector<TranscriptLine> lines(2);
  lines[0].sent = true;
  lines[0].bytes = sent;
  lines[1].bytes = heard;
  return dlt645_protocol.decode_transcript(lines, settings);
}

std::string statuses(const std::vector<Decoded>& all) {
  std::string text;
  for (const Decoded& decoded : all)
    text += (text.empty() ? "" : " ") + std::string(name(decoded.status));
  return text;
}

Bytes answer(std::string_view code, std::string_view payload, std::int64_t address = 844718) {
  Bytes data = hex(code);
  const std::size_t length = data.size();
  std::ranges::reverse(data);
  const Bytes value = hex(payload);
  data.insert(data.end(), value.begin(), value.end());
  return make_frame(address, length == 2 ? 0x81 : 0x91, data);
}

Bytes asked(std::string_view code) {
  const auto number = static_cast<std::uint32_t>(std::stoul(std::string(code), nullptr, 16));
  return read_request(code.size() == 4 ? Version::v1997 : Version::v2007, 844718, number, 3);
}

class Bench {
 public:
  using Arrivals = std::vector<VirtualLine::Arrival>;

  Bench(const SettingValues& meter, const SettingValues& driver)
      : responder_(*dlt645_protocol.responder(meter)),
        driver_(*dlt645_protocol.driver(driver)),
        line_([this](const Bytes& request) { return answers(request); }) {
    responder_->show(face());
  }

  Result<Telegram> poll() {
    const auto dialogue = driver_->begin();
    return line_.converse(*dialogue);
  }

  // The codes that were asked for since the last call.
  std::vector<std::string> codes() {
    std::vector<std::string> all;
    for (const Bytes& sent : line_.sent()) {
      const Cut cut = find_frame(sent);
      const auto frame = parse_frame(ByteView(sent).subspan(cut.drop, cut.frame));
      const auto about = frame ? request_in(*frame) : std::nullopt;
      all.push_back(about ? name_of(about->version, about->code) : "no read");
    }
    line_.forget_sent();
    return all;
  }

  Driver& driver() { return *driver_; }

  Responder& responder() { return *responder_; }

  VirtualLine& line() { return line_; }

  std::function<std::optional<Arrivals>(const Bytes& request)> twist;

 private:
  Arrivals answers(const Bytes& request) {
    if (twist) {
      if (auto twisted = twist(request)) return std::move(*twisted);
    }
    Arrivals arrivals;
    for (Bytes& bytes : responder_->received(request))
      arrivals.push_back({100ms, std::move(bytes)});
    return arrivals;
  }

  std::unique_ptr<Responder> responder_;
  std::unique_ptr<Driver> driver_;
  VirtualLine line_;
};

// As the program sends them that reads this meter for its author.
TEST(Dlt645, AsksAsMetersInUseAreAsked) {
  for (const auto& [code, wire] : std::vector<std::pair<const char*, const char*>>{
           {"B630", "fefefe68184784000000680102 63e9 02 16"},
           {"B611", "fefefe68184784000000680102 44e9 e3 16"},
           {"B621", "fefefe68184784000000680102 54e9 f3 16"},
           {"901F", "fefefe68184784000000680102 52c3 cb 16"},
           {"9110", "fefefe68184784000000680102 43c4 bd 16"},
           {"C012", "fefefe68184784000000680102 45f3 ee 16"},
       })
    EXPECT_EQ(to_hex(asked(code)), to_hex(hex(wire))) << code;
  EXPECT_EQ(to_hex(read_request(Version::v2007, std::nullopt, 0x00010000, 0)),
            to_hex(hex("68 aaaaaaaaaaaa 68 11 04 33333433 ae 16")));
}

TEST(Dlt645, ReadsWhatTheMeterShows) {
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

TEST(Dlt645, ValuesAreStrict) {
  struct Case {
    const char* code;
    const char* payload;
    const char* status;
    const char* power;
  };

  const auto settings = settings_for(new_rows);
  for (const Case& one : {
           Case{"02030000", "342012", "ok", "12203.4"},
           Case{"02030000", "342092", "ok", "-12203.4"},
           Case{"02030000", "ffffff", "ok", ""},
           Case{"02030000", "34ff12", "malformed", ""},
           Case{"02030000", "342f12", "malformed", ""},
           Case{"02030000", "3420f2", "ok", "-72203.4"},
           Case{"02030000", "3420fa", "malformed", ""},
           Case{"02030000", "3420", "malformed", ""},
           Case{"02030000", "34201200", "malformed", ""},
           Case{"02030000", "", "malformed", ""},
           Case{"02030000", "34201200aa", "malformed", ""},
       }) {
    const auto all = decode(asked(one.code), answer(one.code, one.payload), settings);
    ASSERT_EQ(statuses(all), one.status) << one.payload;
    EXPECT_EQ(reading(all.front().telegram, "power"), one.power) << one.payload;
  }
}

TEST(Dlt645, BlocksMayBeShorterAndMayHaveAnEndMark) {
  const auto settings = settings_for(old_rows);

  struct Case {
    const char* payload;
    const char* status;
    const char* second;
  };

  for (const Case& one : {
           Case{"67452301 67009000 00453300", "ok", "3345.00"},
           Case{"67452301 67009000 00453300 aa", "ok", "3345.00"},
           Case{"67452301 67009000 00453300 00000000 aa", "ok", "3345.00"},
           Case{"67452301 67009000", "ok", ""},
           Case{"67452301 67009000 ffffffff", "ok", ""},
           Case{"67452301 67009000 00453300 16", "malformed", ""},
           Case{"67452301 67009000 0045", "malformed", ""},
           Case{"67452301 6700900a 00453300", "malformed", ""},
           Case{"aa", "malformed", ""},
           Case{"", "malformed", ""},
       }) {
    const auto all = decode(asked("901F"), answer("901F", one.payload), settings);
    ASSERT_EQ(statuses(all), one.status) << one.payload;
    EXPECT_EQ(reading(all.front().telegram, "energy_import_t2"), one.second) << one.payload;
    EXPECT_EQ(reading(all.front().telegram, "energy_import").empty(),
              std::string_view(one.status) != "ok")
        << one.payload;
  }
}

TEST(Dlt645, WhatDoesNotBelongToTheQuestionSaysWhatItIs) {
  const auto settings = settings_for(old_rows);
  const auto said = [&](const Bytes& heard) {
    const auto all = decode(asked("B611"), heard, settings);
    return statuses(all) + (all.empty() ? "" : ": " + all.back().error);
  };
  EXPECT_EQ(said(answer("B611", "3102")), "ok: ");
  EXPECT_EQ(said(answer("B611", "3102", 844719)),
            "mismatch: an answer of the address 000000844719, asked was 000000844718");
  EXPECT_EQ(said(answer("B612", "3102")), "mismatch: an answer to B612, asked was B611");
  EXPECT_EQ(said(answer("02010100", "3102")), "mismatch: an answer to 02010100, asked was B611");
  EXPECT_EQ(said(make_frame(844718, 0xC1, hex("02"))),
            "exception: the meter refuses: it has no such value");
  EXPECT_EQ(said(make_frame(844718, 0xC1, hex("04"))),
            "exception: the meter refuses: it wants a password");
  EXPECT_EQ(said(make_frame(844718, 0xC1, hex("40"))), "exception: the meter refuses: error 40");
  EXPECT_EQ(said(make_frame(844718, 0xC1, {})),
            "exception: the meter refuses, and does not say why");
  EXPECT_EQ(said(make_frame(844718, 0xA1, hex("11b63102"))),
            "unsupported: the answer to B611 comes in several frames, which are not read: ask for "
            "its parts one by one");
  EXPECT_EQ(said(make_frame(844718, 0x84, hex("11b63102"))),
            "mismatch: an answer to another command (control 84), not to a read");
  EXPECT_EQ(said(make_frame(844718, 0x81, hex("11"))),
            "malformed: an answer too short for the code of a value");
  EXPECT_EQ(said(Bytes(asked("B611"))), "mismatch: the echo of the request");
  EXPECT_EQ(said(Bytes(5, std::byte{0xFE})), "");  // nothing but a line that wakes up
}

// The check is a sum: it finds every flipped bit, and no two that cancel out.
TEST(Dlt645, NoCutAndNoFlippedBitGivesAValue) {
  const auto settings = settings_for(old_rows);
  const Bytes request = asked("901F");
  const Bytes whole = answer("901F", "67452301 67009000 00453300");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto all = decode(
        request, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), settings);
    EXPECT_EQ(statuses(all), size > 1 ? "truncated" : "") << size;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes broken = whole;
    broken[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    for (const Decoded& one : decode(request, broken, settings)) {
      EXPECT_FALSE(one.ok()) << bit;
      EXPECT_EQ(test::reading_count(one.telegram), 0U) << bit;
    }
  }
  // Two flips that the sum does not see: what they make is no other meter's, no other value's, and
  // has decimal digits only.
  std::mt19937 dice(645);
  std::size_t passed = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes broken = whole;
    const std::size_t at = 1 + dice() % (whole.size() - 3);
    const std::uint8_t by = static_cast<std::uint8_t>(1 + dice() % 255);
    const std::size_t other = 1 + dice() % (whole.size() - 3);
    broken[at] = static_cast<std::byte>((u8(broken[at]) + by) & 0xFFU);
    broken[other] = static_cast<std::byte>((u8(broken[other]) - by) & 0xFFU);
    if (broken == whole) continue;
    for (const Decoded& one : decode(request, broken, settings)) {
      if (!one.ok()) continue;
      ++passed;
      EXPECT_TRUE(std::equal(broken.begin(), broken.begin() + 12, whole.begin()));
    }
  }
  EXPECT_GT(passed, 10U);  // so much a sum can do
}

TEST(Dlt645, EveryCutOfTheStreamGivesTheSame) {
  Bytes noise = hex("fefe 00 68 aa fefe");
  const Bytes whole = answer("B611", "3102");
  noise.insert(noise.end(), whole.begin(), whole.end());
  for (std::size_t size = 0; size < noise.size(); ++size)
    EXPECT_EQ(find_frame(ByteView(noise).first(size)).frame, 0U);
  const Cut cut = find_frame(noise);
  EXPECT_EQ(cut.frame, whole.size());
  EXPECT_EQ(cut.drop, noise.size() - whole.size());
  Bytes twice = noise;
  twice.insert(twice.end(), noise.begin(), noise.end());
  EXPECT_EQ(find_frame(twice).drop, cut.drop);
}

TEST(Dlt645, WhatIsRefusedTwiceIsLeftOutAndNamed_P10) {
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

TEST(Dlt645, FailuresSayWhatIsWrong) {
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

TEST(Dlt645, P09EchoesDoublesAndStrangersGiveNoWrongValue) {
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
TEST(Dlt645, ASlowMeterHasTimeForAllItsValues) {
  auto settings = settings_for({{"B611", "voltage_l1", 2}});
  EXPECT_EQ((*dlt645_protocol.driver(settings))->longest_poll(), Milliseconds(31'500));
  settings.set("retries", std::int64_t{0});
  EXPECT_EQ((*dlt645_protocol.driver(settings))->longest_poll(), Milliseconds(30'000));
  settings = settings_for(old_rows);
  settings.set("gap", Milliseconds(1000));
  settings.set("response_timeout", Milliseconds(3000));
  EXPECT_EQ((*dlt645_protocol.driver(settings))->longest_poll(), Milliseconds(132'000));
}

// There is no other maker of requests, and it knows no other command.
TEST(Dlt645, OnlyReadsAreSent) {
  for (const Version version : {Version::v1997, Version::v2007}) {
    for (std::uint32_t code = 0; code < 0x10000; code += 7) {
      const Bytes wire = read_request(version, code, code, 2);
      const auto frame = parse_frame(ByteView(wire).subspan(2));
      ASSERT_TRUE(frame);
      EXPECT_EQ(frame->control, version == Version::v1997 ? 0x01 : 0x11);
      EXPECT_EQ(frame->data.size(), code_length(version));
    }
  }
}

TEST(Dlt645, ATableThatContradictsItselfIsRefusedInWords) {
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
