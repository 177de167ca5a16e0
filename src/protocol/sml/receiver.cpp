// SPDX-License-Identifier: MIT
#include "protocol/sml/receiver.hpp"

#include <utility>

namespace meterbridge::protocol::sml {
namespace {

Decoded refused(Decoded decoded, Status status, std::string error) {
  decoded.status = status;
  decoded.error = std::move(error);
  return decoded;
}

Status status_of(Frame::Kind kind) noexcept {
  if (kind == Frame::Kind::cut) return Status::truncated;
  return kind == Frame::Kind::damaged ? Status::checksum : Status::malformed;
}

}  // namespace

std::optional<Error> Receiver::take_noise() {
  return std::exchange(noise_, std::nullopt);
}

std::optional<Decoded> Receiver::next(bool stop_at_noise) {
  while (auto frame = framer_.next()) {
    if (frame->kind == Frame::Kind::noise) {
      if (!stop_at_noise) continue;
      std::string words = std::to_string(Framer::noise_limit) +
                          " bytes without a telegram: wrong speed or mode (SML is 9600 8N1), or "
                          "the optical head does not sit right";
      if (const std::string_view hint = framer_.noise_hint(); !hint.empty())
        words += "; " + std::string(hint);
      noise_ = Error{Errc::no_frame, std::move(words)};
      return std::nullopt;
    }
    Decoded decoded;
    decoded.offset = frame->offset;
    decoded.length = frame->length;
    decoded.telegram.protocol = "sml";
    if (frame->kind != Frame::Kind::whole)
      return refused(std::move(decoded), status_of(frame->kind), std::move(frame->error));
    return read(*frame, std::move(decoded));
  }
  return std::nullopt;
}

Decoded Receiver::read(const Frame& frame, Decoded decoded) {
  if (frame.padded_beyond) {
    return refused(std::move(decoded), Status::malformed,
                   "more padding is announced than there is payload");
  }
  if (const auto known = read_list(frame.payload, list_); !known) {
    const bool malformed = known.error().code() == Errc::malformed;
    return refused(std::move(decoded), malformed ? Status::malformed : Status::unsupported,
                   known.error().detail());
  }
  // Early firmware of the DTZ541 computes the check sum in its own way; that of all others is wrong
  // then.
  if (frame.check == CheckKind::kermit && maker_letters(list_) != "HLY") {
    return refused(std::move(decoded), Status::checksum,
                   "the CRC is right only in the way of early Holley meters, and this is none");
  }
  decoded.telegram = telegram_of(list_, options_);
  return decoded;
}

}  // namespace meterbridge::protocol::sml
