// SPDX-License-Identifier: MIT
// Frames of DL/T 645.
//
//   68  ADDRESS            68  CONTROL  LENGTH  DATA           SUM  16
//       6 bytes, BCD,                   1       each byte      of all bytes before it, modulo 256
//       low digits first                        + 0x33
//
// In front of a frame stand none to some FE, which wake the line up.
#pragma once

#include "protocol/exchange_list.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace meterbridge::protocol::dlt645 {

enum class Version : std::uint8_t { v1997, v2007 };

inline constexpr std::byte start{0x68};
inline constexpr std::byte stop{0x16};
inline constexpr std::byte wake_up{0xFE};
inline constexpr std::byte filler{0xAA};  // in place of two digits of an address: whatever they are
inline constexpr std::size_t address_length = 6;
inline constexpr std::size_t header_length = 10;  // up to the length
inline constexpr std::size_t overhead = header_length + 2;
inline constexpr std::size_t max_data = 200;
inline constexpr std::int64_t most_address = 999'999'999'999;

inline constexpr std::uint8_t from_meter = 0x80;
inline constexpr std::uint8_t refused = 0x40;
inline constexpr std::uint8_t more_follows = 0x20;
inline constexpr std::uint8_t command_bits = 0x1F;

// The only commands that are ever put on the wire: reading one value, and nothing else.
[[nodiscard]] constexpr std::uint8_t read_command(Version version) noexcept {
  return version == Version::v1997 ? 0x01 : 0x11;
}

// Bytes of a value's code.
[[nodiscard]] constexpr std::size_t code_length(Version version) noexcept {
  return version == Version::v1997 ? 2 : 4;
}

// The only maker of requests. Without an address it is a question to whoever is there.
[[nodiscard]] Bytes read_request(Version version, std::optional<std::int64_t> address,
                                 std::uint32_t code, int wake_ups);
// For the meter's side.
[[nodiscard]] Bytes make_frame(std::optional<std::int64_t> address, std::uint8_t control,
                               ByteView data);

struct Frame {
  Frame() = default;
  std::optional<std::int64_t> address;  // nothing when it is not twelve digits
  std::uint8_t control = 0;
  Bytes data;  // as meant, without the 0x33
};

// One frame, without FE in front. Error: truncated, malformed, checksum.
Result<Frame> parse_frame(ByteView wire);

// The first whole frame with a right sum, by its end, so that every cut gives the same.
[[nodiscard]] Cut find_frame(ByteView arrived);
// When nothing more comes: why what came is no frame.
[[nodiscard]] Cut settle(ByteView arrived);
[[nodiscard]] Error fault_of(ByteView bytes);

// What was asked, or answered.
struct Selection {
  Selection() = default;
  Version version = Version::v1997;
  std::uint32_t code = 0;
  ByteView payload;  // of the frame's data
};

// Nothing when it asks for no value.
[[nodiscard]] std::optional<Selection> request_in(const Frame& frame);
// Error: mismatch (no answer to a read), exception (the meter refuses), unsupported (only the
// first of several frames), malformed.
Result<Selection> answer_in(const Frame& frame);

[[nodiscard]] std::string name_of(Version version, std::uint32_t code);  // "B630", "02030000"
[[nodiscard]] std::string address_text(const std::optional<std::int64_t>& address);

}  // namespace meterbridge::protocol::dlt645
