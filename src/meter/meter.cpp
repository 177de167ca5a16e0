// SPDX-License-Identifier: MIT
#include "meter/meter.hpp"

#include <utility>

namespace meterbridge::meter {
namespace {

using std::chrono::days;

struct Stamp {
  Instant at;
  TimeOrigin origin;
};

// A meter's clock may be unset, wrong or years ahead; nothing is dropped or filed under a wrong
// year for that (P29).
std::optional<Stamp> believable(const std::optional<Seconds>& time, Instant arrival) {
  if (!time || *time < arrival - days(1) || *time > arrival + days(1)) return std::nullopt;
  return Stamp{*time, TimeOrigin::meter};
}

const std::string& either(const std::string& first, const std::string& second) {
  return first.empty() ? second : first;
}

MeterIdentity completed(const MeterIdentity& own, const MeterIdentity& telegram) {
  MeterIdentity identity;
  identity.manufacturer = either(own.manufacturer, telegram.manufacturer);
  identity.model = either(own.model, telegram.model);
  identity.serial = either(own.serial, telegram.serial);
  identity.firmware = either(own.firmware, telegram.firmware);
  return identity;
}

Result<Decimal> adjusted(const Decimal& value, const config::ReadingOptions& options) {
  Decimal result = value;
  if (options.factor) {
    auto product = result.times(*options.factor);
    if (!product) return product.error();
    result = *product;
  }
  if (options.offset) {
    auto sum = result.plus(*options.offset);
    if (!sum) return sum.error();
    result = *sum;
  }
  return result;
}

Result<> adjust(std::vector<Reading>& readings,
                const std::map<ReadingKey, config::ReadingOptions>& options) {
  for (Reading& reading : readings) {
    const auto wanted = options.find(reading.key);
    auto* number = std::get_if<Decimal>(&reading.value);
    if (wanted == options.end() || number == nullptr) continue;
    auto result = adjusted(*number, wanted->second);
    if (!result)
      return Error{Errc::malformed,
                   reading.key.text() + ": factor and offset make it too large: " + number->str()};
    *number = *result;
    if (!reading.wraps || !wanted->second.factor) continue;
    const auto span = reading.wraps->times(*wanted->second.factor);
    reading.wraps = span ? std::optional(*span) : std::nullopt;
  }
  return {};
}

}  // namespace

Meter::Meter(config::MeterSettings settings, const Profile& profile,
             std::unique_ptr<protocol::Driver> driver)
    : settings_(std::move(settings)), profile_(&profile), driver_(std::move(driver)) {}

Result<Meter> Meter::make(const config::MeterSettings& settings, const Profile& profile) {
  auto driver = profile.protocol->driver(settings.protocol);
  if (!driver) return driver.error().within("meter " + settings.id);
  return Meter(settings, profile, *std::move(driver));
}

Result<std::vector<Sample>> Meter::understand(const protocol::Telegram& telegram,
                                              Instant arrival) const {
  const Stamp arrived{arrival, TimeOrigin::arrival};
  const Stamp own = believable(telegram.time, arrival).value_or(arrived);

  std::vector<Sample> samples(1);
  samples.front().identity = telegram.meter;
  samples.front().meter = settings_.id;
  samples.front().at = own.at;
  samples.front().origin = own.origin;
  for (const MeterReadings& part : telegram.readings) {
    Sample sample;
    const bool itself = part.submeter.empty();
    if (!itself && part.readings.empty()) continue;
    // A sub-meter without believable time of its own was read by the meter that carries it.
    const Stamp stamp = believable(part.time, arrival).value_or(own);
    sample.meter = itself ? settings_.id : settings_.id + "_" + part.submeter;
    if (!itself) sample.parent = settings_.id;
    sample.at = stamp.at;
    sample.origin = stamp.origin;
    sample.identity = itself ? completed(part.identity, telegram.meter) : part.identity;
    sample.readings = part.readings;
    const auto fine = adjust(sample.readings, settings_.readings);
    if (!fine) return fine.error().within("meter " + settings_.id);
    if (itself) {
      samples.front() = std::move(sample);
    } else {
      samples.push_back(std::move(sample));
    }
  }
  return samples;
}

config::Catalogue catalogue(const ProfileLibrary& library) {
  config::Catalogue catalogue;
  for (const Profile& profile : library.all()) {
    config::ProfileFacts facts;
    facts.id = profile.id;
    facts.protocol = profile.protocol->name;
    facts.pushes = profile.protocol->pushes;
    facts.interval = profile.interval;
    facts.line = profile.line;
    facts.settings.assign(profile.protocol->settings.begin(), profile.protocol->settings.end());
    facts.preset = profile.preset;
    facts.tables = profile.protocol->tables;
    facts.rows = profile.rows;
    for (const protocol::TelegramLayout& layout : profile.protocol->layouts)
      facts.layouts.push_back(layout.name);
    catalogue.profiles.push_back(std::move(facts));
  }
  return catalogue;
}

}  // namespace meterbridge::meter
