// SPDX-License-Identifier: MIT
#include "protocol/mercury200/frame.hpp"

#include <utility>

namespace meterbridge::protocol::mercury200 {
namespace {

constexpr std::uint8_t reactive_power = 0;
constexpr std::uint8_t factor_and_apparent_power = 2;

const Rule* rule_of(ByteView request) {
  const auto frame = parse_frame(request);
  if (!frame) return nullptr;
  return find_rule(frame->command, frame->data.empty() ? 0 : u8(frame->data.front()));
}

Cut cut_at(std::size_t end, std::size_t length) {
  Cut cut;
  cut.drop = end - length;
  cut.frame = length;
  return cut;
}

bool is_answer(ByteView frame, ByteView request) {
  return std::ranges::equal(frame.first(header_length), request.first(header_length)) &&
         mercury::crc_fits(frame);
}

}  // namespace

const Rule* find_rule(std::uint8_t command, std::uint8_t parameter) noexcept {
  if (command == static_cast<std::uint8_t>(Command::more)) {
    if (parameter == reactive_power) return &more_rules[0];
    return parameter == factor_and_apparent_power ? &more_rules[1] : nullptr;
  }
  for (const Rule& rule : rules) {
    if (static_cast<std::uint8_t>(rule.command) == command) return &rule;
  }
  return nullptr;
}

bool fits(const Rule& rule, std::size_t data_bytes) noexcept {
  return data_bytes != 0 && std::ranges::find(rule.reply, data_bytes) != rule.reply.end();
}

Result<Bytes> build_request(std::uint32_t address, Command command, ByteView parameters) {
  const auto code = static_cast<std::uint8_t>(command);
  const Rule* rule = find_rule(code, parameters.empty() ? 0 : u8(parameters.front()));
  if (rule == nullptr || parameters.size() != rule->parameters)
    return Error(Errc::bug, "the command " + name_of(code) + " is not one that only reads");
  Bytes wire;
  for (unsigned shift = 32; shift > 0; shift -= 8)
    wire.push_back(static_cast<std::byte>((address >> (shift - 8)) & 0xFFU));
  wire.push_back(static_cast<std::byte>(code));
  wire.insert(wire.end(), parameters.begin(), parameters.end());
  return mercury::with_crc(std::move(wire));
}

Result<Frame> parse_frame(ByteView wire) {
  if (wire.size() < overhead)
    return Error(Errc::truncated,
                 "only " + std::to_string(wire.size()) + " bytes, fewer than any frame has");
  if (!mercury::crc_fits(wire)) return Error(Errc::checksum, "the checksum is wrong");
  Frame frame;
  frame.address = static_cast<std::uint32_t>(*ByteReader(wire).big(4));
  frame.command = u8(wire[4]);
  frame.data = wire.subspan(header_length, wire.size() - overhead);
  return frame;
}

Cut find_answer(ByteView arrived, ByteView request) {
  const Rule* rule = rule_of(request);
  if (rule == nullptr) return {};
  for (std::size_t end = std::min(request.size(), overhead); end <= arrived.size(); ++end) {
    if (end >= request.size() &&
        std::ranges::equal(arrived.subspan(end - request.size(), request.size()), request))
      return cut_at(end, request.size());
    for (const std::size_t length : rule->reply) {
      const std::size_t frame = length + overhead;
      if (length != 0 && end >= frame && is_answer(arrived.subspan(end - frame, frame), request))
        return cut_at(end, frame);
    }
  }
  return {};
}

Cut settle_answer(ByteView arrived, ByteView request) {
  if (arrived.size() >= overhead && mercury::crc_fits(arrived))
    return cut_at(arrived.size(), arrived.size());
  const Rule* rule = rule_of(request);
  const std::size_t wanted = overhead + (rule == nullptr ? 0 : rule->reply.front());
  const std::string count = std::to_string(arrived.size());
  Cut cut;
  cut.drop = arrived.size();
  cut.broken =
      arrived.size() < wanted
          ? Error(Errc::truncated,
                  "only " + count + " bytes of an answer of " + std::to_string(wanted))
          : Error(Errc::checksum, "the checksum of an answer of " + count + " bytes is wrong");
  return cut;
}

std::string name_of(std::uint8_t command) {
  const std::byte code{command};
  return to_hex_upper(ByteView(&code, 1));
}

}  // namespace meterbridge::protocol::mercury200
