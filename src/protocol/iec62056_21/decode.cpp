// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/decode.hpp"

#include "core/text.hpp"
#include "protocol/iec62056_21/answer.hpp"
#include "protocol/iec62056_21/readout.hpp"
#include "protocol/iec62056_21/stream.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::iec62056_21 {
namespace {

// What was sent, and all that was heard until something else was sent.
struct Group {
  Group() = default;
  bool asked = false;
  Bytes sent;
  Bytes heard;
  std::size_t offset = 0;
  std::size_t end = 0;
};

// What earlier exchanges told.
struct Session {
  Session() = default;
  Options options;
  std::optional<Identification> identification;
  Check rule = Check::automatic;  // that matched
};

std::vector<Group> groups_of(std::span<const TranscriptLine> lines) {
  std::vector<Group> groups;
  const auto unfinished = [&] {
    return groups.back().asked && groups.back().heard.empty() && !parse_request(groups.back().sent);
  };
  for (const TranscriptLine& line : lines) {
    if (line.sent && line.bytes.empty()) continue;
    if (groups.empty() || (line.sent && !unfinished())) {
      groups.emplace_back();
      groups.back().asked = line.sent;
      groups.back().offset = line.offset;
    }
    Bytes& bytes = line.sent ? groups.back().sent : groups.back().heard;
    bytes.insert(bytes.end(), line.bytes.begin(), line.bytes.end());
    groups.back().end = line.offset + line.length;
  }
  for (Group& group : groups) {
    if (carries_parity(group.sent)) group.sent = without_parity(group.sent);
    if (carries_parity(group.heard)) group.heard = without_parity(group.heard);
  }
  return groups;
}

Check rule_of(const Session& session) {
  if (session.options.check != Check::automatic) return session.options.check;
  if (session.rule != Check::automatic) return session.rule;
  return session.identification ? usual_check(session.identification->text) : Check::automatic;
}

// Codes of a family are the maker's own words: they are known even where the sign-on is not part of
// the transcript.
CodeTable table_for(const Session& session, const std::string& name) {
  if (session.identification)
    return session.options.table(family_of(session.identification->maker));
  for (const Family family : {Family::energomera, Family::neva}) {
    if (knows(table_of(family), name)) return session.options.table(family);
  }
  return session.options.table(Family::none);
}

Decoded fine(const Session& session) {
  Decoded decoded = entry(Status::ok, {});
  if (session.identification) put_identification(decoded.telegram, *session.identification);
  return decoded;
}

Result<std::vector<Entry>> entries_of_group(const Block& block, std::string_view asked) {
  auto entries = entries_for(block, {});
  if (!entries) return entries;
  for (const Entry& one : *entries) {
    if (one.code.empty() || asked.find(one.code + "(") == std::string_view::npos)
      return Error(Errc::mismatch, "the group has not asked for '" + sanitised(one.code, 40) + "'");
  }
  return entries;
}

Decoded read_group(Session& session, const Request& request, const Block& block) {
  auto entries = entries_of_group(block, request.arguments);
  if (!entries) return failed(entries.error());
  Decoded decoded = fine(session);
  for (Entry& entry : *entries) {
    const CodeTable table = table_for(session, entry.code);
    for (const Entry& one : joined({std::move(entry)}, table)) {
      decoded.telegram.items.push_back(coded_item(table, one));
      add_coded(table, one, decoded.telegram.readings.front());
    }
  }
  return decoded;
}

Decoded read_answer(Session& session, const Request& request, const Block& block) {
  if (request.name == group_code) return read_group(session, request, block);
  auto entries = entries_for(block, request.name);
  if (!entries) return failed(entries.error());
  Decoded decoded = fine(session);
  const CodeTable table = table_for(session, request.name);
  auto together = joined(*std::move(entries), table);
  if (!knows(table, request.name) && code_from(request.name).obis) {
    put_readout(decoded.telegram, together);
    return decoded;
  }
  const bool now = asks_for_now(table, request.name, request.arguments);
  for (const Entry& one : together) {
    decoded.telegram.items.push_back(coded_item(table, one));
    if (now) add_coded(table, one, decoded.telegram.readings.front());
  }
  const Reading* serial = decoded.telegram.readings.front().find(make_key(Quantity::serial));
  if (serial != nullptr) decoded.telegram.meter.serial = std::get<std::string>(serial->value);
  return decoded;
}

Decoded understand(Session& session, const Request& request, ByteView frame) {
  const char first = static_cast<char>(u8(frame.front()));
  if (first == nak) {
    const bool password = request.kind == Request::Kind::password;
    return entry(Status::exception, password ? "the meter refuses the password"
                                             : "the meter does not take the request (NAK)");
  }
  if (first == ack) {
    if (request.kind == Request::Kind::password) return fine(session);
    return entry(Status::mismatch, "an acknowledgement, not an answer");
  }
  const auto verified = verify(frame, rule_of(session));
  if (!verified) return failed(verified.error());
  const auto block = parse_block(frame);
  if (!block) return failed(block.error());
  if (*verified == Check::exclusive_or || *verified == Check::sum) session.rule = *verified;
  switch (request.kind) {
    case Request::Kind::select:
      if (block->command == "P0") return fine(session);
      if (block->command == "B0") return entry(Status::exception, "the meter ends the session");
      break;
    case Request::Kind::password: {
      if (block->command == "B0") return entry(Status::exception, "the meter refuses the password");
      const auto entries = entries_for(*block, {});
      return entries ? entry(Status::mismatch, "data instead of an acknowledgement")
                     : failed(entries.error());
    }
    case Request::Kind::read:
      if (block->command == "B0") return entry(Status::exception, "the meter ends the session");
      return read_answer(session, request, *block);
    default:
      break;
  }
  return entry(Status::mismatch, "an answer to another request");
}

class Decoder {
 public:
  explicit Decoder(Options options) { session_.options = std::move(options); }

  std::vector<Decoded> run(std::span<const TranscriptLine> lines) {
    for (const Group& group : groups_of(lines))
      decode_group(group);
    return std::move(all_);
  }

 private:
  void put(const Group& group, Decoded decoded) {
    decoded.offset = group.offset;
    decoded.length = group.end - group.offset;
    all_.push_back(std::move(decoded));
  }

  void put_stream(const Group& group, ByteView bytes) {
    for (Decoded& decoded : decode_stream(bytes, session_.options))
      put(group, std::move(decoded));
  }

  void decode_group(const Group& group);
  void decode_sign_on(const Group& group, ByteView heard);
  void decode_select(const Group& group, ByteView heard);
  void decode_frames(const Group& group, const Request& request, ByteView heard);
  [[nodiscard]] ByteView without_echo(const Group& group);

  Session session_;
  std::vector<Decoded> all_;
};

ByteView Decoder::without_echo(const Group& group) {
  const ByteView heard = group.heard;
  const bool echo = heard.size() >= group.sent.size() &&
                    std::ranges::equal(heard.first(group.sent.size()), group.sent);
  if (!echo) return heard;
  put(group, entry(Status::mismatch, "the echo of the request"));
  return heard.subspan(group.sent.size());
}

void Decoder::decode_sign_on(const Group& group, ByteView heard) {
  const Cut cut = find_identification(heard);
  const std::string line = to_text(heard.subspan(cut.drop, cut.frame));
  auto parsed = parse_identification(trimmed(std::string_view(line).substr(line.empty() ? 0 : 1)));
  const bool alone = cut.frame != 0 && parsed &&
                     std::ranges::none_of(heard.subspan(cut.drop + cut.frame), [](std::byte b) {
                       return static_cast<char>(u8(b)) > ' ' && u8(b) < 0x7F;
                     });
  if (cut.frame != 0 && parsed) session_.identification = *parsed;
  if (!alone) {
    const std::size_t before = all_.size();
    put_stream(group, heard);
    if (all_.size() == before) put(group, entry(Status::malformed, "no identification"));
    return;
  }
  put(group, fine(session_));
}

// Of a meter that was asked for its readout; its identification came before.
void Decoder::decode_select(const Group& group, ByteView heard) {
  Bytes whole;
  if (session_.identification) whole = to_bytes("/" + session_.identification->text + "\r\n");
  whole.insert(whole.end(), heard.begin(), heard.end());
  put_stream(group, whole);
}

void Decoder::decode_frames(const Group& group, const Request& request, ByteView heard) {
  bool answered = false;
  while (!heard.empty()) {
    const Cut cut = find_answer(heard);
    if (cut.frame == 0) break;
    const ByteView frame = heard.subspan(cut.drop, cut.frame);
    heard = heard.subspan(cut.drop + cut.frame);
    Decoded decoded = answered ? entry(Status::mismatch, "a second answer to the same request")
                               : understand(session_, request, frame);
    answered = answered || decoded.ok() || decoded.status == Status::exception;
    put(group, std::move(decoded));
  }
  const bool rest = std::ranges::any_of(heard, [](std::byte b) {
    const char c = static_cast<char>(u8(b));
    return c == soh || c == stx;
  });
  if (rest) put(group, entry(Status::truncated, "the block has no end"));
}

void Decoder::decode_group(const Group& group) {
  if (!group.asked) {
    put_stream(group, group.heard);
    return;
  }
  const auto request = parse_request(group.sent);
  if (!request) {
    put(group, failed(request.error().within("the request")));
    put_stream(group, group.heard);
    return;
  }
  if (request->kind == Request::Kind::stop) return;  // nobody answers it
  const std::size_t before = all_.size();
  const ByteView heard = without_echo(group);
  if (heard.empty() && all_.size() == before) {
    put(group, entry(Status::truncated, "the request has no answer"));
  } else if (request->kind == Request::Kind::sign_on) {
    if (!heard.empty()) decode_sign_on(group, heard);
  } else {
    const Cut cut = find_answer(heard);
    const bool data = cut.frame != 0 && static_cast<char>(u8(heard[cut.drop])) == stx;
    if (request->kind == Request::Kind::select && (data || cut.frame == 0)) {
      decode_select(group, heard);
    } else {
      decode_frames(group, *request, heard);
    }
  }
  if (all_.size() == before) put(group, entry(Status::malformed, "no answer among the bytes"));
}

}  // namespace

std::vector<Decoded> decode(ByteView bytes, const SettingValues& settings) {
  const auto options = Options::from(settings);
  if (!options) return {entry(Status::unsupported, options.error().detail())};
  return decode_stream(bytes, *options);
}

std::vector<Decoded> decode_transcript(std::span<const TranscriptLine> lines,
                                       const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return {entry(Status::unsupported, options.error().detail())};
  return Decoder(*std::move(options)).run(lines);
}

}  // namespace meterbridge::protocol::iec62056_21
