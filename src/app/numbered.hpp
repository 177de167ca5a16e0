// SPDX-License-Identifier: MIT
// Samples that another instance of this program (a leaf) read and numbered.
#pragma once

#include "core/reading.hpp"
#include "protocol/telegram.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::app {

// What a hub needs to take each sample once, in order, and to ask for those that are missing.
struct Numbered {
  Numbered() = default;
  std::string journal;         // of the leaf; numbers of another one mean nothing
  std::uint64_t number = 0;    // of this sample
  std::uint64_t previous = 0;  // between this number and ours the meter has no other
  std::uint64_t newest = 0;    // that the leaf has sent, as far as it says so
  std::string topic;           // of the meter at the leaf: where it can be asked
  std::string missing;         // in words: what lies between is not kept any more
};

struct NumberedSample : Sample {
  NumberedSample() = default;

  explicit NumberedSample(Sample sample) : Sample(std::move(sample)) {}

  Numbered numbered;
};

// "2026-11-20T18:30:00.250Z", with or without the fraction.
[[nodiscard]] std::optional<Instant> instant_of(const std::string& text);
// What a message of a leaf says of its sample, or that there is none. `parent`: our meter.
[[nodiscard]] std::optional<NumberedSample> numbered_sample(const protocol::Telegram& telegram,
                                                            const std::string& parent);
// In the journal the number is kept as the sample's document, which has no other use for a
// sub-meter.
[[nodiscard]] std::string mark_of(const Numbered& numbered);
[[nodiscard]] std::optional<Numbered> numbered_in(const Sample& sample);

}  // namespace meterbridge::app
