// SPDX-License-Identifier: MIT
// What one message of a program that reads many meters says of one of them.
#pragma once

#include "core/reading.hpp"
#include "core/result.hpp"
#include "protocol/json/text.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::json {

struct Heard {
  Heard() = default;
  std::string medium;  // "water": the first part of the sub-meter's name
  std::string id;      // letters and digits: the second
  MeterIdentity identity;
  std::optional<Seconds> time;
  std::vector<Reading> readings;  // the first of a key counts
  std::string remark;             // why values that are there are not taken

  void add(Result<Reading> reading);
};

// The words of sub-meters' names by M-Bus device type: "water", "heat", ...; "other" where none
// fits.
[[nodiscard]] std::string_view medium_of_type(unsigned type) noexcept;

// {"media":"water","meter":"multical21","id":"12345678","total_m3":6.408,...}. Error: unsupported.
Result<Heard> heard_by_wmbusmeters(std::span<const Leaf> leaves);
// {"model":"SCMplus","id":12345678,"Consumption":6883,...}. Error: unsupported, in words.
Result<Heard> heard_by_rtl_433(std::span<const Leaf> leaves);
// The same for a value on a topic of its own, rtl_433/HOST/devices/MODEL/.../ID/FIELD: as if it
// were a document. Nothing where the topic is not of this form.
[[nodiscard]] std::optional<std::vector<Leaf>> rtl_433_leaves(std::string_view topic,
                                                              std::string_view payload);

// An identity is made of it: letters and digits only, not too long.
[[nodiscard]] bool is_identity(std::string_view id) noexcept;
// The leaf of that pointer; null when there is none or it has no value.
[[nodiscard]] const Leaf* leaf_at(std::span<const Leaf> leaves, std::string_view pointer) noexcept;
[[nodiscard]] std::vector<std::string_view> levels_of(std::string_view topic);

}  // namespace meterbridge::protocol::json
