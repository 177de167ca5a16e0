// SPDX-License-Identifier: MIT
// From the payload of a file to the values of its list: SML_GetList.Res.
#pragma once

#include "core/decimal.hpp"
#include "core/obis.hpp"
#include "core/result.hpp"
#include "protocol/sml/tlv.hpp"

#include <optional>
#include <vector>

namespace meterbridge::protocol::sml {

// SML_ListEntry. Times are not kept: most meters send the seconds since some start of their own.
struct Entry {
  Entry() = default;

  Obis code;
  std::optional<std::uint64_t> status;
  std::uint8_t unit = 255;    // COSEM code, 255 = none
  std::optional<int> scaler;  // nothing: one without meaning
  Element value;              // a list: without its content
};

// Refers to the payload.
struct List {
  List() = default;

  ByteView server_id;
  std::vector<Entry> entries;
};

// Error: malformed, with the position in the payload; unsupported when no message has a list.
Result<> read_list(ByteView payload, List& list);

}  // namespace meterbridge::protocol::sml
