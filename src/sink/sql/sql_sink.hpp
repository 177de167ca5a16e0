// SPDX-License-Identifier: MIT
// The sink of every database that speaks SQL.
#pragma once

#include "sink/sink.hpp"
#include "sink/sql/connection.hpp"
#include "sink/sql/dialect.hpp"
#include "sink/sql/options.hpp"

#include <memory>

namespace meterbridge::sink::sql {

[[nodiscard]] std::unique_ptr<Sink> make_sink(const boost::asio::any_io_executor& executor,
                                              const Setup& setup, const Options& options,
                                              std::unique_ptr<Connection> connection,
                                              const Dialect& dialect);

}  // namespace meterbridge::sink::sql
