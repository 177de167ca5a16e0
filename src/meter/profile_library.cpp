// SPDX-License-Identifier: MIT
#include "meter/profile_library.hpp"

#include "config/section.hpp"

#include <algorithm>
#include <array>
#include <utility>

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
    Field{.spec = {.name = "expect", .help = "reading keys and their values"},
          .many = Many::named,
          .required = true},
};
constexpr Section test_section{"a test", test_fields};

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
          .section = &test_section,
          .many = Many::list,
          .scalar = false},
};
constexpr Section profile_section{"a profile", profile_fields};

bool is_profile_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

void read_protocol(const Node& root, const SettingValues& values, Profile& profile,
                   Problems& problems) {
  const Node* node = root.find("protocol");
  if (node == nullptr || !values.has("protocol")) return;
  const std::string wanted = values.text("protocol");
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

void read_preset(const Node& root, Profile& profile, Problems& problems) {
  const Node* node = config::map_in(root, "settings");
  if (node == nullptr || profile.protocol == nullptr) return;
  for (std::size_t i = 0; i < node->members.size(); ++i) {
    const std::string& name = node->members[i].first;
    const Node& value = node->members[i].second;
    const auto specs = profile.protocol->settings;
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&name](const SettingSpec& s) { return s.name == name; });
    if (spec == specs.end()) {
      std::vector<std::string_view> names;
      for (const SettingSpec& known : specs)
        names.push_back(known.name);
      problems.add(config::Severity::error, node->key_places[i], value.path,
                   "protocol " + std::string(profile.protocol->name) + " has no such setting" +
                       config::suggestion(name, names));
    } else if (read_scalar(value, *spec, problems)) {
      profile.preset.emplace_back(name, value.scalar);
    }
  }
}

void add_bytes(const Node& node, std::string_view hex, bool sent, ProfileTest& test,
               Problems& problems) {
  auto bytes = from_hex(hex);
  if (!bytes) {
    complain(problems, node, bytes.error().detail());
    return;
  }
  protocol::TranscriptLine line;
  line.sent = sent;
  line.bytes = *std::move(bytes);
  line.line = test.exchange.size() + 1;
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
    test.expect.emplace_back(member.first, member.second.scalar);
  }
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
    const SettingValues values = read_section(node, test_section, {}, problems);
    const Node* exchange = config::map_in(node, "exchange");
    if ((exchange != nullptr) == values.has("telegram"))
      complain(problems, node, "a test has one of exchange and telegram");
    if (exchange != nullptr) {
      for (std::size_t i = 0; i < exchange->members.size(); ++i) {
        const auto& [request, answer] = exchange->members[i];
        add_bytes(answer, request, true, test, problems);
        add_bytes(answer, answer.scalar, false, test, problems);
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
  const SettingValues values = read_section(root, profile_section, {}, problems);
  profile.id = values.text("id");
  if (const Node* id = root.find("id");
      id != nullptr && values.has("id") && !is_profile_name(profile.id))
    complain(problems, *id,
             config::shown(*id) + " has other characters than lower case letters, digits, - and .");
  profile.vendor = values.text("vendor");
  profile.model = values.text("model");
  profile.notes = values.text("notes");
  profile.interval = values.duration("interval");
  read_protocol(root, values, profile, problems);
  read_line(root, profile, problems);
  read_preset(root, profile, problems);
  read_tests(root, profile, problems);
  return profile;
}

}  // namespace

Result<ProfileLibrary> ProfileLibrary::embedded() {
  ProfileLibrary library;
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    auto added = library.add(embedded.yaml, std::string(embedded.file));
    if (!added) return added.error();
  }
  return library;
}

Result<> ProfileLibrary::add(std::string_view yaml, const std::string& file_name) {
  Problems problems;
  add(yaml, file_name, problems);
  if (!problems.any_error()) return {};
  std::string text;
  for (const config::Problem& problem : problems.all())
    text += (text.empty() ? "" : "\n") + problem.str();
  return Error{Errc::invalid, std::move(text)};
}

void ProfileLibrary::add(std::string_view yaml, const std::string& file_name, Problems& problems) {
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
  if (own.any_error()) return;
  const auto at =
      std::lower_bound(profiles_.begin(), profiles_.end(), profile.id,
                       [](const Profile& known, const std::string& id) { return known.id < id; });
  if (at != profiles_.end() && at->id == profile.id) {
    *at = std::move(profile);
  } else {
    profiles_.insert(at, std::move(profile));
  }
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
