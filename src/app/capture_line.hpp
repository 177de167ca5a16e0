// SPDX-License-Identifier: MIT
// Fills the black box of a line without a service: by reading its meter, or by listening only.
#pragma once

#include "app/link.hpp"
#include "meter/meter.hpp"

namespace meterbridge::app {

// Reads the meter for that long and keeps what crosses the line in the link's box; a length of
// zero is one poll, or of a meter that sends by itself the time in which it must send. Without a
// meter nothing is sent, the bytes are taken as they come. Error: what opening the line says.
boost::asio::awaitable<Result<>> capture_line(Link& link, meter::Meter* meter, Milliseconds length);

}  // namespace meterbridge::app
