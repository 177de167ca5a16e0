// SPDX-License-Identifier: MIT
// What a scan will do, before it does it: where it listens, and every question that it may send.
#pragma once

#include "scan/catalogue.hpp"
#include "scan/question.hpp"

#include <string>
#include <vector>

namespace meterbridge::scan {

enum class Depth { quick, usual, deep };

struct Wishes {
  Wishes() = default;
  bool network = false;  // HOST:PORT: its speed is not ours to change
  Depth depth = Depth::usual;
  std::vector<LineSettings> lines;       // instead of the usual ones
  std::vector<std::string> protocols;    // only these; empty: all
  std::vector<std::uint32_t> addresses;  // instead of the usual ones
  bool anyway = false;                   // ask although something is heard that nobody understands

  [[nodiscard]] bool wants(std::string_view protocol) const;
};

struct Stretch {
  Stretch() = default;
  LineSettings line;
  Milliseconds length{};
};

// All questions at one speed.
struct Round {
  Round() = default;
  LineSettings line;
  std::vector<Question> questions;
};

struct Plan {
  Plan() = default;
  std::vector<Stretch> listening;
  std::vector<Round> rounds;

  // If nobody ever answers.
  [[nodiscard]] Milliseconds longest() const;
  [[nodiscard]] std::size_t questions() const;
};

[[nodiscard]] Plan make_plan(const Catalogue& catalogue, const Wishes& wishes);
// For people, one line each.
[[nodiscard]] std::vector<std::string> words(const Plan& plan, const Wishes& wishes);

}  // namespace meterbridge::scan
