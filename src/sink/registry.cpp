// SPDX-License-Identifier: MIT
#include "sink/csv/csv.hpp"
#include "sink/graphite/graphite.hpp"
#include "sink/influxdb/influxdb.hpp"
#include "sink/left_out.hpp"
#include "sink/mqtt/mqtt.hpp"
#include "sink/mysql/mysql.hpp"
#include "sink/postgresql/postgresql.hpp"
#include "sink/sink.hpp"

#include <algorithm>

namespace meterbridge::sink {

boost::asio::awaitable<Result<std::string>> Sink::check() {
  co_return Error(Errc::unsupported, "a place of this type is tried only by writing");
}

Result<std::unique_ptr<Sink>> left_out(const boost::asio::any_io_executor&, Setup) {
  return Error(Errc::invalid,
               "this program was built without files and databases as sinks (METERBRIDGE_SINKS)");
}

std::span<const Kind> kinds() {
  static const std::vector<Kind> table{csv::kind(),   influxdb::kind(),   graphite::kind(),
                                       mysql::kind(), postgresql::kind(), mqtt::kind()};
  return table;
}

const Kind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(kinds(), name, &Kind::name);
  return found == kinds().end() ? nullptr : &*found;
}

}  // namespace meterbridge::sink
