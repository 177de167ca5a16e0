// SPDX-License-Identifier: MIT
// The meter catalogue: profiles are YAML documents, compiled in, and overridden from a user folder.
#pragma once

#include "config/document.hpp"
#include "core/line_settings.hpp"
#include "core/setting.hpp"
#include "core/time.hpp"
#include "protocol/registry.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::meter {

struct EmbeddedProfile {
  std::string_view id;  // "p1", from profiles/p1.yaml: known without parsing (a test compares)
  std::string_view
      packed;            // it and others, deflated as one: a fifth of their size (flash is little)
  std::uint32_t at = 0;  // where it begins among them
  std::uint32_t size = 0;  // as a file

  [[nodiscard]] std::string yaml() const;
};

// Generated at build time from profiles/*.yaml.
std::span<const EmbeddedProfile> embedded_profiles();

// A captured exchange or telegram, and the readings that must come of it (as text).
struct ProfileTest {
  ProfileTest() = default;
  std::vector<protocol::TranscriptLine> exchange;
  Bytes telegram;

  struct Expectation {
    std::string key;
    std::string value;
    config::Place place;
  };

  std::vector<Expectation> expect;
  config::Place place;
  std::vector<config::Place> places;  // of the lines of the exchange; their offsets count them
  SettingValues settings;             // the profile's, with what this test adds
};

// A meter type. `preset` holds the protocol settings that the profile fixes (the user may override
// them).
struct Profile {
  Profile() = default;
  std::string id;  // "energomera-ce307"
  std::string vendor;
  std::string model;
  std::string notes;  // one line for people
  const protocol::Protocol* protocol = nullptr;
  LineSettings line;
  Milliseconds interval{};  // polled: default poll interval; pushed: the usual period
  std::vector<std::pair<std::string, std::string>> preset;
  SettingValues rows;  // of the protocol's tables (registers, codes)
  config::Place place;
  std::vector<ProfileTest> tests;
};

// What a meter of this profile has when its user says nothing: defaults, preset and rows.
[[nodiscard]] SettingValues default_values(const Profile& profile);

// JSON Schema (draft 2020-12) of a profile, for editors.
[[nodiscard]] std::string profile_schema();

// Parsing all that are shipped costs more than the rest of a start: who needs one asks for that
// one.
class ProfileLibrary {
 public:
  // Every embedded profile. Error: invalid as file:line:column (a bug that a test catches).
  static Result<ProfileLibrary> embedded();
  // Whether an embedded profile has this id.
  [[nodiscard]] static bool ships(std::string_view id) noexcept;
  // Adds embedded profiles: that of the id when there is one, or all. Those that are in the library
  // already stay: a user's own takes the place of a shipped one.
  void add_shipped(std::string_view id, config::Problems& problems);
  void add_all_shipped(config::Problems& problems);
  // Adds or replaces by one document; file_name is for messages.
  // Its id.
  Result<std::string> add(std::string_view yaml, const std::string& file_name);
  // The same, for who collects problems. Empty when it was not added.
  std::string add(std::string_view yaml, const std::string& file_name, config::Problems& problems);
  [[nodiscard]] const Profile* find(std::string_view id) const noexcept;

  [[nodiscard]] std::span<const Profile> all() const noexcept { return profiles_; }

  [[nodiscard]] std::vector<std::string_view> names() const;

  // Lets go of all others, and of what only proves a profile.
  void keep_for_meters(const std::set<std::string, std::less<>>& ids);

 private:
  std::vector<Profile> profiles_;  // sorted by id
};

}  // namespace meterbridge::meter
