// SPDX-License-Identifier: MIT
#include "protocol/json/json.hpp"

#include "core/tools.hpp"
#include "protocol/json/decode.hpp"
#include "protocol/json/driver.hpp"
#include "protocol/json/gather.hpp"
#include "protocol/json/okosmero.hpp"
#include "protocol/json/responder.hpp"
#include "protocol/json/splitter.hpp"

#include <array>

namespace meterbridge::protocol::json {
namespace {

Status status_of(Errc code) noexcept {
  switch (code) {
    case Errc::truncated:
      return Status::truncated;
    case Errc::unsupported:
      return Status::unsupported;
    default:
      return Status::malformed;
  }
}

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& values) {
  auto options = read_options(values);
  if (!options) return options.error();
  std::unique_ptr<Driver> inner;
  if (options->carried) {
    auto made = options->carried->protocol->driver(options->carried->settings);
    if (!made) return made.error();
    inner = *std::move(made);
  }
  return std::unique_ptr<Driver>(
      std::make_unique<JsonDriver>(*std::move(options), std::move(inner)));
}

Decoded broken(std::size_t offset, std::size_t length, Status status, std::string error) {
  Decoded decoded;
  decoded.offset = offset;
  decoded.length = length;
  decoded.status = status;
  decoded.error = std::move(error);
  decoded.telegram.protocol = "json";
  return decoded;
}

// Of the topic in front of a payload; 0 when there is none.
std::size_t topic_length(std::string_view line) noexcept {
  const std::size_t end = line.find(' ');
  const std::string_view topic = line.substr(0, end);
  const bool good = end != std::string_view::npos && topic.find('/') != std::string_view::npos &&
                    topic.find_first_of("{}[]\"") == std::string_view::npos &&
                    line.find_first_not_of(" \t\r", end) != std::string_view::npos;
  return good ? end : 0;
}

bool begins_with_topic(std::string_view text) noexcept {
  return topic_length(text.substr(0, text.find('\n'))) != 0;
}

// Captured payloads one behind the other, each on lines of its own or as documents.
class Capture {
 public:
  explicit Capture(const Options& options) : options_(options), gathering_(options, true) {}

  std::vector<Decoded> run(ByteView bytes) {
    if (options_.carried && options_.carried->pointer.empty()) {
      carried(bytes);
    } else if (begins_with_topic(to_text(bytes))) {
      messages(to_text(bytes));
    } else if (options_.plain || options_.sender == Sender::vzlogger) {
      lines(to_text(bytes));
    } else {
      documents(bytes);
    }
    return std::move(found_);
  }

 private:
  void documents(ByteView bytes) {
    Splitter splitter;
    splitter.push(bytes);
    splitter.finish();
    while (const auto piece = splitter.next()) {
      if (piece->cut) {
        fail(*piece, Error(Errc::truncated, "the end of the document is missing"));
      } else {
        document(*piece, options_.topic);
      }
    }
  }

  template <class Take>
  static void each_line(const std::string& text, const Take& take) {
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      Piece piece;
      piece.offset = begin;
      piece.text = text.substr(begin, end - begin);
      if (piece.text.find_first_not_of(" \t\r") != std::string::npos) take(piece);
      begin = end + 1;
    }
  }

  void lines(const std::string& text) {
    each_line(text, [this](const Piece& piece) { document(piece, options_.topic); });
  }

  // What `mosquitto_sub -v` prints: topic, blank, payload, a line a message.
  void messages(const std::string& text) {
    each_line(text, [this](Piece& piece) {
      const std::size_t end = topic_length(piece.text);
      const std::string topic = end == 0 ? options_.topic : piece.text.substr(0, end);
      if (end != 0) piece.text.replace(0, end, end, ' ');
      if (concerns(options_, topic)) document(piece, topic);
    });
  }

  void gather(const Piece& piece, std::string_view topic) {
    auto understood = gathering_.take(piece.text, topic);
    if (!understood)
      return fail(piece, Error(understood.error().code(), "this " + understood.error().detail()));
    if (*understood) found(piece, std::move((*understood)->telegram));
  }

  void found(const Piece& piece, Telegram telegram) {
    Decoded& decoded = found_.emplace_back();
    decoded.offset = piece.offset;
    decoded.length = piece.text.size();
    decoded.telegram = std::move(telegram);
  }

  void document(const Piece& piece, std::string_view topic) {
    if (options_.sender != Sender::fields) return gather(piece, topic);
    const auto leaves = leaves_of(options_, piece.text);
    if (!leaves)
      return fail(piece, Error(leaves.error().code(), "this " + leaves.error().detail()));
    if (options_.carried) {
      const auto bytes = telegram_of(*options_.carried, *leaves);
      if (!bytes) return fail(piece, bytes.error());
      if (*bytes) inner(piece, **bytes);
      if (options_.fields.empty()) return;
    }
    auto understood = understand(options_, *leaves, topic);
    if (!understood) return fail(piece, understood.error());
    found(piece, std::move(understood->telegram));
  }

  // Raw telegrams are a stream; encoded ones are a payload a line.
  void carried(ByteView bytes) {
    const Carried& carried = *options_.carried;
    if (carried.encoding == Encoding::raw) {
      found_ = carried.protocol->decode(bytes, carried.settings);
      return;
    }
    Piece piece;
    piece.text = to_text(bytes);
    const auto telegrams = decoded(carried.encoding, piece.text);
    if (telegrams) {
      inner(piece, *telegrams);
    } else {
      fail(piece, telegrams.error());
    }
  }

  void inner(const Piece& piece, ByteView bytes) {
    for (Decoded& decoded : options_.carried->protocol->decode(bytes, options_.carried->settings)) {
      decoded.offset = piece.offset;
      decoded.length = piece.text.size();
      found_.push_back(std::move(decoded));
    }
  }

  void fail(const Piece& piece, const Error& error) {
    found_.push_back(
        broken(piece.offset, piece.text.size(), status_of(error.code()), error.detail()));
  }

  const Options& options_;
  Gathering gathering_;
  std::vector<Decoded> found_;
};

std::vector<Decoded> decode(ByteView bytes, const SettingValues& values) {
  const auto options = read_options(values);
  if (options) return Capture(*options).run(bytes);
  return {broken(0, bytes.size(), Status::unsupported, options.error().detail())};
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& values) {
  auto options = read_options(values);
  if (!options) return options.error();
  return make_json_responder(*std::move(options));
}

constexpr std::array layouts = {TelegramLayout{"okosmero", &okosmero_document}};

Protocol make_protocol() {
  static const std::array tables{field_table()};
  Protocol protocol;
  protocol.name = "json";
  protocol.title = "JSON and plain payloads, mostly over MQTT";
  protocol.pushes = true;
  protocol.settings = setting_specs();
  protocol.tables = tables;
  protocol.line.baud = 115200;
  protocol.driver = &make_driver;
  protocol.decode = &decode;
  protocol.responder = &make_responder;
  protocol.layouts = layouts;
  protocol.anatomy = with_tools(&anatomy);
  protocol.anonymise = with_tools(&anonymise);
  return protocol;
}

}  // namespace

const Protocol json_protocol = make_protocol();

}  // namespace meterbridge::protocol::json
