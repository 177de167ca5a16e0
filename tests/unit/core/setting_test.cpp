// SPDX-License-Identifier: MIT
#include "core/setting.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

using namespace meterbridge;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::string_view, 3> parities = {"none", "even", "odd"};

SettingSpec spec(SettingType type) {
  SettingSpec made;
  made.name = "thing";
  made.type = type;
  made.choices = parities;
  return made;
}

template <class T>
T parsed(const SettingSpec& s, std::string_view text) {
  const auto stored = parse_setting(s, text);
  EXPECT_TRUE(stored) << text;
  if (!stored || !std::holds_alternative<T>(*stored)) return T{};
  return std::get<T>(*stored);
}

std::string refusal(const SettingSpec& s, std::string_view text) {
  const auto stored = parse_setting(s, text);
  if (stored) return "accepted";
  EXPECT_EQ(stored.error().code(), Errc::invalid);
  return stored.error().detail();
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST(Setting, ReadsEveryType) {
  EXPECT_EQ(parsed<std::string>(spec(SettingType::text), "any text"), "any text");
  EXPECT_EQ(parsed<std::int64_t>(spec(SettingType::integer), "502"), 502);
  EXPECT_EQ(parsed<std::int64_t>(spec(SettingType::integer), "0x1F"), 31);
  EXPECT_EQ(parsed<Decimal>(spec(SettingType::decimal), "0.50").str(), "0.50");
  EXPECT_TRUE(parsed<bool>(spec(SettingType::boolean), "Yes"));
  EXPECT_FALSE(parsed<bool>(spec(SettingType::boolean), "off"));
  EXPECT_EQ(parsed<Milliseconds>(spec(SettingType::duration), "5m"), 5min);
  EXPECT_EQ(parsed<std::string>(spec(SettingType::choice), "even"), "even");
  EXPECT_EQ(parsed<Secret>(spec(SettingType::secret), "p w").reveal(), "p w");
  EXPECT_EQ(parsed<Secret>(spec(SettingType::key), "00112233445566778899AABBCCDDEEFF").reveal(),
            "00112233445566778899aabbccddeeff");
}

TEST(Setting, TakesKeysAsPeoplePasteThem) {
  const std::string bare = "c0ffee00112233445566778899aabbcc";
  for (const char* text :
       {"C0 FF EE 00 11 22 33 44 55 66 77 88 99 AA BB CC", "0xC0FFEE00112233445566778899AABBCC",
        "c0:ff:ee:00:11:22:33:44:55:66:77:88:99:aa:bb:cc",
        " C0FFEE00-11223344-55667788-99AABBCC\n"}) {
    EXPECT_EQ(parsed<Secret>(spec(SettingType::key), text).reveal(), bare) << text;
  }
}

TEST(Setting, NamesTheAllowedRange) {
  SettingSpec port = spec(SettingType::integer);
  port.minimum = 1;
  port.maximum = 65535;
  for (const char* text :
       {"0", "65536", "-1", "", "x", "1.5", "12 ", "99999999999999999999", "0x", "0x-1"}) {
    const std::string said = refusal(port, text);
    EXPECT_TRUE(contains(said, "thing")) << said;
    EXPECT_TRUE(contains(said, "1 to 65535")) << said;
  }
  EXPECT_EQ(parsed<std::int64_t>(port, "65535"), 65535);
  EXPECT_TRUE(contains(refusal(spec(SettingType::integer), "-1"), "at least 0"));
}

TEST(Setting, NamesChoicesAndTheOneThatWasMeant) {
  const std::string said = refusal(spec(SettingType::choice), "evne");
  EXPECT_TRUE(contains(said, "none, even, odd")) << said;
  EXPECT_TRUE(contains(said, "did you mean 'even'")) << said;
  EXPECT_FALSE(contains(refusal(spec(SettingType::choice), "purple"), "did you mean"));
  EXPECT_NE(refusal(spec(SettingType::choice), ""), "accepted");
}

TEST(Setting, RefusesTheRestInWords) {
  EXPECT_TRUE(contains(refusal(spec(SettingType::boolean), "maybe"), "true or false"));
  EXPECT_TRUE(contains(refusal(spec(SettingType::duration), "30"), "no unit"));
  EXPECT_TRUE(contains(refusal(spec(SettingType::decimal), "1e3"), "0.5"));
  EXPECT_NE(refusal(spec(SettingType::decimal), ""), "accepted");
  EXPECT_EQ(refusal(spec(SettingType::boolean), "a\x1Bz").find('\x1B'), std::string::npos);
}

TEST(Setting, NeverRepeatsAKey) {
  for (const std::string text :
       {"c0ffee", "c0ffeec0ffeec0ffeec0ffeec0ffeeXX", "c0ffeec0ffeec0ffeec0ffeec0ffeec0ff"}) {
    const std::string said = refusal(spec(SettingType::key), text);
    EXPECT_TRUE(contains(said, "32 hex digits")) << said;
    EXPECT_FALSE(contains(said, "c0ffee")) << said;
  }
}

TEST(SettingValues, GivesEmptyValuesForWhatWasNotDeclared) {
  SettingValues values;
  values.set("number", std::int64_t{5});
  EXPECT_TRUE(values.has("number"));
  EXPECT_FALSE(values.has("other"));
  EXPECT_EQ(values.integer("number"), 5);
  EXPECT_EQ(values.text("number"), "");
  EXPECT_EQ(values.integer("other"), 0);
  EXPECT_FALSE(values.boolean("other"));
  EXPECT_EQ(values.duration("other"), 0ms);
  EXPECT_FALSE(values.decimal("number"));
  EXPECT_TRUE(values.secret("other").empty());
  values.set("number", std::int64_t{6});
  EXPECT_EQ(values.integer("number"), 6);
}

TEST(SettingValues, StartWithTheFallbacks) {
  std::array<SettingSpec, 3> specs = {spec(SettingType::integer), spec(SettingType::duration),
                                      spec(SettingType::text)};
  specs[0].name = "baud";
  specs[0].fallback = "9600";
  specs[1].name = "timeout";
  specs[1].fallback = "500ms";
  specs[2].name = "unset";
  const SettingValues values = default_settings(specs);
  EXPECT_EQ(values.integer("baud"), 9600);
  EXPECT_EQ(values.duration("timeout"), 500ms);
  EXPECT_FALSE(values.has("unset"));
}

TEST(WeakKey, KnowsPublishedAndEmptyKeysInAnySpelling) {
  for (const char* key :
       {"00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff",
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "00112233445566778899AABBCCDDEEFF",
        "00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff", "0123456789abcdef0123456789ABCDEF",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "000102030405060708090A0B0C0D0E0F",
        "FFEEDDCCBBAA99887766554433221100", "D491470F47126332B07D1923B3504188"}) {
    const auto reason = weak_key(key);
    ASSERT_TRUE(reason) << key;
    EXPECT_FALSE(contains(*reason, std::string_view(key).substr(0, 8))) << "repeats the key";
  }
  EXPECT_TRUE(contains(*weak_key("00112233445566778899AABBCCDDEEFF"), "published"));
}

TEST(WeakKey, LeavesOtherKeysAlone) {
  EXPECT_FALSE(weak_key("C0FFEE00112233445566778899AABBCC"));
  EXPECT_FALSE(weak_key("11111111111111111111111111111111"));
  EXPECT_FALSE(weak_key("00112233445566778899AABBCCDDEEFE"));
  EXPECT_FALSE(weak_key(""));
}

TEST(Secret, ShowsStars) {
  EXPECT_EQ(Secret("hidden").shown(), "***");
  EXPECT_EQ(Secret("hidden").reveal(), "hidden");
  EXPECT_TRUE(Secret().empty());
  EXPECT_NE(Secret("a"), Secret("b"));
}
