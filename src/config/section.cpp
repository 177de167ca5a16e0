// SPDX-License-Identifier: MIT
#include "config/section.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace meterbridge::config {
namespace {

constexpr std::size_t longest_shown = 60;

std::string range_of(const SettingSpec& spec) {
  if (spec.maximum == INT64_MAX) return "at least " + std::to_string(spec.minimum);
  return std::to_string(spec.minimum) + " ... " + std::to_string(spec.maximum);
}

std::string list_of(std::span<const std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// 010 is eight to YAML 1.1, ten to YAML 1.2 and to people: nobody shall have to guess (P45).
std::optional<std::string> leading_zero(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = negative ? text.substr(1) : text;
  if (digits.size() < 2 || digits.front() != '0' || !all_digits(digits)) return std::nullopt;
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return (negative ? "-" : "") + std::string(digits.substr(first));
}

std::string refusal_of_duration(const Node& node, const std::string& what) {
  if (!node.secret && all_digits(node.scalar)) {
    return what + " has no unit: write " + sanitised(node.scalar, 20) +
           "s for seconds (or ms, m, h)";
  }
  return what + " is not a duration (write for example 500ms, 30s, 5m or 1h)";
}

std::string refusal_of_choice(const Node& node, const SettingSpec& spec, const std::string& what) {
  std::string text = what + " is not one of: " + list_of(spec.choices);
  if (!node.secret) text += suggestion(node.scalar, spec.choices);
  return text;
}

// Why parse_setting refused the value, in words that fit behind the path and repeat no secret.
std::string refusal(const Node& node, const SettingSpec& spec, const Error& error) {
  const std::string what = shown(node);
  switch (spec.type) {
    case SettingType::integer: {
      const bool number =
          all_digits(node.scalar) ||
          (node.scalar.starts_with('-') && all_digits(std::string_view(node.scalar).substr(1)));
      return what + (number ? " is out of range" : " is not a number") +
             " (allowed: " + range_of(spec) + ")";
    }
    case SettingType::boolean:
      return what + " is neither true nor false";
    case SettingType::choice:
      return refusal_of_choice(node, spec, what);
    case SettingType::decimal:
      return what + " is not a number (write for example 40 or 0.5)";
    case SettingType::duration:
      return refusal_of_duration(node, what);
    case SettingType::rate:
      return refusal_of_duration(node, what) + ", or every";
    case SettingType::text:
    case SettingType::key:
    case SettingType::secret:
      break;
  }
  // Keys: core says how the text is wrong, never what it is.
  std::string_view words = error.detail();
  if (words.starts_with(spec.name))
    words.remove_prefix(std::min(words.size(), spec.name.size() + 1));
  return std::string(words);
}

std::string_view kind_word(Kind kind) {
  switch (kind) {
    case Kind::map:
      return "a map";
    case Kind::sequence:
      return "a list";
    case Kind::scalar:
      return "one value";
    case Kind::null:
      break;
  }
  return "nothing";
}

// The forms in which a field may be given, for the message about a wrong one.
std::string forms(const Field& field) {
  if (field.many == Many::list)
    return field.section == nullptr ? "a list, such as [one, two]"
                                    : "a list (each entry begins with \"- \")";
  if (field.many == Many::named)
    return "a map from names to " +
           std::string(field.section == nullptr ? "values" : "their settings");
  if (field.many == Many::one_or_named) return "one value, or a map from names to values";
  if (field.section == nullptr) return "one value";
  return field.scalar ? "one value or a map" : "a map";
}

bool kind_fits(const Field& field, Kind kind) {
  switch (kind) {
    case Kind::map:
      return field.many == Many::named || field.many == Many::one_or_named ||
             (field.many == Many::one && field.section != nullptr);
    case Kind::sequence:
      return field.many == Many::list;
    case Kind::scalar:
      return (field.many == Many::one && field.scalar) || field.many == Many::one_or_named;
    case Kind::null:
      break;
  }
  return field.many == Many::list || field.many == Many::named ||
         (field.section != nullptr && !field.scalar);
}

void check_least(const Node& node, const Field& field, const SettingValues::Stored& stored,
                 Problems& problems) {
  const auto* duration = std::get_if<Milliseconds>(&stored);
  if (duration == nullptr || *duration >= field.least) return;
  complain(problems, node,
           shown(node) + " is too short (at least " + duration_text(field.least) + ")");
}

void read_member(const Node& member, const Field& field, SettingValues& values,
                 Problems& problems) {
  if (member.missing) return;
  if (!kind_fits(field, member.kind)) {
    complain(problems, member,
             member.kind == Kind::null
                 ? "has no value; " + forms(field) + " is needed"
                 : "must be " + forms(field) + ", not " + std::string(kind_word(member.kind)));
    return;
  }
  if (member.kind != Kind::scalar) return;
  auto stored = read_scalar(member, field.spec, problems);
  if (!stored) return;
  check_least(member, field, *stored, problems);
  values.set(field.spec.name, *std::move(stored));
}

void refuse_unknown(const Node& node, std::size_t index, const Section& section,
                    std::span<const SettingSpec> extra, Problems& problems) {
  const std::string& key = node.members[index].first;
  std::vector<std::string_view> known;
  for (const Field& field : section.fields)
    if (field.later.empty()) known.push_back(field.spec.name);
  for (const SettingSpec& spec : extra)
    if (find_field(section, spec.name) == nullptr) known.push_back(spec.name);
  std::string text =
      "unknown key \"" + sanitised(key, longest_shown) + "\" in " + std::string(section.what);
  const std::string near = suggestion(key, known);
  text += near.empty() ? " (known: " + list_of(known) + ")" : near;
  problems.add(Severity::error, node.key_places[index], node.members[index].second.path,
               std::move(text));
}

}  // namespace

const Field* find_field(const Section& section, std::string_view name) noexcept {
  const auto found = std::find_if(section.fields.begin(), section.fields.end(),
                                  [name](const Field& field) { return field.spec.name == name; });
  return found == section.fields.end() ? nullptr : &*found;
}

void complain(Problems& problems, const Node& node, std::string text) {
  problems.add(Severity::error, node.place, node.path, std::move(text));
}

std::string shown(const Node& node) {
  if (node.secret) return "the value of " + node.origin;
  return "\"" + sanitised(node.scalar, longest_shown) + "\"";
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view near = nearest(word, candidates);
  return near.empty() ? std::string{} : "; did you mean \"" + std::string(near) + "\"?";
}

std::optional<SettingValues::Stored> read_scalar(const Node& node, const SettingSpec& spec,
                                                 Problems& problems) {
  if (node.missing) return std::nullopt;
  if (node.kind != Kind::scalar) {
    complain(problems, node,
             node.kind == Kind::null
                 ? "has no value"
                 : "must be one value, not " + std::string(kind_word(node.kind)));
    return std::nullopt;
  }
  if (spec.type == SettingType::integer) {
    if (const auto plain = leading_zero(node.scalar)) {
      complain(
          problems, node,
          node.secret
              ? shown(node) + " begins with a zero"
              : shown(node) +
                    " begins with a zero, which some programs read as an octal number: write " +
                    *plain);
      return std::nullopt;
    }
  }
  auto stored = parse_setting(spec, node.scalar);
  if (!stored) {
    complain(problems, node, refusal(node, spec, stored.error()));
    return std::nullopt;
  }
  if (spec.type == SettingType::key) {
    if (const auto weak = weak_key(std::get<Secret>(*stored).reveal())) {
      complain(
          problems, node,
          "this key is refused: " + *weak + "; ask your grid operator for the key of your meter");
      return std::nullopt;
    }
  }
  return *std::move(stored);
}

SettingValues read_section(const Node& node, const Section& section,
                           std::span<const SettingSpec> extra, Problems& problems) {
  SettingValues values = default_settings(extra);
  for (const Field& field : section.fields) {
    if (field.spec.fallback.empty() || !field.scalar || field.many != Many::one) continue;
    if (auto stored = parse_setting(field.spec, field.spec.fallback))
      values.set(field.spec.name, *std::move(stored));
  }
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const std::string& key = node.members[i].first;
    const Node& member = node.members[i].second;
    if (const Field* field = find_field(section, key)) {
      if (field->later.empty()) {
        read_member(member, *field, values, problems);
      } else {
        problems.add(Severity::error, node.key_places[i], member.path, std::string(field->later));
      }
      continue;
    }
    const auto spec = std::find_if(extra.begin(), extra.end(),
                                   [&](const SettingSpec& s) { return s.name == key; });
    if (spec == extra.end()) {
      refuse_unknown(node, i, section, extra, problems);
    } else if (auto stored = read_scalar(member, *spec, problems)) {
      values.set(spec->name, *std::move(stored));
    }
  }
  for (const Field& field : section.fields) {
    if (!field.required || node.find(field.spec.name) != nullptr) continue;
    complain(
        problems, node,
        "needs the key \"" + std::string(field.spec.name) + "\": " + std::string(field.spec.help));
  }
  return values;
}

const Node* map_in(const Node& node, std::string_view name) noexcept {
  const Node* member = node.find(name);
  return member != nullptr && member->kind == Kind::map ? member : nullptr;
}

const Node* list_in(const Node& node, std::string_view name) noexcept {
  const Node* member = node.find(name);
  return member != nullptr && member->kind == Kind::sequence ? member : nullptr;
}

}  // namespace meterbridge::config
