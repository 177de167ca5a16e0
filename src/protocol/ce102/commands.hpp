// SPDX-License-Identifier: MIT
// The commands of the CE protocol that a bridge may send, and what a meter's refusals mean.
#pragma once

#include "core/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::protocol::ce102 {

// Read-only commands: there is no other way to name one, and no other one is ever put on the wire.
enum class Query : std::uint16_t {
  ping = 0x0001,
  version = 0x0100,
  config = 0x0101,
  status = 0x0103,
  serial = 0x011A,
  date_time = 0x0120,
  energy = 0x0130,
  energy_total = 0x0131,
  power = 0x0132,
  phase_voltage = 0x0180,
  phase_current = 0x0181,
  phase_power = 0x0182,
};

struct QueryRule {
  Query query;
  std::uint8_t shortest;  // length of the request's data
  std::uint8_t longest;
};

inline constexpr std::array read_only{
    QueryRule{Query::ping, 0, 0},          QueryRule{Query::version, 0, 1},
    QueryRule{Query::config, 0, 0},        QueryRule{Query::status, 0, 0},
    QueryRule{Query::serial, 1, 1},        QueryRule{Query::date_time, 0, 0},
    QueryRule{Query::energy, 2, 2},        QueryRule{Query::energy_total, 1, 1},
    QueryRule{Query::power, 0, 0},         QueryRule{Query::phase_voltage, 0, 0},
    QueryRule{Query::phase_current, 0, 0}, QueryRule{Query::phase_power, 0, 0},
};

// Commands that write, set clocks or switch relays (012B). They are listed only to prove that they
// are absent above.
inline constexpr std::array<std::uint16_t, 18> never_send{
    0x0003, 0x0102, 0x010E, 0x0116, 0x0117, 0x0119, 0x0121, 0x012A, 0x012B,
    0x012C, 0x013E, 0x013F, 0x0141, 0x0143, 0x0145, 0x0147, 0x015B, 0x0177};

constexpr const QueryRule* find_rule(Query query) noexcept {
  for (const QueryRule& rule : read_only) {
    if (rule.query == query) return &rule;
  }
  return nullptr;
}

static_assert(std::none_of(never_send.begin(), never_send.end(), [](std::uint16_t code) {
  return find_rule(static_cast<Query>(code)) != nullptr;
}));

// What follows from an error reply.
enum class Reaction : std::uint8_t {
  unsupported,  // this meter does not have the value: do not ask again
  repeat,       // the request was damaged on its way: once more
  locked,       // password refused: nothing may be sent any more, three wrong ones lock the meter's
                // interface
  stop,         // the settings or the meter need a person
  skip,         // no value this time
};

struct Refusal {
  Refusal() = default;
  Reaction reaction = Reaction::stop;
  std::string words;
};

// `data` of an error reply; old classic meters send none.
[[nodiscard]] Refusal refusal(ByteView data);

}  // namespace meterbridge::protocol::ce102
