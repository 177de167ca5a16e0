// SPDX-License-Identifier: MIT
// What each byte of a captured exchange is, and exchanges without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/mercury/mercury.hpp"
#include "protocol/mercury/options.hpp"
#include "protocol/mercury/requests.hpp"

#include <algorithm>
#include <span>

namespace meterbridge::protocol::mercury {
namespace {

constexpr std::uint64_t most_address = 240;
constexpr std::uint8_t open_code = 0x01;
constexpr std::uint8_t parameters_code = 0x08;
constexpr std::size_t open_length = 2 + 1 + password_length + crc_length;

struct Run {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Of the frame that begins here; 0 where none does. The longest: a refusal may stand at the front
// of a longer answer.
std::size_t frame_length(ByteView from) {
  constexpr std::size_t shortest = frame_overhead + 1;
  constexpr std::size_t longest = 160;
  for (std::size_t length = std::min(longest, from.size()); length >= shortest; --length) {
    if (crc_fits(from.first(length))) return length;
  }
  return 0;
}

// Frames have no marks: what is one is told by its address and its CRC. What is left is in pieces
// between them.
std::vector<Run> runs_of(ByteView bytes, std::uint8_t address) {
  std::vector<Run> runs;
  std::size_t noise = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const bool may_begin = at == noise || u8(bytes[at]) == address;
    const std::size_t length = may_begin ? frame_length(bytes.subspan(at)) : 0;
    if (length == 0) {
      ++at;
      continue;
    }
    if (at > noise) runs.push_back({noise, at});
    runs.push_back({at, at + length});
    at += length;
    noise = at;
  }
  if (noise < bytes.size()) runs.push_back({noise, bytes.size()});
  return runs;
}

std::uint8_t address_of(const SettingValues& settings) {
  const auto options = Options::from(settings);
  return options ? options->address.value_or(0) : std::uint8_t{0};
}

bool opens_channel(ByteView run) {
  return run.size() == open_length && u8(run[1]) == open_code;
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings) {
  Anatomy anatomy;
  for (const Run& run : runs_of(bytes, address_of(settings))) {
    const std::size_t length = run.end - run.begin;
    if (length <= frame_overhead) {
      anatomy.add(run.begin, length, "too short for a frame");
      continue;
    }
    anatomy.add(run.begin, 1, "address " + std::to_string(u8(bytes[run.begin])));
    std::size_t at = run.begin + 1;
    if (sent) anatomy.add(at++, 1, "code");
    if (sent && opens_channel(bytes.subspan(run.begin, length))) {
      anatomy.add(at++, 1, "access level");
      anatomy.add(at, password_length, "password");
    } else if (at + crc_length < run.end) {
      anatomy.add(at, run.end - crc_length - at,
                  sent ? "parameters" : "data; its length tells what it is");
    }
    anatomy.add_check(Sum::modbus, run.begin, run.end - crc_length, run.end - crc_length, bytes,
                      "CRC");
  }
  return anatomy;
}

void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise) {
  const std::uint8_t address = address_of(settings);
  const std::uint64_t made = disguise.number(address, most_address);
  const bool ascii = settings.has("password_format") && settings.text("password_format") == "ascii";
  bool asks_who = false;
  edit_runs(capture.lines, [&](bool sent, Bytes& bytes) {
    const auto runs = runs_of(bytes, address);
    const Bytes before = bytes;
    if (sent) asks_who = bytes.size() > 2 && u8(bytes[1]) == parameters_code;
    edit_checked(bytes, anatomy(bytes, sent, settings), [&](std::span<std::byte> all) {
      for (const Run& run : runs) {
        const auto one = all.subspan(run.begin, run.end - run.begin);
        const bool login = opens_channel(one);
        if (u8(one[0]) == address) one[0] = static_cast<std::byte>(made);
        if (login)
          std::ranges::fill(one.subspan(3, password_length),
                            static_cast<std::byte>(ascii ? '1' : 1));
        disguise.apply(one.subspan(1));
        // Nobody could learn the number from a damaged answer.
        const ByteView was = ByteView(before).subspan(run.begin, run.end - run.begin);
        if (!sent && asks_who && !crc_fits(was)) std::ranges::fill(one.subspan(1), std::byte{0});
      }
    });
  });
  if (settings.has("address")) capture.settings.set("address", static_cast<std::int64_t>(made));
}

}  // namespace meterbridge::protocol::mercury
