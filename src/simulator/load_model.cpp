// SPDX-License-Identifier: MIT
#include "simulator/load_model.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace meterbridge::simulator {
namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::int64_t week_seconds = 7 * day_seconds;
constexpr std::int64_t block_seconds = 600;
// Monday 2024-01-01 00:00 of UTC+1: when the meter was installed.
constexpr std::int64_t anchor = 1'704'067'200 - 3600;

// Watts of a household by the hour, before the large appliances.
constexpr std::array<std::int64_t, 25> household{210, 190, 180, 180, 190, 260, 520, 640, 480,
                                                 390, 360, 380, 460, 420, 370, 360, 420, 620,
                                                 860, 980, 940, 760, 520, 320, 210};
// Slots in a thousand in which the kettle (three minutes) and the cooker (ten minutes) are on.
constexpr std::array<std::int64_t, 24> kettle{0,   0,  0,  0,  0,  40, 190, 240, 120, 60, 60, 50,
                                              110, 60, 50, 90, 70, 60, 120, 110, 80,  60, 20, 0};
constexpr std::array<std::int64_t, 24> cooker{0,   0,   0, 0, 0,  0,   80,  120, 60, 20, 60, 350,
                                              420, 120, 0, 0, 60, 380, 520, 300, 60, 0,  0,  0};
// Of the heating's ten-minute slots in a thousand.
constexpr std::array<std::int64_t, 24> burner{90,  90,  90,  120, 200, 420, 520, 480,
                                              320, 260, 220, 200, 180, 180, 200, 240,
                                              320, 400, 440, 420, 360, 280, 180, 120};
constexpr std::array<std::int64_t, 24> taps{4,  2,  2,  2,  4,  40, 190, 210, 90,  50, 40, 60,
                                            90, 60, 40, 40, 60, 90, 140, 150, 110, 90, 50, 15};

constexpr std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

constexpr std::int64_t below(std::uint64_t hash, std::int64_t limit) {
  return static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(limit));
}

constexpr std::size_t hour_of(std::int64_t second) {
  return static_cast<std::size_t>(second % day_seconds / 3600);
}

struct Place {
  std::int64_t week;
  std::int64_t second;  // of the week
};

Place place_of(Seconds now) {
  const std::int64_t since = now.time_since_epoch().count() - anchor;
  std::int64_t week = since / week_seconds;
  if (since % week_seconds < 0) --week;
  return {week, since - week * week_seconds};
}

constexpr int tariff_of(std::int64_t second) {
  const std::size_t hour = hour_of(second);
  return hour >= 7 && hour < 23 ? 1 : 2;
}

Decimal watt_hours(std::int64_t watt_seconds) {
  return Decimal(watt_seconds * 5 / 18, -3);
}

Decimal cubic_metres(std::int64_t cm3) {
  return Decimal(cm3 / 1000, -3);
}

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

std::uint64_t hash(std::uint64_t seed, Dice dice, std::int64_t number, std::size_t phase = 0) {
  const std::uint64_t which = static_cast<std::uint64_t>(dice) * 4 + phase;
  return mix(seed ^ mix(which << 48U ^ static_cast<std::uint64_t>(number)));
}

}  // namespace

Totals& Totals::operator+=(const Totals& other) {
  for (std::size_t i = 0; i < import_ws.size(); ++i) {
    import_ws[i] += other.import_ws[i];
    export_ws[i] += other.export_ws[i];
  }
  gas_cm3 += other.gas_cm3;
  water_cm3 += other.water_cm3;
  return *this;
}

// What one way to live takes and gives in a week.
class LoadModel::Week {
 public:
  explicit Week(std::uint64_t habits);

  [[nodiscard]] std::array<std::int64_t, 3> power(std::int64_t second) const {
    return power(minute_of(second), second);
  }

  // Of the whole week.
  [[nodiscard]] const Totals& whole() const noexcept { return whole_; }

  // From its begin.
  [[nodiscard]] Totals until(std::int64_t second) const;

 private:
  // What stays the same for a minute: the dice of all slots, whose lengths are whole minutes.
  struct Minute {
    std::int64_t today = 0;                    // percent of the usual rest
    std::array<std::int64_t, 3> appliances{};  // watts
    std::int64_t sky = 0;                      // percent of a clear one
    std::int64_t gas = 0;                      // cubic centimetres a second
    std::int64_t water = 0;
  };

  [[nodiscard]] Minute minute_of(std::int64_t second) const;
  [[nodiscard]] std::array<std::int64_t, 3> power(const Minute& minute, std::int64_t second) const;
  [[nodiscard]] std::int64_t sunshine(const Minute& minute, std::int64_t second) const;
  // Adds what flows from one second to another.
  void pass(std::int64_t from, std::int64_t to, Totals& totals) const;

  std::uint64_t seed_;
  std::int64_t roof_watts_;
  std::vector<Totals> blocks_;  // at the begin of each block of the week
  Totals whole_;
};

LoadModel::Week::Week(std::uint64_t habits)
    : seed_(mix(habits)), roof_watts_(2500 + below(hash(seed_, Dice::roof, 0), 3000)) {
  blocks_.reserve(week_seconds / block_seconds);
  for (std::int64_t second = 0; second < week_seconds; second += block_seconds) {
    blocks_.push_back(whole_);
    pass(second, second + block_seconds, whole_);
  }
}

LoadModel::Week::Minute LoadModel::Week::minute_of(std::int64_t second) const {
  const std::size_t hour = hour_of(second);
  const auto die = [&](Dice dice, std::int64_t slot) { return hash(seed_, dice, second / slot); };
  const auto on = [&](Dice dice, std::int64_t slot, std::int64_t chance) {
    return below(die(dice, slot), 1000) < chance;
  };
  Minute minute;
  minute.today = 85 + below(die(Dice::day_size, day_seconds), 40);
  if (second / 60 % 45 < 15) minute.appliances[0] = 95;  // the refrigerator
  if (on(Dice::kettle_slot, 180, kettle[hour])) minute.appliances[1] = 2000;
  if (on(Dice::cooker_slot, 600, cooker[hour])) minute.appliances[2] = 1800;
  minute.sky = 35 + below(die(Dice::cloud, block_seconds), 66);
  if (on(Dice::burner_slot, 600, burner[hour])) minute.gas = 440;  // 1.6 m³/h
  const std::uint64_t tap = die(Dice::tap_slot, 120);
  if (below(tap, 1000) < taps[hour]) minute.water = 60 + below(tap >> 20U, 120);
  return minute;
}

// A parabola from six to eight, less the clouds, which change every ten minutes and flicker a
// little.
std::int64_t LoadModel::Week::sunshine(const Minute& minute, std::int64_t second) const {
  constexpr std::int64_t rise = 21'600;
  constexpr std::int64_t length = 50'400;
  const std::int64_t x = second % day_seconds - rise;
  if (x <= 0 || x >= length) return 0;
  const std::int64_t clear = 4 * x * (length - x) / length * roof_watts_ / length;
  return clear * minute.sky / 100;
}

std::array<std::int64_t, 3> LoadModel::Week::power(const Minute& minute,
                                                   std::int64_t second) const {
  const std::size_t hour = hour_of(second);
  const std::int64_t within = second % 3600;
  const std::int64_t rest = (household[hour] * (3600 - within) + household[hour + 1] * within) /
                            3600 * minute.today / 100;
  std::array<std::int64_t, 3> watts{rest / 2, rest * 3 / 10, rest / 5};
  const std::int64_t sun = sunshine(minute, second);
  for (std::size_t phase = 0; phase < watts.size(); ++phase) {
    watts[phase] += minute.appliances[phase] - sun / 3 - 10 +
                    below(hash(seed_, Dice::jitter, second, phase), 21);
  }
  return watts;
}

void LoadModel::Week::pass(std::int64_t from, std::int64_t to, Totals& totals) const {
  while (from < to) {
    const Minute minute = minute_of(from);
    const std::int64_t end = std::min(to, from - from % 60 + 60);
    const auto tariff = static_cast<std::size_t>(tariff_of(from) - 1);
    totals.gas_cm3 += minute.gas * (end - from);
    totals.water_cm3 += minute.water * (end - from);
    for (; from < end; ++from) {
      const auto watts = power(minute, from);
      const std::int64_t sum = watts[0] + watts[1] + watts[2];
      (sum >= 0 ? totals.import_ws : totals.export_ws)[tariff] += sum >= 0 ? sum : -sum;
    }
  }
}

Totals LoadModel::Week::until(std::int64_t second) const {
  const std::int64_t block = second / block_seconds;
  Totals sum = blocks_[static_cast<std::size_t>(block)];
  pass(block * block_seconds, second, sum);
  return sum;
}

std::uint64_t LoadModel::habits_of(std::uint64_t seed) noexcept {
  constexpr std::uint64_t ways_to_live = 32;
  return seed % ways_to_live;
}

LoadModel::LoadModel(std::uint64_t seed)
    : LoadModel(seed, std::make_shared<const Week>(habits_of(seed))) {}

LoadModel::LoadModel(std::uint64_t seed, std::shared_ptr<const Week> week)
    : seed_(mix(seed)), week_(std::move(week)) {
  const auto first = [&](std::int64_t which, std::int64_t from, std::int64_t range) {
    return from + below(hash(seed_, Dice::first_state, which), range);
  };
  constexpr std::int64_t kwh = 3'600'000;
  start_.import_ws = {first(0, 2000 * kwh, 6000 * kwh), first(1, 1000 * kwh, 3000 * kwh), 0, 0};
  start_.export_ws = {first(2, 500 * kwh, 3000 * kwh), first(3, 0, 20 * kwh), 0, 0};
  start_.gas_cm3 = first(4, 500'000'000, 3'000'000'000);
  start_.water_cm3 = first(5, 50'000'000, 400'000'000);
}

LoadModel::~LoadModel() = default;
LoadModel::LoadModel(LoadModel&&) noexcept = default;
LoadModel& LoadModel::operator=(LoadModel&&) noexcept = default;

LoadModel Street::house(std::uint64_t seed) {
  const std::uint64_t habits = LoadModel::habits_of(seed);
  auto& week = weeks_[habits];
  if (week == nullptr) week = std::make_shared<const LoadModel::Week>(habits);
  return {seed, week};
}

int LoadModel::tariff(Seconds now) {
  return tariff_of(place_of(now).second);
}

std::array<std::int64_t, 3> LoadModel::power(Seconds now) const {
  return week_->power(place_of(now).second);
}

Totals LoadModel::totals(Seconds now) const {
  const Place place = place_of(now);
  // A host whose clock stands before the anchor (a router without battery) has a meter that does
  // not count yet.
  if (place.week < 0) return start_;
  Totals sum = start_;
  const Totals& whole = week_->whole();
  for (std::size_t i = 0; i < sum.import_ws.size(); ++i) {
    sum.import_ws[i] += place.week * whole.import_ws[i];
    sum.export_ws[i] += place.week * whole.export_ws[i];
  }
  sum.gas_cm3 += place.week * whole.gas_cm3;
  sum.water_cm3 += place.week * whole.water_cm3;
  sum += week_->until(place.second);
  return sum;
}

protocol::MeterFace LoadModel::at(Seconds now) const {
  const std::int64_t second = place_of(now).second;
  const auto watts = week_->power(second);
  const Totals sum = totals(now);
  protocol::MeterFace face;
  face.now = now;
  face.tariff = tariff_of(second);
  for (std::size_t phase = 0; phase < watts.size(); ++phase) {
    const std::int64_t tenths =
        2320 - watts[phase] / 150 + below(hash(seed_, Dice::volts, second / 3, phase), 31) - 15;
    const std::int64_t magnitude = watts[phase] < 0 ? -watts[phase] : watts[phase];
    face.voltage[phase] = Decimal(tenths, -1);
    face.current[phase] = Decimal(magnitude * 1000 / tenths, -2);
    face.power[phase] = Decimal(watts[phase]);
  }
  face.frequency = Decimal(4995 + below(hash(seed_, Dice::hertz, second / 2), 11), -2);
  for (std::size_t i = 0; i < sum.import_ws.size(); ++i) {
    face.energy_import[i] = watt_hours(sum.import_ws[i]);
    face.energy_export[i] = watt_hours(sum.export_ws[i]);
  }
  face.gas = cubic_metres(sum.gas_cm3);
  face.water = cubic_metres(sum.water_cm3);
  return face;
}

}  // namespace meterbridge::simulator
