// SPDX-License-Identifier: MIT
// Tables of codes: what a maker's own identifications (C900, ET0PE) mean. A table is data: from
// the lists below, from a profile, or from the configuration.
#pragma once

#include "core/reading.hpp"
#include "core/setting.hpp"
#include "protocol/iec62056_21/lines.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::iec62056_21 {

enum class Form : std::uint8_t {
  number,  // with its decimal point as sent
  counts,  // an integer of `scale` each; separators between its digits are ignored
  text,
  date,   // [w.]DD.MM.YY; w = day of the week
  time,   // hh:mm:ss
  dated,  // DD.MM.YY, a comma, and the number
};

// One value of the answer to one code.
struct CodeRow {
  CodeRow() = default;
  std::string code;
  std::string arguments;  // what is sent between the brackets
  int part = 1;           // which of the values, from 1
  int of = 0;             // only when there are so many; 0 = however many
  ReadingKey key;         // form date and time: clock
  Form form = Form::number;
  Unit unit = Unit::none;
  Decimal scale{1};
  int digits = 0;           // only the first so many digits; 0 = all
  std::string absent;       // a value that means "no such code"
  bool once = false;        // does not change: read at the begin and every 200 polls
  bool doubt_zero = false;  // a zero is asked for a second time
  std::string instead_of;   // asked only of meters that refuse that code
};

using CodeTable = std::vector<CodeRow>;

// energomera_dlms: of CE207, CE208, CE307 and CE308 those whose registers are in the archive.
enum class Family : std::uint8_t { none, energomera, energomera_dlms, neva };

// Several codes in one request: GRPNM(VOLTA()FREQU()); the answer has their names in front.
inline constexpr std::string_view group_code = "GRPNM";

// Codes of the makers that have a table of their own.
[[nodiscard]] const CodeTable& table_of(Family family);
[[nodiscard]] Family family_of(std::string_view maker) noexcept;

// Whether a request with these arguments is for a value of now, not for one of an archive.
[[nodiscard]] bool asks_for_now(const CodeTable& table, std::string_view code,
                                std::string_view arguments);

// Answers that give a name more than once are one entry, and values between commas are parts.
[[nodiscard]] std::vector<Entry> joined(std::vector<Entry> entries, const CodeTable& table);

[[nodiscard]] bool knows(const CodeTable& table, std::string_view code);
// The row of that part of an entry; null when there is none.
[[nodiscard]] const CodeRow* row_of(const CodeTable& table, const Entry& entry, int part);
// The value of a row, scaled. Error: malformed, with what is wrong; not_found for the absent text.
Result<Decimal> number_of(const CodeRow& row, std::string_view sent);
// An entry as item, and its readings (not the clock) into `meter`.
[[nodiscard]] Item coded_item(const CodeTable& table, const Entry& entry);
void add_coded(const CodeTable& table, const Entry& entry, MeterReadings& meter);
// True when no row of this entry found a value in it.
[[nodiscard]] bool is_absent(const CodeTable& table, const Entry& entry);

}  // namespace meterbridge::protocol::iec62056_21
