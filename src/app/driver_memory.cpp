// SPDX-License-Identifier: MIT
#include "app/driver_memory.hpp"

#include "app/plan.hpp"
#include "protocol/remembering.hpp"

namespace meterbridge::app {

void remind_driver(meter::Meter& meter, const config::Settings& settings, const Memory& memory) {
  // A captured file is the same telegrams at every start.
  const config::LinkSettings* link = find_link(settings, meter.settings().link);
  if (link != nullptr && link->kind == config::LinkKind::replay) return;
  const auto found = memory.meters.find(meter.settings().id);
  auto* driver = dynamic_cast<protocol::Remembering*>(&meter.driver());
  if (driver != nullptr && found != memory.meters.end()) driver->remember(found->second.driver);
}

void note_driver(meter::Meter& meter, Memory& memory) {
  const auto found = memory.meters.find(meter.settings().id);
  const auto* driver = dynamic_cast<const protocol::Remembering*>(&meter.driver());
  if (driver != nullptr && found != memory.meters.end()) found->second.driver = driver->memory();
}

}  // namespace meterbridge::app
