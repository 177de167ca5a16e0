// SPDX-License-Identifier: MIT
// What the meters that we know send, as tables: for the simulator and for tests.
#pragma once

#include "core/obis.hpp"
#include "protocol/dlms/axdr.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace meterbridge::protocol::dlms {

inline constexpr std::array<std::string_view, 23> model_names = {
    "kaifa-ma309m",          // Netz NÖ
    "kaifa-ma309-west",      // TINETZ, Salzburg, VKW, IKB, EW Reutte
    "kaifa-ma110-west",      // the same, one phase
    "sagemcom-t210-d",       // firmware of May 2023 and later
    "sagemcom-t210-d-2022",  // before: 257 bytes in a frame that says 1
    "landis-gyr-e450",       // Styria
    "landis-gyr-e450-bgld",  // Burgenland
    "landis-gyr-e450-cii",   // Switzerland, Cyprus
    "iskra-am550-wien",
    "iskra-am550-kaernten",
    "iskra-am550",  // in clear, Slovenia and Switzerland
    "siemens-im350",
    "aidon-6534",  // Norway, three phases
    "aidon-6525",  // Norway, IT network: no current of L2
    "aidon-6515",  // Norway, one phase
    "aidon-se",
    "kaifa-ma304",     // Norway, three phases
    "kaifa-ma304h3e",  // Norway, IT network: no voltage of L2
    "kaifa-ma105",     // Norway, one phase
    "kaifa-ma304-se",
    "kamstrup-omnipower",  // Denmark
    "kamstrup-han-nve",    // Norway, Sweden
    "landis-gyr-e350",     // Norway
};

// Where a field's content comes from.
enum class What : std::uint8_t {
  import,  // energies
  exported,
  import_t1,
  import_t2,
  export_t1,
  export_t2,
  reactive_import,
  reactive_export,
  power_import,
  power_export,
  power_import_l1,
  power_import_l2,
  power_import_l3,
  power_export_l1,
  power_export_l2,
  power_export_l3,
  reactive_power_import,
  reactive_power_export,
  voltage_l1,
  voltage_l2,
  voltage_l3,
  current_l1,
  current_l2,
  current_l3,
  power_factor,
  frequency,
  zero,
  clock,
  time_of_day,
  date,
  version,
  number,
  type,
  device_name,
  empty,
  list_itself,
};

struct Field {
  Obis code;
  What what = What::zero;
  Tag tag = Tag::uint32;
  std::int8_t scaler = 0;
  std::uint8_t unit = 255;
};

enum class Shape : std::uint8_t {
  flat,         // clock; code, value, {scaler, unit} ...; number
  structured,   // code, clock; then {code, value} and {code, value, {scaler, unit}}
  array,        // an array of such structures
  structures,   // a structure of such structures
  pairs,        // code, value ...; a version or clock in front stands without code
  places,       // bare values
  descriptors,  // what comes, then the values
};

enum class Line : std::uint8_t { mbus, mbus_wrapped, hdlc, hdlc_segments, hdlc_blocks };

// How the meter writes its time.
enum class Stamp : std::uint8_t {
  offset,  // UTC+1 and says so
  house,   // the time of the house, and says nothing
  norway,  // UTC+1, and says that it is UTC
  absent,  // no time in the head
};

struct Model {
  std::string_view name;
  Shape shape = Shape::flat;
  Line line = Line::hdlc;
  std::uint8_t security = 0x30;  // when it has a key
  std::string_view title;
  Stamp stamp = Stamp::house;
  bool octet_head = false;  // Kaifa in Norway: the head's time is a whole octet string
  std::span<const Field> fields;
  std::string_view version = {};
  std::string_view number = {};
  std::string_view type = {};
};

[[nodiscard]] std::span<const Model> central_models() noexcept;
[[nodiscard]] std::span<const Model> nordic_models() noexcept;
// The first one when there is no such model.
[[nodiscard]] const Model& model_of(std::string_view name) noexcept;

}  // namespace meterbridge::protocol::dlms
