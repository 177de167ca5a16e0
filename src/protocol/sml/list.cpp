// SPDX-License-Identifier: MIT
#include "protocol/sml/list.hpp"

#include <string>

namespace meterbridge::protocol::sml {
namespace {

constexpr std::uint64_t get_list_response = 0x0701;
constexpr std::size_t message_parts = 6;
constexpr std::size_t list_parts = 7;
constexpr std::size_t entry_parts = 7;
constexpr std::size_t code_size = 6;
// Of the meter's signature. Nobody needs it, neither in topics nor in files.
constexpr Obis public_key{129, 129, 199, 130, 5};
constexpr int most_scaler = Decimal::max_exponent;

class Reader {
 public:
  Reader(ByteView payload, List& list) : tlv_(payload), list_(list) {}

  Result<> run();

 private:
  [[nodiscard]] Error wrong(const char* what) const {
    return {Errc::malformed,
            std::string(what) + " at byte " + std::to_string(tlv_.position()) + " of the payload"};
  }

  Result<> message();
  Result<> response();
  Result<> entry();

  [[nodiscard]] bool skip(std::size_t elements) {
    while (elements > 0 && tlv_.skip())
      --elements;
    return elements == 0;
  }

  TlvReader tlv_;
  List& list_;
  bool found_ = false;
};

Result<> Reader::run() {
  for (tlv_.skip_ends(); !tlv_.done(); tlv_.skip_ends()) {
    if (auto read = message(); !read) return read.error();
  }
  if (!found_) return Error{Errc::unsupported, "the telegram carries no list of values"};
  return {};
}

// Transaction, group, abort on error, body {tag, content}, check sum. The check sum of the file is
// enough; those of the messages are wrong in telegrams that were made anonymous.
Result<> Reader::message() {
  const auto head = tlv_.next();
  if (!head || !head->is_list(message_parts) || !skip(3)) return wrong("no message");
  const auto body = tlv_.next();
  if (!body || !body->is_list(2)) return wrong("no message body");
  const auto tag = tlv_.next();
  if (!tag || !tag->unsigned_value()) return wrong("no message tag");
  if (*tag->unsigned_value() == get_list_response) {
    if (auto read = response(); !read) return read.error();
  } else if (!skip(1)) {
    return wrong("broken content");
  }
  if (!skip(1)) return wrong("no check sum of the message");
  return {};
}

// Client, server, name of the list, sensor time, values, signature, gateway time.
Result<> Reader::response() {
  const auto head = tlv_.next();
  if (!head || !head->is_list(list_parts) || !skip(1)) return wrong("no list response");
  const auto server = tlv_.next();
  if (!server || server->type != TlvType::octets || !skip(2)) return wrong("no server id");
  if (list_.server_id.empty()) list_.server_id = server->bytes;
  const auto values = tlv_.next();
  if (!values || values->type != TlvType::list) return wrong("no list of values");
  for (std::size_t i = 0; i < values->count; ++i) {
    if (auto read = entry(); !read) return read.error();
  }
  if (!skip(2)) return wrong("the list ends too soon");
  found_ = true;
  return {};
}

// Code, status, time, unit, scaler, value, signature. The time may be a bare number (Holley).
Result<> Reader::entry() {
  const auto head = tlv_.next();
  if (!head || !head->is_list(entry_parts)) return wrong("no entry of the list");
  const auto code = tlv_.next();
  const auto status = tlv_.next();
  const bool timed = tlv_.skip();
  const auto unit = tlv_.next();
  const auto scaler = tlv_.next();
  if (!code || !status || !timed || !unit || !scaler) return wrong("broken entry");
  const TlvReader before = tlv_;
  const auto value = tlv_.next();
  tlv_ = before;
  if (!value || !skip(2)) return wrong("broken entry");
  if (code->type != TlvType::octets || code->bytes.size() != code_size) return {};
  Entry entry;
  const auto group = [&code](std::size_t i) { return u8(code->bytes[i]); };
  entry.code = Obis(group(0), group(1), group(2), group(3), group(4), group(5));
  if (entry.code == public_key) return {};
  entry.status = status->unsigned_value();
  entry.value = *value;
  const std::uint64_t named = unit->unsigned_value().value_or(UINT8_MAX);
  if (named < UINT8_MAX) entry.unit = static_cast<std::uint8_t>(named);
  const auto power = scaler->absent() ? std::int64_t{0} : scaler->signed_value();
  // A scaler without meaning leaves nothing of the number: see item_of().
  const bool usable = power && *power >= -most_scaler && *power <= most_scaler;
  entry.scaler = usable ? std::optional(static_cast<int>(*power)) : std::nullopt;
  list_.entries.push_back(entry);
  return {};
}

}  // namespace

Result<> read_list(ByteView payload, List& list) {
  list.server_id = {};
  list.entries.clear();
  return Reader(payload, list).run();
}

}  // namespace meterbridge::protocol::sml
