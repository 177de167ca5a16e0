// SPDX-License-Identifier: MIT
// What the program holds, as the pages show it.
#pragma once

#include "app/link.hpp"
#include "app/meter_state.hpp"
#include "app/sinks.hpp"
#include "config/settings.hpp"
#include "homeassistant/language.hpp"
#include "http/status.hpp"

#include <string>
#include <vector>

namespace meterbridge::app {

[[nodiscard]] http::MeterStatus status_of(const MeterState& state,
                                          const homeassistant::Language& language, Instant now);
[[nodiscard]] http::LinkStatus status_of(const std::string& name, const Link& link,
                                         const config::Settings& settings,
                                         const std::vector<http::MeterStatus>& meters);
[[nodiscard]] http::SinkStatus status_of(const Sinks::Health& health,
                                         const config::Settings& settings);
[[nodiscard]] http::BridgeStatus status_of(const homeassistant::LinkFacts& facts);

}  // namespace meterbridge::app
