// SPDX-License-Identifier: MIT
// What may go to a broker. libmosquitto checks some of it too, but answers with numbers and after
// queueing.
#pragma once

#include "core/result.hpp"
#include "mqtt/message.hpp"

#include <string>
#include <string_view>

namespace meterbridge::mqtt {

inline constexpr std::size_t max_topic_bytes = 65535;          // a 16-bit length on the wire
inline constexpr std::size_t max_payload_bytes = 256UL << 20;  // more does not fit the length field

// Errors: invalid, in words that name the topic.
[[nodiscard]] Result<> publishable(const Message& message, bool binary_payload);
// A filter may hold wildcards: + as a whole level, # as the last one.
[[nodiscard]] Result<> subscribable(std::string_view filter);

}  // namespace meterbridge::mqtt
