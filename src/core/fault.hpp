// SPDX-License-Identifier: MIT
// The fault ladder: the one vocabulary for health topic, diagnostic entity, log and doctor
// (contract.md 5).
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace meterbridge {

enum class Fault : std::uint8_t {
  starting,
  no_device,
  no_bytes,
  no_frame,
  bad_checksum,
  wrong_key,
  not_understood,
  refused,
  ok,
};

[[nodiscard]] std::string_view name(Fault fault) noexcept;  // "no_device"
[[nodiscard]] std::span<const std::string_view> fault_names() noexcept;
// One sentence for people: "the port is absent or cannot be opened".
[[nodiscard]] std::string_view describe(Fault fault) noexcept;
[[nodiscard]] Fault fault_of(Errc code) noexcept;
// True for failures that prove valid frames on the line (wrong key, exception, refused ...): they
// feed the link's watchdog, so that a wrong key never resets an adapter.
[[nodiscard]] bool proves_frames(Errc code) noexcept;

}  // namespace meterbridge
