// SPDX-License-Identifier: MIT
#include "protocol/modbus/modbus.hpp"

#include "core/tools.hpp"
#include "protocol/modbus/decode.hpp"
#include "protocol/modbus/driver.hpp"
#include "protocol/modbus/options.hpp"
#include "protocol/modbus/responder.hpp"

namespace meterbridge::protocol::modbus {

const Protocol modbus_protocol{
    .name = "modbus",
    .title = "Modbus RTU, TCP, RTU over TCP",
    .pushes = false,
    .settings = setting_specs(),
    .tables = table_specs(),
    .line = LineSettings{},  // 9600 8N1
    .driver = make_driver,
    .decode = decode,
    .decode_transcript = decode_transcript,
    .responder = make_responder,
    .layouts = {},
    .anatomy = with_tools(anatomy),
    .anonymise = with_tools(anonymise),
};

}  // namespace meterbridge::protocol::modbus
