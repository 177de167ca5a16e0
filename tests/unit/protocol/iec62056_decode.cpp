// SPDX-License-Identifier: MIT
#include "iec62056_bench.hpp"
#include "protocol/iec62056_21/lines.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

namespace meterbridge::protocol::iec62056_21 {
namespace {

using nlohmann::json;
using test::hex;

class Iec62056 : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }

  SettingValues settings = default_settings(iec62056_21_protocol.settings);
};

std::vector<Decoded> transcript(std::string_view text, const SettingValues& settings) {
  const auto parsed = parse_transcript(text);
  EXPECT_TRUE(parsed);
  return iec62056_21_protocol.decode_transcript(*parsed, settings);
}

TEST_F(Iec62056, BlockChecksAreThoseOfTheSheets) {
  EXPECT_EQ(to_hex(break_request(Check::exclusive_or)), "0142300371");
  EXPECT_EQ(to_hex(break_request(Check::sum)), "0142300375");
  EXPECT_EQ(to_hex(password_request("777777", Check::sum)),
            "01503102283737373737372903"
            "21");
  EXPECT_EQ(to_hex(password_request("777777", Check::exclusive_or)).substr(26), "61");
  EXPECT_EQ(to_hex(read_request(Read::r1, "ET0PE", {}, Check::sum)), "01523102455430504528290337");
  EXPECT_EQ(to_hex(read_request(Read::r2, "C900", {}, Check::exclusive_or)),
            "0152320243393030282903"
            "1a");
  EXPECT_EQ(to_hex(with_parity(to_bytes("/?!\r\n"))), "af3f218d0a");
  EXPECT_EQ(to_hex(option_select('4', '1')), "063034310d0a");
}

TEST_F(Iec62056, AReadoutGivesItemsAndReadings) {
  const auto all = iec62056_21_protocol.decode(readout("LGZ4ZMF100AC.M26", lines), settings);
  ASSERT_EQ(statuses(all), "ok");
  const Telegram& t = all[0].telegram;
  EXPECT_EQ(t.meter.manufacturer, "Landis+Gyr");
  EXPECT_EQ(t.meter.model, "ZMF100AC.M26");
  EXPECT_EQ(t.meter.serial, "13647123");
  EXPECT_EQ(item(t, "1-0:1.8.0*255"), "61561.289 kWh");
  EXPECT_EQ(item(t, "1-0:1.8.0*01"), "60000.000 kWh");
  EXPECT_EQ(item(t, "32.7"), "241 V");
  EXPECT_EQ(item(t, "1-0:31.7.0*255"), "0.35 A");
  EXPECT_EQ(item(t, "C.7.0"), "8");
  EXPECT_EQ(item(t, "F.F"), "00000000");
  EXPECT_EQ(reading(t, "energy_import"), "61561.289");
  EXPECT_EQ(reading(t, "energy_export"), "10.490");  // the sum of its tariffs
  EXPECT_EQ(reading(t, "power"), "1250");
  EXPECT_EQ(reading(t, "voltage_l1"), "241");
  EXPECT_EQ(reading(t, "current_l1"), "0.35");
  EXPECT_EQ(reading(t, "power_factor"), "");  // 4.556 is none
  EXPECT_EQ(reading(t, "status"), "ok");
  EXPECT_EQ(reading(t, "firmware"), "M26");
  EXPECT_EQ(reading(t, "clock"), "2022-01-27T10:56:44Z");
}

TEST_F(Iec62056, FormerPeriodsAreNoReadings) {
  const auto all = iec62056_21_protocol.decode(
      readout("PAF5EC3", "1.8.0*00(19446.38)\r\n2.8.0*01(5.0*kWh)\r\n3.8.0&01(1*kvarh)!\r\n"),
      settings);
  ASSERT_EQ(statuses(all), "ok");
  EXPECT_EQ(reading(all[0].telegram, "energy_import"), "19446.38");
  EXPECT_EQ(test::reading_count(all[0].telegram), 1U);
  const auto both = iec62056_21_protocol.decode(
      readout("PAF5EC3", "1.8.0*00(1.5)\r\n1.8.0(2.5)\r\n!\r\n"), settings);
  EXPECT_EQ(reading(both[0].telegram, "energy_import"), "2.5");
}

TEST_F(Iec62056, AHeatMeterIsNoElectricityMeter) {
  const auto all = iec62056_21_protocol.decode(
      readout("LUGCUH50",
              "6.8(0328.871*GJ)6.26(03329.67*m3)9.21(66153690)\r\n9.7(20000)\r\n"
              "9.4(098.5*C&096.1*C)6.33(000.744*m3ph)6.8*01(0314.658*GJ)\r\n!\r\n"),
      settings);
  ASSERT_EQ(statuses(all), "ok");
  const Telegram& t = all[0].telegram;
  EXPECT_EQ(reading(t, "heat"), "328.871");
  EXPECT_EQ(reading(t, "volume"), "3329.67");
  EXPECT_EQ(reading(t, "flow_peak"), "0.744");
  EXPECT_EQ(reading(t, "temperature_flow_peak"), "98.5");
  EXPECT_EQ(reading(t, "temperature_return_peak"), "96.1");
  EXPECT_EQ(reading(t, "serial"), "66153690");
  EXPECT_EQ(test::reading_count(t), 6U);
  const auto electric =
      iec62056_21_protocol.decode(readout("ISK5X", "6.8.0(1.5*kvarh)\r\n!\r\n"), settings);
  EXPECT_EQ(reading(electric[0].telegram, "reactive_energy_q2"), "1.5");
}

TEST_F(Iec62056, BothBlockChecksAreTakenFromUnknownMakersOnly) {
  const auto status = [&](std::string_view maker, Check rule) {
    return statuses(iec62056_21_protocol.decode(readout(maker, lines, rule), settings));
  };
  EXPECT_EQ(status("ABC5X", Check::exclusive_or), "ok");
  EXPECT_EQ(status("ABC5X", Check::sum), "ok");
  EXPECT_EQ(status("KAM MC", Check::sum), "ok");
  EXPECT_EQ(status("ISk5MT174", Check::sum), "checksum");
  settings.set("bcc", std::string("xor"));
  EXPECT_EQ(status("ABC5X", Check::sum), "checksum");
}

// Property: whatever bit of the protected part is wrong, nothing is believed.
TEST_F(Iec62056, EveryFlippedBitIsDetected) {
  const Bytes good = readout("ISK5MT174", lines);
  const std::size_t header = std::string_view("/ISK5MT174\r\n").size();
  for (std::size_t at = header; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] ^= static_cast<std::byte>(1U << bit);
      for (const Decoded& one : iec62056_21_protocol.decode(bad, settings))
        ASSERT_FALSE(one.ok()) << "byte " << at << " bit " << bit;
    }
  }
}

// Property: a telegram that is cut short is never good, and the next one is not lost with it.
TEST_F(Iec62056, ATruncatedReadoutCostsOnlyItself) {
  const Bytes good = readout("ISK5MT174", lines);
  for (std::size_t length = 1; length < good.size(); ++length) {
    Bytes stream(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
    for (const Decoded& one : iec62056_21_protocol.decode(stream, settings))
      ASSERT_FALSE(one.ok()) << length;
    if (length < 12) continue;  // half an identification runs into the next
    const Bytes next = to_bytes("\r\n");
    stream.insert(stream.end(), next.begin(), next.end());
    stream.insert(stream.end(), good.begin(), good.end());
    const auto all = iec62056_21_protocol.decode(stream, settings);
    ASSERT_FALSE(all.empty());
    EXPECT_TRUE(all.back().ok()) << length << ": " << statuses(all);
  }
}

TEST_F(Iec62056, ATelegramThatBreaksOffDoesNotTakeTheNextOneWithIt) {
  const Bytes checked = readout("MBR5TEST", lines);
  Bytes plain = to_bytes("/MBR9PUSH\r\n\r\n");
  const Bytes data = to_bytes(lines);
  plain.insert(plain.end(), data.begin(), data.end());
  for (const Bytes& whole : {checked, plain}) {
    for (std::size_t size = 20; size + 4 < whole.size(); ++size) {
      Bytes stream(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      stream.insert(stream.end(), whole.begin(), whole.end());
      const auto all = iec62056_21_protocol.decode(stream, settings);
      ASSERT_EQ(statuses(all), "truncated ok") << size;
      EXPECT_EQ(all[1].offset, size);
      EXPECT_EQ(all[0].length, size);
    }
  }
}

TEST_F(Iec62056, RandomBytesAreNoTelegrams) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    Bytes noise(random() % 600);
    for (std::byte& b : noise)
      b = static_cast<std::byte>(random() % (seed % 2 == 0 ? 256 : 128));
    for (const Decoded& one : iec62056_21_protocol.decode(noise, settings))
      EXPECT_EQ(test::reading_count(one.telegram), 0U) << seed;
  }
}

TEST_F(Iec62056, ParityThatWasCapturedIsCheckedAndTaken) {
  const Bytes good = with_parity(readout("ISK5MT174", lines));
  EXPECT_EQ(statuses(iec62056_21_protocol.decode(good, settings)), "ok");
  Bytes bad = good;
  bad[60] ^= std::byte{0x80};
  EXPECT_EQ(statuses(iec62056_21_protocol.decode(bad, settings)), "checksum");
}

TEST_F(Iec62056, WithoutCheckOnlyWellFormedLinesAreBelieved) {
  const auto decode = [&](std::string_view text) {
    return statuses(iec62056_21_protocol.decode(to_bytes(text), settings));
  };
  EXPECT_EQ(decode("/ESY5Q3D\r\n\r\n1-0:1.8.0*255(5.1*kWh)\r\n!\r\n 25803\xFF\r\n"), "ok");
  EXPECT_EQ(decode("/ESY5Q3D\n\n1-0:1.8.0*255(5.1*kWh)\n\n!\n\n"), "ok");
  EXPECT_EQ(decode("/ESY5Q3D\r\n\r\n1-0:1.8.0*255(5.1*kWh\r\n!\r\n"), "malformed");
  EXPECT_EQ(decode("/ESY5Q3D\r\n\r\n1-0:1.8.0*255 5.1*kWh)\r\n!\r\n"), "malformed");
  EXPECT_EQ(decode("/ESY5Q3D\r\n\r\n1-0:1.8.0*255(5.1*kWh)\r\n"), "truncated");
  EXPECT_EQ(decode("/ESY5Q3D\r\n\r\n!\r\n"), "malformed");
  EXPECT_EQ(decode("/KFM5KAIFA\r\n\r\n1-0:1.8.1(5.1*kWh)\r\n!E1f3\r\n"), "unsupported");  // P1
  EXPECT_EQ(decode("/ISK5X\r\nB1.8.0(5.1*kWh)\r\n!\r\n\x03\x19"), "malformed");
  EXPECT_EQ(decode("\x7F\x7F/?!\r\n/ESY5Q3D\r\n/ESY5Q3D\r\n1.8.0(5.1*kWh)\r\n!\r\n"), "ok");
  // Captures of heat meters often come without STX, ETX and check; they join values.
  EXPECT_EQ(decode("/LUGCUH50\r\n6.8(1.5*GJ)9.4(098.5*C&096.1*C)\r\n9.7(20000)\r\n!\r\n"), "ok");
  EXPECT_EQ(decode("/LUGCUH50\r\n6.8(1.5*GJ)9.4(098.5*C&09v.1*C)\r\n!\r\n"), "malformed");
  EXPECT_EQ(decode("/LUGCUH50\r\n6.8(1.5*Gj&2*GK)\r\n!\r\n"), "malformed");
}

TEST_F(Iec62056, AnEasyMeterThatDeliversSendsItsNetPower) {
  const auto of = [&](std::string_view watts) {
    return iec62056_21_protocol.decode(
        to_bytes("/ESY5Q3DA V3.02\r\n\r\n1-0:1.8.0*255(5.1*kWh)\r\n1-0:21.7.255*255(000011.64*W)"
                 "\r\n1-0:1.7.0*255(" +
                 std::string(watts) + "*W)\r\n!\r\n"),
        settings);
  };
  const auto out = of("-000116.77");
  ASSERT_EQ(statuses(out), "ok");
  EXPECT_EQ(reading(out[0].telegram, "power"), "-116.77");
  EXPECT_EQ(reading(out[0].telegram, "power_import"), "");
  EXPECT_EQ(reading(out[0].telegram, "power_l1"), "11.64");
  EXPECT_EQ(reading(out[0].telegram, "power_import_l1"), "11.64");
  EXPECT_EQ(reading(of("000116.77")[0].telegram, "power"), "116.77");
}

TEST_F(Iec62056, ARefusalIsNoReading) {
  const auto error = [&](std::string_view rx) {
    const auto all = transcript(
        "> 01523102455430504528290337\n< " + to_hex(build_block({}, rx, Check::sum)) + "\n",
        settings);
    EXPECT_EQ(all.size(), 1U);
    return std::string(name(all[0].status)) + ": " + all[0].error;
  };
  EXPECT_EQ(error("(ERR12)"), "exception: the meter answers ERR12: it does not know this code");
  EXPECT_EQ(error("(ERR15)"),
            "exception: the meter answers ERR15: access refused: it wants a password");
  EXPECT_EQ(error("VOLTA(230.1)"), "mismatch: an answer to VOLTA, asked was ET0PE");
  EXPECT_EQ(statuses(transcript("> 01523102455430504528290337\n< 15\n", settings)), "exception");
  EXPECT_EQ(statuses(transcript("> 0150310228373737373737290321\n< 15\n", settings)), "exception");
  EXPECT_EQ(statuses(transcript("> 01523102455430504528290337\n< 01523102455430504528290337\n",
                                settings)),
            "mismatch");
  EXPECT_EQ(statuses(transcript("> 01523102455430504528290337\n<\n", settings)), "truncated");
}

TEST_F(Iec62056, ObisNamesInProgrammingModeMeanWhatTheyMeanInAReadout) {
  const std::string request = to_hex(read_request(Read::r1, "1.8.0", {}, Check::exclusive_or));
  const std::string answer =
      to_hex(build_block({}, "1.8.0(001234.5*kWh)\r\n", Check::exclusive_or));
  std::string text = "> " + request;
  text.append("\n< ").append(answer).append("\n");
  const auto all = transcript(text, settings);
  ASSERT_EQ(statuses(all), "ok");
  EXPECT_EQ(reading(all[0].telegram, "energy_import"), "1234.5");
  EXPECT_EQ(item(all[0].telegram, "1-0:1.8.0*255"), "1234.5 kWh");
}

std::string exchange(std::string_view name, std::string_view arguments, std::string_view answer) {
  std::string text = "> " + to_hex(read_request(Read::r1, name, arguments, Check::sum));
  text.append("\n< ").append(to_hex(build_block({}, answer, Check::sum))).append("\n");
  return text;
}

TEST_F(Iec62056, RegistersOfADayAreItemsAndThoseOfNowReadingsP18) {
  const std::string answer = "EMD01(20.08.24,0.45991)(0.41342)\r\n";
  const auto now = transcript(exchange("EMD01", "0.0,1", answer), settings);
  ASSERT_EQ(statuses(now), "ok");
  EXPECT_EQ(item(now[0].telegram, "EMD01"), "(20.08.24,0.45991)(0.41342)");
  EXPECT_EQ(reading(now[0].telegram, "energy_import"), "0.45991");
  EXPECT_EQ(reading(now[0].telegram, "energy_import_t1"), "0.41342");
  const auto then = transcript(exchange("EMD01", "20.08.24,0,1", answer), settings);
  ASSERT_EQ(statuses(then), "ok");
  EXPECT_EQ(item(then[0].telegram, "EMD01"), "(20.08.24,0.45991)(0.41342)");
  EXPECT_EQ(reading(then[0].telegram, "energy_import"), "");
  const auto broken = transcript(exchange("EMD01", "0.0,1", "EMD01(0.45991)\r\n"), settings);
  EXPECT_EQ(reading(broken[0].telegram, "energy_import"), "");
}

TEST_F(Iec62056, AGroupIsReadCodeByCode) {
  const std::string asked = "VOLTA()CURRE()FREQU()";
  const auto all = transcript(
      exchange("GRPNM", asked, "VOLTA(230.1)(231.2)(229.9)CURRE(1.5)(2.25)(0.1)FREQU(49.98)\r\n"),
      settings);
  ASSERT_EQ(statuses(all), "ok");
  EXPECT_EQ(item(all[0].telegram, "VOLTA"), "(230.1)(231.2)(229.9)");
  EXPECT_EQ(reading(all[0].telegram, "voltage_l3"), "229.9");
  EXPECT_EQ(reading(all[0].telegram, "current_l2"), "2.25");
  EXPECT_EQ(reading(all[0].telegram, "frequency"), "49.98");
  EXPECT_EQ(statuses(transcript(exchange("GRPNM", asked, "POWEP(0.1)\r\n"), settings)), "mismatch");
}

TEST_F(Iec62056, AReadWithoutASessionIsARead) {
  const Bytes command = read_request(Read::r1, "FREQU", {}, Check::sum);
  const std::string text = "> " + to_hex(to_bytes("/?1234!")) + to_hex(command) + "\n< " +
                           to_hex(build_block({}, "FREQU(50.01)\r\n", Check::sum)) + "\n";
  const auto all = transcript(text, settings);
  ASSERT_EQ(statuses(all), "ok");
  EXPECT_EQ(reading(all[0].telegram, "frequency"), "50.01");
}

// XOR and sum of this answer are the same: what comes behind it is not judged by the wrong one.
TEST_F(Iec62056, ABlockThatFitsBothRulesDoesNotChooseOne) {
  const Bytes both = build_block({}, "VOLTA(230.1)(0.1)\r\n", Check::sum);
  ASSERT_EQ(both, build_block({}, "VOLTA(230.1)(0.1)\r\n", Check::exclusive_or));
  EXPECT_EQ(*verify(both, Check::automatic), Check::automatic);
  const auto fast = [](std::string_view name, const Bytes& answer) {
    return "> " + to_hex(fast_read_request("123", name, {}, Check::sum)) + "\n< " + to_hex(answer) +
           "\n";
  };
  const auto all = transcript(
      fast("VOLTA", both) + fast("FREQU", build_block({}, "FREQU(50.01)\r\n", Check::sum)) +
          fast("FREQU", build_block({}, "FREQU(50.01)\r\n", Check::exclusive_or)),
      settings);
  EXPECT_EQ(statuses(all), "ok ok checksum");
}

// --- captures, where they are present beside the working tree ---

json load(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return json::parse(stream, nullptr, false);
}

std::vector<std::filesystem::path> shared(std::string_view folder) {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path root = METERBRIDGE_SHARED_VECTORS;
  if (!std::filesystem::exists(root / folder)) return files;
  for (const auto& file : std::filesystem::directory_iterator(root / folder)) {
    if (file.path().extension() == ".json") files.push_back(file.path());
  }
  return files;
}

TEST_F(Iec62056, EachCapturedReadoutIsReadOrRefusedAsItMustBe) {
  const auto files = shared("iec62056-21");
  if (files.empty()) GTEST_SKIP() << "no shared vectors here";
  std::size_t checked = 0;
  for (const auto& file : files) {
    const json vector = load(file);
    if (!vector["file"].is_string()) continue;
    SCOPED_TRACE(file.filename());
    std::ifstream stream(file.parent_path() / vector["file"].get<std::string>(), std::ios::binary);
    std::stringstream bytes;
    bytes << stream.rdbuf();
    const auto all = iec62056_21_protocol.decode(to_bytes(bytes.str()), settings);
    const json& bcc = vector["bcc"];
    ASSERT_EQ(all.size(), 1U);
    ++checked;
    if (bcc.is_object() && bcc["state"] == "bad") {
      EXPECT_EQ(all[0].status, Status::checksum);
      continue;
    }
    ASSERT_EQ(all[0].status, Status::ok) << all[0].error;
    for (const json& wanted : vector["items"]) {
      if (!wanted.contains("unit")) continue;
      const std::string raw = wanted["raw"];
      const auto number = number_from(raw.substr(0, raw.find('*')));
      const Item* found = all[0].telegram.find(code_from(wanted["id"].get<std::string>()).address);
      ASSERT_TRUE(found != nullptr && found->value && number) << wanted["id"];
      EXPECT_EQ(*found->value, *number) << wanted["id"];
    }
    EXPECT_GT(test::reading_count(all[0].telegram), 2U);
  }
  EXPECT_GE(checked, 10U);
}

TEST_F(Iec62056, EachCapturedDialogueGivesItsValues) {
  std::size_t values = 0;
  for (const auto& file : shared("iec62056-21")) {
    const json vector = load(file);
    if (!vector.contains("exchanges")) continue;
    SCOPED_TRACE(file.filename());
    std::string text;
    for (const json& exchange : vector["exchanges"]) {
      text += "> " + exchange["tx"].get<std::string>();
      text += "\n< " + exchange["rx"].get<std::string>() + "\n";
    }
    std::multiset<std::string> found;
    for (const Decoded& one : transcript(text, settings)) {
      EXPECT_TRUE(one.ok()) << one.error;
      for (const Item& item : one.telegram.items) {
        for (const std::string& group : item.groups)
          found.insert(number_from(group)->rounded(7)->str());
        if (item.value) found.insert(item.value->rounded(7)->str());
      }
    }
    for (const json& exchange : vector["exchanges"]) {
      for (const json& value : exchange.value("values", json::array())) {
        const json& number = value.is_object() ? value["value"] : value;
        if (!number.is_number()) continue;
        const auto wanted = Decimal::parse(number.dump());
        ASSERT_TRUE(wanted) << number;
        EXPECT_EQ(found.count(wanted->rounded(7)->str()) > 0, true) << number;
        ++values;
      }
    }
  }
  if (values == 0) GTEST_SKIP() << "no shared vectors here";
  EXPECT_GE(values, 20U);
}

}  // namespace
}  // namespace meterbridge::protocol::iec62056_21
