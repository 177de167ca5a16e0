// SPDX-License-Identifier: MIT
// The JSON document that an "okosmero" ESP8266 on a Hungarian meter publishes, for consumers that
// know nothing else.
#pragma once

#include "protocol/telegram.hpp"

#include <string>

namespace meterbridge::protocol::p1 {

// Keys of objects that the telegram lacks are left out. Error: unsupported for telegrams of another
// protocol.
Result<std::string> okosmero_json(const Telegram& telegram);

}  // namespace meterbridge::protocol::p1
