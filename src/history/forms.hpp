// SPDX-License-Identifier: MIT
// What the forms of files share while one is read; nobody else includes it.
#pragma once

#include "core/text.hpp"
#include "history/cells.hpp"
#include "history/reader.hpp"
#include "history/stamp.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace meterbridge::history {

// One file on its way.
class Run {
 public:
  Run(const Options& options, const Events& events) : options_(options), events_(events) {}

  // What a line with several values, or one of several lines with one, gives.
  void put(Place place, Sample&& sample, const Layout& layout);
  void flush();
  void fault(Place place, const std::string& why);
  void note(const std::string& text);

  Result<Instant> time_of(const Layout& layout, std::string_view text, std::string_view season,
                          const std::string& meter);

  [[nodiscard]] const Options& options() const noexcept { return options_; }

  [[nodiscard]] std::uint64_t given() const noexcept { return given_; }

 private:
  const Options& options_;
  const Events& events_;
  WallClock clock_;
  std::set<std::string> noted_;
  // Values of one moment come line by line.
  Sample pending_;
  Place pending_place_;
  const Layout* pending_layout_ = nullptr;
  std::uint64_t given_ = 0;
};

// A form reads line after line. `line` counts from 1.
class FormReader {
 public:
  virtual ~FormReader() = default;
  virtual void read(Run& run, std::uint64_t line, std::string_view text) = 0;
};

std::unique_ptr<FormReader> table_reader(const Layout& layout);  // and lists
std::unique_ptr<FormReader> dump_reader(const Layout& layout);
std::unique_ptr<FormReader> json_reader(const Layout& layout);
std::unique_ptr<FormReader> line_protocol_reader(const Layout& layout);

[[nodiscard]] bool is_line_protocol(std::string_view line);

// Columns of a table, known: what a row of cells means.
class Columns {
 public:
  // False, when the header is not of this layout.
  bool set(Run& run, const Layout& layout, const std::vector<std::string>& names);
  void read(Run& run, std::uint64_t line, const std::vector<Cell>& cells) const;

  [[nodiscard]] bool known() const noexcept { return layout_ != nullptr; }

 private:
  Result<Sample> begin(Run& run, const std::vector<Cell>& cells, Place& place) const;

  const Layout* layout_ = nullptr;
  std::size_t count_ = 0;
  std::vector<std::optional<Target>> targets_;
  std::optional<std::size_t> time_, season_, meter_, key_, value_, unit_, measurement_;
};

// The measurement of the Saiman server, whose fields have names of its own.
inline constexpr std::string_view orman_measurement = "energy_measurement";

}  // namespace meterbridge::history
