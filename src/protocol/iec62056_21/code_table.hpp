// SPDX-License-Identifier: MIT
// The setting `codes`: a table of codes as profiles and users write it.
#pragma once

#include "core/setting.hpp"
#include "protocol/iec62056_21/codes.hpp"

#include <span>

namespace meterbridge::protocol::iec62056_21 {

[[nodiscard]] std::span<const TableSpec> code_tables() noexcept;
// Error: invalid, with row and column.
Result<CodeTable> code_table_from(const SettingValues& settings);

}  // namespace meterbridge::protocol::iec62056_21
