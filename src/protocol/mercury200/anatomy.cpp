// SPDX-License-Identifier: MIT
// What each byte of a captured exchange is, and exchanges without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/mercury200/frame.hpp"
#include "protocol/mercury200/mercury200.hpp"
#include "protocol/mercury200/options.hpp"

#include <algorithm>
#include <span>

namespace meterbridge::protocol::mercury200 {
namespace {

struct Run {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Frames have no marks: what is one is told by its CRC. What is left is one piece.
std::vector<Run> runs_of(ByteView bytes) {
  std::vector<Run> runs;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t end = bytes.size();
    constexpr std::size_t longest = overhead + 17;
    for (std::size_t length = overhead; length <= longest && at + length <= bytes.size();
         ++length) {
      if (!mercury::crc_fits(bytes.subspan(at, length))) continue;
      end = at + length;
      break;
    }
    runs.push_back({at, end});
    at = end;
  }
  return runs;
}

std::uint32_t address_in(ByteView frame) {
  return static_cast<std::uint32_t>(*ByteReader(frame).big(4));
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool, const SettingValues&) {
  Anatomy anatomy;
  for (const Run& run : runs_of(bytes)) {
    const std::size_t length = run.end - run.begin;
    if (length < overhead) {
      anatomy.add(run.begin, length, "too short for a frame");
      continue;
    }
    anatomy.add(run.begin, 4,
                "address " + std::to_string(address_in(bytes.subspan(run.begin, length))));
    anatomy.add(run.begin + 4, 1, "command " + name_of(u8(bytes[run.begin + 4])));
    anatomy.add(run.begin + header_length, length - overhead, "data");
    anatomy.add_check(Sum::modbus, run.begin, run.end - mercury::crc_length,
                      run.end - mercury::crc_length, bytes, "CRC");
  }
  return anatomy;
}

void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise) {
  const auto options = Options::from(settings);
  // Four bytes: an address is the meter's number, or its end.
  if (options && options->address) disguise.learn(std::to_string(*options->address));
  edit_runs(capture.lines, [&](bool sent, Bytes& bytes) {
    const auto runs = runs_of(bytes);
    const Bytes before = bytes;
    edit_checked(bytes, anatomy(bytes, sent, settings), [&](std::span<std::byte> all) {
      for (const Run& run : runs) {
        const auto one = all.subspan(run.begin, run.end - run.begin);
        if (one.size() < overhead) {
          disguise.apply(one);
          continue;
        }
        const std::uint64_t made = disguise.number(address_in(one), UINT32_MAX);
        for (unsigned i = 0; i < 4; ++i)
          one[i] = static_cast<std::byte>((made >> (8U * (3 - i))) & 0xFFU);
        disguise.apply(one.subspan(header_length));
        // Nobody could learn the number from a damaged answer.
        const ByteView was = ByteView(before).subspan(run.begin, one.size());
        const bool whole = mercury::crc_fits(was);
        if (!sent && !whole && one.size() > overhead)
          std::ranges::fill(one.subspan(header_length, one.size() - overhead), std::byte{0});
      }
    });
  });
  if (!options || !options->address) return;
  SettingValues fresh;
  for (const SettingSpec& spec : setting_specs()) {
    const auto* const value = settings.find(spec.name);
    if (value != nullptr && !spec.name.starts_with("serial")) fresh.set(spec.name, *value);
  }
  fresh.set("address", static_cast<std::int64_t>(disguise.number(*options->address, UINT32_MAX)));
  capture.settings = std::move(fresh);
}

}  // namespace meterbridge::protocol::mercury200
