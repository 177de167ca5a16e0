// SPDX-License-Identifier: MIT
// One program for each instance and state directory at a time.
#pragma once

#include "config/settings.hpp"
#include "core/result.hpp"
#include "io/descriptor.hpp"

#include <memory>
#include <optional>
#include <string>

namespace meterbridge::app {

// Held for as long as it lives; the kernel takes it back from whoever dies. Null where the folder
// does not exist yet or has no locks. Error: io, in words, when another program holds it.
Result<std::unique_ptr<io::Descriptor>> claim_instance(const config::Settings& settings);

// Who holds it now, in words; nothing when nobody does, or when it cannot be told. Leaves no trace.
[[nodiscard]] std::optional<std::string> holder_of_instance(const config::Settings& settings);

}  // namespace meterbridge::app
