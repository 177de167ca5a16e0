// SPDX-License-Identifier: MIT
// Programs that read several meters and publish all of them (wmbusmeters, rtl_433), or each
// register on a topic of its own (vzlogger): which message belongs to which meter, and which are
// taken.
#pragma once

#include "protocol/json/decode.hpp"
#include "protocol/json/heard.hpp"
#include "protocol/json/vzlogger.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::json {

// The meters that a link may bring: a neighbourhood's three hundred must not fill a house.
class Roster {
 public:
  // `ids` as configured: a list, `all`, or nothing, which is nobody on a link and everybody in a
  // capture that is looked at.
  Roster(const Options& options, bool capture);

  // Nothing: the meter is taken. Else why not, in words.
  [[nodiscard]] std::optional<std::string> refusal(const Heard& heard);

  [[nodiscard]] std::string memory() const;
  void remember(std::string_view memory);

 private:
  [[nodiscard]] bool is_listed(std::string_view id) const;
  std::string note(const Heard& heard);

  std::vector<std::string> listed_;  // without leading zeros, lower case
  bool all_ = false;
  std::size_t most_;
  std::vector<std::string> taken_;  // "water_12345678"
  std::vector<std::string> told_;   // heard, and not taken
};

// What such a program says, message by message. It remembers between them.
class Gathering {
 public:
  // `capture`: say of each message why it is not taken. A link that brings wanted meters is silent
  // about the others.
  Gathering(const Options& options, bool capture)
      : options_(options), roster_(options, capture), capture_(capture) {}

  // Nothing: the message was understood, and has no values (another's meter, a name). Errors are
  // about the message: "is no valid JSON: ...".
  Result<std::optional<Understood>> take(std::string_view text, std::string_view topic);

  [[nodiscard]] std::string memory() const;
  void remember(std::string_view memory);

 private:
  Result<std::optional<Understood>> take_meter(std::string_view text, std::string_view topic);
  static Result<std::optional<Understood>> take_leaf(std::string_view text, std::string_view topic);
  Result<std::optional<Understood>> take_channel(std::string_view text, std::string_view topic);
  Result<std::optional<Understood>> unless_quiet(Error error);

  const Options& options_;
  Roster roster_;
  Channels channels_;
  bool capture_;
  bool fruitful_ = false;  // something was taken
  std::string kept_quiet_;
};

}  // namespace meterbridge::protocol::json
