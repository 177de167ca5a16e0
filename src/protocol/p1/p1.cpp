// SPDX-License-Identifier: MIT
#include "protocol/p1/p1.hpp"

#include "core/tools.hpp"
#include "protocol/p1/dialogue.hpp"
#include "protocol/p1/okosmero.hpp"
#include "protocol/p1/responder.hpp"
#include "protocol/p1/settings.hpp"

#include <array>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::array layouts = {TelegramLayout{"okosmero", &okosmero_json}};

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& values) {
  auto settings = read_settings(values);
  if (!settings) return settings.error();
  return std::unique_ptr<Driver>(
      std::make_unique<P1Driver>(settings->options, settings->patience, std::move(settings->keys)));
}

std::vector<Decoded> decode(ByteView bytes, const SettingValues& values) {
  std::vector<Decoded> found;
  auto settings = read_settings(values);
  if (!settings) {
    Decoded refused;
    refused.length = bytes.size();
    refused.status = Status::key;
    refused.error = settings.error().detail();
    refused.telegram.protocol = "p1";
    found.push_back(std::move(refused));
    return found;
  }
  settings->options.one_meter = false;
  Memory memory;
  Cipher cipher(std::move(settings->keys));
  Receiver receiver(settings->options, memory, cipher);
  receiver.push(bytes);
  receiver.finish();
  while (auto decoded = receiver.next()) {
    found.push_back(*std::move(decoded));
  }
  return found;
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& values) {
  auto settings = read_settings(values);
  if (!settings) return settings.error();
  return std::unique_ptr<Responder>(
      std::make_unique<P1Responder>(settings->options.country, std::move(settings->keys)));
}

Protocol make_protocol() {
  Protocol protocol;
  protocol.name = "p1";
  protocol.title = "P1 / DSMR port (NL, BE, LU, AT, HU, SE, FI, LT, SI, PL)";
  protocol.pushes = true;
  protocol.settings = setting_specs();
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

const Protocol p1_protocol = make_protocol();

}  // namespace meterbridge::protocol::p1
