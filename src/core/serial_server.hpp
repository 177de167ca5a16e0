// SPDX-License-Identifier: MIT
// How the address of a serial server says that it speaks RFC 2217: speed and parity are then set
// from here, as at a port of this machine.
#pragma once

#include <string_view>

namespace meterbridge {

inline constexpr std::string_view rfc2217_scheme = "rfc2217://";

[[nodiscard]] constexpr bool speaks_rfc2217(std::string_view host) noexcept {
  return host.starts_with(rfc2217_scheme);
}

}  // namespace meterbridge
