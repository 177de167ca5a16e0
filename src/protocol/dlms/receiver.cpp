// SPDX-License-Identifier: MIT
#include "protocol/dlms/receiver.hpp"

#include <utility>

namespace meterbridge::protocol::dlms {
namespace {

constexpr int hint_after = 3;

Decoded entry_of(const Joined& joined) {
  Decoded decoded;
  decoded.offset = joined.offset;
  decoded.length = joined.length;
  decoded.status = joined.status;
  decoded.error = joined.error;
  decoded.telegram.protocol = "dlms";
  return decoded;
}

Decoded broken(Decoded decoded, Status status, std::string error) {
  decoded.status = status;
  decoded.error = std::move(error);
  return decoded;
}

Status status_of(LinkFrame::Kind kind) noexcept {
  if (kind == LinkFrame::Kind::cut) return Status::truncated;
  return kind == LinkFrame::Kind::unsupported ? Status::unsupported : Status::checksum;
}

}  // namespace

void Receiver::finish() {
  framer_.finish();
  ended_ = true;
}

std::optional<Error> Receiver::take_noise() {
  return std::exchange(noise_, std::nullopt);
}

// Costs the telegram that it belonged to.
std::optional<Decoded> Receiver::damaged(const LinkFrame& frame) {
  Joined joined;
  const auto begun = assembly_.give_up();
  joined.offset = begun.value_or(frame.offset);
  joined.length = frame.offset + frame.length - joined.offset;
  joined.status = status_of(frame.kind);
  joined.error = frame.error;
  return entry_of(joined);
}

std::optional<Decoded> Receiver::next(bool stop_at_noise) {
  if (waiting_) return understood(*std::exchange(waiting_, std::nullopt));
  while (auto frame = framer_.next()) {
    if (frame->kind == LinkFrame::Kind::noise) {
      if (!stop_at_noise) continue;
      noise_ = Error{Errc::no_frame,
                     std::to_string(Framer::noise_limit) +
                         " bytes without a frame: wrong speed or mode (meters differ: try 8E1 and "
                         "8N1), or not the customer interface of a DLMS meter"};
      return std::nullopt;
    }
    const bool good = frame->kind == LinkFrame::Kind::mbus ||
                      frame->kind == LinkFrame::Kind::hdlc || frame->kind == LinkFrame::Kind::bare;
    if (!good) return damaged(*frame);
    auto outcome = assembly_.take(*frame);
    if (outcome.lost) {
      waiting_ = std::move(outcome.joined);
      return entry_of(*outcome.lost);
    }
    if (outcome.joined) return understood(*outcome.joined);
  }
  if (std::exchange(ended_, false)) {
    if (const auto lost = assembly_.finish()) return entry_of(*lost);
  }
  return std::nullopt;
}

Decoded Receiver::understood(const Joined& joined) {
  title_.clear();
  if (joined.status != Status::ok) return entry_of(joined);
  Decoded decoded = judge(joined);
  const bool refused = decoded.status == Status::key || decoded.status == Status::authentication;
  if (!refused) {
    memory_.refused = 0;
    return decoded;
  }
  ++memory_.refused;
  if (memory_.refused >= hint_after)
    decoded.error += "; " + std::to_string(memory_.refused) + " telegrams in a row";
  return decoded;
}

Decoded Receiver::judge(const Joined& joined) {
  Decoded decoded = entry_of(joined);
  const Opened opened = decipher_.open(assembly_.apdu());
  title_ = opened.system_title;
  if (opened.status != Status::ok) return broken(std::move(decoded), opened.status, opened.error);
  decoded = read(opened, std::move(decoded));
  if (!decoded.ok() || !opened.ciphered) return decoded;
  if (memory_.counters.admit(opened.system_title, opened.counter, opened.ciphertext))
    return decoded;
  return broken(entry_of(joined), Status::replay,
                "frame counter " + std::to_string(opened.counter) +
                    " is not above the last one: a repeated or replayed telegram");
}

Decoded Receiver::read(const Opened& opened, Decoded decoded) {
  const Head head = notification_head(opened.plain);
  if (head.verdict != Head::Verdict::good) {
    return broken(std::move(decoded), Status::malformed,
                  "the data-notification has no list of values");
  }
  const ByteView body = opened.plain.subspan(head.body);
  switch (tree_.parse(body)) {
    case Tree::Outcome::good:
      break;
    case Tree::Outcome::unsupported:
      return broken(std::move(decoded), Status::unsupported, tree_.error());
    case Tree::Outcome::truncated:
    case Tree::Outcome::malformed:
      return broken(std::move(decoded), Status::malformed, tree_.error());
  }
  if (tree_.consumed() != body.size()) {
    return broken(std::move(decoded), Status::malformed,
                  std::to_string(body.size() - tree_.consumed()) + " bytes follow the list");
  }
  if (const auto known = read_list(tree_, opened.system_title, list_); !known) {
    const bool malformed = known.error().code() == Errc::malformed;
    return broken(std::move(decoded), malformed ? Status::malformed : Status::unsupported,
                  known.error().detail());
  }
  decoded.telegram = telegram_of(list_, head, opened.system_title, options_.decode);
  return decoded;
}

}  // namespace meterbridge::protocol::dlms
