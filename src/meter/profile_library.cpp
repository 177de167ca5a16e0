// SPDX-License-Identifier: MIT
#include "meter/profile_library.hpp"

#include "config/rows.hpp"
#include "config/section.hpp"
#include "config/settings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <zlib.h>

namespace meterbridge::meter {
namespace {

using config::Field;
using config::Kind;
using config::Many;
using config::Node;
using config::Problems;
using config::Section;

constexpr std::array line_fields{
    Field{.spec = {.name = "baud",
                   .type = SettingType::integer,
                   .help = "speed of the line",
                   .minimum = 300,
                   .maximum = 921600},
          .required = true},
    Field{.spec = {.name = "mode", .help = "data bits, parity and stop bits, for example 8N1"},
          .required = true},
};
constexpr Section line_section{"line", line_fields};

constexpr std::array test_fields{
    Field{.spec = {.name = "exchange", .help = "requests and answers in hex, in order"},
          .many = Many::named},
    Field{.spec = {.name = "telegram", .help = "captured bytes in hex"}},
    Field{.spec = {.name = "settings", .help = "protocol settings of this test only"},
          .many = Many::named},
    Field{.spec = {.name = "expect", .help = "reading keys and their values"},
          .many = Many::named,
          .required = true},
};

constexpr std::array profile_fields{
    Field{.spec = {.name = "format",
                   .type = SettingType::integer,
                   .help = "version of this format: 1",
                   .minimum = 1,
                   .maximum = 1},
          .required = true},
    Field{.spec = {.name = "id", .help = "the profile's name: lower case letters, digits and -"},
          .required = true},
    Field{.spec = {.name = "vendor", .help = "who makes the meter"}, .required = true},
    Field{.spec = {.name = "model", .help = "its model or family"}, .required = true},
    Field{.spec = {.name = "protocol", .help = "name of the wire protocol"}, .required = true},
    Field{.spec = {.name = "line", .help = "speed and framing; without it the protocol's"},
          .section = &line_section,
          .scalar = false},
    Field{.spec = {.name = "interval",
                   .type = SettingType::duration,
                   .help = "poll interval, or the usual period of a meter that sends by itself"},
          .required = true,
          .least = Milliseconds(100)},
    Field{.spec = {.name = "notes", .help = "one line for people"}},
    Field{.spec = {.name = "settings", .help = "protocol settings that this meter fixes"},
          .many = Many::named},
    Field{.spec = {.name = "tests",
                   .help = "captured exchanges and the readings that must come of them"},
          .many = Many::list},
};

bool is_profile_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// Of all protocols, for documents whose own is not known.
std::span<const TableSpec> all_tables() {
  static const std::vector<TableSpec> all = [] {
    std::vector<TableSpec> tables;
    for (const protocol::Protocol& known : protocol::protocols())
      tables.insert(tables.end(), known.tables.begin(), known.tables.end());
    return tables;
  }();
  return all;
}

// Looked up first: the protocol decides which further keys there are.
void read_protocol(const Node& root, Profile& profile, Problems& problems) {
  const Node* node = root.find("protocol");
  if (node == nullptr || node->kind != Kind::scalar) return;
  const std::string& wanted = node->scalar;
  profile.protocol = protocol::find_protocol(wanted);
  if (profile.protocol != nullptr) return;
  std::vector<std::string_view> names;
  for (const protocol::Protocol& known : protocol::protocols())
    names.push_back(known.name);
  complain(
      problems, *node,
      "this version has no protocol " + config::shown(*node) + config::suggestion(wanted, names));
}

void read_line(const Node& root, Profile& profile, Problems& problems) {
  if (profile.protocol != nullptr) profile.line = profile.protocol->line;
  const Node* node = config::map_in(root, "line");
  if (node == nullptr) return;
  const SettingValues values = read_section(*node, line_section, {}, problems);
  if (!values.has("baud") || !values.has("mode")) return;
  const auto line =
      LineSettings::parse(static_cast<std::uint32_t>(values.integer("baud")), values.text("mode"));
  if (line) {
    profile.line = *line;
  } else {
    complain(problems, *node->find("mode"), line.error().detail());
  }
}

// A map whose fields are these, and the tables of the protocol.
SettingValues read_map(const Node& node, std::string_view what, std::span<const Field> fields,
                       const protocol::Protocol* protocol, Problems& problems) {
  const config::TableFields tables(protocol == nullptr ? all_tables() : protocol->tables);
  std::vector<Field> all(fields.begin(), fields.end());
  all.insert(all.end(), tables.fields().begin(), tables.fields().end());
  return read_section(node, Section{what, all}, {}, problems);
}

void read_settings(const Node& root, const protocol::Protocol* protocol,
                   std::vector<std::pair<std::string, std::string>>& preset, Problems& problems) {
  const Node* node = config::map_in(root, "settings");
  if (node == nullptr || protocol == nullptr) return;
  for (std::size_t i = 0; i < node->members.size(); ++i) {
    const std::string& name = node->members[i].first;
    const Node& value = node->members[i].second;
    const auto specs = protocol->settings;
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&name](const SettingSpec& s) { return s.name == name; });
    if (spec == specs.end()) {
      std::vector<std::string_view> names;
      for (const SettingSpec& known : specs)
        names.push_back(known.name);
      problems.add(config::Severity::error, node->key_places[i], value.path,
                   "protocol " + std::string(protocol->name) + " has no such setting" +
                       config::suggestion(name, names));
    } else if (read_scalar(value, *spec, problems)) {
      preset.emplace_back(name, value.scalar);
    }
  }
}

void add_bytes(const Node& node, const config::Place& place, std::string_view hex, bool sent,
               ProfileTest& test, Problems& problems) {
  auto bytes = from_hex(hex);
  if (!bytes) {
    complain(problems, node, bytes.error().detail());
    return;
  }
  protocol::TranscriptLine line;
  line.sent = sent;
  line.bytes = *std::move(bytes);
  line.line = test.exchange.size() + 1;
  line.offset = test.places.size();
  test.places.push_back(place);
  test.exchange.push_back(std::move(line));
}

void read_expectations(const Node& node, ProfileTest& test, Problems& problems) {
  const Node* expect = config::map_in(node, "expect");
  if (expect == nullptr) return;
  for (std::size_t i = 0; i < expect->members.size(); ++i) {
    const auto& member = expect->members[i];
    if (!ReadingKey::parse(member.first))
      problems.add(config::Severity::error, expect->key_places[i], member.second.path,
                   "is no reading key");
    test.expect.push_back({member.first, member.second.scalar, member.second.place});
  }
}

void read_test_settings(const Node& node, const Profile& profile, ProfileTest& test,
                        Problems& problems) {
  if (profile.protocol == nullptr) return;
  Profile tested = profile;
  read_settings(node, profile.protocol, tested.preset, problems);
  test.settings = default_values(tested);
  read_tables(node, profile.protocol->tables, test.settings, problems);
}

void read_rows(const Node& root, Profile& profile, Problems& problems) {
  if (profile.protocol == nullptr) return;
  SettingValues values = default_values(profile);
  read_tables(root, profile.protocol->tables, values, problems);
  profile.rows.share_tables(values);
}

void read_tests(const Node& root, Profile& profile, Problems& problems) {
  const Node* tests = config::list_in(root, "tests");
  if (tests == nullptr) return;
  for (const Node& node : tests->items) {
    if (node.kind != Kind::map) {
      complain(problems, node, "must be a map with exchange or telegram, and expect");
      continue;
    }
    ProfileTest test;
    test.place = node.place;
    const SettingValues values = read_map(node, "a test", test_fields, profile.protocol, problems);
    read_test_settings(node, profile, test, problems);
    const Node* exchange = config::map_in(node, "exchange");
    if ((exchange != nullptr) == values.has("telegram"))
      complain(problems, node, "a test has one of exchange and telegram");
    if (exchange != nullptr) {
      for (std::size_t i = 0; i < exchange->members.size(); ++i) {
        const auto& [request, answer] = exchange->members[i];
        add_bytes(answer, exchange->key_places[i], request, true, test, problems);
        add_bytes(answer, answer.place, answer.scalar, false, test, problems);
      }
    }
    if (const Node* telegram = node.find("telegram");
        telegram != nullptr && values.has("telegram")) {
      auto bytes = from_hex(values.text("telegram"));
      if (bytes) {
        test.telegram = *std::move(bytes);
      } else {
        complain(problems, *telegram, bytes.error().detail());
      }
    }
    read_expectations(node, test, problems);
    profile.tests.push_back(std::move(test));
  }
}

Profile read_profile(const Node& root, Problems& problems) {
  Profile profile;
  profile.place = root.place;
  read_protocol(root, profile, problems);
  const SettingValues values =
      read_map(root, "a profile", profile_fields, profile.protocol, problems);
  profile.id = values.text("id");
  if (const Node* id = root.find("id");
      id != nullptr && values.has("id") && !is_profile_name(profile.id))
    complain(problems, *id,
             config::shown(*id) + " has other characters than lower case letters, digits, - and .");
  profile.vendor = values.text("vendor");
  profile.model = values.text("model");
  profile.notes = values.text("notes");
  profile.interval = values.duration("interval");
  read_line(root, profile, problems);
  read_settings(root, profile.protocol, profile.preset, problems);
  read_rows(root, profile, problems);
  read_tests(root, profile, problems);
  return profile;
}

Error error_of(const Problems& problems) {
  std::string text;
  for (const config::Problem& problem : problems.all())
    text += (text.empty() ? "" : "\n") + problem.str();
  return {Errc::invalid, std::move(text)};
}

std::string file_of(const EmbeddedProfile& shipped) {
  return "profiles/" + std::string(shipped.id) + ".yaml";
}

}  // namespace

SettingValues default_values(const Profile& profile) {
  config::ProfileFacts facts;
  facts.settings.assign(profile.protocol->settings.begin(), profile.protocol->settings.end());
  facts.preset = profile.preset;
  facts.tables = profile.protocol->tables;
  facts.rows = profile.rows;
  return config::preset_values(facts);
}

std::string profile_schema() {
  config::Catalogue protocols;
  for (const protocol::Protocol& known : protocol::protocols()) {
    config::ProfileFacts& facts = protocols.profiles.emplace_back();
    facts.protocol = known.name;
    facts.settings.assign(known.settings.begin(), known.settings.end());
    facts.tables = known.tables;
  }
  return config::profile_schema(Section{"a profile", profile_fields}, test_fields, protocols);
}

Result<ProfileLibrary> ProfileLibrary::embedded() {
  ProfileLibrary library;
  Problems problems;
  library.add_all_shipped(problems);
  if (problems.any_error()) return error_of(problems);
  return library;
}

std::string EmbeddedProfile::yaml() const {
  std::string text(std::size_t{at} + size, '\0');
  z_stream stream{};
  // zlib only reads from there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  // Negative: no header. What does not unpack so far is a wrong build, and no profile.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  const int result = inflate(&stream, Z_NO_FLUSH);
  const bool whole = (result == Z_OK || result == Z_STREAM_END) && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole ? text.erase(0, at) : std::string();
}

bool ProfileLibrary::ships(std::string_view id) noexcept {
  const auto shipped = embedded_profiles();
  return std::ranges::find(shipped, id, &EmbeddedProfile::id) != shipped.end();
}

void ProfileLibrary::add_shipped(std::string_view id, Problems& problems) {
  if (find(id) != nullptr) return;
  const auto shipped = embedded_profiles();
  const auto wanted = std::ranges::find(shipped, id, &EmbeddedProfile::id);
  if (wanted != shipped.end()) add(wanted->yaml(), file_of(*wanted), problems);
}

void ProfileLibrary::add_all_shipped(Problems& problems) {
  for (const EmbeddedProfile& shipped : embedded_profiles())
    add_shipped(shipped.id, problems);
}

void ProfileLibrary::keep_for_meters(const std::set<std::string, std::less<>>& ids) {
  std::erase_if(profiles_, [&ids](const Profile& profile) { return !ids.contains(profile.id); });
  profiles_.shrink_to_fit();
  for (Profile& profile : profiles_)
    profile.tests = {};
}

Result<std::string> ProfileLibrary::add(std::string_view yaml, const std::string& file_name) {
  Problems problems;
  std::string id = add(yaml, file_name, problems);
  if (problems.any_error()) return error_of(problems);
  return id;
}

std::string ProfileLibrary::add(std::string_view yaml, const std::string& file_name,
                                Problems& problems) {
  Problems own;
  const Node root = config::parse_yaml(yaml, file_name, {}, own);
  Profile profile;
  if (root.kind == Kind::map) {
    profile = read_profile(root, own);
  } else if (!own.any_error()) {
    complain(own, root, "a profile is a map (format, id, vendor, model, protocol, interval)");
  }
  own.sort();
  for (const config::Problem& problem : own.all())
    problems.add(problem.severity, problem.place, problem.path, problem.text);
  if (own.any_error()) return {};
  std::string id = profile.id;
  const auto at = std::lower_bound(
      profiles_.begin(), profiles_.end(), profile.id,
      [](const Profile& known, const std::string& wanted) { return known.id < wanted; });
  if (at != profiles_.end() && at->id == profile.id) {
    *at = std::move(profile);
  } else {
    profiles_.insert(at, std::move(profile));
  }
  return id;
}

const Profile* ProfileLibrary::find(std::string_view id) const noexcept {
  const auto at = std::find_if(profiles_.begin(), profiles_.end(),
                               [id](const Profile& profile) { return profile.id == id; });
  return at == profiles_.end() ? nullptr : &*at;
}

std::vector<std::string_view> ProfileLibrary::names() const {
  std::vector<std::string_view> names;
  for (const Profile& profile : profiles_)
    names.push_back(profile.id);
  return names;
}

}  // namespace meterbridge::meter
