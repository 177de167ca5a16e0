// SPDX-License-Identifier: MIT
// The black boxes' folder in the state directory: kept cases, and what a command asks of the
// running service. A file there is enough: no socket, no signal, and who may read the state may
// ask.
//
//   black-box/house-20261121T172846Z.txt   kept when the meter "house" failed
//   black-box/wanted                       a command wants the meter that is named in it
//   black-box/now.txt                      the service's answer; `wanted` is gone then
#pragma once

#include "app/black_box.hpp"
#include "config/settings.hpp"
#include "meter/meter.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::app {

[[nodiscard]] std::string black_box_folder(const config::Settings& settings);

// With the facts that a reader needs: program, meter type, protocol, line.
[[nodiscard]] protocol::Capture capture_of(const config::Settings& settings,
                                           const meter::Meter& meter,
                                           std::vector<protocol::CaptureEntry> entries);

// Writes a case, and removes the oldest ones beyond `most`. Error: io, in words.
Result<std::string> keep_case(const std::string& folder, std::string_view meter, Instant now,
                              const std::string& text, std::size_t most);
// The kept cases of a meter, the newest last.
[[nodiscard]] std::vector<std::string> cases_of(const std::string& folder, std::string_view meter);

// The meter that a command wants, once; empty when none does.
[[nodiscard]] std::string wanted_meter(const std::string& folder);
Result<> answer_wanted(const std::string& folder, const std::string& text);

// The command's side: asks, and waits up to `patience`. Errors: not_found (no service answers), io.
Result<std::string> ask_service(const std::string& folder, const std::string& meter,
                                Milliseconds patience);

}  // namespace meterbridge::app
