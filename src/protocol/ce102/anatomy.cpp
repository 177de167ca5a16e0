// SPDX-License-Identifier: MIT
// What each byte of a captured exchange is, and exchanges without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/ce102/ce102.hpp"
#include "protocol/ce102/frame.hpp"
#include "protocol/ce102/options.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace meterbridge::protocol::ce102 {
namespace {

constexpr std::byte escape{0xDB};
constexpr std::size_t addresses = 5;  // option byte and both addresses
constexpr std::size_t password_size = 4;
constexpr std::size_t behind_password = 4;  // service, command and CRC
constexpr std::uint16_t serial_command = 0x011A;
constexpr std::uint16_t most_address = 65535;

// Bytes between two END marks with their places in the stream; the last one is the CRC.
struct Body {
  Bytes bytes;
  std::vector<std::size_t> places;
};

struct Between {
  std::size_t begin = 0;  // of the first mark
  std::size_t end = 0;    // behind the second
  Body body;
};

Body unstuffed(ByteView bytes, std::size_t from, std::size_t to) {
  Body body;
  for (std::size_t at = from; at < to; ++at) {
    body.places.push_back(at);
    if (bytes[at] == escape && at + 1 < to) {
      ++at;
      body.bytes.push_back(u8(bytes[at]) == 0xDC ? end_mark : escape);
    } else {
      body.bytes.push_back(bytes[at]);
    }
  }
  return body;
}

// The mark that ends one may begin the next.
std::vector<Between> betweens(ByteView bytes) {
  std::vector<Between> found;
  std::optional<std::size_t> open;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] != end_mark) continue;
    if (open && at > *open + 1) {
      Between one;
      one.begin = *open;
      one.end = at + 1;
      one.body = unstuffed(bytes, *open + 1, at);
      found.push_back(std::move(one));
      const bool shared = at + 1 < bytes.size() && bytes[at + 1] != end_mark;
      open = shared ? std::optional(at) : std::nullopt;
      continue;
    }
    open = at;
  }
  return found;
}

std::size_t serv_at(ByteView body, bool sent) {
  const bool whole = body.size() >= addresses + password_size + behind_password;
  return sent && whole ? addresses + password_size : addresses;
}

std::uint16_t number_at(ByteView body, std::size_t at) {
  return static_cast<std::uint16_t>(u8(body[at]) | u8(body[at + 1]) << 8U);
}

void add_body(Anatomy& anatomy, const Between& one, bool sent) {
  const ByteView body = one.body.bytes;
  const auto place = [&](std::size_t index) {
    return index < one.body.places.size() ? one.body.places[index] : one.end - 1;
  };
  const auto part = [&](std::size_t from, std::size_t to, std::string meaning) {
    to = std::min(to, body.size() - 1);
    if (from < to) anatomy.add(place(from), place(to) - place(from), std::move(meaning));
  };
  if (body.size() < addresses + 4)
    return anatomy.add(one.begin + 1, one.end - one.begin - 2, "too short for a frame");
  const std::size_t serv = serv_at(body, sent);
  part(0, 1, "option byte");
  part(1, 3, "to " + std::to_string(number_at(body, 1)));
  part(3, 5, "from " + std::to_string(number_at(body, 3)));
  part(addresses, serv, "password");
  part(serv, serv + 1, "service: " + std::to_string(u8(body[serv]) & 0x0FU) + " bytes of data");
  part(serv + 1, serv + 3, "command");
  part(serv + 3, body.size() - 1, "data");
  const std::uint8_t should = crc8(body.first(body.size() - 1));
  const std::byte shown{should};
  const std::size_t crc = place(body.size() - 1);
  anatomy.add(crc, one.end - 1 - crc,
              u8(body.back()) == should
                  ? "CRC, right"
                  : "CRC, WRONG: the bytes give " + to_hex_upper(ByteView(&shown, 1)));
}

// Stuffed again it may be longer or shorter.
Bytes stuffed(ByteView body) {
  Bytes out;
  for (const std::byte b : body) {
    if (b == end_mark || b == escape) {
      out.push_back(escape);
      out.push_back(b == end_mark ? std::byte{0xDC} : std::byte{0xDD});
    } else {
      out.push_back(b);
    }
  }
  return out;
}

class Changer {
 public:
  Changer(std::uint16_t bridge, Disguise& disguise) : bridge_(bridge), disguise_(disguise) {}

  Bytes changed(ByteView bytes, bool sent) {
    Bytes out;
    std::size_t at = 0;
    for (const Between& one : betweens(bytes)) {
      const std::size_t from = one.begin + 1;
      if (from > at) append(out, outside(bytes.subspan(at, from - at)));
      append(out, stuffed(body(one.body.bytes, sent)));
      at = one.end - 1;
    }
    append(out, outside(bytes.subspan(at)));
    return out;
  }

 private:
  static void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

  [[nodiscard]] Bytes outside(ByteView noise) const {
    Bytes bytes(noise.begin(), noise.end());
    disguise_.apply(bytes);
    return bytes;
  }

  void address(Bytes& body, std::size_t at) {
    const std::uint16_t number = number_at(body, at);
    if (number == bridge_) return;
    const std::uint64_t made = disguise_.number(number, most_address);
    body[at] = static_cast<std::byte>(made & 0xFFU);
    body[at + 1] = static_cast<std::byte>((made >> 8U) & 0xFFU);
  }

  // A wrong CRC stays as wrong as it was.
  Bytes body(Bytes body, bool sent) {
    if (body.size() < addresses + 4) return outside(body);
    // An adapter's echo is a request, too, and holds the password.
    sent = sent || number_at(body, 3) == bridge_;
    const std::uint8_t difference = crc8(ByteView(body).first(body.size() - 1)) ^ u8(body.back());
    const std::size_t serv = serv_at(body, sent);
    address(body, 1);
    address(body, 3);
    if (sent) {
      // Of a cut request nobody knows where its password ends.
      const std::size_t blank = serv > addresses ? password_size : body.size() - addresses - 1;
      std::fill_n(body.begin() + static_cast<std::ptrdiff_t>(addresses), blank, std::byte{0});
    }
    const std::span<std::byte> all(body);
    const auto command = static_cast<std::uint16_t>(u8(body[serv + 1]) << 8U | u8(body[serv + 2]));
    const auto data = all.subspan(serv + 3, body.size() - serv - 4);
    if (command == serial_command && !sent)
      disguise_.apply_piece(data);
    else
      disguise_.apply(data);
    body.back() = static_cast<std::byte>(crc8(ByteView(body).first(body.size() - 1)) ^ difference);
    return body;
  }

  std::uint16_t bridge_;
  Disguise& disguise_;
};

}  // namespace

Anatomy anatomy(ByteView bytes, bool sent, const SettingValues&) {
  Anatomy anatomy;
  for (const Between& one : betweens(bytes)) {
    anatomy.add(one.begin, 1, "END mark");
    add_body(anatomy, one, sent);
    anatomy.add(one.end - 1, 1, "END mark");
  }
  return anatomy;
}

void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise) {
  const auto options = Options::from(settings);
  const std::uint16_t bridge = options ? options->station.bridge : Station().bridge;
  Changer changer(bridge, disguise);
  if (options && options->address) {
    const auto made = disguise.number(*options->address, most_address);
    SettingValues fresh;
    for (const SettingSpec& spec : setting_specs()) {
      const auto* const value = settings.find(spec.name);
      if (value != nullptr && spec.name != "serial") fresh.set(spec.name, *value);
    }
    fresh.set("address", static_cast<std::int64_t>(made));
    if (settings.has("password")) fresh.set("password", Secret("0"));
    capture.settings = std::move(fresh);
  }
  edit_runs(capture.lines, [&](bool sent, Bytes& bytes) { bytes = changer.changed(bytes, sent); });
}

}  // namespace meterbridge::protocol::ce102
