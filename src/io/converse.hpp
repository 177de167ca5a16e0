// SPDX-License-Identifier: MIT
// The only coroutine that talks to a meter, and the watchdog over it.
#pragma once

#include "core/time.hpp"
#include "io/transport.hpp"
#include "protocol/dialogue.hpp"

#include <functional>

#include <boost/asio/awaitable.hpp>

namespace meterbridge::io {

// Called with everything that crosses the line (logging, `read --record`); may be empty.
using Tap = std::function<void(bool sent, ByteView bytes)>;

// Carries out the steps of a dialogue until Finished or Error. Errors of the transport pass through
// unchanged.
boost::asio::awaitable<Result<protocol::Telegram>> converse(Transport& transport,
                                                            protocol::Dialogue& dialogue,
                                                            Tap tap = {});

// Races the work with a timer. Errc::watchdog when the limit ran out, Errc::bug when the work
// threw, Errc::cancelled when the caller was cancelled.
boost::asio::awaitable<Result<protocol::Telegram>> under_watchdog(
    boost::asio::awaitable<Result<protocol::Telegram>> work, Milliseconds limit);

}  // namespace meterbridge::io
