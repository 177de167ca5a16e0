// SPDX-License-Identifier: MIT
#include "config/rows.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace meterbridge::config {
namespace {

// More than any meter has: a bound for what somebody may hand us.
constexpr std::size_t most_rows = 2000;

std::string place_of(const Node& node) {
  return node.place.line > 0 ? "line " + std::to_string(node.place.line) : node.path;
}

// "energy_import" of the row, for messages.
std::string name_of(const TableSpec& table, const SettingValues& row) {
  return table.identity.empty() ? std::string{} : sanitised(row.text(table.identity.front()), 60);
}

Rows read_rows(const Node& list, const TableSpec& table, const Section& section,
               Problems& problems) {
  Rows rows;
  if (list.items.size() > most_rows) {
    complain(problems, list, "has more than " + std::to_string(most_rows) + " rows");
    return rows;
  }
  for (const Node& node : list.items) {
    if (node.missing) continue;
    if (node.kind != Kind::map) {
      complain(problems, node, "must be a map, for example {" + std::string(table.example) + "}");
      continue;
    }
    const std::size_t before = problems.all().size();
    SettingValues row = read_section(node, section, {}, problems);
    if (problems.all().size() != before) continue;
    const auto twice = std::ranges::find_if(
        rows.values, [&](const SettingValues& other) { return same_row(table, row, other); });
    if (!table.identity.empty() && twice != rows.values.end()) {
      const Node& first = *rows.nodes[static_cast<std::size_t>(twice - rows.values.begin())];
      complain(problems, node, name_of(table, row) + " is there already (" + place_of(first) + ")");
      continue;
    }
    rows.values.push_back(std::move(row));
    rows.nodes.push_back(&node);
  }
  return rows;
}

void tell(const Node& owner, const TableSpec& table, const Rows& rows, const SettingValues& values,
          const RowFault& fault, Problems& problems) {
  // Beyond the last row: it is the setting of that name, by which the rows are read.
  if (fault.row >= values.rows(table.name).size()) {
    const Node* settings = map_in(owner, "settings");  // of a profile; a meter has them beside it
    const Node* setting = (settings == nullptr ? owner : *settings).find(fault.column);
    complain(problems, setting == nullptr ? owner : *setting, fault.text);
    return;
  }
  const SettingValues& faulty = values.rows(table.name)[fault.row];
  const auto at = std::ranges::find(rows.values, faulty);
  if (at == rows.values.end()) {
    complain(problems, owner,
             "a row of the profile does not go with these settings: " + name_of(table, faulty) +
                 ": " + fault.column + ": " + fault.text);
    return;
  }
  const Node& row = *rows.nodes[static_cast<std::size_t>(at - rows.values.begin())];
  const Node* column = row.find(fault.column);
  complain(problems, column == nullptr ? row : *column, fault.text);
}

}  // namespace

TableFields::TableFields(std::span<const TableSpec> tables) {
  // Everything below is pointed to: no vector may grow after a pointer was taken.
  columns_.reserve(tables.size());
  titles_.reserve(tables.size());
  sections_.reserve(tables.size());
  for (const TableSpec& table : tables) {
    std::vector<Field>& columns = columns_.emplace_back();
    for (const SettingSpec& spec : table.columns) {
      Field& field = columns.emplace_back();
      field.spec = spec;
      field.required = std::ranges::count(table.required, spec.name) != 0;
    }
    titles_.push_back("a row of " + std::string(table.name));
    sections_.push_back(Section{titles_.back(), columns});
    Field& field = fields_.emplace_back();
    field.spec = SettingSpec{.name = table.name, .help = table.help};
    field.section = &sections_.back();
    field.many = Many::list;
    field.scalar = false;
  }
}

void read_tables(const Node& owner, std::span<const TableSpec> tables, SettingValues& values,
                 Problems& problems) {
  const TableFields fields(tables);
  std::vector<Rows> own(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const Node* list = list_in(owner, tables[i].name);
    if (list == nullptr) continue;
    own[i] = read_rows(*list, tables[i], *fields.fields()[i].section, problems);
    values.add_rows(tables[i], own[i].values);
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (tables[i].check == nullptr) continue;
    for (const RowFault& fault : tables[i].check(values))
      tell(owner, tables[i], own[i], values, fault, problems);
  }
}

}  // namespace meterbridge::config
