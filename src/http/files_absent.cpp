// SPDX-License-Identifier: MIT
#ifndef METERBRIDGE_WITH_WEB  // else: made by the build, from web/
#include "http/files.hpp"

namespace meterbridge::http {

std::span<const File> files() noexcept {
  return {};
}

}  // namespace meterbridge::http

#endif
