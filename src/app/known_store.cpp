// SPDX-License-Identifier: MIT
#include "app/known_store.hpp"

#include "app/state_file.hpp"

namespace meterbridge::app {

Known KnownStore::load() {
  auto text = read_whole(path_);
  if (!text) {
    if (text.error().code() != Errc::not_found) log_(true, text.error().detail());
    return {};
  }
  auto known = Known::parse(*text);
  if (known) return *known;
  log_(true, path_ + ": damaged (" + known.error().detail() +
                 "), moved aside; what was announced earlier is unknown now");
  if (auto moved = move_aside(path_); !moved) log_(true, moved.error().detail());
  return {};
}

void KnownStore::save(const Known& known) {
  auto written = write_atomically(path_, known.json());
  if (written) {
    complained_ = false;
  } else if (!complained_) {
    complained_ = true;
    log_(true, written.error().detail() +
                   "; meters that are removed from the configuration while stopped will stay in "
                   "Home Assistant until this is mended");
  }
}

}  // namespace meterbridge::app
