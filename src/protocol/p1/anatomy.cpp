// SPDX-License-Identifier: MIT
// What each byte of a captured telegram is, and telegrams without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/p1/check.hpp"
#include "protocol/p1/p1.hpp"
#include "protocol/p1/settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace meterbridge::protocol::p1 {
namespace {

ByteView view_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::size_t end_of_line(ByteView bytes) {
  const std::string_view front(reinterpret_cast<const char*>(bytes.data()),
                               std::min<std::size_t>(bytes.size(), 2));
  return front.starts_with("\r\n") ? 2 : front.starts_with('\n') ? 1 : 0;
}

void add_plain(Anatomy& anatomy, std::size_t offset, std::string_view text, std::size_t mark) {
  std::size_t at = 0;
  while (at < std::min(mark, text.size())) {
    const std::size_t end = std::min(text.find('\n', at), mark - 1) + 1;
    const std::string_view line = text.substr(at, end - at);
    const std::size_t open = line.find('(');
    std::string meaning = "line end";
    if (at == 0) meaning = "header: who made the meter";
    if (open != line.npos)
      meaning = "value of " + std::string(line.substr(0, open));
    else if (at != 0 && line.find_first_not_of("\r\n") != line.npos)
      meaning = "more of the line above";
    anatomy.add(offset + at, line.size(), std::move(meaning));
    at = end;
  }
}

std::string with_returns(std::string_view text, bool doubled) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\n') {
      out += text[i];
      continue;
    }
    out += "\r\n";
    if (doubled && i + 1 < text.size() && text[i + 1] == '\n') ++i;
  }
  return out;
}

// A terminal took the carriage returns away: the check sum is that of the text with them.
struct Cooked {
  std::size_t offset = 0;
  std::size_t mark = 0;  // of the exclamation mark, in the stream
  bool doubled = false;
};

std::optional<Cooked> cooked(const Frame& frame, Crc16::Kind kind) {
  const std::string_view text = frame.text.substr(0, frame.check + 1);
  const Check check = check_telegram(frame.text, frame.check, kind);
  if (check.state != Check::State::good || check.calculated == check.sent) return std::nullopt;
  Cooked found;
  found.offset = frame.offset;
  found.mark = frame.offset + frame.check;
  found.doubled = crc16(with_returns(text, false), kind) != check.sent;
  return found;
}

void mend(std::span<std::byte> bytes, const Cooked& cooked, Crc16::Kind kind) {
  const std::string text = to_text(bytes.subspan(cooked.offset, cooked.mark + 1 - cooked.offset));
  const std::uint16_t crc = crc16(with_returns(text, cooked.doubled), kind);
  const std::array both{static_cast<std::byte>(crc >> 8U), static_cast<std::byte>(crc & 0xFFU)};
  const Bytes digits = to_bytes(to_hex_upper(both));
  if (cooked.mark + digits.size() < bytes.size())
    std::ranges::copy(digits, bytes.begin() + static_cast<std::ptrdiff_t>(cooked.mark) + 1);
}

void add_encrypted(Anatomy& anatomy, std::size_t offset, std::string_view text) {
  const auto fields = parse_encrypted(text);
  if (!fields) return anatomy.add(offset, text.size(), fields.error().detail());
  const auto place = [&](std::string_view part) {
    return offset + static_cast<std::size_t>(part.data() - text.data());
  };
  const std::size_t behind = place(fields->ciphertext) - 5;
  const std::size_t title = 2 + fields->system_title.size();
  anatomy.add(offset, 1, "general-glo-ciphering");
  anatomy.add(offset + 1, 1, "length of the system title");
  anatomy.add(offset + 2, fields->system_title.size(), "system title of the meter");
  anatomy.add(offset + title, behind - offset - title, "length of the rest");
  anatomy.add(behind, 1, "security control: 20 encrypted, 30 with a tag, too");
  anatomy.add(behind + 1, 4, "frame counter " + std::to_string(fields->counter));
  anatomy.add(place(fields->ciphertext), fields->ciphertext.size(), "encrypted telegram");
  anatomy.add(place(fields->tag), fields->tag.size(), "authentication tag");
}

Anatomy anatomy_with(ByteView bytes, const P1Settings& settings,
                     std::vector<Cooked>* without_returns = nullptr) {
  Anatomy anatomy;
  Framer framer(settings.options.seven_bit);
  framer.push(bytes);
  framer.finish();
  const bool x25 = settings.options.check == CheckMode::x25;
  const Sum sum = x25 ? Sum::x25_text : Sum::arc_text;
  const Crc16::Kind kind = x25 ? Crc16::Kind::x25 : Crc16::Kind::arc;
  while (const auto frame = framer.next()) {
    if (frame->kind == Frame::Kind::encrypted) {
      add_encrypted(anatomy, frame->offset, frame->text);
    } else if (frame->kind == Frame::Kind::plain) {
      const bool bad = check_telegram(frame->text, frame->check, kind).state == Check::State::bad;
      // Another one may begin inside: the search goes on there.
      if (bad) {
        const Frame damaged = *frame;
        const Anatomy before = anatomy;
        add_plain(anatomy, frame->offset, frame->text, frame->check);
        anatomy.add(frame->offset + frame->check, 1, "end mark");
        anatomy.add_check(sum, frame->offset, frame->offset + frame->check + 1,
                          frame->offset + frame->check + 1, bytes, "CRC");
        const std::size_t given = framer.reject(damaged);
        if (given < damaged.length) {
          anatomy = before;
          anatomy.add(damaged.offset, given, "a telegram that another one interrupts");
        }
        continue;
      }
      if (const auto found = cooked(*frame, kind)) {
        if (without_returns != nullptr) without_returns->push_back(*found);
        add_plain(anatomy, frame->offset, frame->text, frame->check);
        anatomy.add(frame->offset + frame->check, frame->length - frame->check,
                    "end mark and CRC, right for the text with carriage returns");
        continue;
      }
      add_plain(anatomy, frame->offset, frame->text, frame->check);
      const std::size_t mark = frame->offset + frame->check;
      anatomy.add(mark, 1, "end mark");
      anatomy.add_check(sum, frame->offset, mark + 1, mark + 1, bytes, "CRC");
      const std::size_t behind = anatomy.parts.back().offset + anatomy.parts.back().length;
      anatomy.add(behind, end_of_line(bytes.subspan(behind)), "line end");
    } else {
      anatomy.add(frame->offset, frame->length,
                  frame->kind == Frame::Kind::noise ? "no telegram" : "a telegram without its end");
    }
  }
  return anatomy;
}

// Header lines of some makers end with the serial number.
void learn_header(std::string_view text, Disguise& disguise) {
  constexpr std::size_t telling = 7;
  const std::string_view line = text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
  constexpr std::string_view digits = "0123456789";
  for (std::size_t at = 0; (at = line.find_first_of(digits, at)) != line.npos;) {
    const std::size_t end = std::min(line.find_first_not_of(digits, at), line.size());
    if (end - at >= telling) disguise.learn(line.substr(at, end - at));
    at = end;
  }
}

void learn_text(std::string_view text, Disguise& disguise) {
  learn_header(text, disguise);
  learn_lines(text, disguise);
}

Bytes disguise_plaintext(std::string_view text, const P1Settings& settings,
                         const Disguise& disguise) {
  Bytes bytes = to_bytes(text);
  edit_checked(bytes, anatomy_with(bytes, settings),
               [&](std::span<std::byte> all) { disguise.apply(all); });
  return bytes;
}

Bytes key_of(std::string_view hex) {
  auto key = from_hex(hex);
  return key ? *std::move(key) : Bytes();
}

// Opens an encrypted telegram, changes it, and closes it with the published keys.
class Resealer {
 public:
  Resealer(const P1Settings& settings, Disguise& disguise)
      : settings_(settings), cipher_(settings.keys), disguise_(disguise) {}

  void learn(std::string_view frame) {
    const auto fields = parse_encrypted(frame);
    if (!fields) return;
    disguise_.learn(view_of(fields->system_title));
    if (const auto text = cipher_.open(*fields)) learn_text(*text, disguise_);
  }

  // False: the key does not open it.
  bool reseal(std::span<std::byte> frame) {
    const std::string old = to_text(frame);
    const auto fields = parse_encrypted(old);
    if (!fields) return false;
    const auto text = cipher_.open(*fields);
    if (!text) return false;
    std::string title = to_text(
        view_of(fields->system_title.empty() ? settings_.keys.system_title : fields->system_title));
    Bytes title_bytes = to_bytes(title);
    disguise_.apply(title_bytes);
    const auto& own = settings_.keys.authentication;
    std::optional<Bytes> authentication;
    if (fields->authenticated())
      authentication = own && own->empty() ? Bytes()
                       : own               ? key_of(disguise_auth_key)
                                           : default_authentication_key();
    const auto made =
        encrypt_frame(to_text(disguise_plaintext(*text, settings_, disguise_)),
                      key_of(disguise_key), authentication, to_text(title_bytes), fields->counter);
    const std::size_t sealed = fields->ciphertext.size() + fields->tag.size();
    if (!made || made->size() < sealed) return false;
    if (!fields->system_title.empty()) std::ranges::copy(title_bytes, frame.begin() + 2);
    std::ranges::copy(ByteView(*made).last(sealed),
                      frame.end() - static_cast<std::ptrdiff_t>(sealed));
    return true;
  }

 private:
  const P1Settings& settings_;
  Cipher cipher_;
  Disguise& disguise_;
};

struct Found {
  std::size_t offset = 0;
  std::size_t length = 0;
  bool encrypted = false;
};

std::vector<Found> frames_of(ByteView bytes, const P1Settings& settings) {
  std::vector<Found> found;
  Framer framer(settings.options.seven_bit);
  framer.push(bytes);
  framer.finish();
  while (const auto frame = framer.next())
    found.push_back({frame->offset, frame->length, frame->kind == Frame::Kind::encrypted});
  return found;
}

void disguise_all(std::span<std::byte> bytes, const P1Settings& settings, Disguise& disguise,
                  std::size_t& closed) {
  Resealer resealer(settings, disguise);
  const auto frames = frames_of(bytes, settings);
  learn_marked(bytes, disguise);
  for (const Found& frame : frames)
    if (frame.encrypted) resealer.learn(to_text(bytes.subspan(frame.offset, frame.length)));
  std::vector<Cooked> without_returns;
  const Anatomy anatomy = anatomy_with(bytes, settings, &without_returns);
  Bytes sealed;
  std::vector<Found> opened;
  for (const Found& frame : frames) {
    if (!frame.encrypted) continue;
    Bytes one(bytes.begin() + static_cast<std::ptrdiff_t>(frame.offset),
              bytes.begin() + static_cast<std::ptrdiff_t>(frame.offset + frame.length));
    if (!resealer.reseal(one)) {
      ++closed;
      continue;
    }
    opened.push_back(frame);
    sealed.insert(sealed.end(), one.begin(), one.end());
  }
  edit_checked(bytes, anatomy, [&](std::span<std::byte> all) { disguise.apply(all); });
  const bool x25 = settings.options.check == CheckMode::x25;
  for (const Cooked& one : without_returns)
    mend(bytes, one, x25 ? Crc16::Kind::x25 : Crc16::Kind::arc);
  std::size_t at = 0;
  for (const Found& frame : opened) {
    std::ranges::copy(ByteView(sealed).subspan(at, frame.length),
                      bytes.begin() + static_cast<std::ptrdiff_t>(frame.offset));
    at += frame.length;
  }
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool, const SettingValues& values) {
  const auto settings = read_settings(values);
  return anatomy_with(bytes, settings ? *settings : P1Settings());
}

void anonymise(Anonymised& capture, const SettingValues& values, Disguise& disguise) {
  const auto read = read_settings(values);
  const P1Settings settings = read ? *read : P1Settings();
  std::size_t closed = 0;
  edit_stream(capture.lines, [&](std::span<std::byte> bytes) {
    // Parity bits of a 7E1 meter hide what is searched; `decode` needs none of them.
    std::size_t high = 0;
    for (const std::byte b : bytes)
      high += (u8(b) & 0x80U) != 0 ? 1 : 0;
    if (settings.options.seven_bit) {
      for (std::byte& b : bytes)
        b &= std::byte{0x7F};
      if (high > 0) capture.remarks.emplace_back("the parity bits were taken off");
    }
    learn_text(to_text(bytes), disguise);
    disguise_all(bytes, settings, disguise, closed);
  });
  if (closed > 0)
    capture.remarks.push_back(std::to_string(closed) +
                              " encrypted telegrams stay closed: no key here opens them; only "
                              "their frames can be looked at");
}

}  // namespace meterbridge::protocol::p1
