// SPDX-License-Identifier: MIT
#include "protocol/dlms/dialogue.hpp"

namespace meterbridge::protocol::dlms {
namespace {

// A meter that was exchanged is believed after so many telegrams without a word of the old one;
// where two were heard in turns, the silence of one says less.
constexpr int believed_after = 6;
constexpr int believed_among_two = 120;

}  // namespace

// Two meters on one line must not be mixed up, whether the key is that of both or of one. Nothing
// for a telegram of ours; an Error without words for one that only the remark tells of.
std::optional<Error> DlmsDialogue::foreign(const Decoded& decoded) {
  const std::string title = receiver_.title();
  const bool refused = decoded.status == Status::key || decoded.status == Status::authentication;
  if (title.empty() || (!decoded.ok() && !refused)) return std::nullopt;
  if (title == memory_.meter || memory_.meter.empty()) {
    if (!decoded.ok()) return std::nullopt;
    memory_.meter = title;
    memory_.crowded = memory_.crowded || memory_.strangers > 0;
    memory_.strangers = 0;
    return std::nullopt;
  }
  memory_.stranger = title;
  ++memory_.strangers;
  const int enough = memory_.crowded ? believed_among_two : believed_after;
  if (decoded.ok() && !memory_.chosen && memory_.strangers >= enough) {
    memory_.meter = title;
    memory_.strangers = 0;
    memory_.crowded = false;
    return std::nullopt;
  }
  if (memory_.strangers == 1 && memory_.crowded) return Error(Errc::mismatch, {});
  return Error(Errc::mismatch,
               "a telegram of another meter, " + title +
                   (refused ? ", which the key does not fit" : "") + ": this one is " +
                   memory_.meter +
                   (memory_.chosen ? " (system_title)"
                                   : "; of two meters on one line, system_title chooses one"));
}

Result<Step> DlmsDialogue::next() {
  while (auto decoded = receiver_.next(true)) {
    if (const auto refused = foreign(*decoded)) {
      if (refused->detail().empty()) continue;
      return *refused;
    }
    if (!decoded->ok()) return decoded->failure();
    return Step(step::Finished(std::move(decoded->telegram)));
  }
  if (auto noise = receiver_.take_noise()) return *noise;
  if (patience_.over()) {
    return Error{Errc::timeout,
                 "not one byte within " + duration_text(patience_.meter()) +
                     ": cable (M-Bus: pins 3 and 4), adapter, or the customer interface is "
                     "switched off at the meter"};
  }
  return Step(step::Listen(patience_.wait(receiver_.pending())));
}

void DlmsDialogue::received(ByteView bytes) {
  receiver_.push(bytes);
  patience_.heard();
}

void DlmsDialogue::silence() {
  patience_.silence(receiver_.pending());
  receiver_.finish();
}

DlmsDriver::DlmsDriver(const ReceiverOptions& options, Milliseconds patience, CipherKeys keys)
    : options_(options), patience_(patience), decipher_(keys) {
  memory_.meter = title_text(keys.system_title);
  memory_.chosen = !memory_.meter.empty();
}

std::string DlmsDriver::remark() const {
  if (!memory_.crowded) return {};
  return "another meter, " + memory_.stranger +
         ", is on the same line; its telegrams are not taken";
}

std::unique_ptr<Dialogue> DlmsDriver::begin() {
  return std::make_unique<DlmsDialogue>(options_, patience_, memory_, decipher_);
}

}  // namespace meterbridge::protocol::dlms
