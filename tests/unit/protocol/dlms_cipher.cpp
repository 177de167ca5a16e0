// SPDX-License-Identifier: MIT
// Step 3, what is remembered of it, and the dialogue.
#include "core/text.hpp"
#include "dlms_support.hpp"

namespace {

using namespace dlms_test;
using dlms::Line;
using test::hex;

Bytes in_hdlc(const Bytes& apdu) {
  return dlms::framed(Line::hdlc, apdu);
}

Bytes sealed(std::uint8_t security, std::uint32_t counter = 7, std::string_view title = "KFMMBR01",
             std::string_view auth = auth_hex) {
  const Bytes key = hex(std::string(key_hex));
  const Bytes additional = additional_data(security, hex(std::string(auth)));
  Sealing sealing;
  sealing.key = key;
  sealing.title = std::as_bytes(std::span(title));
  sealing.counter = counter;
  sealing.security = security;
  sealing.additional = additional;
  const auto apdu =
      seal_apdu(dlms::notification_of(dlms::model_of("kaifa-ma309m"), face(), 1), sealing);
  return apdu ? *apdu : Bytes();
}

TEST(DlmsCipher, TheBitsOfTheSecurityControlDecide_P24) {
  const SettingValues with_auth = settings("kaifa-ma309m", key_hex, auth_hex);
  for (const int security : {0x20, 0x21, 0x30, 0x31, 0x60, 0x70})
    EXPECT_EQ(statuses(decode(in_hdlc(sealed(static_cast<std::uint8_t>(security))), with_auth)),
              Names{"ok"})
        << security;
  for (const int security : {0x00, 0x10, 0x22, 0x32, 0xA0, 0xB0}) {
    const auto found = decode(in_hdlc(sealed(static_cast<std::uint8_t>(security))), with_auth);
    ASSERT_EQ(statuses(found), Names{"unsupported"}) << security;
    EXPECT_NE(found[0].error.find("security control"), std::string::npos);
  }
  Bytes dedicated = sealed(0x30);
  dedicated[0] = std::byte{0xDC};
  EXPECT_EQ(statuses(decode(in_hdlc(dedicated), with_auth)), Names{"ok"});
}

TEST(DlmsCipher, ATagWithoutAuthenticationKeyIsNotCompared_P24) {
  const Bytes sent = in_hdlc(sealed(0x30));
  EXPECT_EQ(statuses(decode(sent, settings("kaifa-ma309m", key_hex))), Names{"ok"});
  EXPECT_EQ(statuses(decode(sent, settings("kaifa-ma309m", key_hex, "none"))), Names{"ok"});
  EXPECT_EQ(statuses(decode(sent, settings("kaifa-ma309m", key_hex, key_hex))),
            Names{"authentication"});
  // Telegrams without tag do not need it.
  EXPECT_EQ(statuses(decode(in_hdlc(sealed(0x20)), settings("kaifa-ma309m", key_hex, key_hex))),
            Names{"ok"});
}

TEST(DlmsCipher, ZerosAsAuthenticationKeyAreNoneInAConfiguration_P24) {
  const std::string zeros(32, '0');
  const SettingValues values = settings("kaifa-ma309m", key_hex, zeros);
  EXPECT_EQ(statuses(decode(in_hdlc(sealed(0x30)), values)), Names{"authentication"});
  const auto driver = dlms_protocol.driver(values);
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  dialogue->received(in_hdlc(sealed(0x30)));
  const auto step = dialogue->next();
  ASSERT_TRUE(step) << step.error().detail();
  EXPECT_TRUE(std::holds_alternative<step::Finished>(*step));
}

TEST(DlmsCipher, AnyFlippedBitIsDetectedByTheTag) {
  const Bytes apdu = sealed(0x30);
  const SettingValues values = settings("kaifa-ma309m", key_hex, auth_hex);
  for (std::size_t bit = 0; bit < 8 * apdu.size(); ++bit) {
    Bytes flipped = apdu;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_EQ(good(decode(in_hdlc(flipped), values)), 0U) << bit;
  }
}

TEST(DlmsCipher, LengthsThatAreNotMinimalAreTaken) {
  const Bytes apdu = sealed(0x20);
  // DB 08 title 81 F8 ...
  Bytes longer(apdu.begin(), apdu.begin() + 10);
  longer = longer + hex("8200") + Bytes(apdu.begin() + 11, apdu.end());
  EXPECT_EQ(statuses(decode(in_hdlc(longer), settings("kaifa-ma309m", key_hex))), Names{"ok"});
}

TEST(DlmsCipher, LengthsThatLieAreMalformed) {
  const SettingValues values = settings("kaifa-ma309m", key_hex);
  Bytes lying = sealed(0x20);
  lying[11] = static_cast<std::byte>(u8(lying[11]) + 1);
  EXPECT_EQ(statuses(decode(in_hdlc(lying), values)), Names{"malformed"});
  Bytes title = sealed(0x20);
  title[1] = std::byte{0xF0};
  EXPECT_EQ(good(decode(in_hdlc(title), values)), 0U);
  title[1] = std::byte{0x07};
  EXPECT_EQ(statuses(decode(in_hdlc(title), values)), Names{"unsupported"});
}

TEST(DlmsCipher, ATelegramWithoutSystemTitleNeedsTheConfiguredOne_P24) {
  const Bytes apdu = sealed(0x20);
  Bytes untitled = hex("db00");
  untitled.insert(untitled.end(), apdu.begin() + 10, apdu.end());
  SettingValues values = settings("kaifa-ma309m", key_hex);
  const auto found = decode(in_hdlc(untitled), values);
  ASSERT_EQ(statuses(found), Names{"key"});
  EXPECT_NE(found[0].error.find("system_title"), std::string::npos);
  values.set("system_title", std::string("4b464d4d42523031"));
  EXPECT_EQ(statuses(decode(in_hdlc(untitled), values)), Names{"ok"});
}

TEST(DlmsCipher, AWrongKeyNeverGivesAValueAndIsNamed_P23) {
  const Bytes sent = telegram("kaifa-ma309m", key_hex);
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Dice dice(seed);
    const auto found = decode(sent, settings("kaifa-ma309m", to_hex(dice.bytes(16))));
    ASSERT_EQ(statuses(found), Names{"key"}) << seed;
    EXPECT_NE(found[0].error.find("wrong key"), std::string::npos);
  }
  const auto none = decode(sent, settings());
  ASSERT_EQ(statuses(none), Names{"key"});
  EXPECT_NE(none[0].error.find("no key is set"), std::string::npos);
  // With a tag and its key that is another fault.
  EXPECT_EQ(statuses(decode(telegram("kamstrup-omnipower", key_hex, auth_hex),
                            settings("kamstrup-omnipower", auth_hex, auth_hex))),
            Names{"authentication"});
}

TEST(DlmsCipher, SeveralRefusedTelegramsAreCounted_P23) {
  Bytes stream;
  for (int i = 0; i < 4; ++i)
    stream = stream + telegram("kaifa-ma309m", key_hex, {}, 5 * i);
  const auto found = decode(stream, settings("kaifa-ma309m", auth_hex));
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[1].error.find("in a row"), std::string::npos);
  EXPECT_NE(found[3].error.find("4 telegrams in a row"), std::string::npos);
}

TEST(DlmsCipher, NoMessageEverShowsAKey_P23) {
  std::string text;
  for (const std::string_view model : {"kaifa-ma309m", "kamstrup-omnipower"}) {
    for (const std::string_view key : {key_hex, auth_hex}) {
      for (const Decoded& decoded :
           decode(telegram(model, key_hex, auth_hex), settings(model, key, key_hex)))
        text += decoded_json(decoded);
    }
  }
  SettingValues values = settings("kaifa-ma309m", "a0a1");
  values.set("auth_key", Secret(std::string("d0d1")));
  text += dlms_protocol.driver(values).error().detail();
  EXPECT_NE(text.find("key must be 32 hex digits"), std::string::npos);
  EXPECT_EQ(lower(text).find("a0a1"), std::string::npos);
  EXPECT_EQ(lower(text).find("d0d1"), std::string::npos);
}

TEST(DlmsCipher, WhatIsNoListIsNamedByItsTag) {
  for (const char* tag : {"dd", "c2", "61", "00"}) {
    const auto found = decode(in_hdlc(hex(std::string(tag) + "0102030405")), settings());
    ASSERT_EQ(statuses(found), Names{"unsupported"}) << tag;
    EXPECT_NE(lower(found[0].error).find(std::string("tag ") + tag), std::string::npos);
  }
}

// Frame counters

TEST(DlmsReplay, ARepeatedOrOlderTelegramIsRefused) {
  const SettingValues values = settings("kaifa-ma309m", key_hex);
  const Bytes old_one = telegram("kaifa-ma309m", key_hex);
  const Bytes new_one = telegram("kaifa-ma309m", key_hex, {}, 50);
  EXPECT_EQ(statuses(decode(old_one + old_one, values)), (Names{"ok", "replay"}));
  EXPECT_EQ(statuses(decode(new_one + old_one, values)), (Names{"ok", "replay"}));
  EXPECT_EQ(statuses(decode(old_one + new_one, values)), (Names{"ok", "ok"}));
  // Lists in clear have no counter.
  EXPECT_EQ(statuses(decode(telegram("aidon-6534") + telegram("aidon-6534"), settings())),
            (Names{"ok", "ok"}));
}

TEST(DlmsReplay, ACounterThatBeganAgainIsBelievedTheThirdTime) {
  Bytes stream = in_hdlc(sealed(0x20, 5000));
  for (const std::uint32_t counter : {3U, 4U, 5U, 6U})
    stream = stream + in_hdlc(sealed(0x20, counter));
  EXPECT_EQ(statuses(decode(stream, settings("kaifa-ma309m", key_hex))),
            (Names{"ok", "replay", "replay", "ok", "ok"}));
}

TEST(DlmsReplay, EachMeterHasItsOwnCounter) {
  const Bytes stream = in_hdlc(sealed(0x20, 5000, "KFMMBR01")) +
                       in_hdlc(sealed(0x20, 3, "KFMMBR02")) +
                       in_hdlc(sealed(0x20, 5001, "KFMMBR01"));
  EXPECT_EQ(statuses(decode(stream, settings("kaifa-ma309m", key_hex))), (Names{"ok", "ok", "ok"}));
}

TEST(DlmsReplay, ACounterThatStandsAtZeroForEverIsNoReplay) {
  FrameCounters counters;
  EXPECT_TRUE(counters.admit("", 0, "one"));
  EXPECT_FALSE(counters.admit("", 0, "one"));
  EXPECT_TRUE(counters.admit("", 0, "two"));
  EXPECT_TRUE(counters.admit("", 0, "three"));
  EXPECT_FALSE(counters.admit("", 0, "three"));
}

TEST(DlmsReplay, TheDriverRemembersAfterTheLinkWasReopened) {
  const auto driver = dlms_protocol.driver(settings("kaifa-ma309m", key_hex));
  ASSERT_TRUE(driver);
  const Bytes sent = telegram("kaifa-ma309m", key_hex);
  for (const bool first : {true, false}) {
    const auto dialogue = (*driver)->begin();
    dialogue->received(sent);
    const auto step = dialogue->next();
    ASSERT_EQ(step.has_value(), first);
    EXPECT_TRUE(first || step.error().code() == Errc::replay);
  }
}

TEST(DlmsReplay, WhatWasHeardBeforeARestartIsAReplayAfterIt) {
  std::string memory;
  const Bytes old_one = telegram("kaifa-ma309m", key_hex);
  const Bytes new_one = telegram("kaifa-ma309m", key_hex, {}, 5);
  for (const bool restarted : {false, true}) {
    const auto driver = dlms_protocol.driver(settings("kaifa-ma309m", key_hex));
    ASSERT_TRUE(driver);
    auto* remembering = dynamic_cast<Remembering*>(driver->get());
    ASSERT_NE(remembering, nullptr);
    remembering->remember(memory);
    const auto dialogue = (*driver)->begin();
    dialogue->received(old_one);
    const auto first = dialogue->next();
    EXPECT_EQ(first.has_value(), !restarted);
    EXPECT_TRUE(!restarted || first.error().code() == Errc::replay);
    dialogue->received(restarted ? new_one : Bytes());
    const auto second = dialogue->next();
    EXPECT_TRUE(second && std::holds_alternative<step::Finished>(*second) == restarted);
    memory = remembering->memory();
    EXPECT_NE(memory.find(":17840000"), std::string::npos) << memory;
  }
  FrameCounters counters;
  for (const char* nonsense :
       {"", " ", "4B:", "4B", ":", "xx:7", "4B:-1", "4B:99999999999", "4B:7x"})
    counters.remember(nonsense);
  EXPECT_EQ(counters.text(), "");
  counters.remember("4B46:7 :0");
  EXPECT_EQ(counters.text(), "4B46:7 :0");
  EXPECT_FALSE(counters.admit("KF", 7));
  EXPECT_TRUE(counters.admit("KF", 8));
}

// The dialogue

TEST(DlmsDialogue, ListensAndNeverSends) {
  const auto driver = dlms_protocol.driver(settings("landis-gyr-e450", key_hex));
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  auto step = dialogue->next();
  ASSERT_TRUE(step && std::holds_alternative<step::Listen>(*step));
  EXPECT_EQ(std::get<step::Listen>(*step).at_most, std::chrono::seconds(60));
  for (int i = 0; i < 3; ++i) {
    for (const std::byte b : telegram("landis-gyr-e450", key_hex, {}, 10 * i)) {
      dialogue->received(ByteView(&b, 1));
      step = dialogue->next();
      ASSERT_TRUE(step) << step.error().detail();
      if (std::holds_alternative<step::Finished>(*step)) break;
      ASSERT_TRUE(std::holds_alternative<step::Listen>(*step));
    }
    ASSERT_TRUE(std::holds_alternative<step::Finished>(*step)) << i;
  }
}

TEST(DlmsDialogue, APartWhoseRestNeverComesIsGivenUpBeforeTheMeterIs) {
  const auto driver = dlms_protocol.driver(settings("kaifa-ma309m", key_hex));
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  const auto frames = frames_of(telegram("kaifa-ma309m", key_hex));
  dialogue->received(frames[0]);
  auto step = dialogue->next();
  ASSERT_TRUE(step && std::holds_alternative<step::Listen>(*step));
  EXPECT_EQ(std::get<step::Listen>(*step).at_most, dlms::part_patience);
  dialogue->silence();
  step = dialogue->next();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), Errc::truncated);
  step = dialogue->next();
  ASSERT_TRUE(step && std::holds_alternative<step::Listen>(*step));
  EXPECT_EQ(std::get<step::Listen>(*step).at_most, std::chrono::seconds(60) - dlms::part_patience);
  dialogue->silence();
  step = dialogue->next();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), Errc::timeout);
  dialogue->received(telegram("kaifa-ma309m", key_hex, {}, 5));
  step = dialogue->next();
  ASSERT_TRUE(step);
  EXPECT_TRUE(std::holds_alternative<step::Finished>(*step));
}

TEST(DlmsDialogue, NoiseWithoutEndSaysWhatMayBeWrong_P22) {
  const auto driver = dlms_protocol.driver(settings());
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  dialogue->received(Bytes(1500, std::byte{0x55}));
  const auto step = dialogue->next();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), Errc::no_frame);
  EXPECT_NE(step.error().detail().find("8N1"), std::string::npos);
}

TEST(DlmsDialogue, AWrongKeyIsNotSilence_P23) {
  const auto driver = dlms_protocol.driver(settings("kaifa-ma309m", auth_hex));
  ASSERT_TRUE(driver);
  const auto dialogue = (*driver)->begin();
  for (int i = 0; i < 5; ++i) {
    dialogue->received(telegram("kaifa-ma309m", key_hex, {}, 5 * i));
    const auto step = dialogue->next();
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code(), Errc::key);
  }
}

// What a dialogue makes of a telegram: "ok", or the error.
std::string heard(Dialogue& dialogue, const Bytes& bytes) {
  dialogue.received(bytes);
  const auto step = dialogue.next();
  if (!step) return step.error().detail();
  return std::holds_alternative<step::Finished>(*step) ? "ok" : "";
}

std::unique_ptr<Driver> driver_with(std::string_view title) {
  SettingValues values = settings("kaifa-ma309m", key_hex);
  if (!title.empty()) values.set("system_title", to_hex(to_bytes(title)));
  auto driver = dlms_protocol.driver(values);
  return driver ? std::move(*driver) : nullptr;
}

TEST(DlmsTwoMeters, ASecondMeterOnTheLineIsNamedAndNeverMixedInP09) {
  const auto driver = driver_with({});
  const auto dialogue = driver->begin();
  const auto mine = [&](std::uint32_t n) { return in_hdlc(sealed(0x20, n, "KFMMBR01")); };
  const auto other = [&](std::uint32_t n) { return in_hdlc(sealed(0x20, n, "LGZMBR02")); };
  EXPECT_EQ(heard(*dialogue, mine(100)), "ok");
  const std::string said = heard(*dialogue, other(7));
  EXPECT_EQ(said.find("a telegram of another meter, LGZ4D42523032: this one is KFM4D42523031"), 0U)
      << said;
  EXPECT_EQ(driver->remark(), "");
  // From now on it is known, and only told.
  for (std::uint32_t n = 101; n < 110; ++n) {
    EXPECT_EQ(heard(*dialogue, mine(n)), "ok");
    EXPECT_NE(driver->remark().find("LGZ4D42523032, is on the same line"), std::string::npos);
    EXPECT_EQ(heard(*dialogue, other(n)), "");
  }
  // Alone it is an error: what is configured here is not heard.
  EXPECT_NE(heard(*dialogue, other(200)), "ok");
}

TEST(DlmsTwoMeters, AnExchangedMeterIsBelievedAfterAWhile) {
  const auto driver = driver_with({});
  const auto dialogue = driver->begin();
  EXPECT_EQ(heard(*dialogue, in_hdlc(sealed(0x20, 100, "KFMMBR01"))), "ok");
  int refused = 0;
  std::uint32_t counter = 5;
  while (heard(*dialogue, in_hdlc(sealed(0x20, counter++, "KFMMBR02"))) != "ok" && refused < 99)
    ++refused;
  EXPECT_EQ(refused, 5);
  EXPECT_EQ(heard(*dialogue, in_hdlc(sealed(0x20, counter, "KFMMBR02"))), "ok");
}

TEST(DlmsTwoMeters, TheConfiguredTitleChoosesAndAForeignKeyIsNamed) {
  const auto driver = driver_with("KFMMBR02");
  const auto dialogue = driver->begin();
  const std::string said = heard(*dialogue, in_hdlc(sealed(0x20, 1, "KFMMBR01")));
  EXPECT_NE(said.find("this one is KFM4D42523032 (system_title)"), std::string::npos) << said;
  EXPECT_EQ(heard(*dialogue, in_hdlc(sealed(0x20, 1, "KFMMBR02"))), "ok");
  Bytes foreign = sealed(0x20, 2, "KFMMBR09");
  foreign.back() ^= std::byte{1};  // any bit of noise: what another key would make of it
  foreign[30] ^= std::byte{0xFF};
  for (std::size_t i = 16; i < 30; ++i)
    foreign[i] ^= std::byte{0xA5};
  const auto fresh = driver_with({});
  const auto talk = fresh->begin();
  EXPECT_EQ(heard(*talk, in_hdlc(sealed(0x20, 1, "KFMMBR01"))), "ok");
  EXPECT_NE(heard(*talk, in_hdlc(foreign)).find("which the key does not fit"), std::string::npos);
}

TEST(DlmsSettings, KeysThatAreNoneAreNamed_P23) {
  for (const auto& [name, text] :
       {std::pair{"key", "zz"}, std::pair{"auth_key", "0011"}, std::pair{"system_title", "4b46"}}) {
    SettingValues values = settings();
    if (std::string_view(name) == "system_title") {
      values.set(name, std::string(text));
    } else {
      values.set(name, Secret(std::string(text)));
    }
    const auto driver = dlms_protocol.driver(values);
    ASSERT_FALSE(driver);
    EXPECT_EQ(driver.error().code(), Errc::invalid);
    EXPECT_NE(driver.error().detail().find(name), std::string::npos);
  }
}

}  // namespace
