// SPDX-License-Identifier: MIT
// What goes wrong between a meter and us, on request and repeatable (contract.md 6).
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "protocol/responder.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace meterbridge::simulator {

enum class FaultKind : std::uint8_t {
  noise,      // random bytes before, within or after the transmission
  flip,       // one bit is wrong
  cut,        // the end is missing
  silence,    // nothing is sent
  late,       // sent `lateness` later, when nobody expects it any more
  echo,       // the adapter returns what it was sent
  foreign,    // answered as another address
  swap,       // the previous transmission once more instead of this one
  zero,       // the counters stand at 0
  jump,       // the counters stand far above
  wrong_key,  // encrypted with another key
  hangup,     // half of it, then the link goes away and comes back
  master,     // another master asks a meter of its own right before the answer
};
inline constexpr std::size_t fault_kinds = 13;
inline constexpr double default_fault_rate = 0.1;
inline constexpr Milliseconds lateness{2000};

[[nodiscard]] std::string_view name(FaultKind kind) noexcept;  // "wrong-key"
[[nodiscard]] std::span<const std::string_view> fault_names() noexcept;

// How often each kind happens: the share of transmissions, 0 to 1.
struct FaultRates {
  std::array<double, fault_kinds> rate{};
  // Every answer takes so long; at random between the two.
  Milliseconds least_delay{};
  Milliseconds most_delay{};

  [[nodiscard]] double of(FaultKind kind) const { return rate[static_cast<std::size_t>(kind)]; }
};

// "flip=0.1" or "flip" (then default_fault_rate) is added to `rates`. Error: invalid, with the
// nearest known kind.
Result<> add_fault(FaultRates& rates, std::string_view text);

// One piece of what goes over the line.
struct Emission {
  explicit Emission(Bytes b) : bytes(std::move(b)) {}

  Bytes bytes;           // empty: swallowed by `silence`
  std::string topic;     // of a message: its last levels
  Milliseconds delay{};  // from now
  bool hang_up = false;  // after the bytes
};

// The dice of one meter. The same seed and the same calls give the same faults.
class Faults {
 public:
  Faults(const FaultRates& rates, std::uint64_t seed) : rates_(rates), random_(seed) {}

  // What the meter gets wrong by itself. Drawn before it speaks; counts once it has (`spoken`).
  struct Mood {
    bool zero = false;
    bool jump = false;
    protocol::Mischief mischief;
  };

  [[nodiscard]] Mood mood();
  void spoken(const Mood& mood);
  static void alter(const Mood& mood, protocol::MeterFace& face);

  // What the line does to a transmission.
  [[nodiscard]] Emission distort(Bytes transmission);
  [[nodiscard]] bool echoes();

  // How often each kind has happened.
  [[nodiscard]] std::uint64_t count(FaultKind kind) const {
    return counts_[static_cast<std::size_t>(kind)];
  }

 private:
  [[nodiscard]] bool draw(FaultKind kind);  // does not count
  [[nodiscard]] bool strikes(FaultKind kind);
  [[nodiscard]] std::size_t below(std::size_t limit);
  void disturb(Bytes& bytes);

  FaultRates rates_;
  std::mt19937_64 random_;
  std::array<std::uint64_t, fault_kinds> counts_{};
  Bytes previous_;
};

}  // namespace meterbridge::simulator
