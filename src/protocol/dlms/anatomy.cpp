// SPDX-License-Identifier: MIT
// What each byte of captured telegrams is, and telegrams without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/dlms/assembly.hpp"
#include "protocol/dlms/axdr.hpp"
#include "protocol/dlms/cipher.hpp"
#include "protocol/dlms/dlms.hpp"
#include "protocol/dlms/settings.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace meterbridge::protocol::dlms {
namespace {

using Kind = LinkFrame::Kind;

constexpr std::size_t mbus_head = 9;
constexpr std::size_t mbus_tail = 2;
constexpr std::size_t hdlc_tail = 3;

std::size_t content_at(const LinkFrame& frame) {
  const std::size_t behind = frame.kind == Kind::mbus   ? mbus_tail
                             : frame.kind == Kind::hdlc ? hdlc_tail
                                                        : 0;
  return frame.offset + frame.length - behind - frame.content.size();
}

void add_mbus(Anatomy& anatomy, std::size_t at, std::size_t length, ByteView bytes) {
  anatomy.add(at, 4, "M-Bus long frame, its length twice");
  anatomy.add(at + 4, 1, "control");
  anatomy.add(at + 5, 1, "address");
  anatomy.add(at + 6, 1, "number of the part; 10: the last one");
  anatomy.add(at + 7, 2, "source and destination");
  anatomy.add(at + mbus_head, length - mbus_head - mbus_tail, "part of the telegram");
  anatomy.add_check(Sum::added, at + 4, at + length - 2, at + length - 2, bytes, "sum");
  anatomy.add(at + length - 1, 1, "end of the frame");
}

void add_hdlc(Anatomy& anatomy, std::size_t at, std::size_t length, std::size_t content,
              ByteView bytes) {
  anatomy.add(at, 1, "flag");
  anatomy.add(at + 1, 2, "format and length; 8 in the first: more parts follow");
  anatomy.add(at + 3, content - 2 - at - 3, "addresses and control");
  anatomy.add_check(Sum::x25, at + 1, content - 2, content - 2, bytes, "header check");
  anatomy.add(content, at + length - hdlc_tail - content, "part of the telegram");
  anatomy.add_check(Sum::x25, at + 1, at + length - hdlc_tail, at + length - hdlc_tail, bytes,
                    "frame check");
  anatomy.add(at + length - 1, 1, "flag");
}

// Where the content of a damaged frame begins cannot be asked of the framer.
std::size_t hdlc_content(ByteView frame) {
  std::size_t at = 3;
  for (int address = 0; address < 2; ++address) {
    while (at < frame.size() && (u8(frame[at]) & 1U) == 0)
      ++at;
    ++at;
  }
  return at + 3;
}

void add_frame(Anatomy& anatomy, const LinkFrame& frame, ByteView bytes) {
  const std::size_t at = frame.offset;
  const std::size_t length = std::min(frame.length, bytes.size() - at);
  if (frame.kind == Kind::mbus) return add_mbus(anatomy, at, length, bytes);
  if (frame.kind == Kind::hdlc) return add_hdlc(anatomy, at, length, content_at(frame), bytes);
  if (frame.kind == Kind::bare) return anatomy.add(at, length, "telegram without link layer");
  if (frame.kind == Kind::damaged && u8(bytes[at]) == 0x68 && length > mbus_head + mbus_tail)
    return add_mbus(anatomy, at, length, bytes);
  if (frame.kind == Kind::damaged && u8(bytes[at]) == 0x7E) {
    const std::size_t content = at + hdlc_content(bytes.subspan(at));
    if (content + hdlc_tail < at + length) return add_hdlc(anatomy, at, length, content, bytes);
  }
  anatomy.add(at, length, frame.error.empty() ? "no frame" : frame.error);
}

// An APDU whose bytes lie here and there in the stream.
struct Scattered {
  std::vector<std::size_t> places;
  Bytes apdu;
};

struct Dissected {
  Anatomy anatomy;
  std::vector<Scattered> apdus;
};

// The header of a block, and the LLC bytes in front of the first part.
std::size_t header_of(ByteView content, bool first) {
  constexpr std::size_t llc = 3;
  constexpr std::size_t block_head = 6;
  std::size_t skip = 0;
  if (content.size() > llc && u8(content[0]) == 0xE6 && u8(content[1]) == 0xE7) skip = llc;
  if (!first) skip = 0;
  if (content.size() > skip + block_head && u8(content[skip]) == 0xE0) {
    const BerLength length = ber_length(content.subspan(skip + block_head));
    if (length.verdict == BerLength::Verdict::good) return skip + block_head + length.size;
  }
  return skip;
}

class Collector {
 public:
  void take(const LinkFrame& frame, std::vector<Scattered>& apdus) {
    const auto outcome = assembly_.take(frame);
    if (outcome.lost || frame.kind == Kind::bare) places_.clear();
    const std::size_t at = content_at(frame);
    for (std::size_t i = header_of(frame.content, places_.empty()); i < frame.content.size(); ++i)
      places_.emplace_back(at + i, frame.content[i]);
    if (!outcome.joined) return;
    const auto places = std::exchange(places_, {});
    if (outcome.joined->status != Status::ok) return;
    const ByteView apdu = assembly_.apdu();
    Scattered one;
    for (std::size_t i = 0; i < apdu.size() && i < places.size(); ++i) {
      if (places[i].second != apdu[i]) return;  // lies in a way that is not known here
      one.places.push_back(places[i].first);
      one.apdu.push_back(apdu[i]);
    }
    if (one.apdu.size() == apdu.size()) apdus.push_back(std::move(one));
  }

  void break_off() {
    assembly_.give_up();
    places_.clear();
  }

 private:
  Assembly assembly_;
  std::vector<std::pair<std::size_t, std::byte>> places_;
};

Dissected dissect(ByteView bytes, Framing framing) {
  Dissected out;
  Framer framer(framing, true);
  framer.push(bytes);
  framer.finish();
  Collector collector;
  while (const auto frame = framer.next()) {
    add_frame(out.anatomy, *frame, bytes);
    const bool good =
        frame->kind == Kind::mbus || frame->kind == Kind::hdlc || frame->kind == Kind::bare;
    if (good) {
      collector.take(*frame, out.apdus);
    } else if (frame->kind != Kind::noise) {
      collector.break_off();
    }
  }
  return out;
}

// All texts of a list that could name the meter.
void learn_plain(ByteView plain, Disguise& disguise) {
  const Head head = notification_head(plain);
  if (head.verdict != Head::Verdict::good) return;
  Tree tree;
  if (tree.parse(plain.subspan(head.body)) != Tree::Outcome::good) return;
  for (const Node& node : tree.nodes()) {
    if (is_text(node)) disguise.learn(to_text(node.bytes));
  }
}

Bytes bytes_of(std::string_view hex) {
  auto bytes = from_hex(hex);
  return bytes ? *std::move(bytes) : Bytes();
}

// The same APDU with other content and title, closed with the published keys.
std::optional<Bytes> resealed(const Opened& opened, ByteView apdu, bool authenticated,
                              const Disguise& disguise) {
  Bytes plain(opened.plain.begin(), opened.plain.end());
  disguise.apply(plain);
  Bytes title = to_bytes(opened.system_title);
  disguise.apply(title);
  const Bytes key = bytes_of(disguise_key);
  const std::size_t title_end = 2 + u8(apdu[1]);
  const BerLength length = ber_length(apdu.subspan(title_end), 4);
  const std::size_t security_at = title_end + length.size;
  const std::uint8_t security = u8(apdu[security_at]);
  const Bytes auth = authenticated ? bytes_of(disguise_auth_key) : Bytes(gcm_key_size);
  const Bytes additional = additional_data(security, auth);
  Sealing sealing;
  sealing.key = key;
  sealing.title = title;
  sealing.counter = opened.counter;
  sealing.security = security;
  sealing.additional = additional;
  const auto made = seal_apdu(plain, sealing);
  const std::size_t tail = apdu.size() - security_at - 5;
  if (!made || made->size() < tail) return std::nullopt;
  Bytes out(apdu.begin(), apdu.end());
  if (u8(apdu[1]) == title.size()) std::ranges::copy(title, out.begin() + 2);
  std::ranges::copy(ByteView(*made).last(tail), out.end() - static_cast<std::ptrdiff_t>(tail));
  return out;
}

struct Changed {
  const Scattered* where = nullptr;
  Bytes apdu;
};

}  // namespace

Anatomy anatomy(ByteView bytes, bool, const SettingValues& values) {
  const auto settings = read_settings(values);
  return dissect(bytes, settings ? settings->options.framing : Framing::automatic).anatomy;
}

void anonymise(Anonymised& capture, const SettingValues& values, Disguise& disguise) {
  const auto settings = read_settings(values);
  const Framing framing = settings ? settings->options.framing : Framing::automatic;
  CipherKeys keys;
  if (settings) keys = settings->keys;
  const bool authenticated = !keys.authentication.empty();
  std::size_t closed = 0;
  edit_stream(capture.lines, [&](std::span<std::byte> bytes) {
    const Dissected found = dissect(bytes, framing);
    Decipher decipher(keys);
    learn_marked(bytes, disguise);
    for (const Scattered& one : found.apdus) {
      const Opened opened = decipher.open(one.apdu);
      if (opened.ciphered) disguise.learn(std::as_bytes(std::span(opened.system_title)));
      if (opened.status == Status::ok) learn_plain(opened.plain, disguise);
    }
    std::vector<Changed> changed;
    for (const Scattered& one : found.apdus) {
      const Opened opened = decipher.open(one.apdu);
      Changed next;
      next.where = &one;
      if (opened.status == Status::ok && opened.ciphered) {
        auto made = resealed(opened, one.apdu, authenticated, disguise);
        if (made) next.apdu = *std::move(made);
      } else {
        next.apdu = one.apdu;
        disguise.apply(next.apdu);
        if (opened.ciphered) ++closed;
      }
      if (!next.apdu.empty()) changed.push_back(std::move(next));
    }
    edit_checked(bytes, found.anatomy, [&](std::span<std::byte> all) {
      disguise.apply(all);
      for (const Changed& one : changed)
        for (std::size_t i = 0; i < one.apdu.size(); ++i)
          all[one.where->places[i]] = one.apdu[i];
    });
  });
  if (closed > 0)
    capture.remarks.push_back(std::to_string(closed) +
                              " encrypted telegrams stay closed: no key here opens them; only "
                              "their frames can be looked at");
}

}  // namespace meterbridge::protocol::dlms
