// SPDX-License-Identifier: MIT
// Where commands get a capture from: a running service, a kept case, or the line itself.
#pragma once

#include "app/plan.hpp"
#include "cli/command.hpp"
#include "protocol/capture.hpp"

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace meterbridge::cli {

// The meter of that id, or the only one on the link of that name. Error: not_found, in words.
Result<meter::Meter*> chosen_meter(app::House& house, const std::string& name);

struct CaptureWish {
  CaptureWish() = default;
  bool kept = false;      // the newest case of the meter
  Milliseconds length{};  // zero = one poll, or one period of a meter that sends
};

// Of the running service where there is one; else the line is opened. Errors in words.
Result<protocol::Capture> capture_meter(app::House& house, meter::Meter& meter,
                                        const CaptureWish& wish);

// Ctrl-C ends the task, not the program: what came so far is kept.
void run_until_signal(boost::asio::io_context& context, boost::asio::awaitable<void> task);

// To FILE (mode 0640), or to standard output for nothing and "-".
Result<> deliver_text(const std::optional<std::string>& file, const std::string& text);

}  // namespace meterbridge::cli
