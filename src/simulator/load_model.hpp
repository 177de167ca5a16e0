// SPDX-License-Identifier: MIT
// A house that is not there: three phases, a roof with PV, gas and water. The same seed gives the
// same house.
#pragma once

#include "core/time.hpp"
#include "protocol/responder.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace meterbridge::simulator {

// What has flowed since the meter was made, in exact integers: watt seconds and cubic centimetres.
struct Totals {
  std::array<std::int64_t, 4> import_ws{};
  std::array<std::int64_t, 4> export_ws{};
  std::int64_t gas_cm3 = 0;
  std::int64_t water_cm3 = 0;

  Totals& operator+=(const Totals& other);
  friend bool operator==(const Totals&, const Totals&) = default;
};

// A pure function of seed and time, so that a simulator which is restarted goes on where it would
// have been, and no counter ever runs backwards. One week repeats for ever; its first day is a
// Monday. The hours of the day are those of UTC+1 whatever zone the host is in. Power is constant
// within each second, and the registers are the sums of these seconds: a face at time t holds
// everything before t.
class LoadModel {
 public:
  explicit LoadModel(std::uint64_t seed);

  [[nodiscard]] protocol::MeterFace at(Seconds now) const;
  // Watts of each phase during the second that begins at `now`; import positive. The meter counts
  // their sum.
  [[nodiscard]] std::array<std::int64_t, 3> power(Seconds now) const;
  [[nodiscard]] Totals totals(Seconds now) const;
  // 1 by day (07:00 to 23:00), 2 by night.
  [[nodiscard]] static int tariff(Seconds now);

 private:
  // What a hash is drawn for, so that no two appliances share their dice.
  enum class Dice : std::uint8_t {
    roof,
    first_state,
    day_size,
    jitter,
    kettle_slot,
    cooker_slot,
    cloud,
    burner_slot,
    tap_slot,
    volts,
    hertz,
  };
  [[nodiscard]] std::uint64_t hash(Dice dice, std::int64_t number, std::size_t phase = 0) const;
  [[nodiscard]] std::array<std::int64_t, 3> week_power(std::int64_t second) const;
  [[nodiscard]] std::int64_t sunshine(std::int64_t second) const;
  [[nodiscard]] std::int64_t gas_flow(std::int64_t second) const;
  [[nodiscard]] std::int64_t water_flow(std::int64_t second) const;
  void pass(std::int64_t second, Totals& totals) const;  // adds what flows during one second

  std::uint64_t seed_;
  std::int64_t roof_watts_;
  Totals start_;                // at the anchor
  std::vector<Totals> blocks_;  // at the begin of each block of the week
  Totals week_;                 // of a whole week
};

}  // namespace meterbridge::simulator
