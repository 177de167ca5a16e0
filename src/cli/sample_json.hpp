// SPDX-License-Identifier: MIT
#pragma once

#include "core/json_writer.hpp"
#include "core/reading.hpp"

namespace meterbridge::cli {

// {"meter", "time", "readings": [{"key", "value" or "text", "unit", "time"}]}: the members of an
// object that is open.
inline void sample_members(JsonWriter& json, const Sample& sample) {
  json.member("meter", sample.meter).member("time", iso_utc(sample.at));
  json.key("readings").array();
  for (const Reading& reading : sample.readings) {
    json.object().member("key", reading.key.text()).content(reading.value);
    if (reading.unit != Unit::none) json.member("unit", symbol(reading.unit));
    if (reading.time) json.member("time", iso_utc(*reading.time));
    json.end();
  }
  json.end();
}

}  // namespace meterbridge::cli
