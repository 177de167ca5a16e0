// SPDX-License-Identifier: MIT
// SML, from the stream to the readings. Every telegram is made by our own responder, or by hand.
#include "protocol/sml/sml.hpp"

#include "bytes_of.hpp"
#include "dice.hpp"
#include "protocol/crc16.hpp"
#include "protocol/sml/dialogue.hpp"
#include "protocol/sml/responder.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace meterbridge;
using namespace meterbridge::protocol;
using namespace std::string_view_literals;
using meterbridge::protocol::test::Dice;
using meterbridge::protocol::test::hex;
using meterbridge::protocol::test::reading;
using meterbridge::protocol::test::settings_of;
using sml::CheckKind;
using Names = std::vector<std::string>;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

MeterFace sml_face(std::int64_t power = 1055) {
  MeterFace shown;
  shown.now = Seconds(std::chrono::seconds(1'784'000'000));
  shown.current = {Decimal(383, -2), Decimal(169, -2), Decimal(92, -2)};
  shown.power = {Decimal(876), Decimal(393), Decimal(power - 876 - 393)};
  shown.energy_import = {Decimal(21'340'430), Decimal(17'654'320), Decimal(), Decimal()};
  shown.energy_export = {Decimal(40'010), Decimal(30), Decimal(), Decimal()};
  return shown;
}

Bytes sml_telegram(std::string_view model, std::int64_t power = 1055) {
  sml::SmlResponder meter(sml::model_of(model));
  meter.show(sml_face(power));
  return meter.push();
}

std::vector<Decoded> sml_decode(
    ByteView bytes, std::initializer_list<std::pair<std::string_view, std::string_view>> set = {}) {
  return sml_protocol.decode(bytes, settings_of(sml_protocol, set));
}

Names told(const std::vector<Decoded>& found) {
  Names all;
  for (const Decoded& decoded : found)
    all.emplace_back(name(decoded.status));
  return all;
}

Names whole(const std::vector<Decoded>& found) {
  Names all;
  for (const Decoded& decoded : found)
    all.push_back(decoded_json(decoded));
  return all;
}

// A list response with these entries, each in hex digits, of a meter with this id.
Bytes payload_of(std::initializer_list<std::string_view> entries, std::string_view server) {
  const auto id = hex(server);
  std::string text =
      "7605000000016200620072630701 77 01 0" + to_hex(Bytes{std::byte(id.size() + 1)}).substr(1);
  text += std::string(server) + "0101 7" + to_hex(Bytes{std::byte(entries.size())}).substr(1);
  for (const std::string_view entry : entries)
    text += entry;
  return hex(text + "0101 63000000");
}

Telegram telegram_with(
    std::initializer_list<std::string_view> entries,
    std::string_view server = "0a01445a47000282225e",
    std::initializer_list<std::pair<std::string_view, std::string_view>> set = {}) {
  const auto found = sml_decode(sml::file_of(payload_of(entries, server), CheckKind::x25), set);
  EXPECT_EQ(told(found), Names{"ok"}) << (found.empty() ? "nothing" : found[0].error);
  return found.empty() ? Telegram() : found[0].telegram;
}

constexpr std::string_view dzg_in = "7707 0100010800ff 641c0104 01 621e 52ff 64033c93 01";
constexpr std::string_view dzg_out = "7707 0100010800ff 641c7904 01 621e 52ff 64033c93 01";
constexpr std::string_view dzg_export = "7707 0100020800ff 01 01 621e 52ff 64033c93 01";
constexpr std::string_view dzg_power = "7707 0100100700ff 01 01 621b 52fe 538b28 01";

TEST(Sml, EveryModelIsReadAsItsMeterShowsIt) {
  for (const std::string_view model : sml::model_names) {
    for (const std::int64_t power : {1055, 0, -2310, 300}) {
      SCOPED_TRACE(std::string(model) + " " + std::to_string(power));
      const auto found = sml_decode(sml_telegram(model, power));
      ASSERT_EQ(told(found), Names{"ok"}) << (found.empty() ? "nothing" : found[0].error);
      const Telegram& seen = found[0].telegram;
      const bool delivers_only = model == "drneuhaus-smarty";
      const std::string key = model == "emh-ehz-gw8" ? "power_import" : "power";
      const std::int64_t expected = delivers_only           ? -std::abs(power)
                                    : key == "power_import" ? std::max<std::int64_t>(power, 0)
                                                            : power;
      const auto shown = Decimal::parse(reading(seen, key));
      ASSERT_TRUE(shown) << decoded_json(found[0]);
      EXPECT_EQ(*shown, Decimal(expected));
      const bool counts_export = delivers_only || model == "hager-ehz361";
      const auto energy =
          Decimal::parse(reading(seen, counts_export ? "energy_export" : "energy_import"));
      ASSERT_TRUE(energy) << decoded_json(found[0]);
      // Hager sends its first tariff only.
      const std::int64_t exported = delivers_only ? 40'040 : 40'010;
      EXPECT_EQ(*energy, Decimal(counts_export ? exported : 38'994'750, -3));
      EXPECT_FALSE(seen.meter.manufacturer.empty());
      EXPECT_FALSE(reading(seen, "serial").empty());
    }
  }
}

TEST(Sml, AnyCutOfTheStreamGivesTheSameResult) {
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    Dice dice(seed);
    Bytes stream = dice.bytes(dice.below(20));
    for (int i = 0; i < 3; ++i) {
      Bytes one = sml_telegram(sml::model_names[dice.below(sml::model_names.size())]);
      if (dice.below(3) == 0) one[dice.below(one.size())] ^= std::byte{0x10};
      if (dice.below(3) == 0) one.resize(dice.below(one.size()));
      if (dice.below(3) == 0) one = one + hex("1b1b1b1b1b");
      stream = stream + one + dice.bytes(dice.below(9));
    }
    const Names expected = whole(sml_decode(stream));
    for (int cut = 0; cut < 3; ++cut) {
      sml::Receiver receiver{sml::DecodeOptions()};
      Names got;
      const auto drain = [&] {
        while (const auto decoded = receiver.next())
          got.push_back(decoded_json(*decoded));
      };
      for (ByteView rest = stream; !rest.empty();) {
        const std::size_t size = std::min(1 + dice.below(40), rest.size());
        receiver.push(rest.first(size));
        rest = rest.subspan(size);
        if (!rest.empty()) drain();
      }
      receiver.finish();
      drain();
      EXPECT_EQ(got, expected) << seed;
    }
  }
}

TEST(Sml, AnyFlippedBitIsDetected_P16) {
  for (const std::string_view model : {"iskra-mt691"sv, "holley-dtz541"sv}) {
    const Bytes sent = sml_telegram(model);
    for (std::size_t bit = 0; bit < 8 * sent.size(); ++bit) {
      Bytes flipped = sent;
      flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      for (const Decoded& decoded : sml_decode(flipped))
        EXPECT_FALSE(decoded.ok()) << model << " bit " << bit;
    }
  }
}

TEST(Sml, ALostByteCostsItsOwnTelegramOnly) {
  const Bytes one = sml_telegram("iskra-mt691");
  for (std::size_t lost = 0; lost < one.size(); ++lost) {
    Bytes damaged = one;
    damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(lost));
    const Names names = told(sml_decode(damaged + one + one));
    EXPECT_EQ(std::count(names.begin(), names.end(), "ok"), 2) << lost;
  }
}

TEST(Sml, ATelegramThatEndsEarlyIsNeverAcceptedAndCostsNothingElse) {
  const Bytes one = sml_telegram("iskra-mt175");
  for (std::size_t size = 0; size < one.size(); ++size) {
    const Bytes cut(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(size));
    for (const Decoded& decoded : sml_decode(cut))
      EXPECT_EQ(name(decoded.status), "truncated") << size;
    const Names names = told(sml_decode(cut + one));
    ASSERT_FALSE(names.empty());
    EXPECT_EQ(std::count(names.begin(), names.end(), "ok"), 1) << size;
    EXPECT_EQ(names.back(), "ok") << size;
  }
  const auto found = sml_decode(Bytes(one.begin(), one.begin() + 40) + one);
  ASSERT_EQ(told(found), (Names{"truncated", "ok"}));
  EXPECT_EQ(found[0].length, 40U);
  EXPECT_EQ(found[1].offset, 40U);
}

// Payloads full of escape bytes come back as they were, whatever stands at their end.
TEST(Sml, EscapeBytesInAPayloadAreBytesLikeOthers) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Dice dice(seed);
    Bytes payload(dice.below(30));
    for (std::byte& b : payload)
      b = dice.below(3) == 0 ? static_cast<std::byte>(dice.below(2) == 0 ? 0x1A : 0x01)
                             : std::byte{0x1B};
    const CheckKind check = seed % 2 == 0 ? CheckKind::x25 : CheckKind::kermit;
    sml::Framer framer;
    framer.push(sml::file_of(payload, check));
    framer.finish();
    const auto frame = framer.next();
    ASSERT_TRUE(frame) << seed;
    ASSERT_EQ(frame->kind, sml::Frame::Kind::whole) << seed << " " << to_hex(payload);
    EXPECT_EQ(to_hex(frame->payload), to_hex(payload)) << seed;
    EXPECT_EQ(frame->check, check);
    EXPECT_FALSE(framer.next());
  }
}

TEST(Sml, BrokenFilesAreNamed) {
  const Bytes one = sml_telegram("iskra-mt691");
  Bytes wrong = one;
  wrong[60] ^= std::byte{1};
  auto found = sml_decode(wrong);
  ASSERT_EQ(told(found), Names{"checksum"});
  EXPECT_NE(found[0].error.find("CRC is "), std::string::npos) << found[0].error;
  found = sml_decode(hex("1b1b1b1b01010101 7605 1b1b1b1b 02 0000") + one);
  ASSERT_EQ(told(found), (Names{"malformed", "ok"}));
  EXPECT_NE(found[0].error.find("0x02"), std::string::npos) << found[0].error;
  found = sml_decode(hex("1b1b1b1b01010101") + Bytes(5000, std::byte{0x55}) + one);
  ASSERT_EQ(told(found), (Names{"malformed", "ok"}));
  EXPECT_EQ(told(sml_decode(sml::file_of(hex("7605"), CheckKind::x25))), Names{"malformed"});
  EXPECT_EQ(told(sml_decode(sml::file_of({}, CheckKind::x25))), Names{"unsupported"});
  // More padding than there is payload.
  Bytes padded = hex("1b1b1b1b01010101 1b1b1b1b 1a 05");
  const std::uint16_t crc = crc16(padded, Crc16::Kind::x25);
  padded = padded + Bytes{static_cast<std::byte>(crc), static_cast<std::byte>(crc >> 8U)};
  EXPECT_EQ(told(sml_decode(padded)), Names{"malformed"});
}

// Lists in lists, lengths beyond the end, types that do not exist: any payload behind a right check
// sum ends in words.
TEST(Sml, HostilePayloadsEndInWords_P56) {
  const Bytes good = sml_telegram("holley-dtz541");
  sml::Framer framer;
  framer.push(good);
  const Bytes payload = [&] {
    const auto frame = framer.next();
    return Bytes(frame->payload.begin(), frame->payload.end());
  }();
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Dice dice(seed);
    Bytes one = payload;
    for (std::size_t i = 1 + dice.below(4); i > 0; --i)
      one[dice.below(one.size())] = static_cast<std::byte>(dice.below(256));
    if (seed % 5 == 0) one.resize(dice.below(one.size()));
    const auto found = sml_decode(sml::file_of(one, CheckKind::x25));
    ASSERT_EQ(found.size(), 1U) << seed;
    EXPECT_EQ(found[0].ok(), found[0].error.empty()) << seed;
  }
  EXPECT_EQ(told(sml_decode(sml::file_of(Bytes(4000, std::byte{0x7F}), CheckKind::x25))),
            Names{"malformed"});
  EXPECT_EQ(told(sml_decode(sml::file_of(hex("ffffffffff"), CheckKind::x25))), Names{"malformed"});
}

TEST(Sml, NoiseIsNothingAndIsDescribed) {
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    EXPECT_TRUE(told(sml_decode(Dice(seed).bytes(Dice(seed).below(3000)))).empty()) << seed;
  std::string remark;
  sml::SmlDialogue dialogue(sml::DecodeOptions(), std::chrono::seconds(30), remark);
  ASSERT_TRUE(dialogue.next());
  dialogue.received(to_bytes(std::string(3000, 'A') + std::string(3000, '0')));
  const auto told_of = dialogue.next();
  ASSERT_FALSE(told_of);
  EXPECT_EQ(told_of.error().code(), Errc::no_frame);
  EXPECT_NE(told_of.error().detail().find("IEC 62056-21"), std::string::npos)
      << told_of.error().detail();
}

TEST(Sml, SilenceInsideATelegramIsNoSilenceOfTheMeter) {
  std::string remark;
  sml::SmlDialogue dialogue(sml::DecodeOptions(), std::chrono::seconds(30), remark);
  const Bytes one = sml_telegram("iskra-mt691");
  dialogue.received(ByteView(one).first(50));
  auto step = dialogue.next();
  ASSERT_TRUE(step);
  EXPECT_EQ(std::get<step::Listen>(*step).at_most, sml::file_patience);
  dialogue.silence();
  step = dialogue.next();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), errc_of(Status::truncated));
  step = dialogue.next();
  ASSERT_TRUE(step);
  EXPECT_EQ(std::get<step::Listen>(*step).at_most, Milliseconds(28'000));
  dialogue.silence();
  step = dialogue.next();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), Errc::timeout);
  dialogue.received(one);
  step = dialogue.next();
  ASSERT_TRUE(step);
  EXPECT_TRUE(std::holds_alternative<step::Finished>(*step));
}

TEST(Sml, DzgSendsPositivePowersAsNegativeNumbers_P19) {
  EXPECT_EQ(reading(telegram_with({dzg_in, dzg_export, dzg_power}), "power"), "356.24");
  EXPECT_EQ(reading(telegram_with({dzg_out, dzg_export, dzg_power}), "power"), "-299.12");
  const Telegram literal = telegram_with({dzg_in, dzg_power});
  EXPECT_EQ(literal.find("1-0:16.7.0*255")->value->str(), "-299.12");
  const std::string_view id = "0a01445a47000282225e";
  EXPECT_EQ(reading(telegram_with({dzg_in, dzg_power}, id, {{"dzg_fix", "off"}}), "power"),
            "-299.12");
  EXPECT_EQ(reading(telegram_with({dzg_out, dzg_power}, id, {{"dzg_fix", "on"}}), "power"),
            "356.24");
  // Without a direction nobody can say, and nothing is shown.
  const Telegram unknown = telegram_with({dzg_export, dzg_power});
  EXPECT_EQ(reading(unknown, "power"), "");
  EXPECT_NE(sml::doubtful_power(unknown).find("dzg_fix"), std::string::npos);
  EXPECT_EQ(sml::doubtful_power(telegram_with({dzg_in, dzg_power})), "");
}

TEST(Sml, OfAPhaseOfDzgOnlyTheSumHasADirection_P19) {
  const std::string_view phase = "7707 0100240700ff 01 01 621b 52fe 53c60c 01";
  EXPECT_EQ(reading(telegram_with({dzg_in, phase}), "power_l1"), "507.00");
  EXPECT_EQ(reading(telegram_with({dzg_in, dzg_export, phase}), "power_l1"), "");
  EXPECT_EQ(reading(telegram_with({dzg_out, dzg_export, phase}), "power_l1"), "-148.36");
}

TEST(Sml, QuirksAreBoundToTheirMeters_P19) {
  // The same telegram of another maker is taken as it is.
  EXPECT_EQ(reading(telegram_with({dzg_in, dzg_power}, "0a0149534b000454a95f"), "power"),
            "-299.12");
  const std::string_view holley_out = "7707 0100010800ff 65001d4904 01 621e 52ff 64033c93 01";
  const std::string_view plus = "7707 0100100700ff 01 01 621b 5200 5301a9 01";
  const std::string_view minus = "7707 0100100700ff 01 01 621b 5200 53f9be 01";
  const std::string_view holley = "0a01484c5902000e7387";
  EXPECT_EQ(reading(telegram_with({holley_out, plus}, holley), "power"), "-425");
  EXPECT_EQ(reading(telegram_with({holley_out, minus}, holley), "power"), "-1602");
  EXPECT_EQ(reading(telegram_with({dzg_in, minus}, holley), "power"), "1602");
  EXPECT_EQ(reading(telegram_with({holley_out, plus}, "0a0149534b000454a95f"), "power"), "425");
  // Kermit is for Holley only.
  const Bytes payload = payload_of({dzg_in, plus}, holley);
  EXPECT_EQ(told(sml_decode(sml::file_of(payload, CheckKind::kermit))), Names{"ok"});
  const Bytes other = payload_of({dzg_in, plus}, "0a0149534b000454a95f");
  EXPECT_EQ(told(sml_decode(sml::file_of(other, CheckKind::kermit))), Names{"checksum"});
}

TEST(Sml, TheImportOfEasyMeterIsItsNetPower_P19) {
  const std::string_view easymeter = "09014553591103b599a5";
  const std::string_view minus = "7707 0100010700ff 01 01 621b 5200 53f9be 01";
  const std::string_view phase = "7707 0100150700ff 01 01 621b 5200 5301a9 01";
  const Telegram seen = telegram_with({minus, phase}, easymeter);
  EXPECT_EQ(reading(seen, "power"), "-1602");
  EXPECT_EQ(reading(seen, "power_import"), "");
  EXPECT_EQ(reading(seen, "power_l1"), "425");
  EXPECT_EQ(reading(telegram_with({minus}, "0a0149534b000454a95f"), "power"), "");
}

TEST(Sml, APowerWithoutSignNeedsADirection_P19) {
  const std::string_view emh = "06454d4801027156cd45";
  const std::string_view neuhaus = "0901444e540100002030";
  const std::string_view in = "7707 0100010800ff 630182 01 621e 52ff 64033c93 01";
  const std::string_view out = "7707 0100010800ff 6301b0 01 621e 52ff 64033c93 01";
  const std::string_view power = "7707 01000f0700ff 01 01 621b 52ff 55000004f2 01";
  EXPECT_EQ(reading(telegram_with({in, power}, emh), "power"), "126.6");
  EXPECT_EQ(reading(telegram_with({out, power}, emh), "power"), "-126.6");
  const Telegram unknown = telegram_with({in, power}, neuhaus);
  EXPECT_EQ(reading(unknown, "power"), "");
  EXPECT_NE(sml::doubtful_power(unknown).find("absolute_power"), std::string::npos);
  EXPECT_EQ(reading(telegram_with({dzg_export, power}, neuhaus), "power"), "-126.6");
  EXPECT_EQ(reading(telegram_with({in, power}, neuhaus, {{"absolute_power", "import"}}), "power"),
            "126.6");
  EXPECT_EQ(reading(telegram_with({in, power}, emh, {{"absolute_power", "off"}}), "power"), "");
}

TEST(Sml, NumbersOfEveryWidthKeepTheirDigits_P19) {
  const Telegram seen = telegram_with(
      {
          "7707 0100010801ff 01 01 621e 52ff 620a 01",
          "7707 0100010802ff 01 01 621e 52ff 640204e9 01",
          "7707 0100020801ff 01 01 621e 52fc 660a472d1401 01",
          "7707 0100020802ff 01 01 621e 5203 69ffffffffffffffff 01",
          "7707 0100100700ff 01 01 621b 5200 54fffe0c 01",
          "7707 01000e0700ff 01 01 622c 52ff 6301f4 01",
          "7707 0100200700ff 01 01 6223 5231 630915 01",
          "7707 0100340700ff 01 01 01 52ff 630915 01",
          "7707 0100010800 60 01 01 621e 5202 6229 01",
      },
      "0a0149534b000454a95f");
  EXPECT_EQ(reading(seen, "energy_import_t1"), "0.0010");
  EXPECT_EQ(reading(seen, "energy_import_t2"), "13.2329");
  EXPECT_EQ(reading(seen, "energy_import"), "13.2339");
  EXPECT_EQ(reading(seen, "energy_export_t2"), "");  // beyond 64 bits with a sign
  EXPECT_EQ(reading(seen, "energy_export"), "");     // and so is the sum
  EXPECT_EQ(reading(seen, "power"), "-500");
  EXPECT_EQ(reading(seen, "frequency"), "50.0");
  EXPECT_EQ(reading(seen, "voltage_l1"), "");  // 10^49 V
  EXPECT_EQ(reading(seen, "voltage_l2"), "");  // nobody says that these are volts
  EXPECT_EQ(seen.find("1-0:1.8.0*96")->value->str(), "4100");
}

TEST(Sml, TheSerialNumberIsThatOfThePlate) {
  const auto serial = [](std::string_view id) { return sml::serial_of(hex(id)); };
  EXPECT_EQ(serial("0a01445a47000282225e"), "1DZG0042082910");
  EXPECT_EQ(serial("09014553591103b599a5"), "1ESY1162232997");
  EXPECT_EQ(serial("06454d4801027156cd45"), "06454D4801027156CD45");
  EXPECT_EQ(serial("3032323830383136"), "02280816");
  EXPECT_EQ(serial("0a01445a4700ffffffff"), "0A01445A4700FFFFFFFF");
  EXPECT_EQ(serial(""), "");
}

TEST(Sml, ThePublicKeyIsLeftOut_P58) {
  const Telegram seen = telegram_with({dzg_in, "7707 8181c78205ff 01010101 05deadbeef 01"});
  EXPECT_EQ(seen.find("129-129:199.130.5*255"), nullptr);
  EXPECT_EQ(seen.items.size(), 1U);
}

}  // namespace
