// SPDX-License-Identifier: MIT
// Steps 4 and 5: the tree of values, and what they mean.
#include "dlms_support.hpp"

#include <cstdlib>

namespace {

using namespace dlms_test;
using dlms::Tree;
using test::hex;
using test::reading;

Tree::Outcome parse(std::string_view text, Tree& tree) {
  static Bytes bytes;
  bytes = hex(text);
  return tree.parse(bytes);
}

std::string number(std::string_view text) {
  Tree tree;
  EXPECT_EQ(parse(text, tree), Tree::Outcome::good) << text;
  const auto found = dlms::number_of(tree[0]);
  return found ? found->str() : "none";
}

TEST(DlmsTree, ReadsNumbersOfEveryTypeExactly) {
  EXPECT_EQ(number("0301"), "1");
  EXPECT_EQ(number("05fffffffe"), "-2");
  EXPECT_EQ(number("06ffffffff"), "4294967295");
  EXPECT_EQ(number("0d42"), "42");
  EXPECT_EQ(number("0d4f"), "none");
  EXPECT_EQ(number("0f80"), "-128");
  EXPECT_EQ(number("10ff7f"), "-129");
  EXPECT_EQ(number("11ff"), "255");
  EXPECT_EQ(number("12fe8c"), "65164");
  EXPECT_EQ(number("14ffffffffffffffff"), "-1");
  EXPECT_EQ(number("157fffffffffffffff"), "9223372036854775807");
  EXPECT_EQ(number("15ffffffffffffffff"), "none");
  EXPECT_EQ(number("1602"), "2");
  EXPECT_EQ(number("174366199a"), "230.1");
  EXPECT_EQ(number("177fc00000"), "none");
  EXPECT_EQ(number("18406cc33333333333"), "230.1");
  EXPECT_EQ(number("0900"), "none");
}

TEST(DlmsTree, KeepsNestingInTheOrderOfTheWire) {
  Tree tree;
  ASSERT_EQ(parse("0203 0600000001 0102 1101 1102 0a024142", tree), Tree::Outcome::good);
  ASSERT_EQ(tree.size(), 6U);
  EXPECT_EQ(tree[0].end, 6U);
  EXPECT_EQ(tree[1].end, 2U);
  EXPECT_EQ(tree[2].end, 5U);
  EXPECT_EQ(tree[2].count, 2U);
  EXPECT_EQ(tree[5].bytes.size(), 2U);
}

TEST(DlmsTree, RefusesWhatIsNotWellFormed) {
  Tree tree;
  for (const char* unknown : {"07", "08", "0201 0e00", "02 01 ff"})
    EXPECT_EQ(parse(unknown, tree), Tree::Outcome::malformed) << unknown;
  for (const char* cut : {"", "02", "0202 1101", "0981", "0905 01", "06000000", "19 07e6"})
    EXPECT_EQ(parse(cut, tree), Tree::Outcome::truncated) << cut;
  for (const char* huge : {"0282ffff", "0185ff", "0980"})
    EXPECT_EQ(parse(huge, tree), Tree::Outcome::malformed) << huge;
  EXPECT_EQ(parse("0984ffffffff", tree), Tree::Outcome::truncated);
  EXPECT_EQ(parse("1300", tree), Tree::Outcome::unsupported);
  std::string deep;
  for (int i = 0; i < 9; ++i)
    deep += "0201";
  EXPECT_EQ(parse(deep + "00", tree), Tree::Outcome::malformed);
  EXPECT_EQ(parse(deep.substr(4) + "00", tree), Tree::Outcome::good);
  // 255 lists of 255 lists: no memory without bound.
  std::string wide = "0281ff";
  for (int i = 0; i < 255; ++i) {
    wide += "0281ff";
    for (int j = 0; j < 255; ++j)
      wide += "00";
  }
  EXPECT_EQ(parse(wide, tree), Tree::Outcome::malformed);
  EXPECT_LE(tree.size(), Tree::most_nodes);
}

TEST(DlmsTree, RandomBytesNeverCrash) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Dice dice(seed);
    Bytes plain = hex("0f0000000100");
    plain = plain + dice.bytes(dice.below(200));
    if (plain.size() > 6) plain[6] = std::byte{2};
    decode(plain, settings());
    // A real list with some bytes changed.
    plain = dlms::notification_of(
        dlms::model_of(dlms::model_names[dice.below(dlms::model_names.size())]), face(), 1);
    for (std::size_t i = 0; i < 1 + dice.below(4); ++i)
      plain[dice.below(plain.size())] = static_cast<std::byte>(dice.below(256));
    for (const Decoded& decoded : decode(dlms::framed(dlms::Line::mbus, plain), settings()))
      EXPECT_FALSE(decoded_json(decoded).empty());
  }
}

TEST(DlmsClock, IsLocalPlusDeviation) {
  const auto text = [](std::string_view bytes) {
    const auto time = dlms::date_time_of(hex(bytes));
    return time ? dlms::text_of(*time) : std::string("none");
  };
  EXPECT_EQ(text("07e602040510 2b1400ffc400"), "2022-02-04T16:43:20+01:00");
  EXPECT_EQ(text("07e5091b01092f0f00ff8880"), "2021-09-27T09:47:15+02:00");
  EXPECT_EQ(text("07e80a010213000aff800000"), "2024-10-01T19:00:10");
  EXPECT_EQ(text("07e602040510 2bff00ffc400"), "2022-02-04T16:43:00+01:00");
  EXPECT_EQ(text("ffff02040510 2b1400ffc400"), "none");
  EXPECT_EQ(text("07e6fd040510 2b1400ffc400"), "none");
  EXPECT_EQ(text("07e602040510 2b14007fff00"), "none");
  EXPECT_EQ(text("07e6"), "none");
}

TEST(DlmsLayout, ThePowerFactorHasTheSignThatTheMeterSends) {
  // T210-D: i16. Kaifa: u16. The same bytes.
  const auto sagemcom = plain("0204 090601000d0700ff 10fecb 02020ffd16ff 00");
  ASSERT_EQ(good(sagemcom), 1U);
  EXPECT_EQ(reading(sagemcom[0].telegram, "power_factor"), "-0.309");
  const auto kaifa = plain("0204 090601000d0700ff 1203c8 02020ffd16ff 00");
  ASSERT_EQ(good(kaifa), 1U);
  EXPECT_EQ(reading(kaifa[0].telegram, "power_factor"), "0.968");
  // Beyond -1 .. 1: the value is shown and believed by nobody, the telegram is good.
  const auto strange = plain("0204 090601000d0700ff 12fecb 02020ffd16ff 00");
  ASSERT_EQ(good(strange), 1U);
  EXPECT_EQ(reading(strange[0].telegram, "power_factor"), "");
  ASSERT_NE(item_of(strange, "1-0:13.7.0*255"), nullptr);
}

TEST(DlmsLayout, WhatTheTelegramLacksHasNoReading) {
  for (const char* model : {"kaifa-ma309-west", "landis-gyr-e450", "aidon-6534"}) {
    const auto found = decode(telegram(model), settings());
    ASSERT_EQ(good(found), 1U);
    EXPECT_EQ(reading(found[0].telegram, "power_factor"), "") << model;
  }
  const auto it = decode(telegram("aidon-6525"), settings());
  ASSERT_EQ(good(it), 1U);
  EXPECT_EQ(reading(it[0].telegram, "current_l2"), "");
  EXPECT_EQ(reading(it[0].telegram, "current_l3"), "0.9");
}

TEST(DlmsLayout, NoVoltageOfL2OnItNetworksIsNotZero) {
  const auto found = decode(telegram("kaifa-ma304h3e"), settings());
  ASSERT_EQ(good(found), 1U);
  EXPECT_EQ(reading(found[0].telegram, "voltage_l1"), "230.1");
  EXPECT_EQ(reading(found[0].telegram, "voltage_l2"), "");
  EXPECT_EQ(reading(found[0].telegram, "current_l2"), "1.690");
  // On other models 0 V is a phase that is off.
  const auto off =
      plain("0206 0906010020 0700ff 120921 02020fff1623 0906010034 0700ff 120000 02020fff1623");
  ASSERT_EQ(good(off), 1U);
  EXPECT_EQ(reading(off[0].telegram, "voltage_l2"), "0.0");
}

TEST(DlmsLayout, KamstrupsFirmwaresSendVoltsOrCentivolts) {
  const auto voltage = [](std::string_view value) {
    const auto found =
        plain("0203 0a0e4b616d73747275705f5630303031 0906010120 0700ff" + std::string(value));
    return good(found) == 1 ? reading(found[0].telegram, "voltage_l1") : "refused";
  };
  EXPECT_EQ(voltage("1200e2"), "226");
  EXPECT_EQ(voltage("1256b7"), "221.99");
}

TEST(DlmsLayout, NullStandsForWhatTheMeterDoesNotHave) {
  const auto found =
      plain("0207 0a0e4b616d73747275705f5630303031 090601011f0700ff 0600000122 0000 0000");
  ASSERT_EQ(good(found), 1U) << found[0].error;
  EXPECT_EQ(reading(found[0].telegram, "current_l1"), "2.90");
  EXPECT_EQ(reading(found[0].telegram, "current_l2"), "");
}

TEST(DlmsLayout, NumbersOfAnUnknownMeterWithoutScaleAreShownAndNotBelieved) {
  const auto found = plain("0202 090601001f0700ff 0600000122");
  ASSERT_EQ(good(found), 1U);
  EXPECT_EQ(test::reading_count(found[0].telegram), 0U);
  const Item* item = item_of(found, "1-0:31.7.0*255");
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(item->value->str(), "290");
  EXPECT_EQ(item->unit, "");
}

TEST(DlmsLayout, AnAngleWithoutCurrentIsNone) {
  const auto found = plain(
      "020e 1200ec1200ec1200ec 12000012002e12001a 060000007d0600000000 "
      "0601a96ebd0600001dc3 120190120003120120 09083330313337313831");
  ASSERT_EQ(good(found), 1U);
  EXPECT_EQ(reading(found[0].telegram, "phase_angle_l1"), "");
  EXPECT_EQ(reading(found[0].telegram, "phase_angle_l3"), "288");
  EXPECT_EQ(reading(found[0].telegram, "energy_import"), "27881.149");
  EXPECT_EQ(reading(found[0].telegram, "serial"), "30137181");
  EXPECT_EQ(reading(found[0].telegram, "power"), "125");
}

TEST(DlmsLayout, ListsWithAsManyElementsAreToldApartByTheirShape) {
  // Nine: Vienna begins with a clock, a Kaifa with its list version.
  EXPECT_EQ(decode(telegram("iskra-am550-wien"), settings())[0].telegram.meter.manufacturer,
            "Iskraemeco");
  const auto kaifa = plain(
      "0209 09074b464d5f303031 0902 3131 0902 4d41 0600000001 0600000000 "
      "0600000000 0600000000 06000003e8 06000008fc");
  ASSERT_EQ(good(kaifa), 1U);
  EXPECT_EQ(kaifa[0].telegram.meter.manufacturer, "Kaifa");
  EXPECT_EQ(reading(kaifa[0].telegram, "current_l1"), "1.000");
  EXPECT_EQ(reading(kaifa[0].telegram, "voltage_l1"), "230.0");
}

TEST(DlmsLayout, SiemensHasListsOfItsOwnInViennaAndWels) {
  const std::string stamp = "090c 07ea0710050c1e0000ff8880";
  const std::string counters = "06000005b9 0600000001 0600000002 0600001591";
  const auto vienna = plain("020a 0910 534d5331303330303030303030303137" + stamp + counters +
                            "0600000004 0600000000 0600000003 0600000012");
  ASSERT_EQ(good(vienna), 1U) << vienna[0].error;
  EXPECT_EQ(vienna[0].telegram.meter.manufacturer, "Siemens");
  EXPECT_EQ(reading(vienna[0].telegram, "serial"), "SMS1030000000017");
  EXPECT_EQ(reading(vienna[0].telegram, "energy_import"), "1.465");
  EXPECT_EQ(reading(vienna[0].telegram, "reactive_energy_export"), "5.521");
  EXPECT_EQ(reading(vienna[0].telegram, "power_import"), "4");
  EXPECT_EQ(reading(vienna[0].telegram, "reactive_power_export"), "18");

  const auto wels =
      plain("020a 0906 0006190900ff 0908 3138303030303137 0904 0a081700 0905 07ea071005" +
            counters + "0600000092 0600000000");
  ASSERT_EQ(good(wels), 1U) << wels[0].error;
  EXPECT_EQ(reading(wels[0].telegram, "serial"), "18000017");
  EXPECT_EQ(reading(wels[0].telegram, "energy_import"), "1.465");
  EXPECT_EQ(reading(wels[0].telegram, "power"), "146");
}

TEST(DlmsLayout, TheAm550OfSloveniaSendsNumbersByTheirPlace) {
  const std::string names = "0910 49534b31303330303030303030303137 0908 3136383230303137";
  const auto three = plain(
      "0212" + names + "0600000571 0600000000 0600000000 06000002e2 12094b 12094b 1208f8" +
      "120067 12007d 120255 0600000010 0600000033 060000052d 0600000000 0600000000 0600000000");
  ASSERT_EQ(good(three), 1U) << three[0].error;
  EXPECT_EQ(reading(three[0].telegram, "power"), "1393");
  EXPECT_EQ(reading(three[0].telegram, "voltage_l3"), "229.6");
  EXPECT_EQ(reading(three[0].telegram, "current_l3"), "5.97");
  EXPECT_EQ(reading(three[0].telegram, "power_import_l3"), "1325");
  EXPECT_EQ(reading(three[0].telegram, "serial"), "ISK1030000000017");

  const auto single = plain("0209" + names + "0600000250 0600000000 0600000000 0600000070 120909" +
                            "0600000001 0600000002");
  ASSERT_EQ(good(single), 1U) << single[0].error;
  EXPECT_EQ(reading(single[0].telegram, "power_import"), "592");
  EXPECT_EQ(reading(single[0].telegram, "voltage_l1"), "231.3");
  EXPECT_EQ(reading(single[0].telegram, "energy_export_t2"), "0.002");

  const auto counters = plain("020c" + names + "0301 1102 0600147414 0600000001 0600147413" +
                              "0600000000 0600000000 0600000000 0600000005 0600000006");
  ASSERT_EQ(good(counters), 1U) << counters[0].error;
  EXPECT_EQ(reading(counters[0].telegram, "energy_import"), "1340.436");
  EXPECT_EQ(reading(counters[0].telegram, "tariff"), "2");
  EXPECT_EQ(reading(counters[0].telegram, "status"), "true");

  // Ten elements, too, have Siemens in Vienna (a clock in the second place) and the two below.
  const auto phase = plain("020a" + names + "0600000250 0600000000 0600000000 0600000070" +
                           "120909 120101 0600000250 0600000000");
  ASSERT_EQ(good(phase), 1U) << phase[0].error;
  EXPECT_EQ(reading(phase[0].telegram, "current_l1"), "2.57");
  const auto tariffs = plain("020a" + names + "0600000001 0600000002 0600000000 0600000000" +
                             "0600000003 0600000004 0600000000 0600000000");
  ASSERT_EQ(good(tariffs), 1U) << tariffs[0].error;
  EXPECT_EQ(reading(tariffs[0].telegram, "energy_import"), "0.003");
}

TEST(DlmsLayout, TextsOfAListWhoseNumbersNobodyExplainsAreNoGoodTelegram) {
  const auto found = plain("0203 0908 534d533030303137 0600000001 0600000002");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].status, Status::unsupported);
  EXPECT_NE(found[0].error.find("3 elements"), std::string::npos) << found[0].error;
  // A text alone has nothing to explain.
  EXPECT_EQ(good(plain("0202 0906 00002a0000ff 0908 534d533030303137")), 1U);
}

TEST(DlmsLayout, ListsInUnknownFormsAreNamed) {
  for (const char* body : {"0200", "0203 1101 1102 1103", "0101 0201 1101"}) {
    const auto found = plain(body);
    ASSERT_EQ(found.size(), 1U) << body;
    EXPECT_EQ(found[0].status, Status::unsupported) << body;
  }
  EXPECT_EQ(statuses(plain("0202 1101")), Names{"malformed"});
  EXPECT_EQ(statuses(plain("0201 1101 00")), Names{"malformed"});
}

TEST(DlmsLayout, FurtherElementsBehindAKnownListAreTaken) {
  const auto found = plain(
      "0208 090c07e6020405102b1400ffc400 0906010001 0800ff 0600147414 02020f00161e "
      "0902 3131 1105 0906010001 0700ff 0600000001");
  ASSERT_EQ(good(found), 1U) << found[0].error;
  EXPECT_EQ(reading(found[0].telegram, "energy_import"), "1340.436");
}

TEST(DlmsLayout, DescriptorsAndValuesMustMatch) {
  EXPECT_EQ(statuses(plain("0203 0101 0204 12 0003 0906 0100010700ff 0f02 120000 1101 1101")),
            Names{"malformed"});
  const auto one = plain("0202 0101 0204 12 0003 0906 0100010700ff 0f02 120000 0600000007");
  ASSERT_EQ(good(one), 1U) << one[0].error;
  EXPECT_EQ(reading(one[0].telegram, "power_import"), "7");
}

// Layout H (Sagemcom XT211): class, code and attribute without a type, then a value.
TEST(DlmsLayout, DescriptorsWithoutATypeAreRead) {
  const std::string list =
      "0104 0202 0001 00002a0000ff 02 090d53414741424344453031323334 0202 0003 0100010700ff 02 "
      "06000001f4 0202 0003 0100010800ff 02 0600147414 0202 0001 0000600e00ff 02 1101";
  const auto found = plain(list);
  ASSERT_EQ(good(found), 1U) << found[0].error;
  EXPECT_EQ(found[0].telegram.meter.manufacturer, "Sagemcom");
  EXPECT_EQ(reading(found[0].telegram, "power_import"), "500");
  EXPECT_EQ(reading(found[0].telegram, "energy_import"), "1340.436");
  EXPECT_EQ(reading(found[0].telegram, "tariff"), "1");
  EXPECT_EQ(item_of(found, "1-0:1.8.0*255")->unit, "Wh");
  // Wherever it ends, it is no other list.
  const Bytes whole = hex("0f0000000100" + list);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(good(decode(ByteView(whole).first(size), settings())), 0U) << size;
}

TEST(DlmsLayout, ThePushedClockIsOneInstantWhereTheMeterTellsItsOffset) {
  ::setenv("TZ", "Europe/Vienna", 1);
  ::tzset();
  const auto at = [](std::string_view model, std::string_view rule) {
    SettingValues values = settings(model);
    values.set("clock", std::string(rule));
    const auto found = decode(telegram(model), values);
    EXPECT_EQ(good(found), 1U) << model;
    return found[0].telegram.time ? iso_utc(*found[0].telegram.time) : "none";
  };
  const std::string shown = iso_utc(face().now);
  for (const char* model : {"kaifa-ma309m", "iskra-am550-wien", "siemens-im350", "aidon-6534",
                            "kaifa-ma304", "landis-gyr-e450", "kaifa-ma304-se"})
    EXPECT_EQ(at(model, "auto"), shown) << model;
  // These may mean normal time or summer time: the user says it, or the time of arrival counts.
  for (const char* model : {"kamstrup-omnipower", "aidon-se"}) {
    EXPECT_EQ(at(model, "auto"), "none") << model;
    EXPECT_EQ(at(model, "local"), shown) << model;
  }
  EXPECT_EQ(at("kaifa-ma309m", "off"), "none");
  ::setenv("TZ", "UTC", 1);
  ::tzset();
}

}  // namespace
