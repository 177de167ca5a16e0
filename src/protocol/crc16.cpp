// SPDX-License-Identifier: MIT
#include "protocol/crc16.hpp"

#include <array>
#include <cstddef>

namespace meterbridge::protocol {
namespace {

// Eight tables: table k holds the effect of a byte that k more bytes follow, so that eight bytes
// are done in one step of independent look-ups.
constexpr std::size_t slices = 8;
using Tables = std::array<std::array<std::uint16_t, 256>, slices>;

constexpr Tables make_tables(std::uint16_t reflected) {
  Tables tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    auto state = static_cast<std::uint16_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      state =
          static_cast<std::uint16_t>((state & 1U) != 0 ? (state >> 1U) ^ reflected : state >> 1U);
    }
    tables[0][byte] = state;
  }
  for (std::size_t k = 1; k < slices; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint16_t before = tables[k - 1][byte];
      tables[k][byte] = static_cast<std::uint16_t>((before >> 8U) ^ tables[0][before & 0xFFU]);
    }
  }
  return tables;
}

constexpr Tables arc_tables = make_tables(0xA001);
constexpr Tables x25_tables = make_tables(0x8408);

std::uint16_t advance(const Tables& t, std::uint16_t state, std::string_view text) noexcept {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  for (; i + slices <= text.size(); i += slices) {
    const auto low = static_cast<std::size_t>(byte(i) ^ (state & 0xFFU));
    const auto high = static_cast<std::size_t>(byte(i + 1) ^ (state >> 8U));
    state = static_cast<std::uint16_t>(t[7][low] ^ t[6][high] ^ t[5][byte(i + 2)] ^
                                       t[4][byte(i + 3)] ^ t[3][byte(i + 4)] ^ t[2][byte(i + 5)] ^
                                       t[1][byte(i + 6)] ^ t[0][byte(i + 7)]);
  }
  for (; i < text.size(); ++i) {
    state = static_cast<std::uint16_t>((state >> 8U) ^ t[0][(state ^ byte(i)) & 0xFFU]);
  }
  return state;
}

}  // namespace

Crc16::Crc16(Kind kind) noexcept
    : kind_(kind),
      state_(kind == Kind::arc || kind == Kind::kermit ? std::uint16_t{0} : std::uint16_t{0xFFFF}) {
}

void Crc16::add(std::string_view text) noexcept {
  state_ =
      advance(kind_ == Kind::x25 || kind_ == Kind::kermit ? x25_tables : arc_tables, state_, text);
}

std::uint16_t Crc16::value() const noexcept {
  return kind_ == Kind::x25 ? static_cast<std::uint16_t>(state_ ^ 0xFFFFU) : state_;
}

std::uint16_t crc16(std::string_view text, Crc16::Kind kind) noexcept {
  Crc16 crc(kind);
  crc.add(text);
  return crc.value();
}

std::uint16_t crc16(ByteView bytes, Crc16::Kind kind) noexcept {
  return crc16(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), kind);
}

}  // namespace meterbridge::protocol
