// SPDX-License-Identifier: MIT
// Samples as lines of Graphite's plaintext protocol: path, value, seconds of Unix.
#pragma once

#include "core/reading.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::sink::graphite {

enum class Field : std::uint8_t {
  literal,
  base,
  instance,
  meter,
  device,
  serial,
  key,
  quantity,
  unit
};

struct Piece {
  Field field = Field::literal;
  std::string text;  // of a literal, which may hold points; else empty
};

struct Paths {
  Paths() = default;
  std::vector<Piece> pieces;
  std::string base;
  std::string instance;
  bool netz_noe = false;  // the names of the ESP32 logger of that name, in place of the pieces
};

// "{base}.{meter}.{key}". Error: invalid, in words.
Result<std::vector<Piece>> parse_path(std::string_view text);
// Letters, digits, - and _ stay; all else becomes _. `points` keeps the point, which parts nodes.
[[nodiscard]] std::string node(std::string_view text, bool points = false);
// Numbers and switches (1, 0); Graphite has no form for texts and times.
[[nodiscard]] std::string lines_of(const Sample& sample, const Paths& paths);

}  // namespace meterbridge::sink::graphite
