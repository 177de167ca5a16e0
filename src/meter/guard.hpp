// SPDX-License-Identifier: MIT
// The counter guard: a cumulative register never goes out lower than before, nor higher than
// physics allows, and a measured value never out of its range (P15, P16, P17, P30). Refused values
// are held, said, and released by confirmation or by the user. Pure: time is handed in.
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"
#include "core/result.hpp"
#include "meter/limits.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::meter {

// `wall` may jump or be unset; `steady` counts only within one run.
struct Moment {
  Instant wall{};
  std::chrono::steady_clock::time_point steady{};
};

// What must survive a restart.
struct GuardMemory {
  struct Register {
    Register() = default;
    Decimal value;  // as published
    Unit unit = Unit::none;
    Instant at{};             // when it was read
    std::string scale;        // factor and offset of the configuration at that time
    Decimal carried;          // what `replace` adds to go on from the old meter's reading
    bool carry_next = false;  // the new meter's first value tells how much that is
  };

  // A register's value that is not believed yet. By the wall clock: `run --once` is a new run each
  // time.
  struct Held {
    Held() = default;
    Decimal first;
    Decimal latest;
    Instant since{};
    Instant latest_at{};
    int confirmations = 0;
    bool provable = true;  // false: no repetition makes it true (out of range, another meter)
    bool wraps = false;    // fell by so much that the counter may just have begun again with 0
    std::string why;
  };

  GuardMemory() = default;
  std::string serial;                // of the meter that the registers belong to
  std::vector<std::string> earlier;  // serials of meters that were replaced, oldest first
  std::string newcomer;              // of the meter that answers instead
  Instant newcomer_since{};
  int newcomer_seen = 0;
  std::map<ReadingKey, Register> registers;
  std::map<ReadingKey, Held> held;  // of measured values only within a run
};

// How a replaced meter's entities go on: with the new meter's own reading, or with the old reading
// plus what the new meter counts from now.
enum class Continuation : std::uint8_t { new_cycle, carry_on };

class Guard {
 public:
  explicit Guard(const config::MeterSettings& settings) : settings_(&settings) {}

  struct Notice {
    enum class Kind : std::uint8_t { refused, released, replaced } kind;
    std::string text;
  };

  struct Verdict {
    std::vector<Notice> notices;  // what began or ended with this sample; one each, however long
    std::size_t refused = 0;      // readings of this sample that were taken out
    std::string why;              // of the first of them
  };

  // Takes out of the sample what must not be published, and puts the last value where the
  // difference is below the resolution.
  Verdict admit(Sample& sample, const Moment& now);
  // Believes what is held, of one key or of all. Error: not_found when nothing is held.
  Result<std::string> accept(std::optional<ReadingKey> key, const Moment& now);
  Result<std::string> replace(Continuation how, const Moment& now);

  // Readings that are held back now.
  [[nodiscard]] std::size_t held() const noexcept;

  [[nodiscard]] GuardMemory memory() const;

  void restore(GuardMemory memory);
  // True once after a decision that must be on disk before the next value.
  [[nodiscard]] bool take_decided() noexcept;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Held = GuardMemory::Held;

  // What this run saw of a register or measured value.
  struct Track {
    Track() = default;
    std::optional<Decimal> last;   // of a measured value
    std::optional<Time> grown;     // of a register: when it changed last in this run
    std::optional<Time> believed;  // of a register: when it was read last in this run
    Limits limits;
    std::string scale;
  };

  enum class Decision : std::uint8_t { take, keep_old, refuse };

  Track& track_of(const Reading& reading);
  Decision judge(Reading& reading, Track& track, const Moment& now, Verdict& verdict);
  Decision judge_register(Reading& reading, Track& track, const Moment& now, Verdict& verdict);
  Decision judge_fall(Reading& reading, Track& track, GuardMemory::Register& before,
                      const Moment& now, Verdict& verdict);
  [[nodiscard]] bool may_wrap(const Reading& reading, const Track& track,
                              const GuardMemory::Register& before, const Moment& now) const;
  void count_on(Reading& reading, GuardMemory::Register& before);
  void follow_wraps(Sample& sample, const Moment& now, Verdict& verdict);
  Decision hold(const Reading& reading, Track& track, bool provable, std::string why,
                const Moment& now, Verdict& verdict);
  void settle(const Reading& reading, Track& track, const Moment& now, Verdict& verdict);
  void compare_scale(const Reading& reading, const std::string& scale, Verdict& verdict);
  void carry(Reading& reading, const std::string& scale, Verdict& verdict);
  void moved(const ReadingKey& key);
  void look_at_serial(const Sample& sample, const Moment& now, Verdict& verdict);
  void adopt_newcomer(Continuation how, const Moment& now);
  [[nodiscard]] bool convinced(const ReadingKey& key, const Held& held, const Moment& now) const;
  [[nodiscard]] bool follows(const Reading& reading, const Track& track, const Held& held,
                             const Moment& now) const;
  [[nodiscard]] double per_hour(const Reading& reading, const Track& track) const;
  [[nodiscard]] bool too_fast(const Reading& reading, const Track& track,
                              const GuardMemory::Register& old, const Moment& now) const;

  const config::MeterSettings* settings_;  // outlives the guard
  GuardMemory memory_;
  std::map<ReadingKey, Track> tracks_;
  double watts_ = 0;  // largest power reading of the sample at hand
  bool decided_ = false;
};

}  // namespace meterbridge::meter
