// SPDX-License-Identifier: MIT
#include "protocol/registry.hpp"

#include "protocol/ce102/ce102.hpp"
#include "protocol/dlms/dlms.hpp"
#include "protocol/dlt645/dlt645.hpp"
#include "protocol/iec62056_21/iec62056_21.hpp"
#include "protocol/iec62056_21/push.hpp"
#include "protocol/json/json.hpp"
#include "protocol/mercury/mercury.hpp"
#include "protocol/mercury200/mercury200.hpp"
#include "protocol/modbus/modbus.hpp"
#include "protocol/p1/p1.hpp"
#include "protocol/sml/sml.hpp"

#include <array>

namespace meterbridge::protocol {

std::span<const Protocol> protocols() noexcept {
  // Made on first use: the entries live in other files, whose order of initialisation is not ours
  // to know.
  static const std::array table{ce102_protocol,
                                dlms_protocol,
                                dlt645_protocol,
                                iec62056_21_protocol,
                                iec62056_21_push_protocol,
                                json_protocol,
                                mercury_protocol,
                                mercury200_protocol,
                                modbus_protocol,
                                p1_protocol,
                                sml_protocol};
  return table;
}

const Protocol* find_protocol(std::string_view name) noexcept {
  for (const Protocol& protocol : protocols()) {
    if (protocol.name == name) return &protocol;
  }
  return nullptr;
}

}  // namespace meterbridge::protocol
