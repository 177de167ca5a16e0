// SPDX-License-Identifier: MIT
// The files of the page, from web/: a table that the build makes (cmake/web.cmake).
#pragma once

#include <span>
#include <string_view>

namespace meterbridge::http {

struct File {
  std::string_view path;  // below the listener's root, without a slash at its begin: "index.html"
  std::string_view type;  // for Content-Type
  std::string_view gzip;  // the content, compressed
  bool immutable;         // its name has a hash of its content: may be kept for ever
};

// Empty in builds without the page (METERBRIDGE_WEB=OFF).
[[nodiscard]] std::span<const File> files() noexcept;

}  // namespace meterbridge::http
