// SPDX-License-Identifier: MIT
#include "protocol/ce102/ce102.hpp"

#include "core/tools.hpp"
#include "protocol/ce102/decode.hpp"
#include "protocol/ce102/driver.hpp"
#include "protocol/ce102/options.hpp"
#include "protocol/ce102/responder.hpp"

namespace meterbridge::protocol::ce102 {

const Protocol ce102_protocol{
    .name = "ce102",
    .title = "Energomera CE (CE102, CE301M, CE307 R33)",
    .pushes = false,
    .settings = setting_specs(),
    .line = LineSettings{},  // 9600 8N1
    .driver = make_driver,
    .decode = decode,
    .decode_transcript = decode_transcript,
    .responder = make_responder,
    .layouts = {},
    .anatomy = with_tools(anatomy),
    .anonymise = with_tools(anonymise),
};

}  // namespace meterbridge::protocol::ce102
