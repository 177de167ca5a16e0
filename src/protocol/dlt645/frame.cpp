// SPDX-License-Identifier: MIT
#include "protocol/dlt645/frame.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::dlt645 {
namespace {

constexpr std::uint8_t offset = 0x33;
constexpr std::size_t second_start = 7;

// Bytes of the frame that begins here, by its own word; 0 = none begins.
std::size_t length_at(ByteView bytes) {
  if (bytes.size() < header_length || bytes.front() != start || bytes[second_start] != start)
    return 0;
  const std::size_t data = u8(bytes[header_length - 1]);
  return data > max_data ? 0 : overhead + data;
}

std::uint8_t sum_of(ByteView bytes) {
  unsigned sum = 0;
  for (const std::byte b : bytes)
    sum += u8(b);
  return static_cast<std::uint8_t>(sum & 0xFFU);
}

// One whole frame at the front; 0 = none.
std::size_t whole_at(ByteView bytes) {
  const std::size_t length = length_at(bytes);
  if (length == 0 || bytes.size() < length || bytes[length - 1] != stop) return 0;
  return u8(bytes[length - 2]) == sum_of(bytes.first(length - 2)) ? length : 0;
}

Bytes address_bytes(const std::optional<std::int64_t>& address) {
  Bytes bytes(address_length, filler);
  std::int64_t left = address.value_or(0);
  for (std::size_t i = 0; address && i < address_length; ++i, left /= 100)
    bytes[i] = static_cast<std::byte>((left / 10 % 10) * 16 + left % 10);
  return bytes;
}

std::optional<std::int64_t> address_of(ByteView bytes) {
  std::int64_t address = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) {
    const auto digits = ByteReader(bytes.subspan(i - 1, 1)).bcd();
    if (!digits) return std::nullopt;
    address = address * 100 + *digits;
  }
  return address;
}

std::optional<Version> version_of(std::uint8_t control) {
  const std::uint8_t command = control & command_bits;
  for (const Version version : {Version::v1997, Version::v2007}) {
    if (command == read_command(version)) return version;
  }
  return std::nullopt;
}

std::uint32_t code_in(ByteView data, Version version) {
  return static_cast<std::uint32_t>(ByteReader(data).little(code_length(version)).value_or(0));
}

// The bits mean the same in both versions as far as a read can meet them.
std::string refusal(ByteView data) {
  if (data.empty()) return "the meter refuses, and does not say why";
  const std::uint8_t bits = u8(data.front());
  std::string why;
  const auto add = [&](unsigned bit, const char* words) {
    if ((bits & bit) != 0) why += std::string(why.empty() ? "" : ", ") + words;
  };
  add(2U, "it has no such value");
  add(4U, "it wants a password");
  if (why.empty()) why = "error " + to_hex_upper(data.first(1));
  return "the meter refuses: " + why;
}

}  // namespace

Bytes make_frame(std::optional<std::int64_t> address, std::uint8_t control, ByteView data) {
  Bytes wire{start};
  const Bytes digits = address_bytes(address);
  wire.insert(wire.end(), digits.begin(), digits.end());
  wire.push_back(start);
  wire.push_back(static_cast<std::byte>(control));
  wire.push_back(static_cast<std::byte>(data.size()));
  for (const std::byte b : data)
    wire.push_back(static_cast<std::byte>((u8(b) + offset) & 0xFFU));
  wire.push_back(static_cast<std::byte>(sum_of(wire)));
  wire.push_back(stop);
  return wire;
}

Bytes read_request(Version version, std::optional<std::int64_t> address, std::uint32_t code,
                   int wake_ups) {
  Bytes data;
  for (std::size_t i = 0; i < code_length(version); ++i, code >>= 8U)
    data.push_back(static_cast<std::byte>(code & 0xFFU));
  Bytes wire(static_cast<std::size_t>(std::max(wake_ups, 0)), wake_up);
  const Bytes frame = make_frame(address, read_command(version), data);
  wire.insert(wire.end(), frame.begin(), frame.end());
  return wire;
}

Result<Frame> parse_frame(ByteView wire) {
  const std::size_t length = length_at(wire);
  if (length == 0 || wire.size() != length || whole_at(wire) == 0) return fault_of(wire);
  Frame frame;
  frame.address = address_of(wire.subspan(1, address_length));
  frame.control = u8(wire[second_start + 1]);
  for (const std::byte b : wire.subspan(header_length, length - overhead))
    frame.data.push_back(static_cast<std::byte>((u8(b) - offset) & 0xFFU));
  return frame;
}

Cut find_frame(ByteView arrived) {
  Cut first;
  for (std::size_t at = 0; at + overhead <= arrived.size(); ++at) {
    if (first.frame != 0 && at + overhead >= first.drop + first.frame) break;
    const std::size_t length = whole_at(arrived.subspan(at));
    if (length == 0 || (first.frame != 0 && at + length >= first.drop + first.frame)) continue;
    first.drop = at;
    first.frame = length;
  }
  return first;
}

Error fault_of(ByteView bytes) {
  const auto from = std::ranges::find_if(bytes, [](std::byte b) { return b != wake_up; });
  const ByteView frame = bytes.subspan(static_cast<std::size_t>(from - bytes.begin()));
  const std::string count = std::to_string(frame.size());
  const std::size_t length = length_at(frame);
  if (frame.size() < overhead || (length != 0 && frame.size() < length))
    return {Errc::truncated,
            "only " + count + " bytes of a frame of " +
                (length == 0 ? "at least " + std::to_string(overhead) : std::to_string(length))};
  if (length == 0) return {Errc::malformed, count + " bytes that are no frame of DL/T 645"};
  if (frame.size() > length) return {Errc::malformed, "bytes behind the end of a frame"};
  if (frame.back() != stop) return {Errc::malformed, "a frame without its end mark 16"};
  return {Errc::checksum, "the checksum of a frame of " + count + " bytes is wrong"};
}

Cut settle(ByteView arrived) {
  Cut cut = find_frame(arrived);
  if (cut.frame != 0) return cut;
  cut.drop = arrived.size();
  // What stands in front of the frame, an echo cut short for example, says nothing of it.
  std::size_t at = 0;
  while (at < arrived.size() && length_at(arrived.subspan(at)) == 0)
    ++at;
  const ByteView frame = at == arrived.size() ? arrived : arrived.subspan(at);
  const std::size_t length = length_at(frame);
  cut.broken = fault_of(length == 0 ? frame : frame.first(std::min(length, frame.size())));
  return cut;
}

std::optional<Selection> request_in(const Frame& frame) {
  for (const Version version : {Version::v1997, Version::v2007}) {
    if (frame.control != read_command(version) || frame.data.size() < code_length(version))
      continue;
    Selection asked;
    asked.version = version;
    asked.code = code_in(frame.data, version);
    return asked;
  }
  return std::nullopt;
}

Result<Selection> answer_in(const Frame& frame) {
  if ((frame.control & from_meter) == 0) return Error(Errc::mismatch, "a request, not an answer");
  const auto version = version_of(frame.control);
  if (!version) {
    const std::byte control{frame.control};
    return Error(Errc::mismatch, "an answer to another command (control " +
                                     to_hex_upper(ByteView(&control, 1)) + "), not to a read");
  }
  if ((frame.control & refused) != 0) return Error(Errc::exception, refusal(frame.data));
  const std::size_t code = code_length(*version);
  if (frame.data.size() < code)
    return Error(Errc::malformed, "an answer too short for the code of a value");
  Selection answer;
  answer.version = *version;
  answer.code = code_in(frame.data, *version);
  if ((frame.control & more_follows) != 0)
    return Error(Errc::unsupported,
                 "the answer to " + name_of(*version, answer.code) +
                     " comes in several frames, which are not read: ask for its parts one by one");
  answer.payload = ByteView(frame.data).subspan(code);
  return answer;
}

std::string name_of(Version version, std::uint32_t code) {
  Bytes bytes(code_length(version));
  for (std::size_t i = bytes.size(); i > 0; --i, code >>= 8U)
    bytes[i - 1] = static_cast<std::byte>(code & 0xFFU);
  return to_hex_upper(bytes);
}

std::string address_text(const std::optional<std::int64_t>& address) {
  if (!address) return "that is not twelve digits";
  std::string digits = std::to_string(*address);
  constexpr std::size_t twelve = 12;
  return std::string(twelve - std::min(twelve, digits.size()), '0') + digits;
}

}  // namespace meterbridge::protocol::dlt645
