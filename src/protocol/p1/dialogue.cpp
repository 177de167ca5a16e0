// SPDX-License-Identifier: MIT
#include "protocol/p1/dialogue.hpp"

namespace meterbridge::protocol::p1 {

Result<Step> P1Dialogue::next() {
  if (auto decoded = receiver_.next(true)) {
    if (!decoded->ok()) {
      // A telegram that the silence cut short is reported as that, not as a silence too.
      silent_ = false;
      return decoded->failure();
    }
    return Step(step::Finished(std::move(decoded->telegram)));
  }
  if (auto noise = receiver_.take_noise()) return *noise;
  if (silent_) {
    silent_ = false;
    return Error{Errc::timeout,
                 "not one byte within " + duration_text(patience_) +
                     ": cable, data request line (RTS), or the port is switched off at the meter"};
  }
  return Step(step::Listen(patience_));
}

void P1Dialogue::silence() {
  receiver_.finish();
  silent_ = true;
}

std::unique_ptr<Dialogue> P1Driver::begin() {
  return std::make_unique<P1Dialogue>(options_, patience_, memory_, cipher_);
}

}  // namespace meterbridge::protocol::p1
