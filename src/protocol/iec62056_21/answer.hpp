// SPDX-License-Identifier: MIT
// What the bridge asked, and what one answer tells: shared by the dialogue and by `decode`.
#pragma once

#include "protocol/iec62056_21/frame.hpp"
#include "protocol/iec62056_21/lines.hpp"

#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::iec62056_21 {

struct Request {
  enum class Kind : std::uint8_t { sign_on, select, password, read, stop, other };
  Request() = default;
  Kind kind = Kind::other;
  std::string name;       // of a read
  std::string arguments;  // of a read
  std::string command;    // "R1"
};

// The request among sent bytes; what stands in front of it (wake-up) is left out. Error: malformed
// or truncated.
Result<Request> parse_request(ByteView sent);

// What a meter means by (ERRnn). Nothing when the text is no error.
struct Refusal {
  Refusal() = default;
  std::string words;
  bool unknown = false;  // it does not have this code: no use in asking again
};

[[nodiscard]] std::optional<Refusal> refusal_in(const Entry& entry);

// The entries of an answer to `name`. Error: exception (the meter refused), mismatch (an answer to
// another code), malformed.
Result<std::vector<Entry>> entries_for(const Block& block, std::string_view name);

// The framer of the answer to a password. It locks this meter's driver for good, so a NAK among
// noise is none: it comes alone. `noisy` is kept between the calls of one exchange.
[[nodiscard]] Cut find_login_answer(ByteView arrived, bool& noisy);

}  // namespace meterbridge::protocol::iec62056_21
