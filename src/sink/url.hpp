// SPDX-License-Identifier: MIT
// Where a database is: http://HOST[:PORT][/PATH].
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace meterbridge::sink {

struct Url {
  Url() = default;
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string path;  // "" or "/influx": without a stroke at the end

  [[nodiscard]] std::string host_header() const;
};

// Error: invalid, in words. Users, passwords and queries have no place in it: addresses are shown.
Result<Url> parse_url(std::string_view text);
// For a value of a query: all but letters, digits and -._~ as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace meterbridge::sink
