// SPDX-License-Identifier: MIT
// Settings that are lists of rows (registers, codes), in profiles and in meters.
#pragma once

#include "config/section.hpp"

#include <span>
#include <vector>

namespace meterbridge::config {

// The rows of one document that are well-formed each, and where they stand.
struct Rows {
  std::vector<SettingValues> values;
  std::vector<const Node*> nodes;
};

// The fields of a map that may hold these tables, for Section; the columns of their rows behind
// them. Lives as long as the sections made from it.
class TableFields {
 public:
  explicit TableFields(std::span<const TableSpec> tables);
  TableFields(const TableFields&) = delete;
  TableFields& operator=(const TableFields&) = delete;
  ~TableFields() = default;

  [[nodiscard]] std::span<const Field> fields() const noexcept { return fields_; }

 private:
  std::vector<std::vector<Field>> columns_;
  std::vector<std::string> titles_;
  std::vector<Section> sections_;
  std::vector<Field> fields_;
};

// Adds the rows of every table that `owner` holds to `values`. Rows that are the same twice, and
// what the tables' own checks find, become problems: at the row, or at `owner` when a row that
// stands elsewhere (in the profile) does not go with the settings given here.
void read_tables(const Node& owner, std::span<const TableSpec> tables, SettingValues& values,
                 Problems& problems);

}  // namespace meterbridge::config
