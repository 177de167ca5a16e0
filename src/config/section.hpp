// SPDX-License-Identifier: MIT
// One declaration per setting: a table of fields says what a map may hold. The reader, the JSON
// schema and the documentation table all walk the same tables, so they cannot disagree.
#pragma once

#include "config/document.hpp"
#include "core/setting.hpp"

#include <span>
#include <string>
#include <string_view>

namespace meterbridge::config {

enum class Many : std::uint8_t {
  one,
  list,   // a list of entries
  named,  // a map from names that the user chooses to entries
  one_or_named,
};

struct Section;

// A key of a map. `spec` names it and describes its form as one value; `section` its form as a map.
// Some have both
// (`tls: true` and `tls: {ca: ...}`). With `many` both describe each entry.
struct Field {
  SettingSpec spec;
  const Section* section = nullptr;
  Many many = Many::one;
  bool scalar = true;
  bool required = false;
  Milliseconds least{0};        // of a duration
  std::string_view later = {};  // promised for a later version: the sentence that refuses it today
};

struct Section {
  std::string_view what;  // "a meter"
  std::span<const Field> fields;
};

[[nodiscard]] const Field* find_field(const Section& section, std::string_view name) noexcept;

struct Catalogue;
// JSON Schema of a profile's file: its fields, and for each protocol (one entry of the catalogue
// each) what `settings` and the protocol's tables may hold, in the profile and in its tests.
[[nodiscard]] std::string profile_schema(const Section& profile, std::span<const Field> test,
                                         const Catalogue& protocols);

// Adds an error at a node's place and path.
void complain(Problems& problems, const Node& node, std::string text);
// The node's value for a message: quoted, bounded, and `!secret NAME` for what must not be
// repeated.
[[nodiscard]] std::string shown(const Node& node);
// "; did you mean \"x\"?" or nothing.
[[nodiscard]] std::string suggestion(std::string_view word,
                                     std::span<const std::string_view> candidates);

// One value against its spec: adds a problem and returns nothing when it does not fit. Weak keys
// are refused.
std::optional<SettingValues::Stored> read_scalar(const Node& node, const SettingSpec& spec,
                                                 Problems& problems);

// A map against its section: kinds, unknown and missing keys, and all single values. `extra` are
// further single values that this map may hold (a meter's protocol settings). Defaults are filled
// in; entries of `section` fields are left to the caller, who finds them well-kinded or not at all.
SettingValues read_section(const Node& node, const Section& section,
                           std::span<const SettingSpec> extra, Problems& problems);

// The member when it is there with a fitting kind (a null counts as absent), for the caller to go
// on with.
[[nodiscard]] const Node* map_in(const Node& node, std::string_view name) noexcept;
[[nodiscard]] const Node* list_in(const Node& node, std::string_view name) noexcept;

}  // namespace meterbridge::config
