// SPDX-License-Identifier: MIT
// What must be remembered over a restart: what was announced to Home Assistant, and who we are to
// the broker.
#pragma once

#include "core/result.hpp"
#include "homeassistant/documents.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace meterbridge::app {

struct KnownMeter {
  KnownMeter() = default;
  std::string parent;   // of a sub-meter: the configured id
  std::string medium;   // of a sub-meter
  std::string profile;  // with which the entities came
  MeterIdentity identity;
  std::map<ReadingKey, homeassistant::EntityFacts> entities;  // delivered at least once
  std::map<std::string, std::string> components;  // announced in device documents: key -> platform
  std::set<std::string> discovery;                // retained discovery topics
  // Mark of the password that the meter refused (app/password_mark): it is never tried again, not
  // after a restart either.
  std::string refused;
  std::set<std::string> topics;  // other retained topics: availability, state, health
};

struct Known {
  Known() = default;
  std::string client_id;
  std::map<std::string, KnownMeter> meters;
  KnownMeter bridge;  // the bridge's own device

  [[nodiscard]] std::string json() const;
  // Error: malformed. What is not understood inside is left out, never guessed.
  static Result<Known> parse(std::string_view json);
};

}  // namespace meterbridge::app
