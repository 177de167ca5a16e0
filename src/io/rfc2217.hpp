// SPDX-License-Identifier: MIT
// A serial port behind a server that speaks RFC 2217 (Telnet's COM-PORT option).
#pragma once

#include "io/transport.hpp"

#include <memory>

namespace meterbridge::io {

// Over a TCP connection. Error of open(): no_device, also when the server does not speak it. A
// speed that the server does not set is Errc::io at the next read or write.
std::unique_ptr<Transport> make_rfc2217(boost::asio::any_io_executor executor,
                                        std::unique_ptr<Transport> inner, LineSettings line,
                                        bool echo);

}  // namespace meterbridge::io
