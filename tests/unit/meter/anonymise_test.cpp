// SPDX-License-Identifier: MIT
// A capture of every shipped meter, made anonymous: the same values, and nothing that tells whose.
#include "anonymise_bench.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

class AnonymiseTest : public testing::Test {
 protected:
  static void prove(const Profile& profile, bool encrypted) {
    SCOPED_TRACE(profile.id + (encrypted ? ", encrypted" : ""));
    const SettingValues settings = settings_of(profile, encrypted);
    std::vector<std::string> topics;
    const auto lines = capture_of(profile, settings, &topics);
    ASSERT_FALSE(lines.empty());
    const auto before = decoded(*profile.protocol, lines, settings, topics);
    protocol::Disguise disguise;
    const auto made = protocol::anonymise(*profile.protocol, lines, settings, disguise);
    ASSERT_TRUE(made) << made.error().detail();
    const auto after = decoded(*profile.protocol, made->lines, made->settings, topics);
    EXPECT_EQ(values_in(after), values_in(before));
    EXPECT_TRUE(std::ranges::any_of(before, &Decoded::ok));
    const Bytes bytes = all_bytes(made->lines);
    for (const Decoded& one : before) {
      const auto octets = from_hex(one.telegram.meter.serial);
      if (!octets || octets->size() < 10) continue;
      EXPECT_FALSE(holds(bytes, ByteView(*octets).last(4)));
    }
    for (const std::string& digits : numbers_of(before)) {
      for (const auto& [form, part] : forms_of(digits))
        EXPECT_FALSE(holds(bytes, part)) << digits << " as " << form;
      for (const Decoded& one : after) {
        EXPECT_EQ(one.telegram.meter.serial.find(digits), std::string::npos);
        for (const Item& item : one.telegram.items)
          EXPECT_EQ(item.text.value_or("").find(digits), std::string::npos) << item.address;
      }
    }
    for (const SettingSpec& spec : profile.protocol->settings) {
      if (spec.type != SettingType::key && spec.type != SettingType::secret) continue;
      const std::string secret = made->settings.secret(spec.name).reveal();
      EXPECT_NE(secret, real_key);
      EXPECT_NE(secret, real_auth_key);
    }
    EXPECT_FALSE(disguise.shows_in(bytes));
  }

  using Item = protocol::Item;
};

TEST_F(AnonymiseTest, KeepsTheValuesOfEveryMeterAndNothingThatTellsWhose_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    const Profile* profile = library->find(embedded.id);
    ASSERT_NE(profile, nullptr) << embedded.id;
    if (profile->protocol->responder == nullptr) continue;
    prove(*profile, false);
    const bool can_encrypt = profile->protocol->name == "p1" || profile->protocol->name == "dlms";
    if (can_encrypt) prove(*profile, true);
  }
}

// One meter of each protocol.
std::vector<const Profile*> samples(const ProfileLibrary& library) {
  std::vector<const Profile*> found;
  for (const char* id :
       {"energomera-ce102", "mercury-230", "mercury-200", "eastron-sdm630", "energomera-ce303",
        "iec62056-21-push", "p1", "kaifa-ma309m", "kamstrup-omnipower", "sml", "generic-json"})
    found.push_back(library.find(id));
  return found;
}

std::vector<std::string> statuses_in(const std::vector<Decoded>& all) {
  std::vector<std::string> statuses;
  for (const Decoded& one : all)
    statuses.emplace_back(name(one.status));
  return statuses;
}

TEST_F(AnonymiseTest, MendsChecksButNotWhatWasWrongWithThem_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  int damaged = 0;
  for (const Profile* profile : samples(*library)) {
    SCOPED_TRACE(profile->id);
    const protocol::Protocol& protocol = *profile->protocol;
    const SettingValues settings = settings_of(*profile, false);
    const auto good = capture_of(*profile, settings);
    for (std::size_t i = 0; i < good.size() && i < 12; ++i) {
      if (good[i].sent) continue;
      for (const protocol::Check& check : protocol.anatomy(good[i].bytes, false, settings).checks) {
        auto lines = good;
        std::byte& flipped = lines[i].bytes[check.at];
        flipped ^= std::byte{0x01};
        protocol::Disguise disguise;
        const auto made = protocol::anonymise(protocol, lines, settings, disguise);
        ASSERT_TRUE(made);
        EXPECT_EQ(statuses_in(decoded(protocol, made->lines, made->settings)),
                  statuses_in(decoded(protocol, lines, settings)));
        ++damaged;
      }
    }
  }
  EXPECT_GT(damaged, 20);
}

// No telegram is whole, as when a case is kept: what names the meter goes all the same.
TEST_F(AnonymiseTest, NothingTellsWhoseWhereEveryTelegramIsBroken_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  int looked_for = 0;
  for (const Profile* profile : samples(*library)) {
    const protocol::Protocol& protocol = *profile->protocol;
    for (const bool encrypted : {false, true}) {
      if (encrypted && protocol.name != "p1" && protocol.name != "dlms") continue;
      const SettingValues settings = settings_of(*profile, encrypted);
      const auto good = capture_of(*profile, settings);
      const auto told = decoded(protocol, good, settings);
      for (const bool cut : {false, true}) {
        SCOPED_TRACE(profile->id + (encrypted ? ", encrypted" : "") +
                     (cut ? ", cut" : ", flipped"));
        auto lines = good;
        for (TranscriptLine& line : lines) {
          if (line.sent || line.bytes.size() < 4) continue;
          if (cut) line.bytes.resize(line.bytes.size() - 3);
          if (cut) continue;
          for (const protocol::Check& check : protocol.anatomy(line.bytes, false, settings).checks)
            line.bytes[check.at] ^= std::byte{0x01};
        }
        protocol::Disguise disguise;
        const auto made = protocol::anonymise(protocol, lines, settings, disguise);
        ASSERT_TRUE(made);
        const Bytes bytes = all_bytes(made->lines);
        for (const Decoded& one : told) {
          const auto octets = from_hex(one.telegram.meter.serial);
          if (!octets || octets->size() < 8) continue;
          ++looked_for;
          EXPECT_FALSE(holds(bytes, ByteView(*octets).last(4)));
        }
        for (const std::string& digits : numbers_of(told)) {
          for (const auto& [form, part] : forms_of(digits)) {
            ++looked_for;
            EXPECT_FALSE(holds(bytes, part)) << digits << " as " << form;
          }
        }
      }
    }
  }
  EXPECT_GT(looked_for, 100);
}

// What a captured telegram of a meter that speaks in clear is made of is known to the last byte.
TEST_F(AnonymiseTest, NothingOfAGoodTelegramIsLeftUnexplained_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  for (const Profile* profile : samples(*library)) {
    if (profile->protocol->name == "json") continue;  // one document is one part
    SCOPED_TRACE(profile->id);
    const SettingValues settings = settings_of(*profile, false);
    for (const TranscriptLine& line : capture_of(*profile, settings)) {
      const auto anatomy = profile->protocol->anatomy(line.bytes, line.sent, settings);
      const std::string text = protocol::explained(anatomy, line.bytes);
      EXPECT_EQ(text.find("not understood"), text.npos) << text;
      EXPECT_EQ(text.find("WRONG"), text.npos) << text;
    }
  }
}

// Files without an end, and nothing in front of the key but its length.
TEST_F(AnonymiseTest, TheKeyOfACutSmlFileIsBlank_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  const Profile& profile = *library->find("sml");
  const SettingValues settings = settings_of(profile, false);
  Bytes bytes = *from_hex("1b1b1b1b01010101760700110203040562006200017283025a");
  const Bytes key = *from_hex("a1b2c3d4e5f60718293a4b5c6d7e8f90");
  bytes.insert(bytes.end(), key.begin(), key.end());
  protocol::Disguise disguise;
  const auto made =
      protocol::anonymise(*profile.protocol, {line_of(false, bytes)}, settings, disguise);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->lines.front().bytes.size(), bytes.size());
  EXPECT_FALSE(holds(made->lines.front().bytes, ByteView(key).first(4)));
  EXPECT_FALSE(holds(made->lines.front().bytes, ByteView(key).last(4)));
}

// Of the file and of each message in it, whatever stands in them.
TEST_F(AnonymiseTest, EveryCheckOfAnSmlFileFits_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  const Profile& profile = *library->find("sml");
  const SettingValues settings = settings_of(profile, false);
  const auto lines = capture_of(profile, settings);
  protocol::Disguise disguise;
  const auto made = protocol::anonymise(*profile.protocol, lines, settings, disguise);
  ASSERT_TRUE(made);
  const Bytes bytes = protocol::heard_bytes(made->lines);
  const auto anatomy = profile.protocol->anatomy(bytes, false, settings);
  EXPECT_GE(anatomy.checks.size(), 8U);  // two files of three messages, and their own
  for (const protocol::Check& check : anatomy.checks)
    EXPECT_EQ(protocol::computed(check, bytes), protocol::stated(check, bytes));
}

// An adapter that echoes gives what was sent back as heard: passwords, too.
TEST_F(AnonymiseTest, ThePasswordGoesFromTheEchoToo_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  int seen = 0;
  for (const auto& [id, password] :
       {std::pair{"energomera-ce102", "77665544"}, std::pair{"energomera-ce303", "998877"},
        std::pair{"mercury-230", "352719"}}) {
    SCOPED_TRACE(id);
    const Profile& profile = *library->find(id);
    SettingValues settings = settings_of(profile, false);
    settings.set("password", Secret(password));
    std::vector<TranscriptLine> lines;
    for (const TranscriptLine& line : capture_of(profile, settings)) {
      lines.push_back(line);
      if (line.sent) lines.push_back(line_of(false, line.bytes));
    }
    // As text, digit by digit, and as the number of CE102.
    const std::string_view text(password);
    Bytes digits;
    for (const char c : text)
      digits.push_back(static_cast<std::byte>(c - '0'));
    Bytes number;
    for (unsigned i = 0; i < 4; ++i)
      number.push_back(static_cast<std::byte>(std::stoul(password) >> (8U * i)));
    protocol::Disguise disguise;
    const auto made = protocol::anonymise(*profile.protocol, lines, settings, disguise);
    ASSERT_TRUE(made);
    for (const Bytes& form : {to_bytes(text), digits, number}) {
      seen += holds(all_bytes(lines), form) ? 1 : 0;
      EXPECT_FALSE(holds(all_bytes(made->lines), form));
    }
    EXPECT_NE(made->settings.secret("password").reveal(), password);
  }
  EXPECT_EQ(seen, 3);
}

// What tells whose house it is goes by its name; what only sounds like it stays.
TEST_F(AnonymiseTest, MembersOfADocumentGoByWholeWords_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  const Profile& profile = *library->find("generic-json");
  const SettingValues settings = settings_of(profile, false);
  const std::string_view document =
      R"({"WifiIP":"192.168.77.31","gps_lat":"47.49801","url":"example.net/7","MAC":"A0B1C2D3E4F5",)"
      R"("calculated":"71234.5","multiplier":"12000","hourly_sum":"33445.6","translation":"98765"})";
  protocol::Disguise disguise;
  const auto made = protocol::anonymise(*profile.protocol, {line_of(false, to_bytes(document))},
                                        settings, disguise);
  ASSERT_TRUE(made);
  const std::string text = to_text(made->lines.front().bytes);
  for (const std::string_view gone : {"192.168.77.31", "47.49801", "example.net/7", "A0B1C2D3E4F5"})
    EXPECT_EQ(text.find(gone), text.npos) << text;
  for (const std::string_view kept : {"71234.5", "12000", "33445.6", "98765"})
    EXPECT_NE(text.find(kept), text.npos) << text;
}

TEST_F(AnonymiseTest, TakesAnyBytes_P57) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  for (const Profile* profile : samples(*library)) {
    SCOPED_TRACE(profile->id);
    const protocol::Protocol& protocol = *profile->protocol;
    const SettingValues settings = settings_of(*profile, false);
    const auto good = capture_of(*profile, settings);
    for (unsigned seed = 0; seed < 30; ++seed) {
      std::mt19937 random(seed);
      auto lines = good;
      lines.resize(std::min<std::size_t>(lines.size(), 8));
      for (TranscriptLine& line : lines) {
        if (line.bytes.empty() || random() % 3 == 0) continue;
        const std::size_t at = random() % line.bytes.size();
        if (random() % 3 == 0) line.bytes.resize(at);
        for (std::size_t i = at; i < line.bytes.size() && random() % 4 != 0; ++i)
          line.bytes[i] = static_cast<std::byte>(random() % 256);
      }
      std::size_t before = 0;
      for (const TranscriptLine& line : lines)
        before += line.bytes.size();
      protocol::Disguise disguise;
      const auto made = protocol::anonymise(protocol, lines, settings, disguise);
      ASSERT_TRUE(made);
      ASSERT_EQ(made->lines.size(), lines.size());
      const Bytes after = all_bytes(made->lines);
      if (protocol.name != "ce102") {
        EXPECT_EQ(after.size(), before);  // the others are not stuffed
      }
      for (const TranscriptLine& line : made->lines) {
        const auto anatomy = protocol.anatomy(line.bytes, line.sent, settings);
        for (const protocol::Part& part : anatomy.parts)
          ASSERT_LE(part.offset + part.length, line.bytes.size());
        EXPECT_FALSE(protocol::explained(anatomy, line.bytes).empty());
      }
    }
  }
}

}  // namespace
}  // namespace meterbridge::meter
