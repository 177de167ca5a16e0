// SPDX-License-Identifier: MIT
// The settings of an IEC 62056-21 meter.
#pragma once

#include "core/setting.hpp"
#include "protocol/iec62056_21/codes.hpp"
#include "protocol/iec62056_21/frame.hpp"

#include <optional>
#include <span>
#include <string>

namespace meterbridge::protocol::iec62056_21 {

// What comes after the identification.
enum class Mode : std::uint8_t {
  automatic,  // as the character behind the maker says
  a,          // the readout, at the same speed
  b,          // the readout, at another speed
  c,          // we choose readout or programming mode
};

enum class Speed : std::uint8_t {
  announced,  // the line changes to what the meter announced
  fixed,      // the line keeps its speed; what the meter announced is only repeated (RS-485)
  slow,       // the meter is asked to keep its speed, too
};

struct Options {
  Options() = default;
  std::string address;
  Secret password;
  bool operand_password = false;  // the meter itself says what to send as password (Neva)
  bool readout = false;           // everything at once; else codes one by one
  bool fast = false;              // codes without a session
  bool group = false;             // several codes in one request
  char readout_table = '?';       // of a meter with several
  std::string model;              // for the simulator
  Read command = Read::r1;
  CodeTable codes;               // of the configuration, before those of the family
  std::optional<Family> family;  // nothing = from the identification
  Mode mode = Mode::automatic;
  Speed speed = Speed::announced;
  std::uint32_t start_baud = 300;
  std::uint32_t data_baud = 0;  // 0 = as announced
  std::optional<char> speed_character;
  char mode_character = '1';
  Check check = Check::automatic;
  bool software_parity = false;
  Bytes prefix;                // in front of every request
  std::string identification;  // what the simulated meter answers to the sign-on; empty: by family
  int wake_up = 0;             // bytes of zeros before the sign-on
  Milliseconds wake_up_pause{1500};
  Milliseconds identification_timeout{3000};
  Milliseconds response_timeout{1500};
  Milliseconds pause{100};  // quiet line before each request
  int retries = 2;

  // Error: invalid, in words.
  static Result<Options> from(const SettingValues& settings);

  // 7E1, or 8N1 where the program adds the parity itself.
  [[nodiscard]] LineSettings line(std::uint32_t baud) const;
  // The codes of the configuration, and behind them those of the family.
  [[nodiscard]] CodeTable table(Family found) const;
};

[[nodiscard]] std::span<const SettingSpec> setting_specs() noexcept;

}  // namespace meterbridge::protocol::iec62056_21
