// SPDX-License-Identifier: MIT
#include "protocol/anatomy.hpp"

#include "core/text.hpp"
#include "protocol/capture.hpp"
#include "protocol/crc16.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace meterbridge::protocol {
namespace {

constexpr std::size_t shown_bytes = 16;

bool is_text(Sum sum) {
  return sum == Sum::arc_text || sum == Sum::x25_text;
}

std::string hex_number(std::uint32_t value, std::size_t size) {
  std::string text;
  for (std::size_t i = size; i-- > 0;) {
    const std::byte one{static_cast<std::uint8_t>((value >> (8U * i)) & 0xFFU)};
    text += to_hex_upper(ByteView(&one, 1));
  }
  return text;
}

void state(const Check& check, std::uint32_t value, std::span<std::byte> bytes) {
  const auto place = bytes.subspan(check.at, check.size);
  const auto octet = [value](unsigned i) {
    return static_cast<std::byte>((value >> (8U * i)) & 0xFFU);
  };
  if (is_text(check.sum)) {
    const bool small = std::ranges::any_of(place, [](std::byte b) { return u8(b) >= 'a'; });
    const std::string digits = lower(hex_number(value, 2));
    const std::string shown = small ? digits : hex_number(value, 2);
    std::ranges::copy(to_bytes(shown.substr(shown.size() - check.size)), place.begin());
  } else if (check.size == 1) {
    place[0] = octet(0);
  } else {
    const bool low_first = check.sum != Sum::kermit;
    place[0] = octet(low_first ? 0 : 1);
    place[1] = octet(low_first ? 1 : 0);
  }
}

void explain_row(std::string& text, std::size_t offset, ByteView bytes, std::string_view meaning) {
  for (std::size_t at = 0; at < bytes.size(); at += shown_bytes) {
    const ByteView part = bytes.subspan(at, std::min(shown_bytes, bytes.size() - at));
    std::string row = std::to_string(offset + at);
    row.insert(0, row.size() < 6 ? 6 - row.size() : 0, ' ');
    row += "  ";
    for (const std::byte b : part)
      row += to_hex(ByteView(&b, 1)) + " ";
    row.append(3 * (shown_bytes - part.size()), ' ');
    row += at == 0 ? " " + std::string(meaning) : std::string();
    text += std::string(row.substr(0, row.find_last_not_of(' ') + 1)) + "\n";
  }
}

}  // namespace

std::uint32_t computed(const Check& check, ByteView bytes) {
  const ByteView covered = bytes.subspan(check.from, check.to - check.from);
  std::uint32_t sum = 0;
  switch (check.sum) {
    case Sum::modbus:
      return crc16(covered, Crc16::Kind::modbus);
    case Sum::x25:
    case Sum::x25_text:
      return crc16(covered, Crc16::Kind::x25);
    case Sum::kermit:
      return crc16(covered, Crc16::Kind::kermit);
    case Sum::arc_text:
      return crc16(covered, Crc16::Kind::arc);
    case Sum::added:
    case Sum::added7:
      for (const std::byte b : covered)
        sum += u8(b);
      return sum & (check.sum == Sum::added ? 0xFFU : 0x7FU);
    case Sum::exclusive:
      for (const std::byte b : covered)
        sum ^= u8(b);
      return sum;
  }
  return 0;
}

std::uint32_t stated(const Check& check, ByteView bytes) {
  const ByteView place = bytes.subspan(check.at, check.size);
  if (is_text(check.sum)) {
    const std::string digits = to_text(place);
    std::uint32_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return value;
  }
  if (check.size == 1) return u8(place[0]);
  const bool low_first = check.sum != Sum::kermit;
  return static_cast<std::uint32_t>(u8(place[low_first ? 1 : 0])) << 8U |
         u8(place[low_first ? 0 : 1]);
}

void Anatomy::add_check(Sum sum, std::size_t from, std::size_t to, std::size_t at, ByteView bytes,
                        std::string_view what) {
  Check check;
  check.sum = sum;
  check.from = from;
  check.to = to;
  check.at = at;
  const bool small = sum == Sum::added || sum == Sum::added7 || sum == Sum::exclusive;
  check.size = small ? 1 : 2;
  if (is_text(sum)) {
    check.size = 0;
    while (check.size < 4 && at + check.size < bytes.size() &&
           std::isxdigit(u8(bytes[at + check.size])) != 0)
      ++check.size;
    if (check.size == 0) return;
  }
  if (to < from || to > bytes.size() || at + check.size > bytes.size()) return;
  const std::uint32_t should = computed(check, bytes);
  const std::uint32_t is = stated(check, bytes);
  const std::size_t width = small ? 1 : 2;
  add(at, check.size,
      std::string(what) + " " + hex_number(is, width) +
          (is == should ? ", right" : ", WRONG: the bytes give " + hex_number(should, width)));
  checks.push_back(check);
}

std::string explained(const Anatomy& anatomy, ByteView bytes) {
  std::vector<Part> parts = anatomy.parts;
  std::ranges::sort(parts, {}, &Part::offset);
  std::string text = "offset  bytes" + std::string(3 * shown_bytes - 4, ' ') + "meaning\n";
  std::size_t at = 0;
  for (const Part& part : parts) {
    if (part.offset < at || part.offset + part.length > bytes.size()) continue;
    if (part.offset > at)
      explain_row(text, at, bytes.subspan(at, part.offset - at), "not understood");
    explain_row(text, part.offset, bytes.subspan(part.offset, part.length), part.meaning);
    at = part.offset + part.length;
  }
  if (at < bytes.size()) explain_row(text, at, bytes.subspan(at), "not understood");
  return text;
}

void edit_checked(std::span<std::byte> bytes, const Anatomy& anatomy, const Edit& edit) {
  std::vector<std::uint32_t> differences;
  differences.reserve(anatomy.checks.size());
  for (const Check& check : anatomy.checks)
    differences.push_back(computed(check, bytes) ^ stated(check, bytes));
  edit(bytes);
  for (std::size_t i = 0; i < anatomy.checks.size(); ++i) {
    const Check& check = anatomy.checks[i];
    state(check, computed(check, bytes) ^ differences[i], bytes);
  }
}

void edit_stream(std::vector<TranscriptLine>& lines, const Edit& edit) {
  Bytes all = heard_bytes(lines);
  edit(all);
  std::size_t at = 0;
  for (TranscriptLine& line : lines) {
    if (line.sent) continue;
    for (std::byte& b : line.bytes)
      b = all[at++];
  }
}

void edit_runs(std::vector<TranscriptLine>& lines,
               const std::function<void(bool sent, Bytes& bytes)>& edit) {
  for (std::size_t begin = 0; begin < lines.size();) {
    std::size_t end = begin + 1;
    Bytes& run = lines[begin].bytes;
    // A request that was not answered is not part of the next one.
    for (; end < lines.size() && !lines[begin].sent && !lines[end].sent; ++end) {
      run.insert(run.end(), lines[end].bytes.begin(), lines[end].bytes.end());
      lines[end].bytes.clear();
    }
    edit(lines[begin].sent, run);
    begin = end;
  }
}

void disguise_stream(std::vector<TranscriptLine>& lines, const Protocol& protocol,
                     const SettingValues& settings, const Disguise& disguise) {
  edit_stream(lines, [&](std::span<std::byte> bytes) {
    const Anatomy anatomy = protocol.anatomy(bytes, false, settings);
    edit_checked(bytes, anatomy, [&](std::span<std::byte> all) { disguise.apply(all); });
  });
}

bool is_identity(std::string_view code) {
  if (const std::size_t colon = code.find(':'); colon != code.npos) code.remove_prefix(colon + 1);
  code = code.substr(0, std::min(code.find_first_of("*&"), code.size()));
  constexpr std::array<std::string_view, 8> exact{"42.0.0", "0.0",   "C.1",   "9.21",
                                                  "9.20",   "SNUMB", "IDPAS", "600100FF"};
  constexpr std::array<std::string_view, 7> begins{"96.1.", "96.13.", "0.0.",  "C.1.",
                                                   "96.90", "60.1.",  "96.2.9"};
  // 96.1.4 is the version of Belgian telegrams, 96.1.7 a model.
  if (code == "96.1.4" || code == "96.1.7") return false;
  return std::ranges::find(exact, code) != exact.end() ||
         std::ranges::any_of(begins, [&](std::string_view b) { return code.starts_with(b); });
}

namespace {

// A number keeps its letters, which are often the maker's; what has no number loses them.
void learn_number(std::string_view text, Disguise& disguise) {
  const auto digits = std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; });
  disguise.learn(text, digits < 5);
}

}  // namespace

void learn_lines(std::string_view text, Disguise& disguise) {
  constexpr std::string_view code_characters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.:-*&";
  for (std::size_t open = text.find('('); open != text.npos; open = text.find('(', open + 1)) {
    std::size_t begin = open;
    while (begin > 0 && code_characters.find(text[begin - 1]) != text.npos)
      --begin;
    const std::string_view code = text.substr(begin, open - begin);
    const std::size_t close = text.find_first_of(")\r\n", open);
    if (close == text.npos) continue;
    const std::string_view value = text.substr(open + 1, close - open - 1);
    // So long a text in hex digits is a number, however the code was damaged.
    constexpr std::size_t telling = 16;
    const bool long_hex = value.size() >= telling && hex_text(value).has_value();
    if (!is_identity(code) && !long_hex) continue;
    const auto words = value.size() < 6 ? std::nullopt : hex_text(value);
    const std::string meant = words ? *words : std::string(value);
    // Messages to the consumer may say anything.
    if (code.find("96.13") != code.npos)
      disguise.learn(meant, true);
    else
      learn_number(meant, disguise);
  }
}

namespace {

// How many bytes of an identification begin here; 0 = none does.
std::size_t marked_length(ByteView at) {
  constexpr std::size_t letters = 3;
  const auto maker = [&](std::size_t from) {
    return at.size() >= from + letters &&
           std::ranges::all_of(at.subspan(from, letters),
                               [](auto b) { return u8(b) >= 'A' && u8(b) <= 'Z'; });
  };
  const auto octet = [&](std::size_t i) { return i < at.size() ? u8(at[i]) : std::uint8_t{0}; };
  // A system title behind the tag of an encrypted APDU.
  if (octet(0) == 0xDB && octet(1) == 8 && maker(2)) return 8;
  // A server id as SML writes it, its length and its own in one byte.
  if (octet(0) == 0x0B && (octet(1) | 3U) == 0x0B && octet(2) == 1 && maker(3)) return 10;
  const bool old_form = octet(0) >= 0x08 && octet(0) <= 0x0F && octet(1) == 0x06 && maker(2);
  return old_form ? octet(0) - 1U : 0;
}

// A text in A-XDR, visible or of octets.
std::string_view marked_text(std::string_view at) {
  constexpr std::size_t longest = 40;
  if (at.size() < 2 || (at[0] != '\x09' && at[0] != '\x0A')) return {};
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(at[1]));
  const std::string_view text = at.substr(2, length);
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7F'; });
  return printable && length <= longest ? text : std::string_view();
}

}  // namespace

void learn_marked(ByteView bytes, Disguise& disguise) {
  const std::string text = to_text(bytes);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const ByteView rest = bytes.subspan(at);
    if (const std::size_t length = marked_length(rest); length > 0) {
      const std::size_t head = u8(rest[0]) == 0xDB ? 2 : 1;
      disguise.learn(rest.subspan(head, std::min(length, rest.size() - head)));
    }
    disguise.learn(marked_text(std::string_view(text).substr(at)));
  }
}

namespace {

// Texts of a register that nobody named an identity, with a number in them as long as one.
bool looks_personal(std::string_view text) {
  constexpr std::size_t telling = 7;
  std::size_t run = 0;
  for (const char c : text) {
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    if (run >= telling) return true;
  }
  return false;
}

void learn_telegram(const Telegram& telegram, Disguise& disguise) {
  disguise.learn(telegram.meter.serial);
  for (const MeterReadings& meter : telegram.readings) {
    disguise.learn(meter.identity.serial);
    const std::size_t serial = meter.submeter.rfind('_');
    if (serial != meter.submeter.npos) disguise.learn(meter.submeter.substr(serial + 1));
    for (const Reading& reading : meter.readings) {
      const auto* const text = std::get_if<std::string>(&reading.value);
      if (text != nullptr && reading.key.quantity == Quantity::serial)
        learn_number(*text, disguise);
    }
  }
  for (const Item& item : telegram.items) {
    const bool named = is_identity(item.address);
    // Documents are judged by the names of their members.
    const bool personal = telegram.protocol != "json" && item.text && looks_personal(*item.text);
    if (item.text && (named || personal)) learn_number(*item.text, disguise);
    for (const std::string& group : item.groups)
      if (named) disguise.learn(group);
  }
}

bool names_meter(const SettingSpec& spec) {
  return spec.name == "serial" || spec.name == "system_title" ||
         (spec.name == "address" && spec.type == SettingType::text);
}

// Passwords go; keys become the published ones, "none" stays.
void disguise_secret(const SettingSpec& spec, SettingValues& settings) {
  const std::string old = settings.secret(spec.name).reveal();
  if (old.empty()) return;
  const bool authentication = spec.name == "auth_key" || spec.name == "authentication_key";
  std::string made;
  if (spec.type == SettingType::key) {
    made = disguise_key;
  } else if (authentication) {
    made = old == "none" ? old : std::string(disguise_auth_key);
  } else if (!spec.fallback.empty()) {
    made = spec.fallback;
  } else {
    made = std::string(old.size(), '0');
  }
  settings.set(spec.name, Secret(made));
}

// A row may name a meter, too: its channel, its member of a document.
void disguise_rows(const Protocol& protocol, const Disguise& disguise, SettingValues& settings) {
  SettingValues fresh;
  bool changed = false;
  for (const SettingSpec& spec : protocol.settings) {
    if (const auto* const value = settings.find(spec.name)) fresh.set(spec.name, *value);
  }
  for (const TableSpec& table : protocol.tables) {
    std::vector<SettingValues> rows(settings.rows(table.name).begin(),
                                    settings.rows(table.name).end());
    for (SettingValues& row : rows) {
      for (const SettingSpec& column : table.columns) {
        if (column.type != SettingType::text || !row.has(column.name)) continue;
        const std::string old = row.text(column.name);
        const std::string made = disguise.text(old);
        changed = changed || made != old;
        if (made != old) row.set(column.name, made);
      }
    }
    fresh.add_rows(table, rows);
  }
  if (changed) settings = std::move(fresh);
}

}  // namespace

Result<Anonymised> anonymise(const Protocol& protocol, std::vector<TranscriptLine> lines,
                             const SettingValues& settings, Disguise& disguise) {
  if (protocol.anonymise == nullptr)
    return Error(Errc::unsupported,
                 "captures of the protocol " + std::string(protocol.name) +
                     " cannot be made anonymous by this version; `capture` has them as they are");
  for (const SettingSpec& spec : protocol.settings) {
    if (names_meter(spec) && settings.has(spec.name)) disguise.learn(settings.text(spec.name));
  }
  const auto found = protocol.decode_transcript == nullptr
                         ? protocol.decode(heard_bytes(lines), settings)
                         : protocol.decode_transcript(lines, settings);
  for (const Decoded& decoded : found)
    learn_telegram(decoded.telegram, disguise);
  Anonymised result;
  result.lines = std::move(lines);
  result.settings = settings;
  protocol.anonymise(result, settings, disguise);
  for (const SettingSpec& spec : protocol.settings) {
    if (!result.settings.has(spec.name)) continue;
    if (names_meter(spec)) result.settings.set(spec.name, disguise.text(settings.text(spec.name)));
    if (spec.type == SettingType::secret || spec.type == SettingType::key)
      disguise_secret(spec, result.settings);
  }
  disguise_rows(protocol, disguise, result.settings);
  return result;
}

}  // namespace meterbridge::protocol
