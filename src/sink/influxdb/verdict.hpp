// SPDX-License-Identifier: MIT
// What an answer to a write means: a pure function.
#pragma once

#include "sink/http_client.hpp"
#include "sink/influxdb/options.hpp"

#include <string>

namespace meterbridge::sink::influxdb {

enum class Fate : std::uint8_t {
  taken,
  poison,     // something in it will never be taken; the rest may be, or may be already
  too_large,  // in smaller pieces, please
  wait,       // later, please
  failed,     // login, place, server: the same again may succeed once somebody did something
};

struct Verdict {
  Verdict() = default;
  Fate fate = Fate::failed;
  std::string words;  // what is wrong and what to do; empty when taken
  Milliseconds pause{};
};

[[nodiscard]] Verdict judge(const HttpAnswer& answer, const Options& options);
// Whether the answer to a write without a point says only that there was none: all else was right.
[[nodiscard]] bool misses_points(const Verdict& verdict);
// Whether the words speak of one field, not of the whole point.
[[nodiscard]] bool is_about_a_field(std::string_view words);
// Whether the words can only speak of points, and never of the request as a whole.
[[nodiscard]] bool is_about_points(std::string_view words);

}  // namespace meterbridge::sink::influxdb
