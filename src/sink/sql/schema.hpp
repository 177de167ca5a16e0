// SPDX-License-Identifier: MIT
// Makes our tables, and brings older ones up to date. Forward only.
#pragma once

#include "sink/sql/connection.hpp"
#include "sink/sql/dialect.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace meterbridge::sink::sql {

// Every # of a text becomes the prefix.
[[nodiscard]] std::string named(std::string_view text, std::string_view prefix);
// The version of the tables that are there; 0 = none.
Result<std::size_t> version_of(Connection& connection, const Dialect& dialect,
                               const std::string& prefix);
// Error: unsupported, when the tables are of a newer program; else what the connection says. Where
// nothing is to be done, no right to make tables is needed.
Result<> migrate(Connection& connection, const Dialect& dialect, const std::string& prefix);

}  // namespace meterbridge::sink::sql
