// SPDX-License-Identifier: MIT
#include "protocol/json/driver.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::json {
namespace {

// How long parts of one document may lie apart on a stream. How long a meter may be silent is
// judged by who listens, from its period.
constexpr Milliseconds patience{10000};
constexpr int most_steps = 10000;  // of the inner dialogue between two blocks
constexpr int most_strange = 10;

std::string place_of(std::string_view topic) {
  return topic.empty() ? "the document" : "the message on " + sanitised(topic, 120);
}

}  // namespace

std::unique_ptr<Dialogue> JsonDriver::begin() {
  remark_.clear();
  return std::make_unique<JsonDialogue>(*this);
}

std::string JsonDriver::remark() const {
  return inner_ != nullptr && remark_.empty() ? inner_->remark() : remark_;
}

std::string JsonDriver::memory() const {
  if (options_.sender != Sender::fields) return gathering_.memory();
  const auto* inner = dynamic_cast<const Remembering*>(inner_.get());
  return inner == nullptr ? std::string() : inner->memory();
}

void JsonDriver::remember(std::string_view memory) {
  if (options_.sender != Sender::fields) gathering_.remember(memory);
  if (auto* inner = dynamic_cast<Remembering*>(inner_.get()); inner != nullptr)
    inner->remember(memory);
}

JsonDialogue::JsonDialogue(JsonDriver& driver)
    : driver_(driver), inner_(driver.inner_ ? driver.inner_->begin() : nullptr) {}

Result<Step> JsonDialogue::next() {
  if (found_.empty()) return Step(step::Listen(patience));
  auto found = std::move(found_.front());
  found_.pop_front();
  if (!found) return found.error();
  return Step(step::Finished(*std::move(found)));
}

void JsonDialogue::enclosed(const Envelope& envelope) {
  // A message whose end never came does not become part of the next one.
  if (!envelope_ || envelope_->topic != envelope.topic) message_.clear();
  envelope_ = envelope;
}

void JsonDialogue::received(ByteView bytes) {
  if (!envelope_) {
    const Options& options = driver_.options_;
    if (options.carried && options.carried->pointer.empty() &&
        options.carried->encoding == Encoding::raw) {
      feed(bytes);
      return;
    }
    splitter_.push(bytes);
    take_pieces();
    return;
  }
  too_long_ = too_long_ || message_.size() + bytes.size() > max_document;
  if (!too_long_) message_ += to_text(bytes);
  if (!envelope_->last) return;
  const Envelope envelope = *std::exchange(envelope_, std::nullopt);
  const std::string message = std::exchange(message_, {});
  if (std::exchange(too_long_, false)) {
    fail(Error(Errc::malformed, place_of(envelope.topic) + " is longer than " +
                                    std::to_string(max_document) + " bytes"));
    return;
  }
  // An empty message only takes back a retained one.
  if (!message.empty()) take(message, envelope.topic, false);
}

void JsonDialogue::silence() {
  splitter_.finish();
  take_pieces();
  if (inner_ == nullptr) return;
  inner_->silence();
  // That nothing came is no news from the inside: the messages are what is waited for.
  const std::size_t before = found_.size();
  drain_inner();
  while (found_.size() > before && !found_.back() && found_.back().error().code() == Errc::timeout)
    found_.pop_back();
}

void JsonDialogue::take_pieces() {
  while (const auto piece = splitter_.next())
    take(piece->text, driver_.options_.topic, piece->cut);
}

void JsonDialogue::take(std::string_view text, std::string_view topic, bool cut) {
  const Options& options = driver_.options_;
  if (!concerns(options, topic)) return;
  if (cut) {
    fail(Error(Errc::truncated, "the end of a document is missing"));
    return;
  }
  if (options.sender != Sender::fields) {
    gather(text, topic);
    return;
  }
  if (!options.carried || !options.carried->pointer.empty()) {
    take_document(text, topic);
    return;
  }
  const auto bytes = decoded(options.carried->encoding, text);
  if (bytes) {
    feed(*bytes);
  } else {
    fail(bytes.error().within(place_of(topic)));
  }
}

void JsonDialogue::take_document(std::string_view text, std::string_view topic) {
  const Options& options = driver_.options_;
  const auto leaves = leaves_of(options, text);
  if (!leaves) {
    fail(Error(leaves.error().code(), place_of(topic) + " " + leaves.error().detail()));
    return;
  }
  if (options.carried) {
    const auto bytes = telegram_of(*options.carried, *leaves);
    if (!bytes) {
      fail(bytes.error().within(place_of(topic)));
    } else if (*bytes) {
      feed(**bytes);
    }
    if (options.fields.empty()) return;
  }
  auto understood = understand(options, *leaves, topic);
  if (!understood) {
    if (!tolerates(understood.error(), topic)) fail(understood.error().within(place_of(topic)));
    return;
  }
  if (is_of_another(topic)) {
    fail(Error(Errc::mismatch, place_of(topic) + " is of another device than " +
                                   sanitised(driver_.source_, 120) +
                                   ", whose values are taken: the link of a meter names one"));
    return;
  }
  driver_.strange_ = 0;
  driver_.remark_ = std::move(understood->remark);
  found_.emplace_back(std::move(understood->telegram));
}

// Firmwares publish other things on the same topic (Tasmota: a switch that was pressed). That is no
// news of a meter that was understood before, unless nothing else comes.
bool JsonDialogue::tolerates(const Error& error, std::string_view topic) {
  if (error.code() != Errc::unsupported || topic.empty() || !driver_.strange_) return false;
  return ++*driver_.strange_ < most_strange;
}

// A link like tele/+/SENSOR hears the documents of all devices: of two plugs the values would come
// in turn. Fields with topics say themselves what belongs together.
bool JsonDialogue::is_of_another(std::string_view topic) {
  const auto& fields = driver_.options_.fields;
  const bool apart = std::ranges::any_of(fields, [](const Field& f) { return !f.topic.empty(); });
  if (topic.empty() || apart) return false;
  if (driver_.source_.empty()) driver_.source_ = topic;
  return driver_.source_ != topic;
}

void JsonDialogue::gather(std::string_view text, std::string_view topic) {
  auto understood = driver_.gathering_.take(text, topic);
  if (!understood) {
    const Error& error = understood.error();
    fail(Error(error.code(), place_of(topic) + " " + error.detail()));
  } else if (*understood) {
    driver_.remark_ = std::move((*understood)->remark);
    found_.emplace_back(std::move((*understood)->telegram));
  }
}

void JsonDialogue::feed(ByteView bytes) {
  inner_->received(bytes);
  drain_inner();
}

void JsonDialogue::drain_inner() {
  for (int i = 0; i < most_steps; ++i) {
    auto step = inner_->next();
    if (!step) {
      fail(step.error());
    } else if (auto* finished = std::get_if<step::Finished>(&*step)) {
      found_.emplace_back(std::move(finished->telegram));
    } else {
      return;  // it listens
    }
  }
}

void JsonDialogue::fail(Error error) {
  found_.emplace_back(std::move(error));
}

}  // namespace meterbridge::protocol::json
