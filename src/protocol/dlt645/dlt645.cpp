// SPDX-License-Identifier: MIT
#include "protocol/dlt645/dlt645.hpp"

#include "core/tools.hpp"
#include "protocol/dlt645/codes.hpp"
#include "protocol/dlt645/decode.hpp"
#include "protocol/dlt645/driver.hpp"
#include "protocol/dlt645/options.hpp"
#include "protocol/dlt645/responder.hpp"

namespace meterbridge::protocol::dlt645 {
namespace {

LineSettings usual_line() {
  LineSettings line;
  line.baud = 2400;
  line.parity = Parity::even;
  return line;
}

}  // namespace

const Protocol dlt645_protocol{
    .name = "dlt645",
    .title = "DL/T 645-1997 and -2007",
    .pushes = false,
    .settings = setting_specs(),
    .tables = code_tables(),
    .line = usual_line(),
    .driver = make_driver,
    .decode = decode,
    .decode_transcript = decode_transcript,
    .responder = make_responder,
    .layouts = {},
    .anatomy = with_tools(anatomy),
    .anonymise = with_tools(anonymise),
};

}  // namespace meterbridge::protocol::dlt645
