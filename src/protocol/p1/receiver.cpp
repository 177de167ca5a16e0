// SPDX-License-Identifier: MIT
#include "protocol/p1/receiver.hpp"

#include "protocol/p1/check.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::p1 {
namespace {

// Bounds for what a hostile line can make us remember.
constexpr std::size_t most_meters = 16;
constexpr int hint_after = 10;
constexpr std::size_t longest_header = 96;

std::string_view header_of(std::string_view text) noexcept {
  return text.substr(0, std::min(text.find_first_of("\r\n"), longest_header));
}

// Some meters encrypt an empty line before the header too.
std::string_view from_header(std::string_view text) noexcept {
  return text.substr(std::min(text.find_first_not_of("\r\n"), text.size()));
}

// Check sums came with DSMR 4, and with it the clock and the version.
bool older_than_check_sums(std::string_view text) noexcept {
  const auto has = [text](std::string_view code) { return text.find(code) != text.npos; };
  return !has("0-0:1.0.0") && !has("1-3:0.2.8") && !has("0-0:96.1.4");
}

// The plaintext of a right key: a header line, and an end somewhere.
bool is_telegram(std::string_view text) noexcept {
  if (text.empty() || text.front() != '/') return false;
  return text.find("\n!") != std::string_view::npos;
}

}  // namespace

void Memory::note_check(std::string_view header) {
  if (expects_check(header, false)) return;
  if (checked_.size() == most_meters) checked_.erase(checked_.begin());
  checked_.emplace_back(header);
}

bool Memory::expects_check(std::string_view header, bool one_meter) const {
  if (one_meter) return !checked_.empty();
  return std::find(checked_.begin(), checked_.end(), header) != checked_.end();
}

std::optional<Error> Receiver::take_noise() {
  return std::exchange(noise_, std::nullopt);
}

std::optional<Decoded> Receiver::next(bool stop_at_noise) {
  while (auto frame = framer_.next()) {
    switch (frame->kind) {
      case Frame::Kind::plain:
        return plain(*frame);
      case Frame::Kind::encrypted:
        return encrypted(*frame);
      case Frame::Kind::cut:
        return broken(*frame, Status::truncated,
                      "the telegram breaks off after " + std::to_string(frame->length) + " bytes");
      case Frame::Kind::overlong:
        return broken(
            *frame, Status::malformed,
            "no end of the telegram within " + std::to_string(Framer::longest) + " bytes");
      case Frame::Kind::noise:
        break;
    }
    if (!stop_at_noise) continue;
    std::string text = std::to_string(Framer::noise_limit) + " bytes without a telegram";
    const std::string_view hint = framer_.noise_hint();
    if (!hint.empty()) text += "; " + std::string(hint);
    noise_ = Error{Errc::no_frame, std::move(text)};
    return std::nullopt;
  }
  return std::nullopt;
}

Decoded Receiver::broken(const Frame& frame, Status status, std::string error) const {
  Decoded decoded;
  decoded.offset = frame.offset;
  decoded.length = frame.length;
  decoded.status = status;
  decoded.error = std::move(error);
  decoded.telegram.protocol = "p1";
  return decoded;
}

// A telegram that fails may have swallowed the beginning of the next one.
Decoded Receiver::rejected(const Frame& frame, Status status, std::string error) {
  Decoded decoded = broken(frame, status, std::move(error));
  decoded.length = framer_.reject(frame);
  // Ciphertext looks like the beginning of another frame now and then: only a plain header counts
  // there, and then the frame was noise and says nothing of keys.
  const bool cut = frame.kind == Frame::Kind::encrypted ? framer_.plain_inside(frame)
                                                        : status == Status::checksum;
  if (decoded.length < frame.length && cut) {
    decoded.status = Status::truncated;
    decoded.error = "the next telegram begins after " + std::to_string(decoded.length) +
                    " bytes (" + decoded.error + ")";
  }
  return decoded;
}

Decoded Receiver::accepted(const Frame& frame, std::string_view text, bool proved) const {
  Decoded decoded;
  decoded.offset = frame.offset;
  decoded.length = frame.length;
  decoded.telegram = decode_text(text, DecodeOptions{options_.country, proved});
  return decoded;
}

Receiver::Verdict Receiver::judge(std::string_view text, std::size_t mark) {
  const Check check = check_telegram(
      text, mark, options_.check == CheckMode::x25 ? Crc16::Kind::x25 : Crc16::Kind::arc);
  if (options_.check == CheckMode::off) return {Status::ok, {}, check.state == Check::State::good};
  const std::string_view header = header_of(text);
  switch (check.state) {
    case Check::State::good:
      memory_.note_check(header);
      return {Status::ok, {}, true};
    case Check::State::bad:
      return {Status::checksum, check.text(), false};
    case Check::State::damaged:
      return {Status::checksum, "the CRC is damaged", false};
    case Check::State::absent:
      break;
  }
  if (!memory_.expects_check(header, options_.one_meter)) return {};
  return {Status::checksum, "the telegram has no CRC, and this meter sends one", false};
}

// The stream ends behind the exclamation mark. A capture that an editor trimmed is read: its CRC
// may be whole, and meters older than check sums lose nothing. On a line it is a cut.
Receiver::Verdict Receiver::judge_open(const Frame& frame) {
  constexpr std::size_t most_digits = 4;
  Verdict verdict = judge(frame.text, frame.check);
  const std::size_t digits = frame.text.size() - frame.check - 1;
  if (verdict.status == Status::ok || digits >= most_digits) return verdict;
  if (digits == 0 && !options_.one_meter && older_than_check_sums(frame.text) &&
      !memory_.expects_check(header_of(frame.text), options_.one_meter)) {
    return {};
  }
  return {Status::truncated, "the stream ends inside the check sum", false};
}

Decoded Receiver::plain(const Frame& frame) {
  if (frame.wrong_parity) {
    return rejected(frame, Status::checksum, "a character of the telegram has a wrong parity bit");
  }
  Verdict verdict = frame.open_check ? judge_open(frame) : judge(frame.text, frame.check);
  if (verdict.status != Status::ok) {
    return rejected(frame, verdict.status, std::move(verdict.error));
  }
  if (verdict.proved) return accepted(frame, frame.text, true);
  if (framer_.second_start(frame)) {
    return rejected(frame, Status::checksum, "no check sum covers it");
  }
  Decoded decoded = accepted(frame, frame.text, false);
  // Without a check sum a header and an exclamation mark alone prove nothing.
  if (decoded.telegram.items.empty()) {
    return rejected(frame, Status::malformed, "no line of the telegram can be read");
  }
  return decoded;
}

// Whatever is wrong, the search goes on inside: noise can look like the head of such a frame.
Decoded Receiver::encrypted(const Frame& frame) {
  const auto fields = parse_encrypted(frame.text);
  if (!fields) {
    const bool unsupported = fields.error().code() == Errc::unsupported;
    return rejected(frame, unsupported ? Status::unsupported : Status::malformed,
                    fields.error().detail());
  }
  const auto text = cipher_.open(*fields);
  if (text) return decrypted(frame, *fields, from_header(*text));
  if (text.error().code() == Errc::key) return rejected(frame, Status::key, text.error().detail());
  Decoded decoded = rejected(frame, Status::authentication, text.error().detail());
  if (decoded.status != Status::authentication) return decoded;
  ++memory_.refused_tags;
  if (memory_.refused_tags >= hint_after) {
    decoded.error += "; " + std::to_string(memory_.refused_tags) + " in a row: wrong key?";
  }
  return decoded;
}

Decoded Receiver::decrypted(const Frame& frame, const EncryptedFrame& fields,
                            std::string_view text) {
  constexpr std::string_view no_telegram = "decrypted, but the result is no telegram: wrong key?";
  bool proved = fields.authenticated();
  if (!proved && !is_telegram(text)) {
    return rejected(frame, Status::key, std::string(no_telegram));
  }
  if (proved) memory_.refused_tags = 0;
  if (!is_telegram(text)) {
    return broken(frame, Status::unsupported,
                  "decrypted and authentic, but the content is no P1 telegram");
  }
  if (!proved) {
    // Nothing but the inner CRC tells damage then. With a tag it may be wrong (Luxembourg's own
    // example is).
    Verdict verdict = judge(text, text.find("\n!") + 1);
    if (verdict.status != Status::ok) {
      return rejected(frame, verdict.status, std::move(verdict.error));
    }
    proved = verdict.proved;
  }
  Decoded decoded = accepted(frame, text, proved);
  if (!proved && decoded.telegram.items.empty()) {
    return rejected(frame, Status::key, std::string(no_telegram));
  }
  if (!memory_.counters.admit(fields.system_title, fields.counter)) {
    return broken(frame, Status::replay,
                  "frame counter " + std::to_string(fields.counter) +
                      " is not above the last one: a repeated or replayed telegram");
  }
  return decoded;
}

}  // namespace meterbridge::protocol::p1
