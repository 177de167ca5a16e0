// SPDX-License-Identifier: MIT
// FNV-1a with 64 bits: tells messages and records apart. Not against somebody who tries.
#pragma once

#include <cstdint>
#include <string_view>

namespace meterbridge::mqtt {

[[nodiscard]] constexpr std::uint64_t fingerprint(std::string_view text,
                                                  std::uint64_t so_far = 0xcbf29ce484222325U) {
  for (const char c : text) {
    so_far ^= static_cast<unsigned char>(c);
    so_far *= 0x100000001b3U;
  }
  return so_far;
}

}  // namespace meterbridge::mqtt
