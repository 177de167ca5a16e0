// SPDX-License-Identifier: MIT
// A meter whose values come as JSON documents or plain payloads: over MQTT message by message, over
// other links as a stream.
#pragma once

#include "protocol/dialogue.hpp"
#include "protocol/json/decode.hpp"
#include "protocol/json/gather.hpp"
#include "protocol/json/splitter.hpp"
#include "protocol/remembering.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace meterbridge::protocol::json {

class JsonDriver final : public Driver, public Remembering {
 public:
  // `inner`: of the telegrams that are carried, else null.
  JsonDriver(Options options, std::unique_ptr<Driver> inner)
      : options_(std::move(options)), inner_(std::move(inner)), gathering_(options_, false) {}

  std::unique_ptr<Dialogue> begin() override;

  [[nodiscard]] std::string remark() const override;
  // Of the telegrams that are carried, or of the program that publishes.
  [[nodiscard]] std::string memory() const override;
  void remember(std::string_view memory) override;

 private:
  friend class JsonDialogue;

  Options options_;
  std::unique_ptr<Driver> inner_;
  Gathering gathering_;
  std::string remark_;
  // Documents without any of our values since the last one that had some; none before that one.
  std::optional<int> strange_;
  std::string source_;  // the topic of the device whose documents are taken
};

class JsonDialogue final : public Dialogue {
 public:
  explicit JsonDialogue(JsonDriver& driver);

  Result<Step> next() override;
  void enclosed(const Envelope& envelope) override;
  void received(ByteView bytes) override;
  void silence() override;

 private:
  void take_pieces();
  void take(std::string_view text, std::string_view topic, bool cut);
  void take_document(std::string_view text, std::string_view topic);
  bool tolerates(const Error& error, std::string_view topic);
  bool is_of_another(std::string_view topic);
  void gather(std::string_view text, std::string_view topic);
  void feed(ByteView bytes);
  void drain_inner();
  void fail(Error error);

  JsonDriver& driver_;
  std::unique_ptr<Dialogue> inner_;
  Splitter splitter_;
  std::optional<Envelope> envelope_;
  std::string message_;
  bool too_long_ = false;
  std::deque<Result<Telegram>> found_;
};

}  // namespace meterbridge::protocol::json
