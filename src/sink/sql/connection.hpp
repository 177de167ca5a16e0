// SPDX-License-Identifier: MIT
// One connection to a database that speaks SQL. Everything here blocks, up to the limit of its
// options: it is for a worker's thread.
#pragma once

#include "core/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace meterbridge::sink::sql {

using Cell = std::optional<std::string>;  // nothing = NULL
using Row = std::vector<Cell>;

// Errors are sentences with the server's place. Their codes: malformed = the server dislikes a
// value, and the connection is fine; access = login or right; all others = whatever it was, the
// connection must be made anew.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual Result<> open() = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
  virtual void close() = 0;
  // A statement without values.
  virtual Result<> run(const std::string& text) = 0;

  // Around a transaction. Where its end gets lost on the way, the server never hears of this
  // connection again and must let go of the rows by itself, or nobody writes them any more.
  virtual Result<> begin() { return run("BEGIN"); }

  virtual Result<> end(const std::string& how) { return run(how); }

  // With a ? for each value; prepared once for each text.
  virtual Result<std::vector<Row>> ask(const std::string& text, std::span<const Cell> values) = 0;
  // "db.local:3306", for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

}  // namespace meterbridge::sink::sql
