// SPDX-License-Identifier: MIT
// From evidence to words: what works, what does not, and the one thing to do next. Pure; `doctor`
// gathers the evidence.
#pragma once

#include "config/settings.hpp"
#include "core/fault.hpp"
#include "core/result.hpp"
#include "meter/unseen.hpp"
#include "protocol/registry.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::app {

enum class Health : std::uint8_t {
  good,
  note,  // works, and somebody should know something
  bad,
};

struct Finding {
  Finding() = default;

  Finding(std::string_view k, std::string n) : kind(k), name(std::move(n)) {}

  std::string_view kind;  // "link", "meter", "broker", "bridge", "sink", "journal", ...
  std::string name;
  Health health = Health::good;
  std::optional<Fault> fault;  // of links and meters
  std::string text;
  std::string advice;  // the one thing to do; empty = nothing
  std::vector<meter::Unseen> unseen;
};

[[nodiscard]] std::string_view name(Health health) noexcept;  // "ok", "note", "bad"

// How a meter was read, or why not.
struct MeterEvidence {
  MeterEvidence() = default;
  const protocol::Protocol* protocol = nullptr;
  const SettingValues* settings = nullptr;
  config::LinkKind kind = config::LinkKind::serial;
  LineSettings line;           // as the link was opened
  LineSettings profile_line;   // as the profile has it
  bool echo = false;           // set at the link
  bool others_answer = false;  // on the same line
  std::optional<Error> error;
  std::size_t readings = 0;
  Milliseconds took{};
  Bytes sent;
  Bytes heard;
  Bytes typical;                         // what such a meter sends
  std::string remark;                    // of the driver
  std::optional<LineSettings> works_at;  // found by trying
  std::vector<LineSettings> tried;       // in vain
};

// Health, fault, text and advice of a meter.
[[nodiscard]] Finding meter_finding(std::string name, const MeterEvidence& evidence);
// Why a link cannot be opened; `present`: serial ports that are there by stable names.
[[nodiscard]] std::string link_advice(const Error& error, const std::vector<std::string>& present);
// Why there is no connection to a broker; `section` is where it is configured ("mqtt",
// "bridges.far").
[[nodiscard]] std::string broker_advice(const Error& error, std::string_view section);
// Why a sink would not take samples.
[[nodiscard]] std::string sink_advice(const Error& error, std::string_view section);
// The usual thing to do where only the fault is known, as a running service tells it.
[[nodiscard]] std::string fault_advice(Fault fault, const MeterEvidence& evidence);

}  // namespace meterbridge::app
