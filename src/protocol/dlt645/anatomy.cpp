// SPDX-License-Identifier: MIT
// What each byte of a captured exchange is, and exchanges without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/dlt645/dlt645.hpp"
#include "protocol/dlt645/frame.hpp"
#include "protocol/dlt645/options.hpp"

#include <algorithm>
#include <span>

namespace meterbridge::protocol::dlt645 {
namespace {

constexpr std::uint8_t offset = 0x33;

// Whole frames; what is between them belongs to none.
std::vector<std::pair<std::size_t, std::size_t>> frames_in(ByteView bytes) {
  std::vector<std::pair<std::size_t, std::size_t>> frames;
  for (std::size_t at = 0; at < bytes.size();) {
    const Cut cut = find_frame(bytes.subspan(at));
    if (cut.frame == 0) break;
    frames.emplace_back(at + cut.drop, cut.frame);
    at += cut.drop + cut.frame;
  }
  return frames;
}

std::string meaning_of(const Frame& frame) {
  const std::byte control{frame.control};
  const std::string code = "control " + to_hex_upper(ByteView(&control, 1)) + ": ";
  if (const auto asked = request_in(frame))
    return code + "read " + name_of(asked->version, asked->code);
  const auto answer = answer_in(frame);
  if (answer) return code + "the answer";
  return code + answer.error().detail();
}

void explain_frame(Anatomy& anatomy, std::size_t begin, ByteView wire, ByteView bytes) {
  const auto frame = parse_frame(wire);
  if (!frame) return;
  anatomy.add(begin, 1, "begin");
  anatomy.add(begin + 1, address_length,
              frame->address ? "address " + address_text(frame->address)
                             : std::string("address of whoever is there"));
  anatomy.add(begin + 7, 1, "begin, again");
  anatomy.add(begin + 8, 1, meaning_of(*frame));
  anatomy.add(begin + 9, 1, "length of the data");
  const auto asked = request_in(*frame);
  const auto answer = answer_in(*frame);
  std::size_t head = 0;
  if (asked || answer) {
    const Selection& about = asked ? *asked : *answer;
    head = code_length(about.version);
    anatomy.add(begin + header_length, head, "code " + name_of(about.version, about.code));
  }
  Bytes turned(frame->data.rbegin(), frame->data.rend() - static_cast<std::ptrdiff_t>(head));
  anatomy.add(begin + header_length + head, turned.size(),
              "data, low byte first, each + 33: " + to_hex_upper(turned));
  anatomy.add_check(Sum::added, begin, begin + wire.size() - 2, begin + wire.size() - 2, bytes,
                    "sum");
  anatomy.add(begin + wire.size() - 1, 1, "end");
}

void explain_rest(Anatomy& anatomy, ByteView bytes, std::size_t from, std::size_t to) {
  std::size_t woken = from;
  while (woken < to && bytes[woken] == wake_up)
    ++woken;
  anatomy.add(from, woken - from, "wakes the line up");
  anatomy.add(woken, to - woken, "no frame");
}

void shift(std::span<std::byte> bytes, unsigned by) {
  for (std::byte& b : bytes)
    b = static_cast<std::byte>((u8(b) + by) & 0xFFU);
}

void apply_shifted(std::span<std::byte> bytes, Disguise& disguise) {
  shift(bytes, 0x100U - offset);
  disguise.apply(bytes);
  shift(bytes, offset);
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool, const SettingValues&) {
  Anatomy anatomy;
  std::size_t rest = 0;
  for (const auto& [begin, length] : frames_in(bytes)) {
    explain_rest(anatomy, bytes, rest, begin);
    explain_frame(anatomy, begin, bytes.subspan(begin, length), bytes);
    rest = begin + length;
  }
  explain_rest(anatomy, bytes, rest, bytes.size());
  return anatomy;
}

void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise) {
  const auto options = Options::from(settings);
  const auto invent = [&](std::int64_t address) {
    return static_cast<std::int64_t>(
        disguise.number(static_cast<std::uint64_t>(address), most_address));
  };
  if (options && options->address) disguise.learn(address_text(options->address));
  edit_runs(capture.lines, [&](bool sent, Bytes& bytes) {
    const auto frames = frames_in(bytes);
    for (const auto& [begin, length] : frames) {
      const auto frame = parse_frame(ByteView(bytes).subspan(begin, length));
      if (frame && frame->address) disguise.learn(address_text(frame->address));
    }
    edit_checked(bytes, anatomy(bytes, sent, settings), [&](std::span<std::byte> all) {
      std::size_t rest = 0;
      // Nobody could learn the number from what is damaged.
      const auto blank = [&](std::size_t end) {
        for (std::byte& b : all.subspan(rest, end - rest)) {
          if (b != start && b != wake_up && b != stop) b = std::byte{0};
        }
      };
      for (const auto& [begin, length] : frames) {
        blank(begin);
        const auto wire = all.subspan(begin, length);
        const auto frame = parse_frame(wire);
        if (frame && frame->address) {
          const Bytes made = make_frame(invent(*frame->address), frame->control, frame->data);
          std::copy_n(made.begin() + 1, address_length, wire.begin() + 1);
        }
        apply_shifted(wire.subspan(header_length, length - overhead), disguise);
        rest = begin + length;
      }
      blank(all.size());
    });
  });
  if (!options || !options->address) return;
  SettingValues fresh = settings;
  fresh.set("address", invent(*options->address));
  capture.settings = std::move(fresh);
}

}  // namespace meterbridge::protocol::dlt645
