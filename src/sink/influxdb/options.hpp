// SPDX-License-Identifier: MIT
// The settings of an InfluxDB sink, checked against one another.
#pragma once

#include "core/setting.hpp"
#include "io/links.hpp"
#include "sink/influxdb/line_protocol.hpp"
#include "sink/url.hpp"

#include <span>
#include <string>

namespace meterbridge::sink::influxdb {

struct Options {
  Options() = default;
  Url url;
  int version = 2;
  std::string place;   // for messages: database "meters", bucket "energy"
  std::string target;  // path and query of a write; nothing secret
  Secret login;        // whole header line, or empty
  Form form;
  bool gzip = true;
  Milliseconds timeout{};
  io::TlsOptions tls;
};

[[nodiscard]] std::span<const SettingSpec> specs();
// Error: invalid, in words.
Result<Options> options_of(const SettingValues& settings);

}  // namespace meterbridge::sink::influxdb
