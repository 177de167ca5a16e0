// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/iec62056_21.hpp"

#include "core/tools.hpp"
#include "protocol/iec62056_21/code_table.hpp"
#include "protocol/iec62056_21/decode.hpp"
#include "protocol/iec62056_21/driver.hpp"
#include "protocol/iec62056_21/options.hpp"
#include "protocol/iec62056_21/responder.hpp"

namespace meterbridge::protocol::iec62056_21 {

const Protocol iec62056_21_protocol{
    .name = "iec62056-21",
    .title = "IEC 62056-21 (optical head, RS-485): readout and programming mode",
    .pushes = false,
    .settings = setting_specs(),
    .tables = code_tables(),
    .line = {.baud = 300, .data_bits = 7, .parity = Parity::even, .stop_bits = 1},
    .driver = make_driver,
    .decode = decode,
    .decode_transcript = decode_transcript,
    .responder = make_responder,
    .layouts = {},
    .anatomy = with_tools(anatomy),
    .anonymise = with_tools(anonymise),
};

}  // namespace meterbridge::protocol::iec62056_21
