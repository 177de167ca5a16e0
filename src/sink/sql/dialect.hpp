// SPDX-License-Identifier: MIT
// Where MySQL and PostgreSQL differ.
#pragma once

#include "core/time.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace meterbridge::sink::sql {

// What a server must allow while the version of the tables is in [from, until).
struct Right {
  std::string_view name;
  std::string_view table;  // without prefix; empty = the schema
  std::size_t from = 0;
  std::size_t until = SIZE_MAX;
  bool builds = false;  // that table is yet to be made
};

// In all texts a # stands for the prefix of our tables.
struct Dialect {
  Dialect() = default;
  // What each version of the schema adds to the one before it. A step may be run twice: not every
  // server takes back half a one. Never changed once it was released; a change is another version.
  std::span<const std::span<const std::string_view>> versions;
  std::string_view has_table;  // one value: the table's name; a count
  std::string_view lock;       // two programs do not build at the same time
  std::string_view unlock;
  // INSERT of any number of samples with one array for each column, where the server has arrays:
  // fast, and one statement to prepare. Empty: lists of rows.
  std::string_view insert_arrays;
  std::string_view ignore;     // ends an INSERT of samples that may be there already
  std::string_view ignore_id;  // the same for a row with an id
  // Behind a SELECT: not of the time when the transaction began, but what is there now.
  std::string_view newest;
  // Rights that writing needs, one name behind the other, and how the server tells whether we have
  // one: a count or 0, from a table and the right's name.
  std::span<const Right> rights;
  std::string_view may;
  std::string_view may_in_schema;  // from the right's name
  std::string_view role;           // the role that is in force, where it hides rights
  std::string (*time)(Instant at) = nullptr;
};

[[nodiscard]] const Dialect& mysql_dialect();
[[nodiscard]] const Dialect& postgresql_dialect();

}  // namespace meterbridge::sink::sql
