// SPDX-License-Identifier: MIT
// What a Modbus master may ask, and what a device answers, without framing.
//
//   read      function, address (2), count (2), high byte first
//   answer    function, number of bytes (1), data
//   refusal   function | 0x80, exception code (1)
//   identity  2B 0E, how much (1), first object (1); answered in one or several parts
//
// Only reads can be asked: there is no type for a request that writes.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace meterbridge::protocol::modbus {

enum class Function : std::uint8_t { coils = 1, discrete_inputs = 2, holding = 3, input = 4 };

inline constexpr std::uint8_t refusal_bit = 0x80;
inline constexpr std::uint8_t identity_function = 0x2B;
inline constexpr std::uint8_t identity_kind = 0x0E;
inline constexpr std::size_t max_pdu = 253;
inline constexpr int most_registers = 125;
inline constexpr int most_bits = 2000;

[[nodiscard]] std::optional<Function> function_from(int code) noexcept;

[[nodiscard]] constexpr bool of_bits(Function function) noexcept {
  return function == Function::coils || function == Function::discrete_inputs;
}

struct ReadRequest {
  ReadRequest() = default;

  ReadRequest(Function f, std::uint16_t a, std::uint16_t c) : function(f), address(a), count(c) {}

  Function function = Function::holding;
  std::uint16_t address = 0;
  std::uint16_t count = 1;
  friend bool operator==(const ReadRequest&, const ReadRequest&) = default;
};

struct IdentityRequest {
  IdentityRequest() = default;
  std::uint8_t first = 0;  // object
};

using Request = std::variant<ReadRequest, IdentityRequest>;

[[nodiscard]] std::uint8_t function_code(const Request& request) noexcept;

// Error: bug, for a count or an address that does not exist.
Result<Bytes> encode(const Request& request);
// Error: malformed; unsupported for functions that are not asked here (writes).
Result<Request> parse_request(ByteView pdu);

// Registers as numbers, bits as 0 and 1.
struct Words {
  Words() = default;
  std::vector<std::uint16_t> words;
};

struct Refusal {
  Refusal() = default;
  std::uint8_t code = 0;
};

struct Identity {
  Identity() = default;
  std::map<std::uint8_t, std::string> objects;  // 0 vendor, 1 product code, 2 revision
  std::optional<std::uint8_t> next;             // more follows, from this object on
};

using Reply = std::variant<Words, Refusal, Identity>;

// The answer to exactly this request. Errors: mismatch (another function or count), malformed.
Result<Reply> parse_reply(const Request& request, ByteView pdu);

// "illegal data address (exception 2)"
[[nodiscard]] std::string exception_text(std::uint8_t code);

// The meter's side.
[[nodiscard]] Bytes encode_words(const ReadRequest& request,
                                 const std::vector<std::uint16_t>& words);
[[nodiscard]] Bytes encode_refusal(std::uint8_t function, std::uint8_t code);
[[nodiscard]] Bytes encode_identity(const Identity& identity);

}  // namespace meterbridge::protocol::modbus
