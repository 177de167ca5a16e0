// SPDX-License-Identifier: MIT
#include "protocol/mercury/requests.hpp"

#include "protocol/crc16.hpp"
#include "protocol/mercury/values.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::mercury {
namespace {

constexpr std::uint8_t code_energy = 0x05;
constexpr std::uint8_t code_parameter = 0x08;
constexpr std::uint8_t phases_since_reset = 6;  // of the arrays of energies

// Requests without free parameters.
struct Fixed {
  std::array<std::uint8_t, 2> body;
  std::size_t length;
  Kind kind;
  std::array<std::size_t, 3> reply;  // 0 = none
};

constexpr std::array fixed{
    Fixed{{0x00, 0}, 1, Kind::link_test, {1, 0, 0}},
    Fixed{{0x02, 0}, 1, Kind::close, {1, 0, 0}},
    Fixed{{0x04, 0x00}, 2, Kind::clock, {8, 0, 0}},
    Fixed{{0x08, 0x00}, 2, Kind::serial, {7, 0, 0}},
    Fixed{{0x08, 0x01}, 2, Kind::serial_extended, {24, 16, 0}},
    Fixed{{0x08, 0x02}, 2, Kind::ratios, {4, 0, 0}},
    Fixed{{0x08, 0x03}, 2, Kind::version, {3, 0, 0}},
    Fixed{{0x08, 0x05}, 2, Kind::address, {2, 0, 0}},
    Fixed{{0x08, 0x0A}, 2, Kind::status, {6, 5, 4}},
    Fixed{{0x08, 0x12}, 2, Kind::variant, {12, 6, 0}},
    Fixed{{0x08, 0x17}, 2, Kind::tariff_mode, {2, 0, 0}},
    Fixed{{0x08, 0x1D}, 2, Kind::timeout_factor, {2, 0, 0}},
};

const Fixed* find_fixed(ByteView body) noexcept {
  for (const Fixed& entry : fixed) {
    if (entry.length != body.size()) continue;
    if (u8(body[0]) == entry.body[0] && (entry.length == 1 || u8(body[1]) == entry.body[1]))
      return &entry;
  }
  return nullptr;
}

bool is_array(unsigned array) noexcept {
  return array <= phases_since_reset || (array >= 9 && array <= 0x0D);
}

std::optional<Kind> kind_of_parameter(ByteView body) noexcept {
  if (!form_of(u8(body[2]))) return std::nullopt;
  switch (u8(body[1])) {
    case 0x11:
      return Kind::value;
    case 0x14:
      return Kind::snapshot;
    case 0x16:
      return Kind::group;
    default:
      return std::nullopt;
  }
}

bool merely_reads(ByteView body) noexcept {
  const auto kind = kind_of(body);
  if (!kind) return false;
  switch (*kind) {
    case Kind::open:
      return u8(body[1]) == reader_level;
    case Kind::clock:
    case Kind::energy:
    case Kind::serial:
    case Kind::ratios:
    case Kind::version:
    case Kind::address:
    case Kind::status:
    case Kind::value:
    case Kind::group:
      return true;
    default:
      return false;  // nothing that is not needed
  }
}

}  // namespace

Bytes with_crc(Bytes body) {
  const std::uint16_t crc = crc16(body, Crc16::Kind::modbus);
  body.push_back(static_cast<std::byte>(crc & 0xFFU));
  body.push_back(static_cast<std::byte>(crc >> 8U));
  return body;
}

bool crc_fits(ByteView frame) noexcept {
  if (frame.size() <= crc_length) return false;
  const auto at = frame.size() - crc_length;
  const auto crc = crc16(frame.first(at), Crc16::Kind::modbus);
  return u8(frame[at]) == (crc & 0xFFU) && u8(frame[at + 1]) == crc >> 8U;
}

std::optional<Kind> kind_of(ByteView body) noexcept {
  if (body.empty()) return std::nullopt;
  if (const Fixed* entry = find_fixed(body)) return entry->kind;
  const unsigned code = u8(body[0]);
  if (code == 0x01 && body.size() == 2 + password_length) return Kind::open;
  if (body.size() != 3) return std::nullopt;
  if (code == code_energy && is_array(u8(body[1]) >> 4U)) return Kind::energy;
  return code == code_parameter ? kind_of_parameter(body) : std::nullopt;
}

std::vector<std::size_t> reply_lengths(ByteView body) {
  const auto kind = kind_of(body);
  if (!kind) return {};
  if (*kind == Kind::open) return {status_length};
  if (*kind == Kind::energy)
    return {u8(body[1]) >> 4U == phases_since_reset ? std::size_t{12} : std::size_t{16}};
  if (*kind == Kind::value) return {form_of(u8(body[2]))->width};
  if (*kind == Kind::group || *kind == Kind::snapshot)
    return group_lengths(u8(body[2]), *kind == Kind::snapshot);
  std::vector<std::size_t> lengths;
  for (const std::size_t length : find_fixed(body)->reply) {
    if (length != 0) lengths.push_back(length);
  }
  return lengths;
}

Result<Bytes> build_request(std::uint8_t address, ByteView body) {
  if (!merely_reads(body))
    return Error(Errc::bug, "the request " + name_of(body) + " is not one that only reads");
  Bytes wire{static_cast<std::byte>(address)};
  wire.insert(wire.end(), body.begin(), body.end());
  return with_crc(std::move(wire));
}

std::string status_words(std::byte status) {
  static constexpr std::array<std::string_view, 6> words{"ok",
                                                         "unknown command or parameter",
                                                         "internal error of the meter",
                                                         "access level too low",
                                                         "the clock was corrected today already",
                                                         "the channel is not open"};
  const std::uint8_t code = status_code(status);
  const std::string_view known = code < words.size() ? words[code] : "unknown status";
  return std::string(known) + " (" + std::to_string(code) + ")";
}

std::string name_of(ByteView body) {
  if (body.empty()) return "without a code";
  if (u8(body[0]) == 0x01) return "01";  // a password follows
  if (body.size() <= 2) return to_hex_upper(body);
  return to_hex_upper(body.first(2)) + ":" + to_hex_upper(body.subspan(2));
}

}  // namespace meterbridge::protocol::mercury
