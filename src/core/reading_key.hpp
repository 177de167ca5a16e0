// SPDX-License-Identifier: MIT
// Reading keys: [<scope>_]<quantity>[_<direction>][_demand|_peak|_limit][_<phase>][_t<tariff>]
// (contract.md 3)
#pragma once

#include "core/result.hpp"
#include "core/unit.hpp"

#include <bit>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace meterbridge {

enum class Scope : std::uint8_t { none, grid, battery, pv, load, channel };
enum class Quantity : std::uint8_t {
  energy,
  reactive_energy,
  apparent_energy,
  power,
  reactive_power,
  apparent_power,
  voltage,
  current,
  frequency,
  power_factor,
  phase_angle,
  thd_voltage,
  thd_current,
  dc_voltage,
  dc_current,
  dc_power,
  state_of_charge,
  gas,
  water,
  volume,
  heat,
  flow,
  temperature,
  temperature_flow,
  temperature_return,
  tariff,
  serial,
  firmware,
  clock,
  status,
  message,
  input,
  counter,
  value,  // of a user: whatever none of the others is
};
// `export` is a keyword.  NOLINTNEXTLINE(readability-identifier-naming)
enum class Direction : std::uint8_t { none, import, export_, net, total, q1, q2, q3, q4 };
enum class Aspect : std::uint8_t { none, demand, peak, limit };
enum class Phase : std::uint8_t { none, l1, l2, l3, n, l1_l2, l2_l3, l3_l1 };

struct ReadingKey {
  Scope scope = Scope::none;
  std::uint8_t channel = 0;  // n of scope channel<n>
  Quantity quantity = Quantity::energy;
  std::uint8_t number = 0;  // n of input_<n>, counter_<n>, value_<n>
  Direction direction = Direction::none;
  Aspect aspect = Aspect::none;
  Phase phase = Phase::none;
  std::uint8_t tariff = 0;  // 0 = all tariffs, 1..8

  // Accepts exactly what text() prints; directions that a quantity does not have are errors.
  static Result<ReadingKey> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  // Part by part from the first on, in one comparison: keys are looked up for every value.
  friend constexpr bool operator==(const ReadingKey& a, const ReadingKey& b) noexcept {
    return a.packed() == b.packed();
  }

  friend constexpr std::strong_ordering operator<=>(const ReadingKey& a,
                                                    const ReadingKey& b) noexcept {
    return a.packed() <=> b.packed();
  }

 private:
  [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
    static_assert(std::has_unique_object_representations_v<ReadingKey>);
    const auto bytes = std::bit_cast<std::uint64_t>(*this);
    return std::endian::native == std::endian::little ? __builtin_bswap64(bytes) : bytes;
  }
};

// Short maker for tables in decoders.
[[nodiscard]] constexpr ReadingKey make_key(Quantity quantity,
                                            Direction direction = Direction::none,
                                            Phase phase = Phase::none, int tariff = 0,
                                            Aspect aspect = Aspect::none) {
  ReadingKey key;
  key.quantity = quantity;
  key.direction = direction;
  key.phase = phase;
  key.tariff = static_cast<std::uint8_t>(tariff);
  key.aspect = aspect;
  return key;
}

// The unit in which a quantity leaves the program: kWh, W, ... `heat` has none of its own: it keeps
// the meter's (GJ, MJ or kWh). Unit::none for text, pure numbers, and `value`, which has what its
// user says.
[[nodiscard]] Unit canonical_unit(Quantity quantity) noexcept;
[[nodiscard]] std::string_view name(Quantity quantity) noexcept;  // "reactive_energy"
// Registers that only grow (energy, volumes, heat, counters): what the counter rules apply to.
// `net` is not.
[[nodiscard]] bool is_cumulative(const ReadingKey& key) noexcept;

}  // namespace meterbridge
