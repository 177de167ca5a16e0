// SPDX-License-Identifier: MIT
#include "protocol/cosem.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol {
namespace {

struct UnitName {
  std::uint8_t code = 0;
  std::string_view text;
};

constexpr std::array unit_names = {
    UnitName{1, "a"},    UnitName{4, "d"},     UnitName{5, "h"},    UnitName{6, "min"},
    UnitName{7, "s"},    UnitName{8, "deg"},   UnitName{9, "degC"}, UnitName{13, "m3"},
    UnitName{14, "m3"},  UnitName{19, "l"},    UnitName{20, "kg"},  UnitName{25, "J"},
    UnitName{27, "W"},   UnitName{28, "VA"},   UnitName{29, "var"}, UnitName{30, "Wh"},
    UnitName{31, "VAh"}, UnitName{32, "varh"}, UnitName{33, "A"},   UnitName{35, "V"},
    UnitName{38, "ohm"}, UnitName{44, "Hz"},   UnitName{52, "K"},   UnitName{56, "%"},
    UnitName{57, "Ah"},
};

// By code: every telegram asks some ten times.
constexpr std::array<std::string_view, 256> units = [] {
  std::array<std::string_view, 256> by_code{};
  for (const UnitName& known : unit_names)
    by_code.at(known.code) = known.text;
  return by_code;
}();

}  // namespace

std::string_view cosem_unit(std::uint8_t code) noexcept {
  return units.at(code);
}

std::string readable_octets(ByteView bytes) {
  // Bytes are read as characters here.  NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  text = text.substr(0, text.find_last_not_of('\0') + 1);
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != 0x7F;
  });
  if (printable && is_utf8(text)) return sanitised(text);
  return "0x" + to_hex_upper(bytes);
}

}  // namespace meterbridge::protocol
