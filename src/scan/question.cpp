// SPDX-License-Identifier: MIT
#include "scan/question.hpp"

#include "core/text.hpp"
#include "protocol/ce102/frame.hpp"
#include "protocol/dlt645/frame.hpp"
#include "protocol/mercury/requests.hpp"
#include "protocol/mercury200/frame.hpp"
#include "protocol/modbus/frame.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::scan {
namespace {

namespace ce102 = protocol::ce102;
namespace dlt645 = protocol::dlt645;
namespace mercury = protocol::mercury;
namespace mercury200 = protocol::mercury200;
namespace modbus = protocol::modbus;

// Of Modbus TCP; answers must repeat it.
constexpr std::uint16_t transaction = 0x4D42;
// Exceptions of a gateway whose meter is not there.
constexpr std::uint8_t no_path = 0x0A;
constexpr std::uint8_t no_target = 0x0B;

modbus::Framing framing_of(Family family) {
  return family == Family::modbus_tcp ? modbus::Framing::tcp : modbus::Framing::rtu;
}

modbus::ReadRequest modbus_read(const Question& question) {
  const bool input = question.function == 4;
  return {input ? modbus::Function::input : modbus::Function::holding, 0,
          static_cast<std::uint16_t>(input ? 2 : 1)};
}

Bytes modbus_request(const Question& question) {
  const auto pdu = modbus::encode(modbus_read(question));
  if (!pdu) return {};
  modbus::Frame frame;
  frame.transaction = transaction;
  frame.unit = static_cast<std::uint8_t>(question.address);
  frame.pdu = *pdu;
  return modbus::wrap(framing_of(question.family), frame);
}

Bytes ce102_request(const Question& question) {
  ce102::Station station;
  station.meter = static_cast<std::uint16_t>(question.address);
  auto request = ce102::build_request(station, ce102::Query::version);
  return request ? *std::move(request) : Bytes();
}

// Its own address: answered without a channel, and unlike the link test not by an echo.
Bytes mercury_request(const Question& question) {
  constexpr std::array body{std::byte{0x08}, std::byte{0x05}};
  auto request = mercury::build_request(static_cast<std::uint8_t>(question.address), body);
  return request ? *std::move(request) : Bytes();
}

Bytes mercury200_request(const Question& question) {
  auto request = mercury200::build_request(question.address, mercury200::Command::serial);
  return request ? *std::move(request) : Bytes();
}

dlt645::Version version_of(const Question& question) {
  return question.function == dlt645::read_command(dlt645::Version::v1997) ? dlt645::Version::v1997
                                                                           : dlt645::Version::v2007;
}

// The energy, which every meter has; address 0 is whoever is there.
std::uint32_t dlt645_code(dlt645::Version version) {
  return version == dlt645::Version::v1997 ? 0x9010 : 0x00010000;
}

Bytes dlt645_request(const Question& question) {
  constexpr int wake_ups = 4;
  std::optional<std::int64_t> address;
  if (question.address != 0) address = question.address;
  const auto version = version_of(question);
  return dlt645::read_request(version, address, dlt645_code(version), wake_ups);
}

Bytes sign_on(const Question& question) {
  Bytes request = question.prefix;
  const Bytes text = to_bytes("/?!\r\n");
  request.insert(request.end(), text.begin(), text.end());
  return request;
}

ByteView without_echo(const Bytes& request, ByteView heard) {
  const bool echo =
      heard.size() >= request.size() && std::ranges::equal(heard.first(request.size()), request);
  return echo ? heard.subspan(request.size()) : heard;
}

std::optional<Presence> judge_modbus(const Question& question, ByteView heard) {
  modbus::Awaited awaited;
  awaited.framing = framing_of(question.family);
  awaited.transaction = transaction;
  awaited.unit = static_cast<std::uint8_t>(question.address);
  awaited.function = question.function;
  awaited.request = request_of(question);
  while (!heard.empty()) {
    const auto cut = modbus::find_reply(awaited, heard);
    if (cut.drop + cut.frame == 0) return std::nullopt;
    const ByteView wire = heard.subspan(cut.drop, cut.frame);
    heard = heard.subspan(cut.drop + cut.frame);
    if (wire.empty() || std::ranges::equal(wire, awaited.request)) continue;
    const auto frame = modbus::unwrap(awaited.framing, wire);
    if (!frame || frame->unit != awaited.unit) continue;
    const auto reply = modbus::parse_reply(modbus_read(question), frame->pdu);
    if (!reply) continue;
    const auto* refusal = std::get_if<modbus::Refusal>(&*reply);
    if (refusal != nullptr && (refusal->code == no_path || refusal->code == no_target)) continue;
    Presence presence;
    presence.address = std::to_string(question.address);
    return presence;
  }
  return std::nullopt;
}

std::optional<Presence> judge_ce102(const Question& question, ByteView heard) {
  constexpr std::uint32_t everybody = 0xFFFF;
  while (!heard.empty()) {
    const auto cut = ce102::find_frame(heard);
    if (cut.drop + cut.frame == 0) return std::nullopt;
    const auto reply = ce102::parse_reply(heard.subspan(cut.drop, cut.frame));
    heard = heard.subspan(cut.drop + cut.frame);
    if (!reply || reply->to != ce102::Station().bridge) continue;
    if (question.address != everybody && reply->from != question.address) continue;
    Presence presence;
    presence.address = std::to_string(reply->from);
    return presence;
  }
  return std::nullopt;
}

// Either its address, or the status that says why it does not tell.
std::optional<Presence> judge_mercury(const Question& question, ByteView heard) {
  const auto address = static_cast<std::byte>(question.address);
  for (std::size_t at = 0; at < heard.size(); ++at) {
    const ByteView rest = heard.subspan(at);
    if (rest.front() != address) continue;
    for (const std::size_t length : {std::size_t{2}, mercury::status_length}) {
      const std::size_t whole = length + mercury::frame_overhead;
      if (rest.size() < whole || !mercury::crc_fits(rest.first(whole))) continue;
      Presence presence;
      presence.address =
          std::to_string(length == 2 && u8(rest[2]) != 0 ? u8(rest[2]) : question.address);
      return presence;
    }
  }
  return std::nullopt;
}

std::optional<Presence> judge_mercury200(const Question& question, ByteView heard) {
  const Bytes request = request_of(question);
  const auto cut = mercury200::find_answer(heard, request);
  if (cut.frame == 0) return std::nullopt;
  const auto frame = mercury200::parse_frame(heard.subspan(cut.drop, cut.frame));
  if (!frame || frame->address != question.address || frame->data.size() != 4) return std::nullopt;
  Presence presence;
  presence.address = std::to_string(question.address);
  presence.says = "serial number " + std::to_string(ByteReader(frame->data).big(4).value_or(0));
  return presence;
}

// Also who refuses the value is there.
std::optional<Presence> judge_dlt645(const Question& question, ByteView heard) {
  const auto version = version_of(question);
  while (!heard.empty()) {
    const auto cut = dlt645::find_frame(heard);
    if (cut.frame == 0) return std::nullopt;
    const auto frame = dlt645::parse_frame(heard.subspan(cut.drop, cut.frame));
    heard = heard.subspan(cut.drop + cut.frame);
    if (!frame || !frame->address) continue;
    if (question.address != 0 && frame->address != std::int64_t{question.address}) continue;
    const auto answer = dlt645::answer_in(*frame);
    const bool right =
        answer ? answer->code == dlt645_code(version) : answer.error().code() == Errc::exception;
    if (!right || (frame->control & dlt645::command_bits) != dlt645::read_command(version))
      continue;
    Presence presence;
    presence.address = std::to_string(*frame->address);
    presence.says = version == dlt645::Version::v1997 ? "DL/T 645-1997" : "DL/T 645-2007";
    return presence;
  }
  return std::nullopt;
}

// "/XXXZ..." up to the end of the line, in seven bits.
std::optional<Presence> judge_identification(ByteView heard) {
  std::string text = to_text(heard);
  for (char& c : text)
    c = static_cast<char>(static_cast<unsigned char>(c) & 0x7FU);
  for (std::size_t at = text.find('/'); at != std::string::npos; at = text.find('/', at + 1)) {
    const std::size_t end = text.find_first_of("\r\n", at);
    if (end == std::string::npos) return std::nullopt;
    const std::string line = text.substr(at + 1, end - at - 1);
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    if (line.size() < 4 || line.front() == '?' ||
        !std::all_of(line.begin(), line.begin() + 3, letter))
      continue;
    Presence presence;
    presence.says = sanitised(line);
    return presence;
  }
  return std::nullopt;
}

// The bytes of an answer to a read that begins here, whether or not all are there.
std::size_t answer_length(ByteView bytes) {
  constexpr std::size_t frame = 5;  // around the registers
  return frame + u8(bytes[2]);
}

// The check sum of a frame without its last byte fits, too, for one answer in 256: one with two
// registers looks like a request until it is whole.
bool is_modbus_request(ByteView bytes, bool more) {
  constexpr std::size_t read_request = 8;  // no answer to a read has this length
  for (std::size_t at = 0; at + read_request <= bytes.size(); ++at) {
    const ByteView frame = bytes.subspan(at, read_request);
    const unsigned function = u8(frame[1]);
    if ((function != 3 && function != 4) || u8(frame[0]) == 0) continue;
    const std::size_t answer = answer_length(frame);
    const bool whole = at + answer <= bytes.size();
    if (whole && modbus::rtu_sum_fits(bytes.subspan(at, answer))) {
      at += answer - 1;
      continue;
    }
    if (more && !whole && answer == read_request + 1) continue;
    if (modbus::rtu_sum_fits(frame)) return true;
  }
  return false;
}

bool is_ce102_request(ByteView bytes) {
  while (!bytes.empty()) {
    const auto cut = ce102::find_frame(bytes);
    if (cut.drop + cut.frame == 0) return false;
    if (ce102::parse_request(bytes.subspan(cut.drop, cut.frame))) return true;
    bytes = bytes.subspan(cut.drop + cut.frame);
  }
  return false;
}

bool is_mercury_request(ByteView bytes) {
  constexpr std::size_t energy = 6;
  for (std::size_t at = 0; at + energy <= bytes.size(); ++at) {
    const ByteView frame = bytes.subspan(at, energy);
    const unsigned code = u8(frame[1]);
    if ((code == 0x05 || code == 0x08) && mercury::crc_fits(frame) &&
        mercury::kind_of(frame.subspan(1, energy - mercury::frame_overhead)))
      return true;
  }
  return false;
}

// A master that polls names the meter; to whoever is there speaks only a search like our own.
bool is_dlt645_request(ByteView bytes) {
  while (!bytes.empty()) {
    const auto cut = dlt645::find_frame(bytes);
    if (cut.frame == 0) return false;
    const auto frame = dlt645::parse_frame(bytes.subspan(cut.drop, cut.frame));
    if (frame && frame->address && dlt645::request_in(*frame)) return true;
    bytes = bytes.subspan(cut.drop + cut.frame);
  }
  return false;
}

bool is_sign_on(ByteView bytes) {
  std::string text = to_text(bytes);
  for (char& c : text)
    c = static_cast<char>(static_cast<unsigned char>(c) & 0x7FU);
  const std::size_t at = text.find("/?");
  return at != std::string::npos && text.find("!\r\n", at) != std::string::npos;
}

}  // namespace

std::string_view protocol_of(Family family) noexcept {
  constexpr std::array<std::string_view, 7> names{"iec62056-21", "mercury", "mercury200", "ce102",
                                                  "dlt645",      "modbus",  "modbus"};
  return names[static_cast<std::size_t>(family)];
}

std::string_view title_of(Family family) noexcept {
  constexpr std::array<std::string_view, 7> titles{"IEC 62056-21",  "Mercury 23x", "Mercury 200",
                                                   "Energomera CE", "DL/T 645",    "Modbus RTU",
                                                   "Modbus TCP"};
  return titles[static_cast<std::size_t>(family)];
}

Bytes request_of(const Question& question) {
  switch (question.family) {
    case Family::iec62056:
      return sign_on(question);
    case Family::mercury:
      return mercury_request(question);
    case Family::mercury200:
      return mercury200_request(question);
    case Family::ce102:
      return ce102_request(question);
    case Family::dlt645:
      return dlt645_request(question);
    case Family::modbus_rtu:
    case Family::modbus_tcp:
      return modbus_request(question);
  }
  return {};
}

std::optional<Presence> judge(const Question& question, ByteView heard) {
  const ByteView answer = without_echo(request_of(question), heard);
  switch (question.family) {
    case Family::iec62056:
      return judge_identification(answer);
    case Family::mercury:
      return judge_mercury(question, answer);
    case Family::mercury200:
      return judge_mercury200(question, answer);
    case Family::ce102:
      return judge_ce102(question, answer);
    case Family::dlt645:
      return judge_dlt645(question, answer);
    case Family::modbus_rtu:
    case Family::modbus_tcp:
      return judge_modbus(question, answer);
  }
  return std::nullopt;
}

Milliseconds usual_wait(Family family, const LineSettings& line, bool network) {
  constexpr std::int64_t longest_answer = 24;  // bytes
  constexpr std::int64_t bits = 11;
  const Milliseconds on_the_wire(longest_answer * bits * 1000 / line.baud);
  const Milliseconds way(network ? 500 : 0);
  switch (family) {
    case Family::iec62056:
      return Milliseconds(2500) + on_the_wire + way;
    case Family::mercury:
    case Family::mercury200:
    case Family::ce102:
      return Milliseconds(500) + on_the_wire + way;
    case Family::dlt645:
      return Milliseconds(1500) + on_the_wire + way;
    case Family::modbus_rtu:
    case Family::modbus_tcp:
      return Milliseconds(250) + on_the_wire + way;
  }
  return Milliseconds(1000);
}

std::string foreign_master(ByteView heard, bool more) {
  if (is_modbus_request(heard, more)) return "Modbus";
  if (is_ce102_request(heard)) return "Energomera CE";
  if (is_mercury_request(heard)) return "Mercury";
  if (is_dlt645_request(heard)) return "DL/T 645";
  if (is_sign_on(heard)) return "IEC 62056-21";
  return {};
}

}  // namespace meterbridge::scan
