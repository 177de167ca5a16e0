// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/push.hpp"

#include "core/tools.hpp"
#include "protocol/iec62056_21/iec62056_21.hpp"
#include "protocol/iec62056_21/models.hpp"
#include "protocol/iec62056_21/receiver.hpp"
#include "protocol/iec62056_21/stream.hpp"
#include "protocol/patience.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::iec62056_21 {
namespace {

// A meter sends a telegram in one go, the slowest at 300 Bd.
constexpr Milliseconds telegram_patience{2000};
constexpr std::array<std::string_view, 4> checks{"auto", "xor", "sum", "off"};
constexpr std::string_view push_name = "iec62056-21-push";
constexpr std::string_view own_serial = "60089784";
constexpr std::string_view foreign_serial = "60089785";

const std::array specs{
    SettingSpec{.name = "timeout",
                .type = SettingType::duration,
                .help = "how long the meter may stay silent before it is a fault",
                .fallback = "30s"},
    SettingSpec{.name = "bcc",
                .type = SettingType::choice,
                .help = "rule of the block check, of the few meters that send one; auto: as the "
                        "maker does, else both",
                .fallback = "auto",
                .choices = checks},
    SettingSpec{.name = "software_parity",
                .type = SettingType::boolean,
                .help = "the adapter or gateway knows only 8N1: the program checks the even parity "
                        "of 7E1",
                .fallback = "false"},
    SettingSpec{.name = "model",
                .type = SettingType::choice,
                .help = "the meter that `simulate` plays; reading does not look at it",
                .fallback = "generic",
                .choices = push_model_names()},
};

class PushDialogue final : public Dialogue {
 public:
  PushDialogue(const Options& options, Milliseconds patience)
      : receiver_(options), patience_(patience, telegram_patience) {}

  Result<Step> next() override {
    if (auto decoded = receiver_.next()) {
      if (!decoded->ok()) return decoded->failure();
      decoded->telegram.protocol = push_name;
      return Step(step::Finished(std::move(decoded->telegram)));
    }
    if (auto noise = receiver_.take_noise()) return *noise;
    if (patience_.over()) {
      return Error{Errc::timeout,
                   "not one byte within " + duration_text(patience_.meter()) +
                       ": the optical head does not sit right, the adapter, or a meter that wants "
                       "to be asked (profile iec62056-21)"};
    }
    return Step(step::Listen(patience_.wait(receiver_.pending())));
  }

  void received(ByteView bytes) override {
    receiver_.push(bytes);
    patience_.heard();
  }

  void silence() override {
    patience_.silence(receiver_.pending());
    receiver_.finish();
  }

 private:
  Receiver receiver_;
  Patience patience_;
};

struct PushSettings {
  Options options;
  Milliseconds patience{};
};

PushSettings read_settings(const SettingValues& values) {
  PushSettings settings;
  const auto check = std::ranges::find(checks, values.text("bcc"));
  if (check != checks.end()) settings.options.check = static_cast<Check>(check - checks.begin());
  settings.options.software_parity = values.boolean("software_parity");
  settings.options.readout = true;
  settings.options.model = values.text("model");
  settings.patience = values.duration("timeout");
  if (settings.patience <= Milliseconds(0)) settings.patience = std::chrono::seconds(30);
  return settings;
}

class PushDriver final : public Driver {
 public:
  explicit PushDriver(PushSettings settings) : settings_(std::move(settings)) {}

  std::unique_ptr<Dialogue> begin() override {
    return std::make_unique<PushDialogue>(settings_.options, settings_.patience);
  }

 private:
  PushSettings settings_;
};

class PushResponder final : public Responder {
 public:
  explicit PushResponder(const PushSettings& settings)
      : model_(push_model_of(settings.options.model)), parity_(settings.options.software_parity) {}

  void show(const MeterFace& face) override { face_ = face; }

  void misbehave(const Mischief& mischief) override { mischief_ = mischief; }

  std::vector<Bytes> received(ByteView) override { return {}; }

  Bytes push() override {
    const auto serial = mischief_.foreign ? foreign_serial : own_serial;
    const Bytes telegram = to_bytes("/" + std::string(model_.identification) + "\r\n\r\n" +
                                    readout_of(model_, face_, serial));
    return parity_ ? with_parity(telegram) : telegram;
  }

 private:
  const Model& model_;
  bool parity_;
  MeterFace face_;
  Mischief mischief_;
};

Result<std::unique_ptr<Driver>> make_push_driver(const SettingValues& values) {
  return std::unique_ptr<Driver>(std::make_unique<PushDriver>(read_settings(values)));
}

std::vector<Decoded> decode_pushed(ByteView bytes, const SettingValues& values) {
  auto all = decode_stream(bytes, read_settings(values).options);
  for (Decoded& one : all)
    one.telegram.protocol = push_name;
  return all;
}

Result<std::unique_ptr<Responder>> make_push_responder(const SettingValues& values) {
  return std::unique_ptr<Responder>(std::make_unique<PushResponder>(read_settings(values)));
}

Protocol make_protocol() {
  Protocol protocol;
  protocol.name = push_name;
  protocol.title = "IEC 62056-21 mode D: meters that send by themselves (optical head, 7E1)";
  protocol.pushes = true;
  protocol.settings = specs;
  protocol.line = {.baud = 9600, .data_bits = 7, .parity = Parity::even, .stop_bits = 1};
  protocol.driver = &make_push_driver;
  protocol.decode = &decode_pushed;
  protocol.responder = &make_push_responder;
  protocol.anatomy = with_tools(&anatomy);
  protocol.anonymise = with_tools(&anonymise);
  return protocol;
}

}  // namespace

const Protocol iec62056_21_push_protocol = make_protocol();

}  // namespace meterbridge::protocol::iec62056_21
