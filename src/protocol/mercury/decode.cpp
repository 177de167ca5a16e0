// SPDX-License-Identifier: MIT
#include "protocol/mercury/decode.hpp"

#include "protocol/mercury/answer.hpp"
#include "protocol/mercury/frame.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace meterbridge::protocol::mercury {
namespace {

struct Context {
  Context() = default;
  Options options;
  std::map<std::uint8_t, Ratios> ratios;  // by address, as the capture told them
};

Decoded entry(Status status, std::string error) {
  return no_telegram("mercury", status, std::move(error));
}

Decoded failed(const Error& error) {
  return no_telegram("mercury", error);
}

Decoded good(Telegram telegram) {
  Decoded decoded;
  decoded.telegram = std::move(telegram);
  decoded.telegram.meter.manufacturer = "Incotex";
  decoded.telegram.readings.front().identity = decoded.telegram.meter;
  return decoded;
}

// A refusal is told in words, and its status byte is an item of its own: the frame is a good one.
void put_refusal(std::byte status, std::vector<Decoded>& all) {
  all.push_back(entry(Status::exception, "the meter answers: " + status_words(status)));
  Telegram telegram = empty_telegram();
  Item item("status");
  item.value = Decimal(status_code(status));
  telegram.items.push_back(std::move(item));
  all.push_back(good(std::move(telegram)));
}

// One exchange whose request is understood.
class Match {
 public:
  Match(Context& context, ByteView request, std::vector<Decoded>& all)
      : context_(context),
        request_(request),
        body_(data_of(request)),
        kind_(kind_of(body_)),
        lengths_(reply_lengths(body_)),
        all_(all) {}

  void hear(ByteView heard) {
    if (heard.empty()) all_.push_back(entry(Status::truncated, "the request has no answer"));
    while (!heard.empty()) {
      const std::size_t used = take(heard);
      heard = heard.subspan(used);
    }
  }

 private:
  // The good answer to a link test is the request itself, byte for byte.
  [[nodiscard]] bool is_echo(ByteView frame) const {
    return kind_ != Kind::link_test && std::ranges::equal(frame, request_);
  }

  // Says what stands at the front; how many bytes that were.
  std::size_t take(ByteView heard) {
    if (is_echo(heard.first(std::min(heard.size(), request_.size())))) {
      all_.push_back(entry(Status::mismatch, "the echo of the request"));
      return request_.size();
    }
    if (answered_) {
      all_.push_back(crc_fits(heard)
                         ? entry(Status::mismatch, "a second answer to the same request")
                         : entry(Status::malformed, "bytes behind the answer"));
      return heard.size();
    }
    const Cut cut = find(heard);
    if (cut.frame == 0) {
      all_.push_back(failed(*cut.broken));
      return heard.size();
    }
    const ByteView before = heard.first(cut.drop);
    if (!before.empty() && crc_fits(before))
      all_.push_back(entry(Status::mismatch, misfit(before, request_, lengths_)));
    const ByteView frame = heard.subspan(cut.drop, cut.frame);
    // Behind noise, too: an echo has the right address, CRC and often length.
    if (is_echo(frame)) {
      all_.push_back(entry(Status::mismatch, "the echo of the request"));
    } else {
      understand(frame);
    }
    return cut.drop + cut.frame;
  }

  // All bytes as one frame, if they are; then the longest that is anywhere among them.
  [[nodiscard]] Cut find(ByteView heard) const {
    Cut whole = settle_answer(heard, request_, lengths_);
    if (whole.frame != 0 && whole.drop == 0) return whole;
    for (const std::size_t length : lengths_) {
      Cut inside = find_answer(heard, request_, length);  // or the echo, behind noise
      if (inside.frame != 0) return inside;
    }
    return whole;
  }

  void understand(ByteView frame) {
    const ByteView data = data_of(frame);
    const bool fits = std::ranges::find(lengths_, data.size()) != lengths_.end();
    const bool short_one = data.size() == status_length;
    const bool strange = kind_ && !fits && !short_one;
    if (frame.front() != request_.front() || strange) {
      all_.push_back(entry(Status::mismatch, misfit(frame, request_, lengths_)));
      return;
    }
    if (context_.options.address && u8(frame.front()) != *context_.options.address) {
      all_.push_back(
          entry(Status::mismatch, "an answer of the address " + std::to_string(u8(frame.front()))));
      return;
    }
    answered_ = true;
    if (short_one && status_code(data.front()) != 0) {
      put_refusal(data.front(), all_);
    } else if (!kind_) {
      all_.push_back(
          entry(Status::unsupported, "the request " + name_of(body_) + " is not one that is read"));
    } else if (!fits) {
      all_.push_back(entry(Status::mismatch, "only \"ok\", where data were asked for"));
    } else {
      read(u8(frame.front()), data);
    }
  }

  void read(std::uint8_t address, ByteView data) {
    if (kind_ == Kind::ratios) {
      if (const auto ratios = parse_ratios(data)) context_.ratios[address] = *ratios;
    }
    Scale scale;
    scale.apply = context_.options.apply_ratio;
    scale.phases = context_.options.phases;
    if (const auto known = context_.ratios.find(address); known != context_.ratios.end())
      scale.ratios = known->second;
    Telegram telegram = empty_telegram();
    const auto done = read_answer(telegram, body_, data, scale);
    all_.push_back(done ? good(std::move(telegram)) : failed(done.error()));
  }

  Context& context_;
  ByteView request_;
  ByteView body_;
  std::optional<Kind> kind_;
  std::vector<std::size_t> lengths_;
  std::vector<Decoded>& all_;
  bool answered_ = false;
};

// Lengths of whole frames: requests and answers.
constexpr std::array<std::size_t, 12> frame_lengths{4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 19, 27};

std::size_t frame_at(ByteView bytes) {
  for (const std::size_t length : frame_lengths) {
    if (length <= bytes.size() && crc_fits(bytes.first(length))) return length;
  }
  return 0;
}

void put_frame(ByteView frame, const Context& context, std::vector<Decoded>& all) {
  const ByteView data = data_of(frame);
  if (context.options.address && u8(frame.front()) != *context.options.address) {
    all.push_back(
        entry(Status::mismatch, "a frame of the address " + std::to_string(u8(frame.front()))));
  } else if (data.size() == status_length) {
    if (status_code(data.front()) != 0) return put_refusal(data.front(), all);
    Telegram telegram = empty_telegram();
    Item item("status");
    item.value = Decimal(0);
    telegram.items.push_back(std::move(item));
    all.push_back(good(std::move(telegram)));
  } else if (kind_of(data)) {
    all.push_back(entry(Status::mismatch, "a request, not an answer"));
  } else {
    Telegram telegram = empty_telegram();
    Item item("data");
    item.text = to_hex_upper(data);
    telegram.items.push_back(std::move(item));
    all.push_back(good(std::move(telegram)));
  }
}

void put_rest(ByteView rest, std::vector<Decoded>& all) {
  constexpr std::size_t noise = 1;
  if (rest.size() <= noise) return;
  all.push_back(rest.size() < status_length + frame_overhead
                    ? entry(Status::truncated, "fewer bytes than any answer has")
                    : entry(Status::checksum, "no frame with a right checksum"));
}

// Answers that nobody is known to have asked for. Places are put in by the caller.
struct Placed {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::vector<Decoded> entries;
};

std::vector<Placed> frames_of(ByteView bytes, const Context& context) {
  std::vector<Placed> all;
  std::size_t rest = 0;  // where bytes begin that belong to no frame
  const auto put_until = [&](std::size_t end) {
    Placed place;
    place.offset = rest;
    place.length = end - rest;
    put_rest(bytes.subspan(rest, end - rest), place.entries);
    if (!place.entries.empty()) all.push_back(std::move(place));
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = frame_at(bytes.subspan(at));
    if (length == 0) {
      ++at;
      continue;
    }
    put_until(at);
    Placed place;
    place.offset = at;
    place.length = length;
    put_frame(bytes.subspan(at, length), context, place.entries);
    all.push_back(std::move(place));
    at += length;
    rest = at;
  }
  put_until(bytes.size());
  return all;
}

// The last whole request among the sent bytes: an adapter may put noise around it.
Result<ByteView> request_in(ByteView sent) {
  if (crc_fits(sent) && sent.size() > frame_overhead) return sent;
  for (std::size_t begin = sent.size(); begin-- > 0;) {
    for (std::size_t end = sent.size(); end >= begin + frame_overhead + 1; --end) {
      const ByteView part = sent.subspan(begin, end - begin);
      if (kind_of(data_of(part)) && crc_fits(part)) return part;
    }
  }
  if (sent.size() <= frame_overhead)
    return Error(Errc::truncated, "the request: fewer bytes than any has");
  return Error(Errc::checksum, "the request: its checksum is wrong");
}

bool wants_more(ByteView sent) {
  return !request_in(sent);
}

void decode_exchange(const TranscriptExchange& exchange, Context& context,
                     std::vector<Decoded>& all) {
  const std::size_t first = all.size();
  const auto request = request_in(exchange.sent);
  if (exchange.asked && !request) all.push_back(failed(request.error()));
  if (request) {
    Match(context, *request, all).hear(exchange.heard);
  } else {
    for (Placed& place : frames_of(exchange.heard, context))
      std::ranges::move(place.entries, std::back_inserter(all));
  }
  for (std::size_t i = first; i < all.size(); ++i) {
    all[i].offset = exchange.offset;
    all[i].length = exchange.length;
  }
}

Result<Context> context_of(const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return options.error();
  Context context;
  context.options = *options;
  return context;
}

}  // namespace

std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings) {
  const auto context = context_of(settings);
  if (!context) return {entry(Status::unsupported, context.error().detail())};
  std::vector<Decoded> all;
  for (Placed& place : frames_of(bytes, *context)) {
    for (Decoded& decoded : place.entries) {
      decoded.offset = place.offset;
      decoded.length = place.length;
      all.push_back(std::move(decoded));
    }
  }
  return all;
}

std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                       const SettingValues& settings) {
  auto context = context_of(settings);
  if (!context) return {entry(Status::unsupported, context.error().detail())};
  std::vector<Decoded> all;
  for (const TranscriptExchange& exchange : exchanges_of(lines, wants_more))
    decode_exchange(exchange, *context, all);
  return all;
}

}  // namespace meterbridge::protocol::mercury
