// SPDX-License-Identifier: MIT
#include "protocol/dlms/dlms.hpp"

#include "core/tools.hpp"
#include "protocol/dlms/dialogue.hpp"
#include "protocol/dlms/responder.hpp"
#include "protocol/dlms/settings.hpp"

#include <algorithm>

namespace meterbridge::protocol::dlms {
namespace {

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& values) {
  auto settings = read_settings(values);
  if (!settings) return settings.error();
  // Operators' portals show zeros where they give no authentication key.
  Bytes& authentication = settings->keys.authentication;
  const bool zeros = std::all_of(authentication.begin(), authentication.end(),
                                 [](std::byte b) { return b == std::byte{0}; });
  if (zeros) authentication.clear();
  return std::unique_ptr<Driver>(std::make_unique<DlmsDriver>(settings->options, settings->patience,
                                                              std::move(settings->keys)));
}

std::vector<Decoded> decode(ByteView bytes, const SettingValues& values) {
  std::vector<Decoded> found;
  auto settings = read_settings(values);
  if (!settings) {
    Decoded refused;
    refused.length = bytes.size();
    refused.status = Status::key;
    refused.error = settings.error().detail();
    refused.telegram.protocol = "dlms";
    found.push_back(std::move(refused));
    return found;
  }
  settings->options.bare = true;
  Memory memory;
  Decipher decipher(std::move(settings->keys));
  Receiver receiver(settings->options, memory, decipher);
  receiver.push(bytes);
  receiver.finish();
  while (auto decoded = receiver.next())
    found.push_back(*std::move(decoded));
  return found;
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& values) {
  auto settings = read_settings(values);
  if (!settings) return settings.error();
  return std::unique_ptr<Responder>(
      std::make_unique<DlmsResponder>(model_of(settings->model), std::move(settings->keys)));
}

Protocol make_protocol() {
  Protocol protocol;
  protocol.name = "dlms";
  protocol.title = "DLMS lists pushed over M-Bus or HDLC (AT, NO, SE, DK, CH, SI)";
  protocol.pushes = true;
  protocol.settings = setting_specs();
  protocol.line.baud = 2400;
  protocol.line.parity = Parity::even;
  protocol.driver = &make_driver;
  protocol.decode = &decode;
  protocol.responder = &make_responder;
  protocol.anatomy = with_tools(&anatomy);
  protocol.anonymise = with_tools(&anonymise);
  return protocol;
}

}  // namespace

const Protocol dlms_protocol = make_protocol();

}  // namespace meterbridge::protocol::dlms
