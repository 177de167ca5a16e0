// SPDX-License-Identifier: MIT
#include "core/setting.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace meterbridge {
namespace {

using Stored = SettingValues::Stored;

constexpr std::size_t key_digits = 32;
constexpr std::size_t shown = 60;

// Keys printed in specifications, operators' leaflets and test data: whoever pastes one has not got
// his own yet.
constexpr std::array<std::string_view, 9> published = {
    "00112233445566778899aabbccddeeff",  // P1 and Kamstrup examples; default authentication key of
                                         // P1
    "ffeeddccbbaa99887766554433221100",  // authentication key of the same examples
    "000102030405060708090a0b0c0d0e0f",  // operator's example document, Austria
    "36c66639e48a8ca4d6bc8b282a793bbb",  // operator's leaflet, Austria
    "0123456789abcdef0123456789abcdef",  // P1 test frame
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",  // P1 test frame
    "d491470f47126332b07d1923b3504188",  // P1 test frame, Luxembourg
    "612888f59306a7855ac5c08cb3a96b39",  // simulated frame of a reader's firmware
    "8f67afba0409a4497a364c9f1a6f0ec1",  // example of a decoder
};

Error wrong(const SettingSpec& spec, const std::string& why) {
  return {Errc::invalid, std::string(spec.name) + " " + why};
}

std::string in_quotes(std::string_view text) {
  return "'" + sanitised(text, shown) + "'";
}

std::string allowed_range(const SettingSpec& spec) {
  if (spec.maximum == INT64_MAX)
    return "a whole number of at least " + std::to_string(spec.minimum);
  return "a whole number from " + std::to_string(spec.minimum) + " to " +
         std::to_string(spec.maximum);
}

Result<Stored> parse_integer(const SettingSpec& spec, std::string_view text) {
  // Addresses are often printed in hex.
  const bool hex =
      text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && text[2] != '-';
  const std::string_view digits = hex ? text.substr(2) : text;
  std::int64_t number = 0;
  const auto parsed =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  if (!whole || number < spec.minimum || number > spec.maximum) {
    return wrong(spec, "must be " + allowed_range(spec) + ", not " + in_quotes(text));
  }
  return Stored(number);
}

Result<Stored> parse_boolean(const SettingSpec& spec, std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on") return Stored(true);
  if (word == "false" || word == "no" || word == "off") return Stored(false);
  return wrong(spec, "must be true or false, not " + in_quotes(text));
}

Result<Stored> parse_choice(const SettingSpec& spec, std::string_view text) {
  if (std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end()) {
    return Stored(std::string(text));
  }
  std::string list;
  for (const std::string_view choice : spec.choices) {
    if (!list.empty()) list += ", ";
    list += choice;
  }
  std::string why = "must be one of " + list + ", not " + in_quotes(text);
  const std::string_view meant = nearest(text, spec.choices);
  if (!meant.empty()) why += "; did you mean '" + std::string(meant) + "'?";
  return wrong(spec, why);
}

// A key as people paste it: a leading 0x is dropped, and so are blanks, colons and hyphens between
// digits.
std::string bare_key(std::string_view text) {
  text = trimmed(text);
  if (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X") text.remove_prefix(2);
  std::string digits = lower(text);
  digits.erase(std::remove_if(digits.begin(), digits.end(),
                              [](char c) { return c == ' ' || c == ':' || c == '-'; }),
               digits.end());
  return digits;
}

Result<Stored> parse_key(const SettingSpec& spec, std::string_view text) {
  const std::string digits = bare_key(text);
  // Says how the text is wrong, never what it is.
  const std::string must = "must be a key of 32 hex digits";
  if (digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return wrong(spec, must + "; some of its characters are no hex digits");
  }
  if (digits.size() != key_digits) {
    return wrong(spec, must + "; it has " + std::to_string(digits.size()));
  }
  return Stored(Secret(digits));
}

template <class T>
T held(const Stored* stored) {
  const T* value = stored == nullptr ? nullptr : std::get_if<T>(stored);
  return value == nullptr ? T{} : *value;
}

}  // namespace

void SettingValues::set(std::string_view name, Stored value) {
  values_.insert_or_assign(std::string(name), std::move(value));
}

const SettingValues::Stored* SettingValues::find(std::string_view name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? nullptr : &at->second;
}

bool SettingValues::has(std::string_view name) const {
  return find(name) != nullptr;
}

std::string SettingValues::text(std::string_view name) const {
  return held<std::string>(find(name));
}

std::int64_t SettingValues::integer(std::string_view name) const {
  return held<std::int64_t>(find(name));
}

bool SettingValues::boolean(std::string_view name) const {
  return held<bool>(find(name));
}

Milliseconds SettingValues::duration(std::string_view name) const {
  return held<Milliseconds>(find(name));
}

std::optional<Decimal> SettingValues::decimal(std::string_view name) const {
  const Stored* stored = find(name);
  if (stored == nullptr || !std::holds_alternative<Decimal>(*stored)) return std::nullopt;
  return held<Decimal>(stored);
}

Secret SettingValues::secret(std::string_view name) const {
  return held<Secret>(find(name));
}

std::span<const SettingValues> SettingValues::rows(std::string_view table) const {
  const auto at = tables_.find(table);
  if (at == tables_.end()) return {};
  return *at->second;
}

bool same_row(const TableSpec& table, const SettingValues& a, const SettingValues& b) {
  return !table.identity.empty() && std::ranges::all_of(table.identity, [&](auto column) {
    const Stored* left = a.find(column);
    const Stored* right = b.find(column);
    return left == nullptr || right == nullptr ? left == right : *left == *right;
  });
}

void SettingValues::add_rows(const TableSpec& table, std::span<const SettingValues> rows) {
  if (rows.empty()) return;
  auto& shared = tables_[std::string(table.name)];
  std::vector<SettingValues> held = shared == nullptr ? std::vector<SettingValues>() : *shared;
  for (const SettingValues& row : rows) {
    const auto same = std::find_if(held.begin(), held.end(), [&](const SettingValues& other) {
      return same_row(table, row, other);
    });
    if (same != held.end()) {
      *same = row;
    } else {
      held.push_back(row);
    }
  }
  shared = std::make_shared<const std::vector<SettingValues>>(std::move(held));
}

bool operator==(const SettingValues& a, const SettingValues& b) {
  return a.values_ == b.values_ &&
         std::ranges::equal(a.tables_, b.tables_, [](const auto& left, const auto& right) {
           return left.first == right.first &&
                  (left.second == right.second || *left.second == *right.second);
         });
}

Result<Stored> parse_setting(const SettingSpec& spec, std::string_view text) {
  switch (spec.type) {
    case SettingType::text:
      return Stored(std::string(text));
    case SettingType::secret:
      return Stored(Secret(std::string(text)));
    case SettingType::integer:
      return parse_integer(spec, text);
    case SettingType::boolean:
      return parse_boolean(spec, text);
    case SettingType::choice:
      return parse_choice(spec, text);
    case SettingType::key:
      return parse_key(spec, text);
    case SettingType::decimal: {
      const auto number = Decimal::parse(text);
      if (!number) return wrong(spec, "must be a number such as 40 or 0.5, not " + in_quotes(text));
      return Stored(*number);
    }
    case SettingType::rate:
      if (text == "every") return Stored(Milliseconds(0));
      [[fallthrough]];
    case SettingType::duration: {
      const auto duration = parse_duration(text);
      if (!duration) return wrong(spec, "must be a duration: " + duration.error().detail());
      return Stored(*duration);
    }
  }
  return Error{Errc::bug, std::string(spec.name) + " has an unknown type"};
}

std::string setting_text(const SettingValues::Stored& stored) {
  struct Writer {
    std::string operator()(const std::string& text) const { return text; }

    std::string operator()(std::int64_t number) const { return std::to_string(number); }

    std::string operator()(const Decimal& number) const { return number.str(); }

    std::string operator()(bool flag) const { return flag ? "true" : "false"; }

    std::string operator()(Milliseconds length) const { return duration_text(length); }

    std::string operator()(const Secret&) const { return "***"; }
  };

  return std::visit(Writer{}, stored);
}

SettingValues default_settings(std::span<const SettingSpec> specs) {
  SettingValues values;
  for (const SettingSpec& spec : specs) {
    if (spec.fallback.empty()) continue;
    auto stored = parse_setting(spec, spec.fallback);
    if (stored) values.set(spec.name, *std::move(stored));
  }
  return values;
}

std::optional<std::string> weak_key(std::string_view hex_digits) {
  const std::string key = bare_key(hex_digits);
  const auto all = [&key](char digit) {
    return !key.empty() && key.find_first_not_of(digit) == std::string::npos;
  };
  if (all('0')) return "it consists of zeros only";
  if (all('f')) return "it consists of the digit F only";
  if (std::find(published.begin(), published.end(), key) != published.end()) {
    return "it is a published example key, not the key of your meter";
  }
  return std::nullopt;
}

}  // namespace meterbridge
