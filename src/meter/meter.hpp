// SPDX-License-Identifier: MIT
// A configured meter: its driver, and how its telegrams become samples.
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"
#include "meter/profile_library.hpp"
#include "protocol/dialogue.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::meter {

class Meter {
 public:
  // Error: invalid (the driver refuses its settings), with the meter's id in front.
  static Result<Meter> make(const config::MeterSettings& settings, const Profile& profile);

  [[nodiscard]] const config::MeterSettings& settings() const noexcept { return settings_; }

  [[nodiscard]] const Profile& profile() const noexcept { return *profile_; }

  [[nodiscard]] protocol::Driver& driver() noexcept { return *driver_; }

  [[nodiscard]] std::optional<Milliseconds> longest_poll() const { return driver_->longest_poll(); }

  // The meter's own sample first, then one for each sub-meter that has readings. Labels and hiding
  // are applied by the publishers; factor and offset are applied here. The meter's time counts when
  // it is within a day of `arrival`, else the arrival (P29). Error: malformed when a factor
  // overflows.
  [[nodiscard]] Result<std::vector<Sample>> understand(const protocol::Telegram& telegram,
                                                       Instant arrival) const;

 private:
  Meter(config::MeterSettings settings, const Profile& profile,
        std::unique_ptr<protocol::Driver> driver);
  config::MeterSettings settings_;
  const Profile* profile_;
  std::unique_ptr<protocol::Driver> driver_;
};

// The catalogue as the configuration wants it.
config::Catalogue catalogue(const ProfileLibrary& library);

}  // namespace meterbridge::meter
