// SPDX-License-Identifier: MIT
#include "protocol/mercury200/poll.hpp"

#include "protocol/mercury200/answer.hpp"

#include <utility>

namespace meterbridge::protocol::mercury200 {
namespace {

constexpr int lost_to_give_up = 2;

}  // namespace

Poll::Poll(const Options& options, Memory& memory, std::optional<int> first_attempts)
    : options_(options),
      memory_(memory),
      list_(options.pace.timing(memory.unsettled, first_attempts), [this] { return finish(); }) {
  ++memory_.polls_since_slow;
  slow_ = memory_.slow_due || memory_.polls_since_slow > Mercury200Driver::slow_every;
  if (slow_) memory_.mute.clear();
  memory_.remark.clear();
  static constexpr std::array questions{
      Question{Command::energy, "the energy", false},
      Question{Command::instant, "voltage, current and power", false},
      Question{Command::frequency, "the frequency", false},
      Question{Command::clock, "date and time", false},
      Question{Command::reactive_energy, "the reactive energy", false},
      Question{Command::serial, "the serial number", true},
      Question{Command::version, "the version", true},
  };
  for (const Question& question : questions)
    ask(question);
}

Poll::~Poll() {
  memory_.unsettled = list_.unsettled();
  // The meter may be another one when it answers again.
  memory_.slow_due = memory_.slow_due || !finished_;
}

void Poll::ask(const Question& question) {
  const Command command = question.command;
  if (command == Command::reactive_energy && !options_.reactive) return;
  if (memory_.mute.contains(command)) return;
  if (question.slow && !slow_ && memory_.slow.contains(command)) return;
  auto request = build_request(options_.address.value_or(0), command);
  if (!request) return;  // a test builds each of the questions above
  Exchange exchange;
  exchange.what = question.what;
  exchange.request = std::move(*request);
  exchange.framer = [request = exchange.request](ByteView arrived) {
    return find_answer(arrived, request);
  };
  exchange.at_silence = [request = exchange.request](ByteView arrived) {
    return settle_answer(arrived, request);
  };
  exchange.on_reply = [this, command](ByteView wire) { return judge(command, wire); };
  exchange.on_lost = [this, command](const Error& why) { return lost(command, why); };
  list_.add(std::move(exchange));
}

Result<Verdict> Poll::judge(Command command, ByteView wire) {
  const auto frame = parse_frame(wire);
  if (!frame) return Verdict::ignored(frame.error().detail());
  if (frame->address != options_.address)
    return Verdict::ignored("only an answer of the address " + std::to_string(frame->address));
  if (frame->command != static_cast<std::uint8_t>(command))
    return Verdict::ignored("only an answer to the command " + name_of(frame->command));
  Telegram scratch = empty_telegram();
  const auto read = read_answer(scratch, frame->command, std::nullopt, frame->data, options_);
  // A clock that was never set shows impossible dates; that is no reason to ask again.
  if (!read && command != Command::clock) return Verdict::ignored(read.error().detail());
  lost_in_a_row_ = 0;
  memory_.unheard.erase(command);
  const bool slow = command == Command::serial || command == Command::version;
  Bytes data(frame->data.begin(), frame->data.end());
  if (slow) memory_.slow[command] = data;
  if (read) answers_[command] = std::move(data);
  return Verdict::taken();
}

Result<> Poll::lost(Command command, const Error& why) {
  if (command == Command::energy) return why;
  if (!memory_.unheard.insert(command).second) memory_.mute.insert(command);
  if (++lost_in_a_row_ >= lost_to_give_up) list_.clear();
  return {};
}

Result<Telegram> Poll::finish() {
  Telegram telegram = empty_telegram();
  std::map<Command, Bytes> all = memory_.slow;
  for (const auto& [command, data] : answers_)
    all[command] = data;
  for (const auto& [command, data] : all) {
    const auto read =
        read_answer(telegram, static_cast<std::uint8_t>(command), std::nullopt, data, options_);
    if (!read) return read.error();
  }
  if (const Item* volts = telegram.find("63:U");
      volts != nullptr && telegram.readings.front().find(make_key(Quantity::voltage)) == nullptr) {
    memory_.remark = "the voltage of " + volts->value->str() +
                     " V is not believable and not shown: is voltage_scale right?";
  }
  finished_ = true;
  if (slow_) memory_.polls_since_slow = 0;
  memory_.slow_due = false;
  telegram.time.reset();  // the time at which we asked is the better one
  telegram.meter.manufacturer = "Incotex";
  telegram.readings.front().identity = telegram.meter;
  return telegram;
}

}  // namespace meterbridge::protocol::mercury200
