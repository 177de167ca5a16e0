// SPDX-License-Identifier: MIT
#include "protocol/modbus/pdu.hpp"

#include "core/text.hpp"

#include <array>

namespace meterbridge::protocol::modbus {
namespace {

constexpr std::uint8_t identity_basic = 1;  // vendor, product code, revision
constexpr std::uint8_t more_follows = 0xFF;

constexpr int bits_per_byte = 8;

void put16(Bytes& bytes, unsigned value) {
  bytes.push_back(static_cast<std::byte>(value >> 8U));
  bytes.push_back(static_cast<std::byte>(value & 0xFFU));
}

Error malformed(std::string text) {
  return {Errc::malformed, std::move(text)};
}

std::size_t data_bytes(const ReadRequest& request) noexcept {
  const std::size_t count = request.count;
  return of_bits(request.function) ? (count + bits_per_byte - 1) / bits_per_byte : 2 * count;
}

std::string function_text(unsigned function) {
  return "function " + std::to_string(function);
}

Result<> check(const ReadRequest& request) {
  const int most = of_bits(request.function) ? most_bits : most_registers;
  if (!function_from(static_cast<int>(request.function)))
    return Error(Errc::bug, "a function that does not only read");
  if (request.count < 1 || request.count > most)
    return Error(Errc::bug, "a read of " + std::to_string(request.count));
  if (request.address + request.count > 0x10000)
    return Error(Errc::bug, "a read beyond the last address");
  return {};
}

Result<Reply> parse_words(const ReadRequest& request, ByteReader& reader) {
  const auto length = reader.u8();
  if (!length || *length != reader.left())
    return malformed("the number of bytes does not fit the length of the answer");
  if (*length != data_bytes(request)) {
    return Error(Errc::mismatch, "an answer of " + std::to_string(*length) + " bytes, asked were " +
                                     std::to_string(data_bytes(request)));
  }
  Words read;
  if (!of_bits(request.function)) {
    while (const auto word = reader.big(2))
      read.words.push_back(static_cast<std::uint16_t>(*word));
    return Reply(std::move(read));
  }
  for (int at = 0; at < request.count; at += bits_per_byte) {
    const unsigned byte = reader.u8().value_or(0);
    for (int bit = 0; bit < bits_per_byte && at + bit < request.count; ++bit)
      read.words.push_back(static_cast<std::uint16_t>((byte >> static_cast<unsigned>(bit)) & 1U));
  }
  return Reply(std::move(read));
}

Result<Reply> parse_identity(ByteReader& reader) {
  const Error broken = malformed("an identification of the wrong form");
  const auto kind = reader.u8();
  if (!kind || *kind != identity_kind) return broken;
  const auto level = reader.u8();
  const auto conformity = reader.u8();
  const auto more = reader.u8();
  const auto next = reader.u8();
  const auto count = reader.u8();
  if (!level || !conformity || !more || !next || !count) return broken;
  Identity identity;
  for (int i = 0; i < *count; ++i) {
    const auto object = reader.u8();
    const auto length = reader.u8();
    if (!object || !length) return broken;
    const auto text = reader.take(*length);
    if (!text) return broken;
    identity.objects[*object] = sanitised(to_text(*text));
  }
  if (reader.left() != 0) return broken;
  if (*more == more_follows) identity.next = *next;
  return Reply(std::move(identity));
}

}  // namespace

std::optional<Function> function_from(int code) noexcept {
  if (code < 1 || code > 4) return std::nullopt;
  return static_cast<Function>(code);
}

std::uint8_t function_code(const Request& request) noexcept {
  const auto* read = std::get_if<ReadRequest>(&request);
  return read == nullptr ? identity_function : static_cast<std::uint8_t>(read->function);
}

Result<Bytes> encode(const Request& request) {
  Bytes pdu{std::byte{function_code(request)}};
  if (const auto* read = std::get_if<ReadRequest>(&request)) {
    if (const auto fine = check(*read); !fine) return fine.error();
    put16(pdu, read->address);
    put16(pdu, read->count);
    return pdu;
  }
  pdu.push_back(std::byte{identity_kind});
  pdu.push_back(std::byte{identity_basic});
  pdu.push_back(std::byte{std::get<IdentityRequest>(request).first});
  return pdu;
}

Result<Request> parse_request(ByteView pdu) {
  ByteReader reader(pdu);
  const auto code = reader.u8();
  if (!code) return malformed("an empty request");
  if (*code == identity_function && pdu.size() == 4 && u8(pdu[1]) == identity_kind) {
    IdentityRequest request;
    request.first = u8(pdu[3]);
    return Request(request);
  }
  const auto function = function_from(*code);
  if (!function) return Error(Errc::unsupported, function_text(*code) + " is not asked here");
  const auto address = reader.big(2);
  const auto count = reader.big(2);
  if (!address || !count || reader.left() != 0)
    return malformed("a request of " + std::to_string(pdu.size()) + " bytes");
  const ReadRequest request(*function, static_cast<std::uint16_t>(*address),
                            static_cast<std::uint16_t>(*count));
  if (const auto fine = check(request); !fine) return malformed(fine.error().detail());
  return Request(request);
}

Result<Reply> parse_reply(const Request& request, ByteView pdu) {
  ByteReader reader(pdu);
  const auto code = reader.u8();
  if (!code) return malformed("an empty answer");
  const unsigned asked = function_code(request);
  if ((*code & ~unsigned{refusal_bit}) != asked) {
    return Error(Errc::mismatch, "an answer to " + function_text(*code & ~unsigned{refusal_bit}) +
                                     ", asked was " + function_text(asked));
  }
  if ((*code & refusal_bit) != 0) {
    const auto why = reader.u8();
    if (!why || reader.left() != 0) return malformed("an exception of the wrong length");
    Refusal refusal;
    refusal.code = *why;
    return Reply(refusal);
  }
  const auto* read = std::get_if<ReadRequest>(&request);
  return read != nullptr ? parse_words(*read, reader) : parse_identity(reader);
}

std::string exception_text(std::uint8_t code) {
  static constexpr std::array<std::string_view, 12> words{
      "",
      "illegal function",
      "illegal data address",
      "illegal data value",
      "device failure",
      "acknowledged, the device needs longer",
      "device busy",
      "negative acknowledge",
      "memory parity error",
      "",
      "the gateway has no path to this unit: check the address and the serial port of the gateway",
      "the meter behind the gateway does not answer the gateway"};
  std::string number = "exception " + std::to_string(code);
  if (code >= words.size() || words[code].empty()) return number;
  return std::string(words[code]) + " (" + number + ")";
}

Bytes encode_words(const ReadRequest& request, const std::vector<std::uint16_t>& words) {
  Bytes pdu{std::byte{static_cast<std::uint8_t>(request.function)},
            static_cast<std::byte>(data_bytes(request))};
  if (!of_bits(request.function)) {
    for (const std::uint16_t word : words)
      put16(pdu, word);
    return pdu;
  }
  for (std::size_t at = 0; at < words.size(); at += bits_per_byte) {
    unsigned byte = 0;
    for (std::size_t bit = 0; bit < bits_per_byte && at + bit < words.size(); ++bit)
      byte |= (words[at + bit] != 0 ? 1U : 0U) << bit;
    pdu.push_back(static_cast<std::byte>(byte));
  }
  return pdu;
}

Bytes encode_refusal(std::uint8_t function, std::uint8_t code) {
  return {static_cast<std::byte>(function | refusal_bit), std::byte{code}};
}

Bytes encode_identity(const Identity& identity) {
  Bytes pdu{std::byte{identity_function},
            std::byte{identity_kind},
            std::byte{identity_basic},
            std::byte{identity_basic},
            std::byte{identity.next ? more_follows : std::uint8_t{0}},
            std::byte{identity.next.value_or(0)},
            static_cast<std::byte>(identity.objects.size())};
  for (const auto& [object, text] : identity.objects) {
    pdu.push_back(std::byte{object});
    pdu.push_back(static_cast<std::byte>(text.size()));
    const Bytes bytes = to_bytes(text);
    pdu.insert(pdu.end(), bytes.begin(), bytes.end());
  }
  return pdu;
}

}  // namespace meterbridge::protocol::modbus
