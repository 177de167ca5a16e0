// SPDX-License-Identifier: MIT
#pragma once

#include "app/known.hpp"
#include "app/wait.hpp"

#include <functional>
#include <string>

namespace meterbridge::app {

// Keeps Known in its file. A damaged file is moved aside and never stops the start; a folder that
// cannot be written is said once.
class KnownStore {
 public:
  using Log = std::function<void(bool warning, const std::string& line)>;

  KnownStore(std::string path, Log log) : path_(std::move(path)), log_(std::move(log)) {}

  Known load();
  void save(const Known& known);

 private:
  std::string path_;
  Log log_;
  bool complained_ = false;
};

}  // namespace meterbridge::app
