// SPDX-License-Identifier: MIT
// Step 5: shapes of lists, and places of lists without codes.
#include "dlms_support.hpp"

namespace {

using namespace dlms_test;
using test::reading;

// What EG.D and the XT211 send: the list in a structure of its own, relays and limiters with their
// third attribute, and the name of the list as an object of it.
TEST(DlmsLayout, DescriptorsWithoutATypeMayNameAnyAttributeAndStandDeeper) {
  const std::string list =
      "0202 1601 0107 0202 0001 00002a0000ff 02 0909454744303132333435 "
      "0202 0028 0002190900ff 01 09060002190900ff 0202 0046 000060030aff 03 1601 "
      "0202 0047 0000110000ff 03 0600002710 0202 0001 0000600e00ff 02 09025433 "
      "0202 0003 0100010700ff 02 06000001f4 0202 0003 0100010800ff 02 0600147414";
  const auto found = plain(list);
  ASSERT_EQ(good(found), 1U) << found[0].error;
  EXPECT_EQ(reading(found[0].telegram, "power_import"), "500");
  EXPECT_EQ(reading(found[0].telegram, "energy_import"), "1340.436");
  EXPECT_EQ(reading(found[0].telegram, "power_limit"), "10000");
  EXPECT_EQ(reading(found[0].telegram, "tariff"), "3");
  EXPECT_EQ(item_of(found, "0-0:96.3.10*255")->value, Decimal(1));
  EXPECT_EQ(item_of(found, "0-2:25.9.0*255"), nullptr);
}

// Later editions of the push setup: {class, code, attribute, index, {restriction}, [columns]}.
TEST(DlmsLayout, DescriptorsMayRestrictWhatTheyDescribe) {
  const auto described = [](std::string_view code) {
    return "0206 12 0001 0906" + std::string(code) + "0f02 120000 0202 1600 00 0100 ";
  };
  const auto found = plain("0204 0104 " + described("0000190900ff") + described("00002a0000ff") +
                           described("0000600100ff") + described("0000616200ff") +
                           "0906454d52303032 090430303031 0600000010");
  ASSERT_EQ(good(found), 1U) << found[0].error;
  EXPECT_EQ(found[0].telegram.meter.manufacturer, "Energomera");
  EXPECT_EQ(found[0].telegram.meter.serial, "0001");
  EXPECT_EQ(item_of(found, "0-0:97.98.0*255")->value, Decimal(16));
}

// The E450 sends 236 for what the E360 sends as 2357.
TEST(DlmsLayout, LandisGyrSendsVoltsOrTheirTenths) {
  const auto at = [](std::string_view raw) {
    const auto found = plain(
        "0203 0102 0204 12 0001 0906 00002a0000ff 0f02 120000 "
        "0204 12 0003 0906 0100200700ff 0f02 120000 09034c475a 12 " +
        std::string(raw));
    EXPECT_EQ(good(found), 1U);
    return reading(found[0].telegram, "voltage_l1");
  };
  EXPECT_EQ(at("00ec"), "236");
  EXPECT_EQ(at("0935"), "235.7");
}

// Iskraemeco IE.5 in Croatia: 33 values by place.
TEST(DlmsLayout, TheListOfCroatiaIsReadByPlace) {
  const auto number = [](unsigned value) {
    const Bytes bytes{std::byte{6}, std::byte{0}, std::byte{0}, static_cast<std::byte>(value >> 8U),
                      static_cast<std::byte>(value & 0xFFU)};
    return to_hex(bytes);
  };
  std::string list = "0221 09083132333435363738 090417372800 090507e90c1305";
  for (const unsigned value : {3000U, 2000U, 1000U, 700U, 500U, 200U, 1U, 2U, 3U, 4U, 382U, 0U})
    list += number(value);
  list += "120379";
  for (const unsigned value : {127U, 189U, 65U, 0U, 0U, 0U})
    list += number(value);
  list += "120954 120935 120949 120037 120059 12004d" + number(17250U);
  for (int phase = 0; phase < 3; ++phase)
    list += "0101 1224b8";
  const auto found = plain(list + "0301");
  ASSERT_EQ(good(found), 1U) << found[0].error;
  const Telegram& telegram = found[0].telegram;
  EXPECT_EQ(telegram.meter.serial, "12345678");
  EXPECT_EQ(reading(telegram, "energy_import"), "3.000");
  EXPECT_EQ(reading(telegram, "energy_import_t2"), "1.000");
  EXPECT_EQ(reading(telegram, "energy_export"), "0.700");
  EXPECT_EQ(reading(telegram, "reactive_energy_q4"), "0.004");
  EXPECT_EQ(reading(telegram, "power_import"), "382");
  EXPECT_EQ(reading(telegram, "power_factor"), "0.889");
  EXPECT_EQ(reading(telegram, "power_import_l2"), "189");
  EXPECT_EQ(reading(telegram, "voltage_l3"), "237.7");
  EXPECT_EQ(reading(telegram, "current_l1"), "0.55");
  EXPECT_EQ(telegram.items.size(), 28U);
}

}  // namespace
