// SPDX-License-Identifier: MIT
// Whether the server would let us write, asked without writing.
#pragma once

#include "sink/sql/connection.hpp"
#include "sink/sql/dialect.hpp"

#include <string>

namespace meterbridge::sink::sql {

// Rights that tables of this version still want, in words ("CREATE; UPDATE on t_meters"); empty =
// all are there. Error: unsupported, when the server's answer does not tell.
Result<std::string> lacking_rights(Connection& connection, const Dialect& dialect,
                                   const std::string& prefix, std::size_t version);

}  // namespace meterbridge::sink::sql
