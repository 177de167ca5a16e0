// SPDX-License-Identifier: MIT
#include "protocol/sml/dialogue.hpp"

#include <algorithm>

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

// What was begun is given up sooner than the meter as a whole.
Milliseconds SmlDialogue::wait() const {
  const Milliseconds left = patience_ - silent_;
  return receiver_.pending() ? std::min(left, file_patience) : left;
}

Result<Step> SmlDialogue::next() {
  if (auto decoded = receiver_.next(true)) {
    if (!decoded->ok()) return decoded->failure();
    remark_ = doubtful_power(decoded->telegram);
    return Step(step::Finished(std::move(decoded->telegram)));
  }
  if (auto noise = receiver_.take_noise()) return *noise;
  if (silent_ >= patience_) {
    silent_ = Milliseconds(0);
    return Error{Errc::timeout,
                 "not one byte within " + duration_text(patience_) +
                     ": the optical head does not sit right or is turned, the adapter, or the "
                     "interface is switched off at the meter"};
  }
  return Step(step::Listen(wait()));
}

void SmlDialogue::received(ByteView bytes) {
  receiver_.push(bytes);
  silent_ = Milliseconds(0);
}

void SmlDialogue::silence() {
  silent_ += wait();
  receiver_.finish();
}

}  // namespace meterbridge::protocol::sml
