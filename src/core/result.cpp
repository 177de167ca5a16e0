// SPDX-License-Identifier: MIT
#include "core/result.hpp"

#include <array>
#include <cstddef>
#include <stdexcept>

namespace meterbridge {
namespace {

constexpr std::array<std::string_view, 20> names = {
    "bug",       "cancelled", "invalid",        "not_found", "no_device",
    "io",        "timeout",   "no_frame",       "truncated", "malformed",
    "checksum",  "key",       "authentication", "replay",    "unsupported",
    "exception", "access",    "mismatch",       "refused",   "watchdog",
};

// Asking an empty Result for its value is a bug in the program, never a consequence of input.
class EmptyResult final : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace

std::string_view name(Errc code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : names[0];
}

void throw_exception_from_error(const Error& error, const boost::source_location& place) {
  throw EmptyResult("value of a failed result was asked for in " + place.to_string() + ": " +
                    std::string(name(error.code())) + ": " + error.detail());
}

}  // namespace meterbridge
