// SPDX-License-Identifier: MIT
// Requests of the 23x protocol: what each is answered with, and which of them a bridge may send.
//
//   request  ADDR CODE PARAMETERS CRC       reply  ADDR DATA CRC       refusal  ADDR STATUS CRC
//
// A reply names neither code nor parameters: its length is all that tells what it is.
#pragma once

#include "core/result.hpp"
#include "protocol/mercury/check.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::mercury {

inline constexpr std::size_t frame_overhead = 1 + crc_length;  // address and CRC
inline constexpr std::size_t status_length = 1;
inline constexpr std::size_t password_length = 6;
inline constexpr std::uint8_t reader_level = 1;

enum class Kind : std::uint8_t {
  link_test,
  open,
  close,
  clock,
  energy,
  serial,
  serial_extended,
  ratios,
  version,
  address,
  status,
  variant,
  tariff_mode,
  timeout_factor,
  value,     // 08 11: one value
  snapshot,  // 08 14: a group, as it was when a command fixed it
  group,     // 08 16: a group, now
};

// `body` is code and parameters. Nothing for what is no request, or none that we understand.
[[nodiscard]] std::optional<Kind> kind_of(ByteView body) noexcept;
// Data lengths of good answers, the longest first; a refusal has one byte instead. Empty for what
// kind_of() does not know.
[[nodiscard]] std::vector<std::size_t> reply_lengths(ByteView body);

// The only maker of requests. Error: bug for anything that does not merely read: other codes, and
// channels of a higher level than that of the reader.
Result<Bytes> build_request(std::uint8_t address, ByteView body);

// Only the low half of a status counts: 0 is good.
[[nodiscard]] constexpr std::uint8_t status_code(std::byte status) noexcept {
  return u8(status) & 0x0FU;
}

// "access level too low (3)"
[[nodiscard]] std::string status_words(std::byte status);
// "0500", "0816:11": code and parameters, for items and messages.
[[nodiscard]] std::string name_of(ByteView body);

}  // namespace meterbridge::protocol::mercury
