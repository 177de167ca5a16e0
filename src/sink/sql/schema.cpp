// SPDX-License-Identifier: MIT
#include "sink/sql/schema.hpp"

#include "core/text.hpp"

#include <array>
#include <charconv>

namespace meterbridge::sink::sql {
namespace {

// The one number of a one-row answer; 0 for NULL.
std::size_t number_of(const std::vector<Row>& rows) {
  if (rows.empty() || rows.front().empty() || !rows.front().front()) return 0;
  const std::string& text = *rows.front().front();
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<> build(Connection& connection, const Dialect& dialect, const std::string& prefix,
               std::size_t version) {
  for (std::size_t next = version; next < dialect.versions.size(); ++next) {
    for (const std::string_view statement : dialect.versions[next]) {
      if (const auto done = connection.run(named(statement, prefix)); !done) return done.error();
    }
    const std::array<Cell, 1> number{std::to_string(next + 1)};
    const auto noted =
        connection.ask(named("INSERT INTO #schema (version) VALUES (?)", prefix), number);
    if (!noted) return noted.error();
  }
  return {};
}

Error newer(const Connection& connection, const std::string& prefix, std::size_t version,
            std::size_t known) {
  return {Errc::unsupported, connection.name() + ": the tables " + prefix + "... are of version " +
                                 std::to_string(version) + ", and this program knows " +
                                 std::to_string(known) +
                                 ": they were made by a newer one, and are left alone"};
}

}  // namespace

std::string named(std::string_view text, std::string_view prefix) {
  std::string out;
  for (const char letter : text) {
    if (letter == '#') {
      out += prefix;
    } else {
      out += letter;
    }
  }
  return out;
}

Result<std::size_t> version_of(Connection& connection, const Dialect& dialect,
                               const std::string& prefix) {
  const std::array<Cell, 1> table{prefix + "schema"};
  const auto there = connection.ask(named(dialect.has_table, prefix), table);
  if (!there) return there.error();
  if (number_of(*there) == 0) return std::size_t{0};
  const auto found = connection.ask(named("SELECT MAX(version) FROM #schema", prefix), {});
  if (!found) return found.error();
  return number_of(*found);
}

Result<> migrate(Connection& connection, const Dialect& dialect, const std::string& prefix) {
  const std::size_t known = dialect.versions.size();
  auto version = version_of(connection, dialect, prefix);
  if (!version) return version.error();
  if (*version == known) return {};
  if (*version > known) return newer(connection, prefix, *version, known);
  const auto locked = connection.ask(named(dialect.lock, prefix), {});
  if (!locked) return locked.error();
  if (!locked->empty() && locked->front().front() == Cell("0"))
    return Error(Errc::io, connection.name() + ": another program is making the tables");
  // Who held the lock until now may have done it.
  version = version_of(connection, dialect, prefix);
  if (!version) return version.error();
  if (*version > known) return newer(connection, prefix, *version, known);
  if (const auto built = build(connection, dialect, prefix, *version); !built) return built.error();
  const auto unlocked = connection.ask(named(dialect.unlock, prefix), {});
  if (!unlocked) return unlocked.error();
  return {};
}

}  // namespace meterbridge::sink::sql
