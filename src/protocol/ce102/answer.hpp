// SPDX-License-Identifier: MIT
// What one answer tells offline, with its request and with what earlier exchanges told.
#pragma once

#include "core/result.hpp"
#include "protocol/ce102/frame.hpp"
#include "protocol/ce102/options.hpp"
#include "protocol/telegram.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace meterbridge::protocol::ce102 {

// What earlier exchanges with one meter told.
struct Told {
  Told() = default;
  std::optional<int> decimals;  // of ReadConfig
  Bytes serial_part;            // the first, when it was the last one read
};

struct Context {
  Context() = default;
  Options options;
  std::map<std::uint16_t, Told> told;  // by the address of the meter: a bus has several
};

[[nodiscard]] Decoded entry(Status status, std::string error);
[[nodiscard]] Decoded failed(const Error& error);
// `request` is null when it was not captured.
[[nodiscard]] Decoded understand(const Frame* request, const Frame& reply, Context& context);

}  // namespace meterbridge::protocol::ce102
