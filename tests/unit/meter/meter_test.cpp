// SPDX-License-Identifier: MIT
#include "meter/meter.hpp"

#include <gtest/gtest.h>

namespace meterbridge::meter {
namespace {

using namespace std::chrono_literals;

constexpr Seconds noon{1'700'000'000s};

ReadingKey key_of(std::string_view text) {
  const auto key = ReadingKey::parse(text);
  EXPECT_TRUE(key) << text;
  return key ? *key : ReadingKey{};
}

Reading reading(std::string_view key, std::string_view value) {
  const auto number = Decimal::parse(value);
  EXPECT_TRUE(number) << value;
  return {key_of(key), number ? *number : Decimal{}, Unit::kWh};
}

const Profile& p1() {
  static const auto library = ProfileLibrary::embedded();
  return *library->find("p1");
}

Meter make(config::MeterSettings settings = {}) {
  if (settings.id.empty()) settings.id = "house";
  auto meter = Meter::make(settings, p1());
  EXPECT_TRUE(meter) << meter.error().detail();
  return *std::move(meter);
}

protocol::Telegram telegram_at(std::optional<Seconds> time) {
  protocol::Telegram telegram;
  telegram.meter.serial = "890082200002160";
  telegram.meter.manufacturer = "Sagemcom";
  telegram.time = time;
  MeterReadings own;
  own.readings = {reading("energy_import", "173.640"), reading("energy_import_t1", "100.001")};
  MeterReadings gas;
  gas.submeter = "gas_4730303339303031";
  gas.identity.serial = "4730303339303031";
  gas.time = noon - 1h;
  gas.readings = {reading("gas", "12.345")};
  MeterReadings silent;
  silent.submeter = "water_1";
  telegram.readings = {own, gas, silent};
  return telegram;
}

std::vector<Sample> understood(const Meter& meter, const protocol::Telegram& telegram,
                               Instant arrival) {
  auto samples = meter.understand(telegram, arrival);
  EXPECT_TRUE(samples) << samples.error().detail();
  return samples ? *std::move(samples) : std::vector<Sample>{};
}

}  // namespace

TEST(Meter, OwnSampleComesFirstThenSubmetersWithReadings) {
  const Meter meter = make();
  const auto samples = understood(meter, telegram_at(noon), noon + 2s);
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[0].meter, "house");
  EXPECT_EQ(samples[0].parent, "");
  EXPECT_EQ(samples[0].identity.serial, "890082200002160");
  EXPECT_EQ(samples[0].identity.manufacturer, "Sagemcom");
  EXPECT_EQ(samples[0].readings.size(), 2U);
  EXPECT_EQ(samples[1].meter, "house_gas_4730303339303031");
  EXPECT_EQ(samples[1].parent, "house");
  EXPECT_EQ(samples[1].identity.serial, "4730303339303031");
  EXPECT_EQ(samples[1].identity.manufacturer, "");
  EXPECT_EQ(samples[1].at, noon - 1h);
  EXPECT_EQ(samples[1].origin, TimeOrigin::meter);
}

TEST(Meter, TelegramWithoutReadingsStillTellsWhoSentIt) {
  protocol::Telegram telegram;
  telegram.meter.serial = "1";
  const auto samples = understood(make(), telegram, noon);
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].meter, "house");
  EXPECT_EQ(samples[0].identity.serial, "1");
}

TEST(Meter, ClockCountsOnlyWithinADayOfTheArrival_P29) {
  struct Case {
    std::optional<Seconds> meter;
    bool believed;
  };

  const Instant arrival = noon + 500ms;
  const std::vector<Case> cases{{noon, true},
                                {noon - 24h + 1s, true},
                                {noon + 24h, true},
                                {noon - 24h, false},
                                {noon + 24h + 1s, false},
                                {Seconds{0s}, false},
                                {Seconds{946'684'800s}, false},    // 2000
                                {Seconds{3'155'760'000s}, false},  // 2070
                                {std::nullopt, false}};
  const Meter meter = make();
  for (const Case& one : cases) {
    auto telegram = telegram_at(one.meter);
    telegram.readings[1].time.reset();
    const auto samples = understood(meter, telegram, arrival);
    ASSERT_EQ(samples.size(), 2U);
    for (const Sample& sample : samples) {
      EXPECT_EQ(sample.origin, one.believed ? TimeOrigin::meter : TimeOrigin::arrival);
      EXPECT_EQ(sample.at, one.believed ? Instant(*one.meter) : arrival);
      EXPECT_FALSE(sample.readings.empty());
    }
  }
}

TEST(Meter, SubmeterWithAnUnsetClockTakesTheTimeOfItsCarrier_P29) {
  auto telegram = telegram_at(noon);
  telegram.readings[1].time = Seconds{0s};
  const auto samples = understood(make(), telegram, noon + 2s);
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[1].at, noon);
}

TEST(Meter, FactorAndOffsetAreExact) {
  config::MeterSettings settings;
  config::ReadingOptions options;
  options.factor = Decimal(40);
  options.offset = Decimal(125, -1);
  settings.readings[key_of("energy_import")] = options;
  config::ReadingOptions gas;
  gas.factor = Decimal(1, -3);
  settings.readings[key_of("gas")] = gas;
  const auto samples = understood(make(settings), telegram_at(noon), noon);
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(std::get<Decimal>(samples[0].readings[0].value).str(),
            "6958.100");  // 173.640 x 40 + 12.5
  EXPECT_EQ(std::get<Decimal>(samples[0].readings[1].value).str(), "100.001");
  EXPECT_EQ(std::get<Decimal>(samples[1].readings[0].value).str(), "0.012345");
}

TEST(Meter, FactorLeavesTextAlone) {
  config::MeterSettings settings;
  settings.readings[key_of("serial")].factor = Decimal(2);
  protocol::Telegram telegram;
  MeterReadings own;
  own.readings = {Reading(key_of("serial"), std::string("42"))};
  telegram.readings = {own};
  const auto samples = understood(make(settings), telegram, noon);
  EXPECT_EQ(std::get<std::string>(samples[0].readings[0].value), "42");
}

TEST(Meter, FactorThatOverflowsIsAnErrorWithThePlace) {
  config::MeterSettings settings;
  settings.id = "kitchen";
  settings.readings[key_of("energy_import")].factor = Decimal(INT64_MAX);
  const Meter meter = make(settings);
  const auto samples = meter.understand(telegram_at(noon), noon);
  ASSERT_FALSE(samples);
  EXPECT_EQ(samples.error().code(), Errc::malformed);
  EXPECT_TRUE(samples.error().detail().starts_with("meter kitchen: energy_import: "))
      << samples.error().detail();
}

TEST(Meter, DriverThatRefusesItsSettingsIsNamed) {
  config::MeterSettings settings;
  settings.id = "kitchen";
  settings.protocol.set("auth_key", Secret("planted"));
  const auto meter = Meter::make(settings, p1());
  ASSERT_FALSE(meter);
  EXPECT_EQ(meter.error().code(), Errc::invalid);
  EXPECT_TRUE(meter.error().detail().starts_with("meter kitchen: ")) << meter.error().detail();
  EXPECT_EQ(meter.error().detail().find("planted"), std::string::npos);
}

TEST(Catalogue, TellsWhatTheConfigurationMustKnow) {
  const auto library = ProfileLibrary::embedded();
  ASSERT_TRUE(library);
  const config::Catalogue all = catalogue(*library);
  ASSERT_EQ(all.profiles.size(), library->all().size());
  for (std::size_t i = 0; i < all.profiles.size(); ++i) {
    const Profile& profile = library->all()[i];
    EXPECT_EQ(all.profiles[i].id, profile.id);
    EXPECT_EQ(all.profiles[i].protocol, profile.protocol->name);
    EXPECT_EQ(all.profiles[i].pushes, profile.protocol->pushes);
    EXPECT_EQ(all.profiles[i].interval, profile.interval);
    EXPECT_EQ(all.profiles[i].line, profile.line);
    EXPECT_EQ(all.profiles[i].settings.size(), profile.protocol->settings.size());
    EXPECT_EQ(all.profiles[i].layouts.size(), profile.protocol->layouts.size());
  }
}

}  // namespace meterbridge::meter
