// SPDX-License-Identifier: MIT
#include "protocol/dlms/dialogue.hpp"

#include <algorithm>

namespace meterbridge::protocol::dlms {

// What was begun is given up sooner than the meter as a whole.
Milliseconds DlmsDialogue::wait() const {
  const Milliseconds left = patience_ - silent_;
  return receiver_.pending() ? std::min(left, part_patience) : left;
}

Result<Step> DlmsDialogue::next() {
  if (auto decoded = receiver_.next(true)) {
    if (!decoded->ok()) return decoded->failure();
    return Step(step::Finished(std::move(decoded->telegram)));
  }
  if (auto noise = receiver_.take_noise()) return *noise;
  if (silent_ >= patience_) {
    silent_ = Milliseconds(0);
    return Error{Errc::timeout,
                 "not one byte within " + duration_text(patience_) +
                     ": cable (M-Bus: pins 3 and 4), adapter, or the customer interface is "
                     "switched off at the meter"};
  }
  return Step(step::Listen(wait()));
}

void DlmsDialogue::received(ByteView bytes) {
  receiver_.push(bytes);
  silent_ = Milliseconds(0);
}

void DlmsDialogue::silence() {
  silent_ += wait();
  receiver_.finish();
}

std::unique_ptr<Dialogue> DlmsDriver::begin() {
  return std::make_unique<DlmsDialogue>(options_, patience_, memory_, decipher_);
}

}  // namespace meterbridge::protocol::dlms
