// SPDX-License-Identifier: MIT
#include "app/bridge.hpp"
#include "app/known.hpp"
#include "app/plan.hpp"
#include "cli/bundle.hpp"
#include "cli/capture.hpp"
#include "cli/house.hpp"
#include "cli/sample_json.hpp"
#include "core/fault.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <span>
#include <utility>

namespace meterbridge::cli {
namespace {

using protocol::CaptureEntry;

using Rows = std::vector<std::vector<std::string>>;

constexpr std::array options{
    Option{"--config", "-c", "FILE",
           "as a meter of this configuration, instead of what the capture says of itself"},
    Option{"--meter", "", "METER", "with --config: which one"},
    Option{"--json", "", "", "one JSON object per line instead of a table"},
    Option{"--documents", "", "", "also the messages that a broker would get, TOPIC PAYLOAD"},
};

constexpr int most_steps = 100'000;

// The time of the capture, not ours: what comes of it is the same whenever it is replayed.
class CaptureClock final : public Clock {
 public:
  void set(Instant now) { now_ = std::max(now, now_); }

  [[nodiscard]] Instant now() const override { return now_; }

  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(now_.time_since_epoch());
  }

 private:
  Instant now_{};
};

// What was asked and answered between two outcomes.
struct Round {
  Round() = default;
  std::vector<const CaptureEntry*> entries;
  std::vector<bool> used;
  Instant time{};
};

std::vector<Round> rounds_of(const protocol::Capture& capture) {
  std::vector<Round> rounds(1);
  for (const CaptureEntry& entry : capture.entries) {
    if (entry.kind == CaptureEntry::Kind::outcome) {
      if (!rounds.back().entries.empty()) rounds.emplace_back();
      continue;
    }
    rounds.back().entries.push_back(&entry);
    rounds.back().time = entry.time;
  }
  if (rounds.back().entries.empty()) rounds.pop_back();
  for (Round& round : rounds)
    round.used.assign(round.entries.size(), false);
  return rounds;
}

class Stage {
 public:
  Stage(app::House& house, meter::Meter& meter, const Arguments& arguments)
      : meter_(meter),
        json_(arguments.has("--json")),
        documents_(arguments.has("--documents")),
        bridge_(
            house.settings, app::plans_of(house), clock_, known_,
            [this](mqtt::Message message) { publish(message); },
            [](bool, const std::string& line) { complain(line); }) {}

  void begin(const protocol::Capture& capture) {
    if (!capture.entries.empty()) clock_.set(capture.entries.front().time);
    bridge_.connected();
    tcp_ = meter_.profile().protocol->name == "modbus" &&
           meter_.settings().protocol.text("framing") == "tcp";
  }

  void pushed(const protocol::Capture& capture) {
    auto dialogue = meter_.driver().begin();
    for (const CaptureEntry& entry : capture.entries) {
      if (entry.kind != CaptureEntry::Kind::heard) continue;
      clock_.set(entry.time);
      until_listening(*dialogue);
      protocol::Envelope envelope;
      envelope.topic = entry.topic;
      envelope.retained = entry.retained;
      if (!entry.topic.empty()) dialogue->enclosed(envelope);
      dialogue->received(entry.bytes);
    }
    until_listening(*dialogue);
    dialogue->silence();
    until_listening(*dialogue);
  }

  void polled(const protocol::Capture& capture) {
    for (Round& round : rounds_of(capture)) {
      clock_.set(round.time);
      bool more = true;
      while (more)
        more = poll(round);
    }
  }

  [[nodiscard]] bool any() const noexcept { return any_; }

  [[nodiscard]] const Rows& rows() const noexcept { return rows_; }

 private:
  // Answers to the request: what was heard until the next one was sent.
  std::deque<Bytes> answers(Round& round, const Bytes& request, bool& asked) {
    std::deque<Bytes> found;
    for (std::size_t i = 0; i < round.entries.size(); ++i) {
      const CaptureEntry& entry = *round.entries[i];
      if (round.used[i] || entry.kind != CaptureEntry::Kind::sent || !same(entry.bytes, request))
        continue;
      round.used[i] = true;
      asked = true;
      for (std::size_t k = i + 1;
           k < round.entries.size() && round.entries[k]->kind == CaptureEntry::Kind::heard; ++k) {
        round.used[k] = true;
        found.push_back(round.entries[k]->bytes);
        if (tcp_ && found.back().size() > 2) std::copy_n(request.begin(), 2, found.back().begin());
      }
      return found;
    }
    return found;
  }

  // Modbus TCP counts its requests: ours begin with another number.
  [[nodiscard]] bool same(ByteView captured, ByteView request) const {
    const std::size_t skip = tcp_ ? 2 : 0;
    if (captured.size() != request.size() || captured.size() < skip) return false;
    return std::ranges::equal(captured.subspan(skip), request.subspan(skip));
  }

  // True: the round has more that a further poll may ask.
  bool poll(Round& round) {
    std::deque<Bytes> waiting;
    bool asked = false;
    const auto dialogue = meter_.driver().begin();
    for (int step = 0; step < most_steps; ++step) {
      auto next = dialogue->next();
      if (!next) {
        // A poll whose questions are not in the capture says nothing of the meter.
        if (asked) failed(next.error());
        return false;
      }
      if (auto* const finished = std::get_if<protocol::step::Finished>(&*next)) {
        deliver(finished->telegram);
        const auto open = [&](std::size_t i) {
          return !round.used[i] && round.entries[i]->kind == CaptureEntry::Kind::sent;
        };
        bool more = false;
        for (std::size_t i = 0; i < round.entries.size(); ++i)
          more = more || open(i);
        return asked && more;
      }
      if (const auto* const send = std::get_if<protocol::step::Send>(&*next)) {
        waiting = answers(round, send->bytes, asked);
      } else if (std::holds_alternative<protocol::step::Listen>(*next)) {
        if (waiting.empty()) {
          dialogue->silence();
        } else {
          dialogue->received(waiting.front());
          waiting.pop_front();
        }
      }
    }
    return false;
  }

  void until_listening(protocol::Dialogue& dialogue) {
    for (int step = 0; step < most_steps; ++step) {
      auto next = dialogue.next();
      if (!next) {
        // Silence is of the file, not of the meter.
        if (next.error().code() != Errc::timeout) failed(next.error());
        continue;
      }
      if (auto* const finished = std::get_if<protocol::step::Finished>(&*next)) {
        deliver(finished->telegram);
        continue;
      }
      if (std::holds_alternative<protocol::step::Listen>(*next)) return;
    }
  }

  void deliver(const protocol::Telegram& telegram) {
    auto samples = meter_.understand(telegram, clock_.now());
    if (!samples) return failed(samples.error());
    any_ = true;
    for (const Sample& sample : *samples)
      show(sample);
    bridge_.deliver(meter_.settings().id, *samples, telegram, std::nullopt);
    if (const auto* const state = bridge_.state(meter_.settings().id);
        state != nullptr && state->health.fault == Fault::refused)
      say("refused", state->health.error);
  }

  void failed(const Error& error) {
    bridge_.report(meter_.settings().id, error);
    say(name(fault_of(error.code())), error.detail());
  }

  void say(std::string_view fault, const std::string& words) {
    if (json_) {
      JsonWriter json;
      json.object().member("time", iso_utc(clock_.now())).member("fault", fault);
      print(json.member("error", words).end().text() + "\n");
      return;
    }
    rows_.push_back({iso_utc(clock_.now()), std::string(fault), words, ""});
  }

  void show(const Sample& sample) {
    if (json_) {
      JsonWriter json;
      json.object();
      sample_members(json, sample);
      json.end();
      print(json.text() + "\n");
      return;
    }
    for (const Reading& reading : sample.readings)
      rows_.push_back({iso_utc(sample.at), sample.meter + " " + reading.key.text(),
                       value_text(reading.value), std::string(symbol(reading.unit))});
  }

  void publish(const mqtt::Message& message) {
    if (documents_) print(message.topic + " " + message.payload + "\n");
  }

  meter::Meter& meter_;
  bool json_;
  bool documents_;
  bool tcp_ = false;
  bool any_ = false;
  CaptureClock clock_;
  app::Known known_;
  app::Bridge bridge_;
  Rows rows_{{"time", "reading", "value", "unit"}};
};

int run(const Arguments& arguments) {
  const auto fail = [](const Error& error, int code) {
    complain("meterbridge replay: " + error.detail());
    return code;
  };
  if (arguments.words().size() != 1)
    return fail(Error(Errc::invalid, "name one FILE that `capture` or `bundle` wrote"), exit_usage);
  const auto text = read_file(arguments.words().front());
  if (!text) return fail(text.error(), exit_usage);
  const auto capture = protocol::parse_capture(*text);
  if (!capture) return fail(capture.error().within(arguments.words().front()), exit_usage);
  std::optional<app::House> house;
  if (arguments.has("--config")) {
    house = load_house(arguments);
    if (!house) return exit_usage;
  } else {
    auto made = house_of_capture(*capture);
    if (!made) return fail(made.error(), exit_usage);
    house = std::move(*made);
  }
  const std::string wanted =
      arguments.value("--meter").value_or(arguments.has("--config") ? capture->fact("meter") : "");
  const auto meter = chosen_meter(*house, wanted);
  if (!meter) return fail(meter.error(), exit_usage);
  Stage stage(*house, **meter, arguments);
  stage.begin(*capture);
  if ((*meter)->profile().protocol->pushes)
    stage.pushed(*capture);
  else
    stage.polled(*capture);
  if (stage.rows().size() > 1) print(table(stage.rows()));
  if (!stage.any()) complain("meterbridge replay: no reading came of it");
  return stage.any() ? exit_ok : exit_failed;
}

}  // namespace

const Command replay_command{
    .name = "replay",
    .synopsis = "replay [-c FILE] [--json] [--documents] CAPTURE",
    .summary = "plays a capture or a bundle through the program, without a meter",
    .help =
        R"(The bytes go through the same protocol, meter type and guard as those of a real meter, at the times of
the capture: what is shown would have gone to Home Assistant. Nothing is sent anywhere. Requests are
answered with what was captured behind the same request.

  meterbridge replay case.txt
  meterbridge replay --documents case.txt

Exit code: 0 at least one telegram was understood, 1 none, 2 wrong usage.
)",
    .options = options,
    .run = run,
};

}  // namespace meterbridge::cli
