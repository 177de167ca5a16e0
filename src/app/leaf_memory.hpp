// SPDX-License-Identifier: MIT
// What a hub has of its leaves, over its own end: a small file now and then, and what the journal
// got since. So nothing is taken twice and nothing left out, whichever way the program ended.
#pragma once

#include "app/arrivals.hpp"
#include "app/state_store.hpp"
#include "config/settings.hpp"
#include "journal/journal.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace meterbridge::app {

class LeafMemory {
 public:
  using Time = std::chrono::steady_clock::time_point;

  LeafMemory(const config::Settings& settings, StateStore::Log log);

  // The journal may be null: then the file is all there is. `shared`: whether other hubs have a
  // part of what this meter of ours brings.
  void load(Arrivals& arrivals, journal::Journal* journal,
            const std::function<bool(const std::string& meter)>& shared);
  // Once a second, when all that was taken is in the journal.
  void tick(const Arrivals& arrivals, const journal::Journal* journal, Time now);
  // The end: all is on the disk.
  void save(const Arrivals& arrivals, journal::Sequence at);

 private:
  struct Snapshot {
    Snapshot() = default;
    std::string text;
    Time taken;
  };

  StateStore store_;
  Milliseconds settling_;  // until what was committed is surely on the disk
  std::optional<Snapshot> next_;
};

}  // namespace meterbridge::app
