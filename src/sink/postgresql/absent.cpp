// SPDX-License-Identifier: MIT
// In place of postgresql.cpp where the program is built without METERBRIDGE_POSTGRESQL.
#include "sink/postgresql/postgresql.hpp"
#include "sink/sql/options.hpp"

namespace meterbridge::sink::postgresql {
namespace {

Result<std::unique_ptr<Sink>> make(const boost::asio::any_io_executor&, Setup) {
  return Error(Errc::invalid, "this program was built without PostgreSQL (METERBRIDGE_POSTGRESQL)");
}

}  // namespace

Kind kind() {
  return {"postgresql", "PostgreSQL, TimescaleDB; see [sql.md](sql.md).", sql::specs(), &make};
}

std::string library_version() {
  return {};
}

}  // namespace meterbridge::sink::postgresql
