// SPDX-License-Identifier: MIT
// The settings of sinks into databases that speak SQL, checked against one another.
#pragma once

#include "core/setting.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

namespace meterbridge::sink::sql {

struct Options {
  Options() = default;
  std::string host;
  std::uint16_t port = 0;
  std::string socket;  // in place of host and port
  std::string database;
  std::string username;
  Secret password;
  std::string prefix;
  bool tls = false;
  bool insecure = false;
  std::string ca;
  std::string certificate;
  std::string key;
  Milliseconds timeout{};

  [[nodiscard]] std::string place() const;  // "db.local:3306", "/run/mysqld/mysqld.sock"
};

// So long the server waits for the next word of a transaction.
[[nodiscard]] inline std::chrono::seconds idle_limit(const Options& options) {
  constexpr std::chrono::seconds spare{4};
  return std::chrono::ceil<std::chrono::seconds>(options.timeout) + spare;
}

[[nodiscard]] std::span<const SettingSpec> specs();
// Error: invalid, in words.
Result<Options> options_of(const SettingValues& settings, std::uint16_t usual_port);

}  // namespace meterbridge::sink::sql
