// SPDX-License-Identifier: MIT
// What a sample looks like on <base>/<meter>/sample: how a leaf tells hubs and archives of it.
// Every message says its number and the number before it of the same meter, so that who listens
// sees a gap, whatever else is numbered between them.
#pragma once

#include "journal/journal.hpp"

#include <string>
#include <string_view>

namespace meterbridge::sink::mqtt {

struct Leaf {
  std::string instance;
  std::string journal;  // its name
};

// `previous`: no sample of this meter lies between it and the entry; it need not be one of this
// meter.
[[nodiscard]] std::string sample_text(const journal::Entry& entry, journal::Sequence previous,
                                      const Leaf& leaf);

// The end of an answer to set/resend.
struct Void {
  journal::Sequence sequence = 0;  // up to it there is no sample of this meter ...
  journal::Sequence previous = 0;  // ... behind this one
  journal::Sequence newest = 0;    // that was sent; above `sequence`: ask on
  std::string missing;             // in words, where there may have been some that are not kept
};

[[nodiscard]] std::string void_text(std::string_view meter, const Void& answer, const Leaf& leaf);
[[nodiscard]] std::string sample_topic(std::string_view base, std::string_view meter);

}  // namespace meterbridge::sink::mqtt
