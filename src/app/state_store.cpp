// SPDX-License-Identifier: MIT
#include "app/state_store.hpp"

#include "io/state_file.hpp"

#include <unistd.h>

namespace meterbridge::app {

StateStore::Found StateStore::load_file(const std::string& path, const Take& take) {
  auto text = io::read_whole(path);
  if (!text) {
    if (text.error().code() == Errc::not_found) return Found::nothing;
    log_(true, text.error().detail());
    return Found::damaged;
  }
  const auto taken = take(*text);
  if (taken) return Found::good;
  log_(true, path + ": damaged (" + taken.error().detail() + "), moved aside");
  if (auto moved = io::move_aside(path); !moved) log_(true, moved.error().detail());
  return Found::damaged;
}

void StateStore::load(const Take& take) {
  const Found newest = load_file(path_, take);
  if (newest == Found::good) return;
  const Found previous = load_file(path_ + ".previous", take);
  if (previous == Found::good) {
    log_(true, path_ + ": not usable; what was saved before it is taken");
  } else if (newest == Found::damaged || previous == Found::damaged) {
    log_(true, path_ + ": " + words_.lost);
  }
}

void StateStore::save(std::string_view content) {
  // A second name, so that the file itself is never missing. Where a file system has no links there
  // is no previous generation.
  const std::string previous = path_ + ".previous";
  (void)::unlink(previous.c_str());
  (void)!::link(path_.c_str(), previous.c_str());
  auto written = io::write_atomically(path_, content);
  if (written) {
    complained_ = false;
  } else if (!complained_) {
    complained_ = true;
    log_(true, written.error().detail() + "; " + words_.unkept);
  }
}

}  // namespace meterbridge::app
