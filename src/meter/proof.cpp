// SPDX-License-Identifier: MIT
#include "meter/proof.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace meterbridge::meter {
namespace {

constexpr int most_steps = 10'000;

std::string text_of(const Value& value) {
  struct Writer {
    std::string operator()(const Decimal& number) const { return number.str(); }

    std::string operator()(const std::string& text) const { return text; }

    std::string operator()(bool flag) const { return flag ? "true" : "false"; }

    std::string operator()(Seconds time) const { return iso_utc(time); }
  };

  return std::visit(Writer{}, value);
}

// Numbers compare as numbers: the profile may write 230.1 where the meter says 230.10.
bool same(const Value& value, const std::string& expected) {
  if (const auto* number = std::get_if<Decimal>(&value)) {
    const auto wanted = Decimal::parse(expected);
    return wanted && *wanted == *number;
  }
  return text_of(value) == expected;
}

Result<std::vector<protocol::Decoded>> decode(const Profile& profile, const ProfileTest& test) {
  if (!test.telegram.empty()) return profile.protocol->decode(test.telegram, test.settings);
  if (profile.protocol->decode_transcript == nullptr)
    return Error{Errc::invalid, "protocol " + std::string(profile.protocol->name) +
                                    " has no exchanges; write telegram"};
  return profile.protocol->decode_transcript(test.exchange, test.settings);
}

// The answer, where the exchange is known; the test else.
const config::Place& place_of(const ProfileTest& test, const protocol::Decoded& part) {
  if (test.places.empty()) return test.place;
  return test.places[std::min<std::size_t>(part.offset + 1, test.places.size() - 1)];
}

std::optional<config::Problem> prove_test(const Profile& profile, const ProfileTest& test,
                                          const std::string& path) {
  const auto wrong = [&path](const config::Place& place, std::string text) {
    return config::Problem{config::Severity::error, place, path, std::move(text)};
  };
  const auto decoded = decode(profile, test);
  if (!decoded) return wrong(test.place, decoded.error().detail());
  std::vector<Reading> readings;
  for (const protocol::Decoded& part : *decoded) {
    if (!part.ok()) return wrong(place_of(test, part), part.failure().detail());
    for (const MeterReadings& meter : part.telegram.readings)
      readings.insert(readings.end(), meter.readings.begin(), meter.readings.end());
  }
  for (const ProfileTest::Expectation& expected : test.expect) {
    const auto found = std::find_if(
        readings.begin(), readings.end(),
        [&expected](const Reading& reading) { return reading.key.text() == expected.key; });
    if (found == readings.end())
      return wrong(expected.place, "there is no reading " + expected.key);
    if (same(found->value, expected.value)) continue;
    return wrong(expected.place,
                 expected.key + " is " + text_of(found->value) + ", not " + expected.value);
  }
  return std::nullopt;
}

protocol::MeterFace some_face() {
  protocol::MeterFace face;
  face.now = Seconds(std::chrono::seconds(1'700'000'000));
  face.current = {Decimal(1250, -3), Decimal(2500, -3), Decimal(500, -3)};
  face.power = {Decimal(288), Decimal(575), Decimal(115)};
  face.energy_import = {Decimal(1'234'560), Decimal(654'320), Decimal(1000), Decimal(2000)};
  return face;
}

// What the simulated meter has sent and the dialogue has not heard yet.
class Wire {
 public:
  explicit Wire(protocol::Responder& responder) : responder_(responder) {}

  void send(ByteView bytes) {
    for (Bytes& answer : responder_.received(bytes))
      answers_.push_back(std::move(answer));
  }

  Bytes listen() {
    if (answers_.empty()) return responder_.push();
    Bytes answer = std::move(answers_.front());
    answers_.erase(answers_.begin());
    return answer;
  }

 private:
  protocol::Responder& responder_;
  std::vector<Bytes> answers_;
};

Result<protocol::Telegram> play(protocol::Driver& driver, protocol::Responder& responder) {
  Wire wire(responder);
  const auto dialogue = driver.begin();
  for (int step = 0; step < most_steps; ++step) {
    auto next = dialogue->next();
    if (!next) return next.error();
    if (auto* finished = std::get_if<protocol::step::Finished>(&*next))
      return std::move(finished->telegram);
    if (const auto* send = std::get_if<protocol::step::Send>(&*next)) wire.send(send->bytes);
    if (!std::holds_alternative<protocol::step::Listen>(*next)) continue;
    const Bytes heard = wire.listen();
    if (heard.empty()) {
      dialogue->silence();
    } else {
      dialogue->received(heard);
    }
  }
  return Error{Errc::watchdog, "the dialogue does not come to its end"};
}

// A template leaves its rows to the user: it is played with those of its first test.
SettingValues dialogue_settings(const Profile& profile) {
  const bool template_only = !profile.protocol->tables.empty() && !profile.tests.empty() &&
                             std::ranges::all_of(profile.protocol->tables, [&](const auto& table) {
                               return profile.rows.rows(table.name).empty();
                             });
  return template_only ? profile.tests.front().settings : default_values(profile);
}

Result<> prove_dialogue(const Profile& profile) {
  const auto telegram = read_simulated(profile);
  if (!telegram) return telegram.error();
  const bool any = std::any_of(telegram->readings.begin(), telegram->readings.end(),
                               [](const MeterReadings& meter) { return !meter.readings.empty(); });
  if (any || profile.protocol->responder == nullptr) return {};
  return Error{Errc::mismatch, "the simulated meter yields no reading"};
}

}  // namespace

Result<protocol::Telegram> read_simulated(const Profile& profile) {
  return read_simulated(profile, dialogue_settings(profile));
}

Bytes simulated_push(const Profile& profile, const SettingValues& settings) {
  if (profile.protocol->responder == nullptr || !profile.protocol->pushes) return {};
  auto responder = profile.protocol->responder(settings);
  if (!responder) return {};
  (*responder)->show(some_face());
  return (*responder)->push();
}

Result<protocol::Telegram> read_simulated(const Profile& profile, SettingValues settings) {
  // The one thing that a profile leaves to the user: which of several meters on the line is meant.
  for (const SettingSpec& spec : profile.protocol->settings) {
    if (spec.name == "address" && spec.type == SettingType::integer && !settings.has("address"))
      settings.set("address", spec.minimum + 1);
  }
  auto driver = profile.protocol->driver(settings);
  if (!driver) return driver.error();
  if (profile.protocol->responder == nullptr) return protocol::Telegram();
  auto responder = profile.protocol->responder(settings);
  if (!responder) return responder.error();
  (*responder)->show(some_face());
  return play(**driver, **responder);
}

std::optional<config::Problem> prove(const Profile& profile) {
  for (std::size_t i = 0; i < profile.tests.size(); ++i) {
    auto wrong = prove_test(profile, profile.tests[i], "tests[" + std::to_string(i) + "]");
    if (wrong) return wrong;
  }
  const auto played = prove_dialogue(profile);
  if (played) return std::nullopt;
  return config::Problem{config::Severity::error, profile.place, "simulated meter",
                         played.error().detail()};
}

}  // namespace meterbridge::meter
