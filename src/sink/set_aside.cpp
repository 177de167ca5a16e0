// SPDX-License-Identifier: MIT
#include "sink/set_aside.hpp"

#include "core/json_writer.hpp"
#include "io/state_file.hpp"

#include <cstdio>

#include <sys/stat.h>

namespace meterbridge::sink {

std::string set_aside_line(const journal::Entry& entry, const std::string& reason) {
  JsonWriter json;
  json.object()
      .member("sequence", entry.sequence)
      .member("meter", entry.sample.meter)
      .member("time", iso_utc(entry.sample.at))
      .member("reason", reason);
  json.key("readings").object();
  for (const Reading& reading : entry.sample.readings)
    json.member(reading.key.text(), reading.value);
  json.end().end();
  return json.text() + "\n";
}

Result<> set_aside(const std::string& path, const std::string& line) {
  struct stat facts {};

  if (::stat(path.c_str(), &facts) == 0 &&
      static_cast<std::size_t>(facts.st_size) + line.size() > most_set_aside) {
    (void)std::rename(path.c_str(), (path + ".1").c_str());
  }
  return io::append_whole(path, line);
}

}  // namespace meterbridge::sink
