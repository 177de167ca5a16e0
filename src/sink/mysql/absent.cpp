// SPDX-License-Identifier: MIT
// In place of mysql.cpp where the program is built without METERBRIDGE_MYSQL.
#include "sink/mysql/mysql.hpp"
#include "sink/sql/options.hpp"

namespace meterbridge::sink::mysql {
namespace {

Result<std::unique_ptr<Sink>> make(const boost::asio::any_io_executor&, Setup) {
  return Error(Errc::invalid, "this program was built without MySQL (METERBRIDGE_MYSQL)");
}

}  // namespace

Kind kind() {
  return {"mysql", "MySQL and MariaDB; see [sql.md](sql.md).", sql::specs(), &make};
}

std::string library_version() {
  return {};
}

}  // namespace meterbridge::sink::mysql
