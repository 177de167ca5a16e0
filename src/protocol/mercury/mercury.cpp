// SPDX-License-Identifier: MIT
#include "protocol/mercury/mercury.hpp"

#include "core/tools.hpp"
#include "protocol/mercury/decode.hpp"
#include "protocol/mercury/driver.hpp"
#include "protocol/mercury/options.hpp"
#include "protocol/mercury/responder.hpp"

namespace meterbridge::protocol::mercury {

const Protocol mercury_protocol{
    .name = "mercury",
    .title = "Incotex Mercury 230, 231, 233, 234, 236 (and 203.2TD, 204, 208, 238)",
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

}  // namespace meterbridge::protocol::mercury
