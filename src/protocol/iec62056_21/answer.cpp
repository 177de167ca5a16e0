// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/answer.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::iec62056_21 {
namespace {

struct Known {
  std::string_view code;
  std::string_view words;
  bool unknown;
};

constexpr std::array errors{
    Known{"ERR12", "it does not know this code", true},
    Known{"ERR14", "a button on the meter must be pressed first", false},
    Known{"ERR15", "access refused: it wants a password", true},
    Known{"ERR17", "a wrong value in the request", true},
    Known{"ERR18", "it has no such record", false},
    Known{"ERR22", "its answer would be too long", true},
};

Error malformed(std::string text) {
  return {Errc::malformed, std::move(text)};
}

// name(arguments)
Result<Request> read_of(const Block& block) {
  Request request;
  request.kind = Request::Kind::read;
  request.command = block.command;
  const std::size_t open = block.text.find('(');
  if (open == std::string::npos || block.text.back() != ')')
    return malformed("a read request is name(), not '" + sanitised(block.text, 40) + "'");
  request.name = block.text.substr(0, open);
  request.arguments = block.text.substr(open + 1, block.text.size() - open - 2);
  return request;
}

Result<Request> command_of(ByteView bytes) {
  const Cut cut = find_answer(bytes);
  if (cut.frame == 0) return Error(Errc::truncated, "the request has no end");
  const auto block = parse_block(bytes.subspan(cut.drop, cut.frame));
  if (!block) return block.error();
  if (block->command.starts_with('R')) return read_of(*block);
  Request request;
  request.command = block->command;
  if (block->command == "P1" || block->command == "P2") request.kind = Request::Kind::password;
  if (block->command == "B0") request.kind = Request::Kind::stop;
  return request;
}

}  // namespace

Result<Request> parse_request(ByteView sent) {
  const auto begins = [](std::byte b) {
    const char c = static_cast<char>(u8(b));
    return c == '/' || c == ack || c == soh;
  };
  const auto at = std::ranges::find_if(sent, begins);
  if (at == sent.end()) return malformed("neither sign-on nor command");
  const ByteView rest = sent.subspan(static_cast<std::size_t>(at - sent.begin()));
  if (static_cast<char>(u8(rest.front())) == soh) return command_of(rest);
  const std::string text = to_text(rest);
  Request request;
  if (text.front() == ack) {
    if (text.size() < 4) return Error(Errc::truncated, "the option select has no end");
    request.kind = Request::Kind::select;
    return request;
  }
  const bool asks = text.size() > 1 && (text[1] == '?' || (text[1] >= '1' && text[1] <= '9'));
  if (!asks || text.find('!') == std::string::npos)
    return Error(Errc::truncated, "the sign-on is not /?address!");
  // Fast read: the command follows the sign-on in one go.
  const std::size_t command = text.find(soh);
  if (command != std::string::npos) return command_of(rest.subspan(command));
  request.kind = Request::Kind::sign_on;
  return request;
}

std::optional<Refusal> refusal_in(const Entry& entry) {
  if (entry.values.size() != 1) return std::nullopt;
  std::string_view text = entry.values.front();
  if (entry.code.starts_with("ERR")) text = entry.code;
  if (!text.starts_with("ERR")) return std::nullopt;
  Refusal refusal;
  const auto known = std::ranges::find(errors, text, &Known::code);
  if (known == errors.end()) {
    refusal.words = "the meter answers " + sanitised(text, 20);
    return refusal;
  }
  refusal.words = "the meter answers " + std::string(text) + ": " + std::string(known->words);
  refusal.unknown = known->unknown;
  return refusal;
}

Result<std::vector<Entry>> entries_for(const Block& block, std::string_view name) {
  if (!block.command.empty()) {
    return Error(Errc::mismatch, "a command (" + sanitised(block.command) + "), not an answer");
  }
  auto entries = parse_entries(block.text, Origin::answer);
  if (!entries) return entries.error();
  if (entries->empty()) return Error(Errc::malformed, "an empty answer");
  for (Entry& entry : *entries) {
    if (const auto refusal = refusal_in(entry)) return Error(Errc::exception, refusal->words);
    if (entry.code.empty()) entry.code = name;
    if (!name.empty() && entry.code != name) {
      return Error(Errc::mismatch, "an answer to " + sanitised(entry.code, 40) + ", asked was " +
                                       std::string(name));
    }
  }
  return entries;
}

Cut find_login_answer(ByteView arrived, bool& noisy) {
  Cut cut = find_answer(arrived);
  const auto dropped = arrived.first(cut.drop);
  const bool idle = std::ranges::all_of(dropped, [](std::byte b) { return b == std::byte{0x7F}; });
  noisy = noisy || !idle || (cut.frame == 1 && arrived.size() > cut.drop + 1);
  if (cut.frame == 1 && noisy && static_cast<char>(u8(arrived[cut.drop])) == nak) {
    cut.drop += cut.frame;
    cut.frame = 0;
  }
  return cut;
}

}  // namespace meterbridge::protocol::iec62056_21
