// SPDX-License-Identifier: MIT
#include "protocol/ce102/commands.hpp"

namespace meterbridge::protocol::ce102 {
namespace {

struct ErrorCode {
  std::uint8_t code;
  Reaction reaction;
  std::string_view words;
};

constexpr std::array error_codes{
    ErrorCode{0x00, Reaction::unsupported, "the meter does not know this command"},
    ErrorCode{0x01, Reaction::repeat, "the meter calls the request malformed"},
    ErrorCode{0x02, Reaction::locked, "the meter refuses the password or its access level"},
    ErrorCode{0x03, Reaction::stop,
              "wrong number of parameters: the configured family does not fit this meter"},
    ErrorCode{0x04, Reaction::unsupported, "not possible in this configuration of the meter"},
    ErrorCode{0x05, Reaction::stop, "the access button of the meter must be pressed"},
    ErrorCode{0x10, Reaction::unsupported, "the meter does not have this tariff or parameter"},
    ErrorCode{0x20, Reaction::skip, "the meter has no such record"},
    ErrorCode{0x40, Reaction::skip, "the tariff schedule does not allow it"},
    ErrorCode{0x80, Reaction::stop, "the external memory of the meter is faulty"},
};

}  // namespace

Refusal refusal(ByteView data) {
  Refusal result;
  if (data.empty()) {
    result.reaction = Reaction::unsupported;
    result.words = "the meter refuses without giving a reason";
    return result;
  }
  for (const ErrorCode& known : error_codes) {
    if (known.code != u8(data.front())) continue;
    result.reaction = known.reaction;
    result.words = std::string(known.words) + " (error " + to_hex_upper(data.first(1)) + ")";
    return result;
  }
  result.words = "the meter answers with the unknown error " + to_hex_upper(data.first(1));
  return result;
}

}  // namespace meterbridge::protocol::ce102
