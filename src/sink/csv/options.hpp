// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.hpp"
#include "core/setting.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace meterbridge::sink::csv {

enum class Layout : std::uint8_t { daily, monthly, okosmero };

struct Options {
  Options() = default;
  std::string directory;
  Layout layout = Layout::daily;
  Milliseconds sync{};         // what is written is on the disk after so long
  bool gzip = false;           // of files that are over
  Milliseconds keep{};         // zero = for ever
  std::uint64_t min_free = 0;  // bytes
};

[[nodiscard]] std::span<const SettingSpec> specs();
// Error: invalid, in words.
Result<Options> options_of(const SettingValues& settings);
// "100MB", "1.5 GB", "64KiB" in bytes. Error: invalid.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace meterbridge::sink::csv
