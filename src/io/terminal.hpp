// SPDX-License-Identifier: MIT
// The terminal side of a serial port: raw mode, speed and framing, pseudo-terminals told apart.
#pragma once

#include "core/line_settings.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <string>

namespace meterbridge::io {

[[nodiscard]] bool is_pseudo_terminal(int descriptor) noexcept;
// Raw mode with these settings. A pseudo-terminal has no framing: what it refuses of it is no
// error. Error: no_device, in words, naming the port.
Result<> apply(int descriptor, const LineSettings& line, const std::string& port);
// Bytes that the kernel still has to send; 0 when it cannot be told.
[[nodiscard]] std::size_t unsent(int descriptor) noexcept;

}  // namespace meterbridge::io
