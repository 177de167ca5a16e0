// SPDX-License-Identifier: MIT
// MQTT topic filters: what the configuration checks, and what messages are sorted by.
#pragma once

#include <string_view>

namespace meterbridge {

// Why it is no filter; empty when it is one: + stands for a whole level, # for all that follow.
[[nodiscard]] std::string_view filter_fault(std::string_view filter) noexcept;
// Of a subscription that several programs share ($share/GROUP/FILTER): what it takes. Any other
// filter is itself.
[[nodiscard]] std::string_view unshared(std::string_view filter) noexcept;
// GROUP; empty where nothing is shared.
[[nodiscard]] std::string_view share_group(std::string_view filter) noexcept;
// Both are right, and nothing is shared. Wildcards do not match topics that begin with $.
[[nodiscard]] bool topic_matches(std::string_view filter, std::string_view topic) noexcept;
// Is there a topic that both filters match?
[[nodiscard]] bool filters_overlap(std::string_view a, std::string_view b) noexcept;

}  // namespace meterbridge
