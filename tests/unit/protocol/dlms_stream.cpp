// SPDX-License-Identifier: MIT
// Steps 1 and 2: frames and parts.
#include "dlms_support.hpp"

#include <algorithm>

namespace {

using namespace dlms_test;
using test::hex;
using test::reading;

TEST(DlmsStream, EveryModelIsReadAsItsMeterShowsIt) {
  for (const std::string_view model : dlms::model_names) {
    SCOPED_TRACE(model);
    for (const bool encrypted : {false, true}) {
      const std::string_view key = encrypted ? key_hex : std::string_view();
      const auto found = decode(telegram(model, key, auth_hex), settings(model, key, auth_hex));
      ASSERT_EQ(statuses(found), Names{"ok"}) << found.size();
      const Telegram& seen = found[0].telegram;
      EXPECT_EQ(found[0].offset, 0U);
      EXPECT_EQ(reading(seen, "power_import"), "1055");
      const std::string energy = reading(seen, "energy_import");
      if (model != "landis-gyr-e350") {
        ASSERT_FALSE(energy.empty());
        EXPECT_EQ(*Decimal::parse(energy), Decimal(38'994'750, -3));
      }
      const std::string voltage = reading(seen, "voltage_l1");
      EXPECT_TRUE(voltage.empty() || voltage.substr(0, 3) == "230") << voltage;
      EXPECT_EQ(seen.meter.manufacturer.empty() && encrypted, false);
    }
  }
}

TEST(DlmsStream, AnyCutOfTheStreamGivesTheSameResult) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Dice dice(seed);
    const std::string_view model = dlms::model_names[dice.below(dlms::model_names.size())];
    Bytes stream = dice.bytes(dice.below(20));
    for (int i = 0; i < 3; ++i) {
      Bytes one = telegram(model, key_hex, auth_hex, 10 * i);
      if (dice.below(3) == 0) one[dice.below(one.size())] ^= std::byte{0x10};
      if (dice.below(3) == 0) one.resize(dice.below(one.size()));
      stream = stream + one + dice.bytes(dice.below(9));
    }
    const SettingValues values = settings(model, key_hex, auth_hex);
    const auto whole = as_json(decode(stream, values));
    for (int cut = 0; cut < 3; ++cut)
      EXPECT_EQ(in_pieces(stream, values, dice), whole) << seed << " " << model;
  }
}

TEST(DlmsStream, AnyFlippedBitIsDetectedByTheLink) {
  for (const std::string_view model :
       {"kaifa-ma309m", "sagemcom-t210-d-2022", "aidon-6534", "landis-gyr-e450", "iskra-am550"}) {
    const Bytes sent = telegram(model, key_hex);
    const SettingValues values = settings(model, key_hex);
    for (std::size_t bit = 0; bit < 8 * sent.size(); ++bit) {
      Bytes flipped = sent;
      flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      const auto found = decode(flipped, values);
      EXPECT_EQ(good(found), 0U) << model << " bit " << bit;
    }
  }
}

TEST(DlmsStream, ATelegramThatEndsEarlyIsNeverAccepted) {
  for (const std::string_view model : {"kaifa-ma309m", "aidon-6534", "landis-gyr-e450"}) {
    const Bytes sent = telegram(model, key_hex);
    const SettingValues values = settings(model, key_hex);
    for (std::size_t size = 0; size < sent.size(); ++size) {
      EXPECT_EQ(good(decode(ByteView(sent).first(size), values)), 0U) << model << " " << size;
      // And never costs the next one.
      const Bytes next = telegram(model, key_hex, {}, 10);
      const Bytes cut(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(size));
      if (size % 7 == 0) {
        // (HDLC: its opening flag may stand for the closing one that was cut off.)
        EXPECT_GE(good(decode(cut + next, values)), 1U) << model << " " << size;
      }
    }
  }
}

TEST(DlmsStream, RandomBytesAreNothing) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Dice dice(seed);
    Bytes noise = dice.bytes(dice.below(1500));
    // Beginnings that look like something.
    if (seed % 2 == 0 && noise.size() > 16) {
      const Bytes begin = hex(seed % 4 == 0 ? "68fafa6853ff000167db08" : "7ea0ffcf0223");
      std::copy(begin.begin(), begin.end(), noise.begin());
    }
    EXPECT_EQ(good(decode(noise, settings("kaifa-ma309m", key_hex))), 0U) << seed;
  }
}

TEST(DlmsStream, TheOldFirmwareOfTheT210DWritesItsLengthModulo256) {
  const Bytes before = telegram("sagemcom-t210-d-2022", key_hex);
  const Bytes after = telegram("sagemcom-t210-d", key_hex);
  EXPECT_EQ(to_hex(ByteView(before).first(4)), "68010168");
  EXPECT_EQ(to_hex(ByteView(after).first(4)), "68fafa68");
  EXPECT_EQ(before.size(), 282U);
  EXPECT_EQ(after.size(), 282U);
  // A meter that got the new firmware overnight is read on.
  const auto found = decode(before + after, settings("sagemcom-t210-d", key_hex));
  EXPECT_EQ(statuses(found), (Names{"ok", "ok"}));
}

TEST(DlmsStream, NoiseAroundFramesCostsNothingAndSaysNothing) {
  for (const std::string_view model : {"kaifa-ma309m", "aidon-6534"}) {
    const Bytes one = telegram(model, key_hex);
    const Bytes two = telegram(model, key_hex, {}, 10);
    for (const char* noise : {"00ff6810", "7e7e", "7e12347e", "16", "68", "7ea0", "ffffffff6868"}) {
      const auto found =
          decode(hex(noise) + one + hex(noise) + two + hex(noise), settings(model, key_hex));
      EXPECT_EQ(statuses(found), (Names{"ok", "ok"})) << model << " " << noise;
    }
  }
}

TEST(DlmsStream, OneFlagMayCloseAFrameAndOpenTheNext) {
  Bytes one = telegram("kaifa-ma304");
  one.pop_back();
  EXPECT_EQ(statuses(decode(one + telegram("kaifa-ma304"), settings())), (Names{"ok", "ok"}));
}

TEST(DlmsStream, FlagAndEscapeAreBytesLikeOthersInsideAFrame) {
  MeterFace shown = face();
  shown.power = {Decimal(0x7E7D), Decimal(), Decimal()};
  const auto made = meter("kaifa-ma304");
  made->show(shown);
  const auto found = decode(made->push(), settings());
  ASSERT_EQ(statuses(found), Names{"ok"});
  EXPECT_EQ(reading(found[0].telegram, "power_import"), "32381");
}

TEST(DlmsStream, ALostPartCostsItsTelegramAndOneReport) {
  for (const std::string_view model : {"kaifa-ma309m", "landis-gyr-e450", "landis-gyr-e450-cii"}) {
    const SettingValues values = settings(model, key_hex);
    const auto frames = frames_of(telegram(model, key_hex));
    const Bytes next = telegram(model, key_hex, {}, 10);
    ASSERT_GE(frames.size(), 2U) << model;
    for (std::size_t lost = 0; lost < frames.size(); ++lost) {
      Bytes stream;
      for (std::size_t i = 0; i < frames.size(); ++i) {
        if (i != lost) stream = stream + frames[i];
      }
      EXPECT_EQ(statuses(decode(stream + next, values)), (Names{"truncated", "ok"}))
          << model << " " << lost;
    }
    Bytes swapped;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame)
      swapped = swapped + *frame;
    EXPECT_EQ(good(decode(swapped, values)), 0U) << model;
    EXPECT_EQ(good(decode(swapped + next, values)), 1U) << model;
  }
}

TEST(DlmsStream, ALostPartOfAnHdlcTelegramShowsInItsContent) {
  const auto frames = frames_of(telegram("iskra-am550"));
  ASSERT_EQ(frames.size(), 3U);
  const Bytes next = telegram("iskra-am550", {}, {}, 10);
  EXPECT_EQ(statuses(decode(frames[0] + frames[2] + next, settings())), (Names{"malformed", "ok"}));
  EXPECT_EQ(statuses(decode(frames[1] + frames[2] + next, settings())), (Names{"truncated", "ok"}));
  EXPECT_EQ(statuses(decode(frames[0] + frames[1] + next, settings())), (Names{"truncated", "ok"}));
}

TEST(DlmsStream, ADamagedPartIsOneReport) {
  const auto frames = frames_of(telegram("kaifa-ma309m", key_hex));
  ASSERT_EQ(frames.size(), 2U);
  for (std::size_t which = 0; which < 2; ++which) {
    auto damaged = frames;
    damaged[which][20] ^= std::byte{1};
    const auto found = decode(damaged[0] + damaged[1] + telegram("kaifa-ma309m", key_hex, {}, 5),
                              settings("kaifa-ma309m", key_hex));
    EXPECT_EQ(statuses(found), (Names{"checksum", "ok"})) << which;
    EXPECT_EQ(found[0].offset, 0U);
  }
}

TEST(DlmsStream, AFrameThatOnlyLooksLikeOneDoesNotSwallowTheNext) {
  const Bytes good_one = telegram("kaifa-ma304");
  Bytes lying = good_one;
  lying[2] = std::byte{0xF0};  // the length
  EXPECT_EQ(statuses(decode(lying + good_one, settings())), (Names{"checksum", "ok"}));
  const Bytes cut(good_one.begin(), good_one.begin() + 20);
  EXPECT_EQ(statuses(decode(cut + good_one, settings())), (Names{"checksum", "ok"}));
}

TEST(DlmsStream, OtherApplicationsOnTheMBusAreNamed) {
  const auto found = decode(hex("68 0a 0a 68 08 05 72 11 22 33 44 55 66 77 5b 16"), settings());
  ASSERT_EQ(statuses(found), Names{"unsupported"}) << found.size();
  EXPECT_NE(found[0].error.find("CI 72"), std::string::npos) << found[0].error;
}

TEST(DlmsStream, ABareApduIsReadOffline) {
  const Bytes plain = dlms::notification_of(dlms::model_of("kaifa-ma309m"), face(), 1);
  EXPECT_EQ(statuses(decode(plain, settings())), Names{"ok"});
  EXPECT_EQ(statuses(decode(plain + plain, settings())), (Names{"ok", "ok"}));
  for (std::size_t size = 0; size < plain.size(); ++size)
    EXPECT_EQ(good(decode(ByteView(plain).first(size), settings())), 0U) << size;
}

TEST(DlmsStream, ABareApduIsTakenFromALineOnlyWhenItWasAskedFor) {
  const Bytes plain = dlms::notification_of(dlms::model_of("kaifa-ma309m"), face(), 1);
  for (const bool asked : {false, true}) {
    SettingValues values = settings();
    if (asked) values.set("framing", std::string("apdu"));
    const auto driver = dlms_protocol.driver(values);
    ASSERT_TRUE(driver);
    const auto dialogue = (*driver)->begin();
    ASSERT_TRUE(dialogue->next());
    dialogue->received(plain);
    const auto step = dialogue->next();
    ASSERT_TRUE(step);
    EXPECT_EQ(std::holds_alternative<step::Finished>(*step), asked);
  }
}

}  // namespace
