// SPDX-License-Identifier: MIT
// What captured documents hold, and documents without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "core/reading_key.hpp"
#include "core/text.hpp"
#include "protocol/json/decode.hpp"
#include "protocol/json/json.hpp"
#include "protocol/json/splitter.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

// Members whose values tell whose house it is, by parts of their names.
constexpr std::array personal_parts = std::to_array<std::string_view>(
    {"serial",   "meterid", "meter_id", "server_id", "ssid",     "host",  "name",
     "topic",    "device",  "imei",     "location",  "latitude", "user",  "client",
     "addr",     "uuid",    "apikey",   "longitude", "api_key",  "token", "secret",
     "password", "owner",   "mail",     "customer",  "contract", "phone", "street"});
// Parts of other words, too (calculated, multiplier): these count alone, as in WifiIP and gps_lat.
constexpr std::array personal_words =
    std::to_array<std::string_view>({"mac", "ip", "lat", "lon", "url"});
constexpr std::array personal_names =
    std::to_array<std::string_view>({"id", "sn", "uid", "eui", "key", "pass", "psk"});

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

bool is_small(char c) {
  return std::islower(static_cast<unsigned char>(c)) != 0;
}

bool has_word(std::string_view name, std::string_view small, std::string_view word) {
  for (std::size_t at = small.find(word); at != small.npos; at = small.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins =
        at == 0 || !is_letter(name[at - 1]) || (is_small(name[at - 1]) && !is_small(name[at]));
    const bool ends = end == name.size() || !is_letter(name[end]) ||
                      (is_small(name[end - 1]) && !is_small(name[end]));
    if (begins && ends) return true;
  }
  return false;
}

bool is_personal(std::string_view name) {
  const std::string small = lower(name);
  const auto is_part = [&](std::string_view part) { return small.find(part) != small.npos; };
  const auto is_word = [&](std::string_view word) { return has_word(name, small, word); };
  return std::ranges::find(personal_names, small) != personal_names.end() ||
         std::ranges::any_of(personal_parts, is_part) ||
         std::ranges::any_of(personal_words, is_word);
}

// A member of a document as it stands there: broken documents are looked at, too.
struct Member {
  std::string_view name;
  std::string_view value;  // without quotes
  bool quoted = false;
};

std::vector<Member> members_of(std::string_view text) {
  std::vector<Member> found;
  for (std::size_t at = text.find('"'); at != text.npos; at = text.find('"', at + 1)) {
    const std::size_t end = text.find('"', at + 1);
    if (end == text.npos) break;
    std::size_t value = text.find_first_not_of(" \t\r\n", end + 1);
    if (value == text.npos) break;
    if (text[value] != ':') continue;
    Member member;
    member.name = text.substr(at + 1, end - at - 1);
    at = end;
    value = text.find_first_not_of(" \t\r\n", value + 1);
    if (value == text.npos) break;
    const bool quoted = text[value] == '"';
    member.quoted = quoted;
    if (quoted) ++value;
    const std::size_t stop = text.find_first_of(quoted ? "\"" : ",}] \t\r\n", value);
    member.value = text.substr(value, std::min(stop, text.size()) - value);
    found.push_back(member);
    if (quoted) at = std::min(stop, text.size() - 1);
  }
  return found;
}

// A payload that is one text: a serial number is no reading, it begins with zeros or letters, or is
// longer than any counter.
bool is_plain_number(std::string_view text) {
  constexpr std::size_t longest_counter = 9;
  if (text.find('.') != text.npos || text.empty()) return false;
  return text.front() == '0' || text.size() > longest_counter ||
         std::ranges::any_of(text, [](char c) { return (c >= 'A' && c <= 'Z'); });
}

// A text with a number as long as a serial number, or with octets, whatever it is called.
bool looks_personal(const Member& member) {
  constexpr std::size_t telling = 7;
  const std::string name = lower(member.name);
  if (!member.quoted || name.find("time") != name.npos || name.find("date") != name.npos)
    return false;
  std::size_t digits = 0;
  std::size_t octets = 0;
  for (const char c : member.value) {
    const bool hex = std::isxdigit(static_cast<unsigned char>(c)) != 0;
    digits = std::isdigit(static_cast<unsigned char>(c)) != 0 ? digits + 1 : 0;
    octets = hex ? octets + 1 : 0;
    if (digits >= telling || octets >= 12) return true;
  }
  return false;
}

bool is_reading(const Options& options, std::string_view name) {
  return std::ranges::any_of(options.fields, [&](const Field& field) {
    return field.pointer.ends_with("/" + std::string(name)) &&
           field.key.quantity != Quantity::serial;
  });
}

bool carries(const Result<Options>& options, std::string_view name) {
  return options && options->carried &&
         options->carried->pointer.ends_with("/" + std::string(name));
}

// The telegram of another protocol inside: opened, changed, and written as it was.
void disguise_carried(std::span<std::byte> bytes, const Carried& carried, std::string_view place,
                      Anonymised& capture, Disguise& disguise) {
  const std::string whole = to_text(bytes);
  const std::size_t at = whole.find(place);
  const auto telegram = decoded(carried.encoding, place);
  if (at == whole.npos || !telegram) return;
  TranscriptLine line;
  line.bytes = *telegram;
  auto inner =
      meterbridge::protocol::anonymise(*carried.protocol, {line}, carried.settings, disguise);
  if (!inner) return capture.remarks.push_back(inner.error().detail());
  std::string text = encoded(carried.encoding, inner->lines.front().bytes);
  const bool upper = std::ranges::any_of(place, [](char c) { return c >= 'A' && c <= 'F'; });
  if (carried.encoding == Encoding::hex && upper) text = to_hex_upper(inner->lines.front().bytes);
  if (text.size() != place.size()) return;
  std::ranges::copy(to_bytes(text), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  std::ranges::move(inner->remarks, std::back_inserter(capture.remarks));
}

void disguise_telegrams(std::span<std::byte> bytes, const Options& options, Anonymised& capture,
                        Disguise& disguise) {
  const Carried& carried = *options.carried;
  const std::string text = to_text(bytes);
  if (carried.pointer.empty())
    return disguise_carried(bytes, carried, trimmed(text), capture, disguise);
  const std::string name = carried.pointer.substr(carried.pointer.rfind('/') + 1);
  for (const Member& member : members_of(text))
    if (member.name == name) disguise_carried(bytes, carried, member.value, capture, disguise);
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool, const SettingValues&) {
  Anatomy anatomy;
  Splitter splitter;
  splitter.push(bytes);
  splitter.finish();
  while (const auto piece = splitter.next())
    anatomy.add(piece->offset, piece->text.size(),
                piece->cut ? "a document without its end" : "a document");
  return anatomy;
}

void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise) {
  const auto options = read_options(settings);
  if (options) {
    for (const std::string& id : options->ids.listed)
      disguise.learn(id, true);
  }
  for (TranscriptLine& line : capture.lines) {
    const std::string text = to_text(line.bytes);
    if (options && options->plain && is_plain_number(trimmed(text))) disguise.learn(trimmed(text));
    for (const Member& member : members_of(text)) {
      const bool serial = lower(member.name).find("serial") != std::string::npos;
      if (!serial && options && is_reading(*options, member.name)) continue;
      if (member.name == "key" && ReadingKey::parse(member.value))
        continue;  // of a leaf: no secret
      if (is_personal(member.name))
        disguise.learn(member.value, true);
      else if (looks_personal(member) && !carries(options, member.name))
        disguise.learn(member.value);
    }
  }
  edit_stream(capture.lines, [&](std::span<std::byte> bytes) {
    if (options && options->carried) disguise_telegrams(bytes, *options, capture, disguise);
    disguise.apply(bytes);
  });
  for (const std::string_view name : {"carried_settings", "ids", "topic"})
    if (settings.has(name)) capture.settings.set(name, disguise.text(settings.text(name)));
}

}  // namespace meterbridge::protocol::json
