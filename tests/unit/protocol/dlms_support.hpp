// SPDX-License-Identifier: MIT
// What the tests of DLMS lists share: simulated meters, streams of them, and how they are read.
#pragma once

#include "bytes_of.hpp"
#include "dice.hpp"
#include "protocol/dlms/dialogue.hpp"
#include "protocol/dlms/dlms.hpp"
#include "protocol/dlms/responder.hpp"
#include "protocol/dlms/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dlms_test {

using namespace meterbridge;
using namespace meterbridge::protocol;
using dlms::dlms_protocol;
using test::Dice;

inline constexpr std::string_view key_hex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
inline constexpr std::string_view auth_hex = "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf";

inline MeterFace face(std::int64_t step = 0) {
  MeterFace shown;
  shown.now = Seconds(std::chrono::seconds(1'784'000'000 + step));
  shown.current = {Decimal(383, -2), Decimal(169, -2), Decimal(92, -2)};
  shown.power = {Decimal(876), Decimal(393), Decimal(-214)};
  shown.energy_import = {Decimal(21'340'430), Decimal(17'654'320), Decimal(), Decimal()};
  shown.energy_export = {Decimal(40'010), Decimal(30), Decimal(), Decimal()};
  return shown;
}

inline SettingValues settings(std::string_view model = "kaifa-ma309m", std::string_view key = {},
                              std::string_view auth = {}) {
  SettingValues values = default_settings(dlms_protocol.settings);
  values.set("model", std::string(model));
  if (!key.empty()) values.set("key", Secret(std::string(key)));
  if (!auth.empty()) values.set("auth_key", Secret(std::string(auth)));
  return values;
}

inline std::unique_ptr<Responder> meter(std::string_view model, std::string_view key = {},
                                        std::string_view auth = {}) {
  auto made = dlms_protocol.responder(settings(model, key, auth));
  return made ? std::move(*made) : nullptr;
}

// One telegram as it goes over the line.
inline Bytes telegram(std::string_view model, std::string_view key = {}, std::string_view auth = {},
                      std::int64_t step = 0) {
  const auto made = meter(model, key, auth);
  made->show(face(step));
  return made->push();
}

inline std::vector<Decoded> decode(ByteView bytes, const SettingValues& values) {
  return dlms_protocol.decode(bytes, values);
}

inline std::vector<std::string> statuses(const std::vector<Decoded>& found) {
  std::vector<std::string> all;
  for (const Decoded& decoded : found)
    all.emplace_back(name(decoded.status));
  return all;
}

inline std::size_t good(const std::vector<Decoded>& found) {
  std::size_t count = 0;
  for (const Decoded& decoded : found)
    count += decoded.ok() ? 1U : 0U;
  return count;
}

using Names = std::vector<std::string>;

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// A list without link and key, in a frame of its own.
inline std::vector<Decoded> plain(std::string_view body, std::string_view head = "0f0000000100") {
  return decode(dlms::framed(dlms::Line::hdlc, test::hex(std::string(head) + std::string(body))),
                settings());
}

inline const Item* item_of(const std::vector<Decoded>& found, std::string_view address) {
  return found.size() == 1 ? found[0].telegram.find(address) : nullptr;
}

// The stream in pieces, as a receiver gets it.
inline std::vector<std::string> in_pieces(ByteView bytes, const SettingValues& values, Dice& dice) {
  auto made = dlms::read_settings(values);
  made->options.bare = true;
  dlms::Memory memory;
  dlms::Decipher decipher(std::move(made->keys));
  dlms::Receiver receiver(made->options, memory, decipher);
  std::vector<std::string> told;
  const auto drain = [&] {
    while (const auto decoded = receiver.next())
      told.push_back(decoded_json(*decoded));
  };
  while (!bytes.empty()) {
    const std::size_t size = std::min(1 + dice.below(60), bytes.size());
    receiver.push(bytes.first(size));
    bytes = bytes.subspan(size);
    if (!bytes.empty()) drain();
  }
  receiver.finish();
  drain();
  return told;
}

inline std::vector<std::string> as_json(const std::vector<Decoded>& found) {
  std::vector<std::string> all;
  for (const Decoded& decoded : found)
    all.push_back(decoded_json(decoded));
  return all;
}

// The frames of a stream as they stand in it.
inline std::vector<Bytes> frames_of(ByteView stream) {
  std::vector<Bytes> frames;
  dlms::Framer framer(dlms::Framing::automatic, false);
  framer.push(stream);
  framer.finish();
  while (const auto frame = framer.next()) {
    const ByteView bytes = stream.subspan(frame->offset, frame->length);
    frames.emplace_back(bytes.begin(), bytes.end());
  }
  return frames;
}

}  // namespace dlms_test
