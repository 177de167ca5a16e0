// SPDX-License-Identifier: MIT
// The text of a block: codes with their values in brackets.
#pragma once

#include "core/obis.hpp"
#include "core/result.hpp"
#include "protocol/telegram.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::iec62056_21 {

// code(value)(value)...; the code is empty where an answer does not repeat it.
struct Entry {
  Entry() = default;
  std::string code;
  std::vector<std::string> values;  // blanks around them are gone
};

// Where lines come from: a readout whose block check fits, one without a check, an answer.
enum class Origin : std::uint8_t { checked, plain, answer };

// Heat meters put several codes on one line; "!" ends a readout. In an answer a value may stand
// without code in front; in a checked readout a line of such values (a row of a load profile)
// belongs to the code before. Error: malformed, when any line is not well formed: without a block
// check that is the only sign of damage.
Result<std::vector<Entry>> parse_entries(std::string_view text, Origin origin);

// What a code is called in items, and which OBIS code it means.
struct Code {
  Code() = default;
  std::string address;       // "1-0:1.8.0*255" where it has all groups up to E; else as sent
  std::optional<Obis> obis;  // reduced codes belong to electricity: 1-0
  std::string plain;         // without A-B and F: "1.8.0", "F.F", "6.8"
  bool former = false;       // of an older period: *01, &02
};

[[nodiscard]] Code code_from(std::string_view text);

// "000007,4": a decimal comma, leading zeros and blanks. Nothing when it is no number.
[[nodiscard]] std::optional<Decimal> number_from(std::string_view text);

// The item of an entry; `number` = the table knows it as one even without a unit.
[[nodiscard]] Item item_from(const Entry& entry, const Code& code, bool number);

}  // namespace meterbridge::protocol::iec62056_21
