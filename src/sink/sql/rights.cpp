// SPDX-License-Identifier: MIT
#include "sink/sql/rights.hpp"

#include "sink/sql/schema.hpp"

#include <array>
#include <utility>
#include <vector>

namespace meterbridge::sink::sql {
namespace {

Result<bool> has(Connection& connection, const Dialect& dialect, const std::string& prefix,
                 const Right& right) {
  const std::array<Cell, 2> values{prefix + std::string(right.table), std::string(right.name)};
  const bool schema = right.table.empty();
  const auto got = connection.ask(std::string(schema ? dialect.may_in_schema : dialect.may),
                                  schema ? std::span(values).last(1) : std::span(values));
  if (!got) return got.error();
  return !got->empty() && !got->front().empty() && got->front().front().value_or("0") != "0";
}

// Rights that come by a role are not in the server's list of ours.
bool has_a_role(Connection& connection, const Dialect& dialect) {
  if (dialect.role.empty()) return false;
  const auto got = connection.ask(std::string(dialect.role), {});
  if (!got || got->empty() || got->front().empty()) return false;  // a server without roles
  const std::string role = got->front().front().value_or("NONE");
  return role != "NONE" && !role.empty();
}

}  // namespace

Result<std::string> lacking_rights(Connection& connection, const Dialect& dialect,
                                   const std::string& prefix, std::size_t version) {
  std::vector<std::pair<std::string_view, std::string>> lacking;  // a right, and on what
  for (const Right& right : dialect.rights) {
    if (version < right.from || version >= right.until) continue;
    const auto there = has(connection, dialect, prefix, right);
    if (!there) return Error(Errc::unsupported, there.error().detail());
    if (*there) continue;
    if (lacking.empty() || lacking.back().first != right.name)
      lacking.emplace_back(right.name, std::string());
    std::string& tables = lacking.back().second;
    if (right.table.empty() || right.builds) continue;
    tables += (tables.empty() ? " on " : ", ") + prefix + std::string(right.table);
  }
  if (lacking.empty()) return std::string();
  if (has_a_role(connection, dialect)) return Error(Errc::unsupported, "its rights come by a role");
  std::string text;
  for (const auto& [name, tables] : lacking)
    text += (text.empty() ? "" : "; ") + std::string(name) + tables;
  return text;
}

}  // namespace meterbridge::sink::sql
