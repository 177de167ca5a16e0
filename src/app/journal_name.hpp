// SPDX-License-Identifier: MIT
// What hubs call our journal: its numbers mean nothing in another one.
#pragma once

#include "app/state_store.hpp"
#include "config/settings.hpp"
#include "journal/journal.hpp"

#include <string>
#include <string_view>

namespace meterbridge::app {

// Stays, until a journal is found that gives lower numbers than were given before: then it is
// another one, whose numbers would be taken for those of samples that hubs have. A new journal goes
// on above the old one, and needs no new name. `given`: Journal::given() at the start.
[[nodiscard]] std::string journal_name(const config::Settings& settings, journal::Sequence given,
                                       const StateStore::Log& log);

// A number such that the meter has no sample between it and `number`: that of the one before it,
// where that is not far.
[[nodiscard]] journal::Sequence nothing_since(journal::Journal& journal, std::string_view meter,
                                              journal::Sequence number);

}  // namespace meterbridge::app
