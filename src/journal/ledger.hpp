// SPDX-License-Identifier: MIT
// What the journal knows of its database without asking it, and what may leave it.
#pragma once

#include "journal/store.hpp"

#include <limits>
#include <map>
#include <string>

namespace meterbridge::journal {

// How far down the numbers of imports are used; there when there were any.
inline constexpr std::string_view imported_mark = "imported";

struct Cursor {
  Cursor() = default;
  Sequence at = 0;
  std::uint64_t dropped = 0;
  bool active = false;  // asked for since the start: what is behind it is kept for it
};

struct Ledger {
  Ledger() = default;
  Sequence committed = 0;
  Sequence oldest = 0;
  Sequence reserved = 0;    // may be given; a restart begins above it
  std::uint64_t front = 0;  // by which a front's file is known to belong to this database
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;
  std::uint64_t damaged = 0;
  bool imported = false;  // then numbers do not go with the time
  std::map<std::string, Cursor, std::less<>> cursors;

  // An entry that leaves before its time is a loss for each sink that still wants it.
  void drop(Sequence sequence);
  // The database is gone, with what was not delivered.
  void lose_all();
  // Up to here every sink has everything.
  [[nodiscard]] Sequence taken() const;
  [[nodiscard]] Status status() const;  // as far as it is known here
};

struct Limits {
  Limits() = default;
  std::optional<Instant> before;  // older entries leave, unless a sink still wants them
  std::uint64_t size = 0;         // bytes of the database; what is above leaves in any case
};

// The ledger of an opened database.
Result<Ledger> recall(Store& store);
// Inside a transaction: counts and cursors.
Result<> write_marks(Store& store, const Ledger& ledger);
// Inside a transaction: lets the oldest leave. True when there is more to do than one transaction
// should.
Result<bool> make_room(Store& store, Ledger& ledger, const Limits& limits);

}  // namespace meterbridge::journal
