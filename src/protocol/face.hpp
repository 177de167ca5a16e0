// SPDX-License-Identifier: MIT
// What a simulated meter shows, by reading key.
#pragma once

#include "core/reading_key.hpp"
#include "protocol/responder.hpp"

namespace meterbridge::protocol {

// In the key's canonical unit (heat: kWh). Quantities that the face does not have get a plausible
// constant.
[[nodiscard]] Decimal shown(const ReadingKey& key, const MeterFace& face);

}  // namespace meterbridge::protocol
