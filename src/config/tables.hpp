// SPDX-License-Identifier: MIT
// The declarations of every setting of the configuration file that does not belong to a protocol.
#pragma once

#include "config/section.hpp"

namespace meterbridge::config {

extern const Section root_section;
extern const Section mqtt_section;
extern const Section tls_section;
extern const Section homeassistant_section;
extern const Section http_section;
extern const Section link_section;
extern const Section meter_section;
extern const Section reading_section;
extern const Section telegram_section;
extern const Section guard_section;
extern const Section alarm_section;
extern const Section bridge_section;
extern const Section sink_section;
extern const Section journal_section;
extern const Section black_box_section;

}  // namespace meterbridge::config
