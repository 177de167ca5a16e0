// SPDX-License-Identifier: MIT
#include "protocol/modbus/decode.hpp"

#include "protocol/modbus/options.hpp"
#include "protocol/modbus/pieces.hpp"
#include "protocol/modbus/sunspec.hpp"
#include "protocol/modbus/values.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

// What is known besides the exchange itself.
struct Context {
  Context() = default;
  Options options;
  std::optional<std::uint8_t> unit;  // the only one that counts
  SunSpecSearch models;              // as far as earlier exchanges showed them
};

Decoded entry(Status status, std::string error) {
  return no_telegram("modbus", status, std::move(error));
}

Decoded failed(const Error& error) {
  return no_telegram("modbus", error);
}

Decoded good_entry() {
  Decoded decoded = entry(Status::ok, {});
  decoded.telegram.readings.emplace_back();
  return decoded;
}

std::string unit_text(std::uint8_t unit) {
  return "unit " + std::to_string(unit);
}

std::string hex_word(std::uint16_t word) {
  return to_hex_upper(
      Bytes{static_cast<std::byte>(word >> 8U), static_cast<std::byte>(word & 0xFFU)});
}

// The registers of the table that this answer holds.
void put_known(const Image& image, const Context& context, Telegram& telegram) {
  const auto registers = located(context.options.table.registers, context.models.models());
  for (const Register& one : registers) {
    const auto found = understand(one, image);
    if (found && *found) put(telegram, **found);
  }
  put_totals(telegram, registers);
}

// Registers of no table: the numbers as they are.
void put_raw(const Image::Answer& answer, Telegram& telegram) {
  for (std::size_t i = 0; i < answer.words.size(); ++i) {
    Item item(address_text(static_cast<int>(answer.request.function),
                           static_cast<std::uint32_t>(answer.request.address + i)));
    item.value = Decimal(answer.words[i]);
    telegram.items.push_back(std::move(item));
  }
}

// Where models lie, if this answer shows it.
void learn_models(const Image::Answer& answer, Context& context) {
  if (answer.request.function != Function::holding) return;
  for (const std::uint16_t base : context.options.table.sunspec_bases) {
    if (context.models.found()) break;
    SunSpecSearch search({base});
    const auto mark = answer.words_at(base, 2);
    if (mark.empty()) continue;
    search.answered(mark);
    if (search.found()) context.models = std::move(search);
  }
  while (context.models.found()) {
    const auto question = context.models.question();
    if (!question) break;
    const auto head = answer.words_at(question->address, question->count);
    if (head.empty()) break;
    context.models.answered(head);
  }
}

Decoded understood(const Request& request, const Reply& reply, Context& context) {
  if (const auto* refusal = std::get_if<Refusal>(&reply))
    return entry(Status::exception, exception_text(refusal->code));
  Decoded decoded = good_entry();
  if (const auto* identity = std::get_if<Identity>(&reply)) {
    for (const auto& [object, text] : identity->objects) {
      Item item(address_text(identity_function, object));
      item.text = text;
      decoded.telegram.items.push_back(std::move(item));
      if (object == 0) decoded.telegram.meter.manufacturer = text;
      if (object == 1) decoded.telegram.meter.model = text;
      if (object == 2) decoded.telegram.meter.firmware = text;
    }
    return decoded;
  }
  Image image;
  image.add(std::get<ReadRequest>(request), std::get<Words>(reply).words);
  learn_models(image.answers().front(), context);
  put_known(image, context, decoded.telegram);
  if (decoded.telegram.items.empty()) put_raw(image.answers().front(), decoded.telegram);
  return decoded;
}

bool looks_like_request(ByteView pdu) {
  const auto request = parse_request(pdu);
  if (!request) return false;
  // 04 03 00 01 02: the answer of one register and a half does not exist.
  const bool answer =
      pdu.size() >= 2 && u8(pdu[1]) + std::size_t{2} == pdu.size() &&
      (of_bits(function_from(u8(pdu[0])).value_or(Function::coils)) || u8(pdu[1]) % 2 == 0);
  return std::holds_alternative<IdentityRequest>(*request) || !answer;
}

// An answer alone: how many registers, and what they hold, but not which.
Decoded alone(const Frame& frame, Context& context) {
  const ByteView pdu = frame.pdu;
  if (looks_like_request(pdu)) return entry(Status::mismatch, "a request, not an answer");
  const std::uint8_t code = pdu.empty() ? std::uint8_t{0} : u8(pdu[0]);
  if ((code & refusal_bit) != 0 && pdu.size() == 2)
    return entry(Status::exception, exception_text(u8(pdu[1])));
  if (code == identity_function) {
    const auto reply = parse_reply(IdentityRequest(), pdu);
    return reply ? understood(IdentityRequest(), *reply, context) : failed(reply.error());
  }
  const auto function = function_from(code);
  if (!function)
    return entry(Status::unsupported, "function " + std::to_string(code) + " is not read here");
  const std::size_t bytes = pdu.size() < 2 ? 0 : u8(pdu[1]);
  const std::size_t count = of_bits(*function) ? 8 * bytes : bytes / 2;
  const ReadRequest request(*function, 0, static_cast<std::uint16_t>(count));
  const auto reply = parse_reply(request, pdu);
  if (!reply) return entry(Status::malformed, reply.error().detail());
  Decoded decoded = good_entry();
  Item item(std::to_string(code));
  for (const std::uint16_t word : std::get<Words>(*reply).words)
    item.groups.push_back(of_bits(*function) ? std::to_string(word) : hex_word(word));
  decoded.telegram.items.push_back(std::move(item));
  return decoded;
}

Decoded stream_entry(const Piece& piece, Context& context) {
  if (piece.broken) return failed(*piece.broken);
  if (context.unit && piece.frame.unit != *context.unit)
    return entry(Status::mismatch, "an answer of the " + unit_text(piece.frame.unit));
  return alone(piece.frame, context);
}

struct Asking {
  Asking() = default;
  Framing framing = Framing::rtu;
  Frame frame;
  Request request;
  ByteView wire;
};

// The last whole request among the sent bytes.
Result<Asking> request_in(Framing framing, ByteView sent) {
  const auto pieces = pieces_of(framing, sent);
  std::optional<Error> why;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    const auto request =
        piece->broken ? Result<Request>(*piece->broken) : parse_request(piece->frame.pdu);
    if (!request) {
      if (!why) why = request.error();
      continue;
    }
    Asking asking;
    asking.framing = framing;
    asking.frame = piece->frame;
    asking.request = *request;
    asking.wire = piece->wire;
    return asking;
  }
  return why.value_or(Error(Errc::malformed, "an empty request"));
}

// A broken piece, now that it is known how long the answer should have been.
Error broken_answer(const Asking& asking, const Piece& piece) {
  const auto* read = std::get_if<ReadRequest>(&asking.request);
  if (asking.framing == Framing::tcp || read == nullptr) return *piece.broken;
  const std::size_t due =
      rtu_overhead + encode_words(*read, std::vector<std::uint16_t>(read->count)).size();
  if (piece.wire.size() == due) return {Errc::checksum, "the CRC is wrong"};
  return *piece.broken;
}

Decoded matched(const Asking& asking, const Piece& piece, bool answered, Context& context) {
  if (piece.broken) return failed(broken_answer(asking, piece));
  if (std::ranges::equal(piece.wire, asking.wire))
    return entry(Status::mismatch, "the echo of the request");
  const Frame& frame = piece.frame;
  if (asking.framing == Framing::tcp && context.options.check_transaction &&
      frame.transaction != asking.frame.transaction) {
    return entry(Status::mismatch, "an answer to the request " + std::to_string(frame.transaction) +
                                       ", asked was " + std::to_string(asking.frame.transaction));
  }
  if (frame.unit != asking.frame.unit) {
    return entry(Status::mismatch, "an answer of the " + unit_text(frame.unit) +
                                       ", asked was the " + unit_text(asking.frame.unit));
  }
  const auto reply = parse_reply(asking.request, frame.pdu);
  if (!reply) {
    return looks_like_request(frame.pdu) ? entry(Status::mismatch, "another request, not an answer")
                                         : failed(reply.error());
  }
  if (answered) return entry(Status::mismatch, "a second answer to the same request");
  return understood(asking.request, *reply, context);
}

// Neither a whole request of RTU nor of Modbus TCP.
bool wants_more(ByteView sent) {
  const auto rtu = rtu_request_length(sent);
  const bool tcp = is_tcp_header(sent).value_or(false) && sent.size() >= tcp_length(sent);
  return rtu && *rtu > sent.size() && !tcp;
}

void decode_exchange(Framing framing, const TranscriptExchange& exchange, Context& context,
                     std::vector<Decoded>& all) {
  const auto put = [&](Decoded decoded) {
    decoded.offset = exchange.offset;
    decoded.length = exchange.length;
    all.push_back(std::move(decoded));
  };
  const auto pieces = pieces_of(framing, exchange.heard);
  std::optional<Asking> asking;
  if (exchange.asked) {
    auto asked = request_in(framing, exchange.sent);
    if (asked) {
      asking = std::move(*asked);
    } else {
      put(failed(asked.error().within("the request")));
    }
  }
  if (asking && pieces.empty()) put(entry(Status::truncated, "the request has no answer"));
  if (asking && context.unit && asking->frame.unit != *context.unit) {
    return put(entry(Status::mismatch, "a request to the " + unit_text(asking->frame.unit)));
  }
  bool answered = false;
  for (const Piece& piece : pieces) {
    Decoded decoded =
        asking ? matched(*asking, piece, answered, context) : stream_entry(piece, context);
    answered = answered || decoded.ok() || decoded.status == Status::exception;
    put(std::move(decoded));
  }
}

Result<Context> context_of(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  Context context;
  context.options = *options;
  if (settings.has("address")) context.unit = options->unit;
  return context;
}

// One transcript is one line: a damaged exchange has the framing of its neighbours.
Framing framing_of(std::span<const TranscriptExchange> exchanges, const Context& context) {
  if (context.options.framing) return *context.options.framing;
  std::size_t tcp = 0;
  std::size_t rtu = 0;
  for (const TranscriptExchange& exchange : exchanges) {
    for (const Bytes* bytes : {&exchange.sent, &exchange.heard}) {
      if (!bytes->empty()) ++(guess_framing(*bytes) == Framing::tcp ? tcp : rtu);
    }
  }
  return tcp > rtu ? Framing::tcp : Framing::rtu;
}

}  // namespace

std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings) {
  std::vector<Decoded> all;
  auto context = context_of(settings);
  if (!context) return {entry(Status::unsupported, context.error().detail())};
  const Framing framing = context->options.framing.value_or(guess_framing(bytes));
  for (const Piece& piece : pieces_of(framing, bytes)) {
    Decoded decoded = stream_entry(piece, *context);
    decoded.offset = piece.offset;
    decoded.length = piece.wire.size();
    all.push_back(std::move(decoded));
  }
  return all;
}

std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                       const SettingValues& settings) {
  std::vector<Decoded> all;
  auto context = context_of(settings);
  if (!context) return {entry(Status::unsupported, context.error().detail())};
  const auto exchanges = exchanges_of(lines, wants_more);
  const Framing framing = framing_of(exchanges, *context);
  for (const TranscriptExchange& exchange : exchanges)
    decode_exchange(framing, exchange, *context, all);
  return all;
}

}  // namespace meterbridge::protocol::modbus
