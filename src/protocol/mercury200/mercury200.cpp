// SPDX-License-Identifier: MIT
#include "protocol/mercury200/mercury200.hpp"

#include "core/tools.hpp"
#include "protocol/mercury200/decode.hpp"
#include "protocol/mercury200/driver.hpp"
#include "protocol/mercury200/options.hpp"
#include "protocol/mercury200/responder.hpp"

namespace meterbridge::protocol::mercury200 {

const Protocol mercury200_protocol{
    .name = "mercury200",
    .title = "Incotex Mercury 200, 201, 203, 206",
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

}  // namespace meterbridge::protocol::mercury200
