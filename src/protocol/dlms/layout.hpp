// SPDX-License-Identifier: MIT
// Step 5 of 5: which value of the tree means what. Chosen by the shape of the tree, never by the
// operator's name:
//
//   A, B, C, E, H: pairs of an OBIS code and a value, flat or in structures, some with {scaler,
//   unit} D, G: bare values that mean something by their place F: a list of descriptors, then one
//   value for each
#pragma once

#include "core/obis.hpp"
#include "protocol/dlms/axdr.hpp"
#include "protocol/obis_catalogue.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::dlms {

enum class Make : std::uint8_t {
  unknown,
  aidon,
  elster,
  iskraemeco,
  kaifa,
  kamstrup,
  landis_gyr,
  sagemcom,
  siemens,
};

[[nodiscard]] std::string_view name(Make make) noexcept;

struct Entry {
  Entry() = default;
  Obis code;
  std::optional<ObisMeaning> meaning;
  const Node* value = nullptr;
  int scaler = 0;         // a power of ten
  std::string_view unit;  // "Wh"; empty: none
  bool scaled = false;    // scaler and unit are known: from the telegram, or of this make
};

struct List {
  List() = default;
  std::vector<Entry> entries;
  Make make = Make::unknown;
  std::string_view version;       // "KFM_001", "AIDON_V0001"
  std::optional<DateTime> clock;  // of the body, where it stands without a code
};

// The entries refer to the tree. Error: unsupported (nothing in it that we know).
Result<> read_list(const Tree& tree, std::string_view system_title, List& list);

// Codes by place, for the meters that send no codes (layouts D and G), with what stands there:
//   V list version   T text   C clock (12)   h time (4)   d date (5)   O code, not shown
//   N number of 16 or 32 bits   U number of 16 bits   B boolean   x any single value
struct Places {
  std::string_view form;
  Make make = Make::unknown;
  std::span<const Obis> codes;  // at least one for each letter
};

[[nodiscard]] const Places* places_of(const Tree& tree) noexcept;

// Scaler and unit of meters that send none. raw: Kamstrup's firmwares differ in the voltage only,
// by a factor that no mains voltage can hide.
struct Scale {
  int scaler = 0;
  std::string_view unit;
};

[[nodiscard]] std::optional<Scale> usual_scale(Make make, const ObisMeaning& meaning,
                                               const Decimal& raw) noexcept;

}  // namespace meterbridge::protocol::dlms
