// SPDX-License-Identifier: MIT
// Where `journal import` reads and writes, and in which zone.
#pragma once

#include "config/settings.hpp"
#include "core/result.hpp"
#include "io/descriptor.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace meterbridge::cli {

// Files as they are named; of folders, what is in them. Error: not_found or io, in words.
Result<std::vector<std::string>> files_of(std::span<const std::string> words);

// At most so many samples are in the files. What cannot be read to its end is named and taken out
// of them. Error: not_found, a file that is not there at all.
Result<std::uint64_t> most_samples_of(std::vector<std::string>& files);

// What is wrong with an id that samples are to get; empty = nothing. Settings may be null; `fresh`:
// the user says that no meter of theirs is meant.
[[nodiscard]] std::string wrong_id(const std::string& id, const config::Settings* settings,
                                   bool fresh);

// From now on local times are those of this zone. Error: invalid.
Result<> use_zone(const std::string& zone);

// Why the service could not write to the journal afterwards. Empty when all is well.
[[nodiscard]] std::string owner_fault(const std::string& path);

// Held while it lives. `refused` says who has it; settings may be null.
std::unique_ptr<io::Descriptor> claim_journal(const std::string& path,
                                              const config::Settings* settings,
                                              std::optional<Error>& refused);

}  // namespace meterbridge::cli
