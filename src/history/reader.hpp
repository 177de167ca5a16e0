// SPDX-License-Identifier: MIT
// Files of before as samples: whatever layout they have, line by line.
#pragma once

#include "core/reading.hpp"
#include "history/layouts.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace meterbridge::history {

// What a name of the file is here, because the user says so.
struct Target {
  Target() = default;
  ReadingKey key;
  Unit unit = Unit::none;
  bool unit_said = false;
};

// "sensor.old=energy_import", "heat=heat:GJ". Error: invalid, in words.
Result<std::pair<std::string, Target>> parse_mapping(std::string_view text);

struct Options {
  Options() = default;
  const Layout* layout = nullptr;                      // none = by looking at the file
  std::map<std::string, Target, std::less<>> mapping;  // before all others
};

// Where something stands; column 0 = the whole line.
struct Place {
  std::uint64_t line = 0;
  std::size_t column = 0;
};

struct Events {
  Events() = default;
  // Before all others: what the file is.
  std::function<void(const Layout& layout)> begin;
  // `meter` of the sample is what the file calls it: empty when it does not say so.
  std::function<void(Place place, Sample&& sample)> sample;
  // A line, or a value of it, that is left out.
  std::function<void(Place place, const std::string& why)> fault;
  // Once for each file, about what is not taken over.
  std::function<void(const std::string& text)> note;
};

struct Summary {
  Summary() = default;
  const Layout* layout = nullptr;
  std::uint64_t lines = 0;
};

// The whole file. Error: not_found, io, unsupported (no layout that is known), malformed.
Result<Summary> read_file(const std::string& path, const Options& options, const Events& events);

// The meter of files in folders: "house" of ".../house/2026-11-20.csv.gz"; empty for other names.
[[nodiscard]] std::string meter_of_path(const std::string& path);

}  // namespace meterbridge::history
