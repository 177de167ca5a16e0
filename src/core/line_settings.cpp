// SPDX-License-Identifier: MIT
#include "core/line_settings.hpp"

#include "core/text.hpp"

namespace meterbridge {
namespace {

constexpr std::uint32_t slowest = 300;
constexpr std::uint32_t fastest = 921600;

char letter(Parity parity) noexcept {
  switch (parity) {
    case Parity::even:
      return 'E';
    case Parity::odd:
      return 'O';
    case Parity::none:
      break;
  }
  return 'N';
}

}  // namespace

Result<LineSettings> LineSettings::parse(std::uint32_t baud, std::string_view mode) {
  if (baud < slowest || baud > fastest) {
    return Error{Errc::invalid, std::to_string(baud) + " baud is outside " +
                                    std::to_string(slowest) + " to " + std::to_string(fastest)};
  }
  LineSettings line;
  line.baud = baud;
  const std::string wanted = lower(mode);
  bool good = wanted.size() == 3 && (wanted[0] == '7' || wanted[0] == '8') &&
              (wanted[2] == '1' || wanted[2] == '2');
  if (good) {
    line.data_bits = static_cast<std::uint8_t>(wanted[0] - '0');
    line.stop_bits = static_cast<std::uint8_t>(wanted[2] - '0');
    switch (wanted[1]) {
      case 'n':
        line.parity = Parity::none;
        break;
      case 'e':
        line.parity = Parity::even;
        break;
      case 'o':
        line.parity = Parity::odd;
        break;
      default:
        good = false;
    }
  }
  if (!good) {
    return Error{Errc::invalid,
                 "'" + sanitised(mode, 20) +
                     "' is no line mode; write data bits (7 or 8), parity (N, E or O) and stop "
                     "bits (1 or 2), for example 8N1"};
  }
  return line;
}

std::string LineSettings::text() const {
  std::string out = std::to_string(baud) + " ";
  out += std::to_string(data_bits);
  out += letter(parity);
  out += std::to_string(stop_bits);
  return out;
}

}  // namespace meterbridge
