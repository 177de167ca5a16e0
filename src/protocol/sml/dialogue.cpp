// SPDX-License-Identifier: MIT
#include "protocol/sml/dialogue.hpp"

namespace meterbridge::protocol::sml {

std::string doubtful_power(const Telegram& telegram) {
  if (telegram.readings.front().find(make_key(Quantity::power)) != nullptr) return {};
  if (telegram.find("1-0:15.7.0*255") != nullptr) {
    return "the power has no sign, and the meter does not say whether it comes or leaves: "
           "absolute_power decides";
  }
  if (const Item* net = telegram.find("1-0:16.7.0*255"); net != nullptr && net->value) {
    return "the power is negative, and the status does not say whether that is true: dzg_fix "
           "decides";
  }
  return {};
}

Result<Step> SmlDialogue::next() {
  if (auto decoded = receiver_.next(true)) {
    if (!decoded->ok()) return decoded->failure();
    remark_ = doubtful_power(decoded->telegram);
    return Step(step::Finished(std::move(decoded->telegram)));
  }
  if (auto noise = receiver_.take_noise()) return *noise;
  if (patience_.over()) {
    return Error{Errc::timeout,
                 "not one byte within " + duration_text(patience_.meter()) +
                     ": the optical head does not sit right or is turned, the adapter, or the "
                     "interface is switched off at the meter"};
  }
  return Step(step::Listen(patience_.wait(receiver_.pending())));
}

void SmlDialogue::received(ByteView bytes) {
  receiver_.push(bytes);
  patience_.heard();
}

void SmlDialogue::silence() {
  patience_.silence(receiver_.pending());
  receiver_.finish();
}

}  // namespace meterbridge::protocol::sml
