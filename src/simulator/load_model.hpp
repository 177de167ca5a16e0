// SPDX-License-Identifier: MIT
// A house that is not there: three phases, a roof with PV, gas and water. The same seed gives the
// same house.
#pragma once

#include "core/time.hpp"
#include "protocol/responder.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>

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
// have been, and no counter ever runs backwards. There are 32 ways in which houses live; what their
// registers began with differs for each seed. One week repeats for ever; its first day is a
// Monday. The hours of the day are those of UTC+1 whatever zone the host is in. Power is constant
// within each second, and the registers are the sums of these seconds: a face at time t holds
// everything before t.
class LoadModel {
 public:
  explicit LoadModel(std::uint64_t seed);
  ~LoadModel();
  LoadModel(LoadModel&&) noexcept;
  LoadModel& operator=(LoadModel&&) noexcept;

  [[nodiscard]] protocol::MeterFace at(Seconds now) const;
  // Watts of each phase during the second that begins at `now`; import positive. The meter counts
  // their sum.
  [[nodiscard]] std::array<std::int64_t, 3> power(Seconds now) const;
  [[nodiscard]] Totals totals(Seconds now) const;
  // 1 by day (07:00 to 23:00), 2 by night.
  [[nodiscard]] static int tariff(Seconds now);

 private:
  friend class Street;
  class Week;
  LoadModel(std::uint64_t seed, std::shared_ptr<const Week> week);
  // How this seed's house lives.
  [[nodiscard]] static std::uint64_t habits_of(std::uint64_t seed) noexcept;

  std::uint64_t seed_;
  Totals start_;  // at the anchor
  // Shared by the houses of a street: adding up every second of a week is what takes time.
  std::shared_ptr<const Week> week_;
};

// Many houses, for little more than the time and memory of a few. Each is the one that LoadModel
// makes of its seed.
class Street {
 public:
  [[nodiscard]] LoadModel house(std::uint64_t seed);

 private:
  std::map<std::uint64_t, std::shared_ptr<const LoadModel::Week>> weeks_;
};

}  // namespace meterbridge::simulator
