// SPDX-License-Identifier: MIT
// The settings of a Graphite sink, checked against one another.
#pragma once

#include "core/setting.hpp"
#include "sink/graphite/lines.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace meterbridge::sink::graphite {

struct Options {
  Options() = default;
  std::string host;
  std::uint16_t port = 0;
  bool udp = false;
  bool confirm = true;
  Milliseconds repeat{};
  Milliseconds timeout{};
  Paths paths;
};

[[nodiscard]] std::span<const SettingSpec> specs();
// Error: invalid, in words.
Result<Options> options_of(const SettingValues& settings, const std::string& instance);

}  // namespace meterbridge::sink::graphite
