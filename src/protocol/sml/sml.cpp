// SPDX-License-Identifier: MIT
#include "protocol/sml/sml.hpp"

#include "core/tools.hpp"
#include "protocol/sml/dialogue.hpp"
#include "protocol/sml/responder.hpp"
#include "protocol/sml/settings.hpp"

namespace meterbridge::protocol::sml {
namespace {

Result<std::unique_ptr<Driver>> make_driver(const SettingValues& values) {
  const SmlSettings settings = read_settings(values);
  return std::unique_ptr<Driver>(std::make_unique<SmlDriver>(settings.options, settings.patience));
}

std::vector<Decoded> decode(ByteView bytes, const SettingValues& values) {
  Receiver receiver(read_settings(values).options);
  receiver.push(bytes);
  receiver.finish();
  std::vector<Decoded> found;
  while (auto decoded = receiver.next())
    found.push_back(*std::move(decoded));
  return found;
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& values) {
  return std::unique_ptr<Responder>(
      std::make_unique<SmlResponder>(model_of(read_settings(values).model)));
}

Protocol make_protocol() {
  Protocol protocol;
  protocol.name = "sml";
  protocol.title = "SML lists of German meters (optical head, 9600 8N1)";
  protocol.pushes = true;
  protocol.settings = setting_specs();
  protocol.line.baud = 9600;
  protocol.driver = &make_driver;
  protocol.decode = &decode;
  protocol.responder = &make_responder;
  protocol.anatomy = with_tools(&anatomy);
  protocol.anonymise = with_tools(&anonymise);
  return protocol;
}

}  // namespace

const Protocol sml_protocol = make_protocol();

}  // namespace meterbridge::protocol::sml
