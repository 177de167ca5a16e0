// SPDX-License-Identifier: MIT
#include "protocol/sml/responder.hpp"

#include "protocol/crc16.hpp"
#include "protocol/face.hpp"
#include "protocol/obis_catalogue.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace meterbridge::protocol::sml {
namespace {

constexpr std::byte escape_byte{0x1B};
constexpr std::size_t escape_size = 4;
constexpr std::uint8_t watt_hour = 30;
constexpr std::uint16_t open_response = 0x0101;
constexpr std::uint16_t list_response = 0x0701;
constexpr std::uint16_t close_response = 0x0201;

std::uint16_t check_of(ByteView bytes, CheckKind kind) {
  if (kind == CheckKind::x25) {
    const std::uint16_t crc = crc16(bytes, Crc16::Kind::x25);
    return static_cast<std::uint16_t>(crc << 8U | crc >> 8U);  // low byte first
  }
  return crc16(bytes, Crc16::Kind::kermit);
}

class Writer {
 public:
  void byte(unsigned value) { out_.push_back(static_cast<std::byte>(value & 0xFFU)); }

  void big(std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i > 0; --i)
      byte(static_cast<unsigned>(value >> (8U * (i - 1))));
  }

  void head(TlvType type, std::size_t length) {
    const unsigned kind = static_cast<unsigned>(type) << 4U;
    if (length > 0x0F) {
      byte(0x80U | kind | static_cast<unsigned>(length >> 4U));
      byte(static_cast<unsigned>(length & 0x0FU));
    } else {
      byte(kind | static_cast<unsigned>(length));
    }
  }

  void list(std::size_t count) { head(TlvType::list, count); }

  void octets(ByteView bytes) {
    // The length counts its own bytes.
    const std::size_t one = bytes.size() + 1;
    head(TlvType::octets, one > 0x0F ? one + 1 : one);
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

  void octets(std::string_view text) { octets(std::as_bytes(std::span(text))); }

  void number(TlvType type, std::uint64_t bits, std::size_t size) {
    head(type, size + 1);
    big(bits, size);
  }

  void absent() { byte(1); }

  void code(const Obis& obis) {
    head(TlvType::octets, 7);
    for (const unsigned group : {obis.a(), obis.b(), obis.c(), obis.d(), obis.e(), obis.f()})
      byte(group);
  }

  // A message around what `content` writes.
  template <class Content>
  void message(std::uint32_t transaction, std::uint16_t tag, CheckKind check,
               const Content& content) {
    const std::size_t begin = out_.size();
    list(6);
    head(TlvType::octets, 5);
    big(transaction, 4);
    number(TlvType::number, 0, 1);
    number(TlvType::number, 0, 1);
    list(2);
    number(TlvType::number, tag, 2);
    content();
    number(TlvType::number, check_of(ByteView(out_).subspan(begin), check), 2);
    byte(0);
  }

  [[nodiscard]] const Bytes& bytes() const noexcept { return out_; }

 private:
  Bytes out_;
};

// As many bytes as a number needs.
std::size_t unsigned_size(std::uint64_t value) {
  return std::max<std::size_t>(1, (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8);
}

std::size_t signed_size(std::int64_t value) {
  const auto magnitude = static_cast<std::uint64_t>(value < 0 ? ~value : value);
  return static_cast<std::size_t>(std::bit_width(magnitude)) / 8 + 1;
}

Decimal value_of(const Field& field, const MeterFace& face) {
  const Decimal net = shown(make_key(Quantity::power), face);
  if (field.code == Obis{1, 0, 1, 7, 1}) return net;
  if (field.code == Obis{1, 0, 15, 7, 0}) {
    const auto turned = Decimal().minus(net);
    return net.is_negative() && turned ? *turned : net;
  }
  const auto meaning = meaning_of(field.code);
  if (!meaning) return {};
  Decimal value = shown(meaning->key, face);
  if (field.unit == watt_hour) {
    if (const auto wh = value.shifted(3)) value = *wh;
  }
  return value;
}

// In units of the field's scaler.
std::int64_t raw_of(const Field& field, const MeterFace& face) {
  const auto moved = value_of(field, face).shifted(-field.scaler);
  const auto whole = moved ? moved->rounded(0) : moved;
  if (!whole) return 0;
  std::int64_t raw = whole->digits();
  for (int i = 0; i < whole->exponent(); ++i)
    raw *= 10;
  return raw;
}

class ListWriter {
 public:
  ListWriter(Writer& out, const Model& model, const MeterFace& face, std::string_view server)
      : out_(out), model_(model), face_(face), server_(server) {}

  void write();

 private:
  void text(const Obis& code, std::string_view content);
  void field(const Field& field);
  void value(const Field& field);

  [[nodiscard]] bool leaves() const {
    return shown(make_key(Quantity::power), face_).is_negative();
  }

  [[nodiscard]] std::uint32_t seconds() const {
    return static_cast<std::uint32_t>(face_.now.time_since_epoch().count());
  }

  Writer& out_;
  const Model& model_;
  const MeterFace& face_;
  std::string_view server_;
};

void ListWriter::write() {
  const std::string list_name("\x01\x00\x62\x0A\xFF\xFF", 6);
  out_.list(7);
  out_.absent();
  out_.octets(server_);
  out_.octets(list_name);
  if (model_.bare_times) {
    out_.absent();
  } else {
    out_.list(2);
    out_.number(TlvType::number, 1, 1);
    out_.number(TlvType::number, seconds(), 4);
  }
  out_.list(model_.fields.size() + 2);
  text(model_.new_codes ? Obis{1, 0, 96, 50, 1, 1} : Obis{129, 129, 199, 130, 3}, model_.maker);
  text(model_.new_codes ? Obis{1, 0, 96, 1, 0} : Obis{1, 0, 0, 0, 9}, server_);
  for (const Field& each : model_.fields)
    field(each);
  out_.absent();
  out_.absent();
}

void ListWriter::text(const Obis& code, std::string_view content) {
  out_.list(7);
  out_.code(code);
  for (int i = 0; i < 4; ++i)
    out_.absent();
  out_.octets(content);
  out_.absent();
}

void ListWriter::field(const Field& field) {
  const bool energy = field.code.d() == 8;
  out_.list(7);
  out_.code(field.code);
  if (energy && model_.status_size > 0) {
    out_.number(TlvType::number, leaves() ? model_.status_export : model_.status_import,
                model_.status_size);
  } else {
    out_.absent();
  }
  if (energy && model_.bare_times) {
    out_.number(TlvType::number, seconds(), 4);
  } else {
    out_.absent();
  }
  out_.number(TlvType::number, field.unit, 1);
  out_.number(TlvType::integer, static_cast<std::uint8_t>(field.scaler), 1);
  value(field);
  out_.absent();
}

void ListWriter::value(const Field& field) {
  std::int64_t raw = raw_of(field, face_);
  const bool magnitude = model_.sign == Sign::status && field.code.d() == 7;
  if (magnitude && raw < 0) raw = -raw;
  const auto bits = static_cast<std::uint64_t>(raw);
  const bool too_short = model_.sign == Sign::too_short && raw >= 0;
  std::size_t size = field.size;
  if (size == 0) {
    size = field.type == TlvType::number || too_short ? unsigned_size(bits) : signed_size(raw);
  }
  out_.number(field.type, bits, size);
}

}  // namespace

Bytes file_of(ByteView payload, CheckKind check) {
  Writer out;
  const auto escape = [&out] {
    for (std::size_t i = 0; i < escape_size; ++i)
      out.byte(u8(escape_byte));
  };
  escape();
  out.big(0x01010101, escape_size);
  std::size_t run = 0;
  for (const std::byte b : payload) {
    out.byte(u8(b));
    run = b == escape_byte ? run + 1 : 0;
    if (run < escape_size) continue;
    escape();
    run = 0;
  }
  std::size_t padding = 0;
  for (; out.bytes().size() % 4 != 0; ++padding)
    out.byte(0);
  escape();
  out.byte(0x1A);
  out.byte(static_cast<unsigned>(padding));
  out.big(check_of(out.bytes(), check), 2);
  return out.bytes();
}

Bytes SmlResponder::push() {
  std::string server(model_.server_id);
  if (mischief_.foreign) server.back() = static_cast<char>(server.back() ^ 1);
  Writer out;
  ++number_;
  std::uint32_t transaction = number_ * 4;
  out.message(++transaction, open_response, model_.check, [&] {
    out.list(6);
    out.absent();
    out.absent();
    out.number(TlvType::octets, number_, 4);
    out.octets(server);
    out.absent();
    out.absent();
  });
  out.message(++transaction, list_response, model_.check,
              [&] { ListWriter(out, model_, face_, server).write(); });
  out.message(++transaction, close_response, model_.check, [&] {
    out.list(1);
    out.absent();
  });
  return file_of(out.bytes(), model_.check);
}

}  // namespace meterbridge::protocol::sml
