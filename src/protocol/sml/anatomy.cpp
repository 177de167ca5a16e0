// SPDX-License-Identifier: MIT
// What each byte of a captured file is, and files without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/sml/frame.hpp"
#include "protocol/sml/list.hpp"
#include "protocol/sml/sml.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace meterbridge::protocol::sml {
namespace {

constexpr std::size_t mark = 8;
constexpr std::size_t tail = 8;
// Public keys and signatures: long enough to be nothing else.
constexpr std::size_t long_octets = 32;

std::string words_of_element(const Element& element) {
  switch (element.type) {
    case TlvType::list:
      return "list of " + std::to_string(element.count);
    case TlvType::boolean:
      return "yes or no";
    case TlvType::integer:
      return "integer" +
             (element.signed_value() ? " " + std::to_string(*element.signed_value()) : "");
    case TlvType::number:
      return "number" +
             (element.unsigned_value() ? " " + std::to_string(*element.unsigned_value()) : "");
    case TlvType::octets:
      break;
  }
  if (element.absent()) return "nothing";
  if (element.bytes.size() == 6) {
    const auto group = [&](std::size_t i) { return std::to_string(u8(element.bytes[i])); };
    return "octets, as code " + group(0) + "-" + group(1) + ":" + group(2) + "." + group(3) + "." +
           group(4) + "*" + group(5);
  }
  return "octets";
}

// Payload without escapes, which are rare: places are those of the stream.
void walk(Anatomy& anatomy, ByteView bytes, std::size_t offset, ByteView payload,
          std::vector<std::pair<std::size_t, std::size_t>>& keys) {
  TlvReader reader(payload);
  std::vector<std::size_t> left;  // elements that open lists still await
  std::size_t begin = 0;
  while (!reader.done()) {
    const std::size_t before = reader.position();
    // The last element of a message is its end, a zero.
    if (left.size() == 1 && left.back() == 1) left.clear();
    if (left.empty()) {
      reader.skip_ends();
      anatomy.add(offset + before, reader.position() - before, "end of the message, or filling");
      if (reader.done()) return;
      begin = reader.position();
    }
    const std::size_t at = reader.position();
    const bool check = left.size() == 1 && left.back() == 2;
    const auto element = reader.next();
    if (!element) return;
    const std::size_t size = reader.position() - at;
    if (element->type == TlvType::octets && element->bytes.size() >= long_octets)
      keys.emplace_back(offset + reader.position() - element->bytes.size(), element->bytes.size());
    const std::size_t crc = offset + reader.position() - 2;
    if (check && element->bytes.size() == 2) {
      Anatomy found;
      found.add_check(Sum::x25, offset + begin, offset + at, crc, bytes, "check of the message");
      const Check& one = found.checks.front();
      const bool other = computed(one, bytes) != stated(one, bytes);
      anatomy.add(offset + at, size - 2, "number");
      anatomy.add_check(other ? Sum::kermit : Sum::x25, offset + begin, offset + at, crc, bytes,
                        "check of the message");
    } else {
      anatomy.add(offset + at, size, words_of_element(*element));
    }
    if (!left.empty()) --left.back();
    if (element->type == TlvType::list && element->count > 0) left.push_back(element->count);
    while (!left.empty() && left.back() == 0)
      left.pop_back();
  }
}

struct Dissected {
  Anatomy anatomy;
  std::vector<std::pair<std::size_t, std::size_t>> keys;  // places of keys and signatures
  std::vector<Bytes> servers;
};

// Where a file is cut or damaged, keys are told by their length alone: 48 to 63 octets.
void find_keys(ByteView bytes, std::size_t from, std::size_t to,
               std::vector<std::pair<std::size_t, std::size_t>>& keys) {
  constexpr std::size_t head = 2;
  for (std::size_t at = from; at + head < to; ++at) {
    if (u8(bytes[at]) != 0x83 || u8(bytes[at + 1]) > 0x0F) continue;
    const std::size_t length = (0x30U | u8(bytes[at + 1])) - head;
    keys.emplace_back(at + head, std::min(length, to - at - head));
  }
}

Dissected dissect(ByteView bytes) {
  Dissected out;
  Framer framer;
  framer.push(bytes);
  framer.finish();
  while (const auto frame = framer.next()) {
    const std::size_t end = frame->offset + frame->length;
    if (frame->kind != Frame::Kind::whole) find_keys(bytes, frame->offset, end, out.keys);
    const bool ended = frame->kind == Frame::Kind::whole || frame->kind == Frame::Kind::damaged;
    if (!ended || frame->length < mark + tail) {
      out.anatomy.add(frame->offset, frame->length,
                      frame->kind == Frame::Kind::noise ? "no SML" : frame->error);
      continue;
    }
    out.anatomy.add(frame->offset, mark, "start of the file");
    const ByteView raw = bytes.subspan(frame->offset + mark, frame->length - mark - tail);
    List list;
    if (frame->kind == Frame::Kind::whole && read_list(frame->payload, list))
      out.servers.emplace_back(list.server_id.begin(), list.server_id.end());
    // Also of a damaged one: most of it is what it should be.
    walk(out.anatomy, bytes, frame->offset + mark, raw, out.keys);
    out.anatomy.add(end - tail, 5, "end of the file");
    out.anatomy.add(end - 3, 1, "filling bytes: " + std::to_string(u8(bytes[end - 3])));
    const Sum sum = frame->check == CheckKind::kermit ? Sum::kermit : Sum::x25;
    out.anatomy.add_check(sum, frame->offset, end - 2, end - 2, bytes, "CRC");
  }
  return out;
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool, const SettingValues&) {
  return dissect(bytes).anatomy;
}

void anonymise(Anonymised& capture, const SettingValues&, Disguise& disguise) {
  constexpr std::byte blank{0x5A};
  edit_stream(capture.lines, [&](std::span<std::byte> bytes) {
    const Dissected found = dissect(bytes);
    learn_marked(bytes, disguise);
    for (const Bytes& server : found.servers)
      disguise.learn(ByteView(server));
    edit_checked(bytes, found.anatomy, [&](std::span<std::byte> all) {
      for (const auto& [offset, length] : found.keys)
        std::ranges::fill(all.subspan(offset, length), blank);
      disguise.apply(all);
    });
  });
}

}  // namespace meterbridge::protocol::sml
