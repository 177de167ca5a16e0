// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/poll.hpp"

#include "core/text.hpp"
#include "protocol/iec62056_21/answer.hpp"
#include "protocol/iec62056_21/readout.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr Milliseconds farewell{300};  // after the end of a session, before the next sign-on
constexpr Milliseconds quiet_after_broadcast{200};
constexpr int readouts_allowed = 2;  // at 300 Bd each takes minutes

ExchangeList::Timing timing_of(const Options& options, bool unsettled,
                               std::optional<int> first_attempts) {
  ExchangeList::Timing timing;
  timing.response = options.response_timeout;
  timing.pause = options.pause;
  // Everybody on the line hears it.
  if (options.fast && options.address.empty())
    timing.pause = std::max(timing.pause, quiet_after_broadcast);
  timing.attempts = options.retries + 1;
  timing.first_attempts = first_attempts;
  timing.unsettled = unsettled;
  return timing;
}

char first_of(ByteView frame) {
  return frame.empty() ? '\0' : static_cast<char>(u8(frame.front()));
}

Mode mode_of(const Options& options, char character) {
  if (options.mode != Mode::automatic) return options.mode;
  if (character >= '0' && character <= '9') return Mode::c;
  return speed_of(character) ? Mode::b : Mode::a;
}

Bytes joined_bytes(const Bytes& first, const Bytes& second) {
  Bytes all = first;
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

}  // namespace

Poll::Poll(const Options& options, Memory& memory, std::optional<int> first_attempts)
    : options_(options),
      memory_(memory),
      list_(timing_of(options, memory.unsettled, first_attempts), [this] { return finish(); }),
      telegram_(empty_telegram()) {
  ++memory_.polls_since_slow;
  memory_.news.clear();
  slow_ = memory_.polls_since_slow > Iec62056Driver::slow_every;
  if (slow_) {
    memory_.mute.clear();
    memory_.unsupported.clear();
    memory_.constant.clear();
    memory_.no_group = false;
  }
  begin_session();
}

Poll::~Poll() {
  memory_.unsettled = list_.unsettled();
  memory_.left_open = open_;
  // The meter may be another one when it answers again: its serial number is read anew.
  if (!finished_) memory_.constant.clear();
}

Step Poll::wire(Step step) const {
  auto* send = std::get_if<step::Send>(&step);
  if (send != nullptr && options_.software_parity) send->bytes = with_parity(send->bytes);
  return step;
}

Result<Step> Poll::next() {
  if (last_) return *std::exchange(last_, std::nullopt);
  auto step = list_.next();
  const bool over = !step || std::holds_alternative<step::Finished>(*step);
  if (!over) return wire(*std::move(step));
  if (!std::exchange(open_, false)) return step;
  last_ = std::move(step);
  return wire(Step(step::Send(joined_bytes(options_.prefix, break_request(rule())))));
}

void Poll::received(ByteView bytes) {
  if (options_.software_parity) {
    list_.received(without_parity(bytes));
  } else {
    list_.received(bytes);
  }
}

// By what the meter sent last; before its first block by what its maker does.
Check Poll::rule() const {
  if (options_.check == Check::sum || options_.check == Check::exclusive_or) return options_.check;
  if (memory_.rule != Check::automatic) return memory_.rule;
  const bool energomera =
      options_.fast || options_.family == Family::energomera ||
      options_.family == Family::energomera_dlms ||
      (identification_ && family_of(identification_->maker) == Family::energomera);
  return energomera ? Check::sum : Check::exclusive_or;
}

std::optional<LineSettings> Poll::data_line() const {
  if (options_.speed != Speed::announced) return std::nullopt;
  const auto announced = speed_of(identification_->speed);
  const std::uint32_t baud =
      options_.data_baud != 0 ? options_.data_baud : announced.value_or(options_.start_baud);
  if (baud == options_.start_baud) return std::nullopt;
  return options_.line(baud);
}

Exchange Poll::exchange(std::string what, const Bytes& request) const {
  Exchange exchange;
  exchange.what = std::move(what);
  if (!request.empty()) exchange.request = joined_bytes(options_.prefix, request);
  exchange.framer = find_answer;
  return exchange;
}

void Poll::begin_session() {
  ++sessions_;
  if (options_.fast) {
    table_ = options_.table(Family::energomera);
    ask_codes();
    return;
  }
  Exchange first = exchange("the sign-on", sign_on(options_.address, options_.readout_table));
  if (std::exchange(open_, false) || std::exchange(memory_.left_open, false)) {
    first.before.emplace_back(step::Send(joined_bytes(options_.prefix, break_request(rule()))));
    first.before.emplace_back(step::Pause(farewell));
  }
  if (options_.speed == Speed::announced)
    first.before.emplace_back(step::Retune(options_.line(options_.start_baud)));
  if (options_.wake_up > 0) {
    first.before.emplace_back(step::Send(Bytes(static_cast<std::size_t>(options_.wake_up))));
    first.before.emplace_back(step::Pause(options_.wake_up_pause));
  }
  first.response = options_.identification_timeout;
  first.framer = find_identification;
  first.on_reply = [this](ByteView frame) -> Result<Verdict> {
    const std::string line = to_text(frame);
    const auto parsed = parse_identification(trimmed(std::string_view(line).substr(1)));
    if (!parsed) return Verdict::ignored(parsed.error().detail());
    identification_ = *parsed;
    put_identification(telegram_, *parsed);
    follow(*parsed);
    return Verdict::taken();
  };
  list_.add(std::move(first));
}

void Poll::follow(const Identification& identification) {
  const Mode mode = mode_of(options_, identification.speed);
  if (!options_.readout) table_ = options_.table(family_of(identification.maker));
  if (options_.readout) {
    ask_readout(identification, mode);
  } else {
    select(options_.mode_character);
  }
}

void Poll::ask_readout(const Identification& identification, Mode mode) {
  const char announced = options_.speed_character.value_or(identification.speed);
  const Bytes request = mode == Mode::c
                            ? option_select(options_.speed == Speed::slow ? '0' : announced, '0')
                            : Bytes{};
  Exchange all = exchange("the readout", request);
  all.framer = find_readout;
  all.longest = 2 * max_block;
  all.attempts = 1;
  if (mode != Mode::a && (mode != Mode::c || options_.speed != Speed::slow)) all.tune = data_line();
  all.on_reply = [this](ByteView frame) { return on_readout(frame); };
  all.on_lost = [this](const Error& why) { return lost(why); };
  open_ = !request.empty();
  list_.add(std::move(all));
}

// To programming mode.
void Poll::select(char mode) {
  const bool slow = options_.speed == Speed::slow;
  const char speed = slow ? '0' : options_.speed_character.value_or(identification_->speed);
  Exchange option = exchange("the option select", option_select(speed, mode));
  option.attempts = 1;  // a second one would come at the wrong speed, in the wrong state
  if (!slow) option.tune = data_line();
  option.on_reply = [this](ByteView frame) { return on_operand(frame); };
  option.on_lost = [this](const Error& why) { return lost(why); };
  list_.add(std::move(option));
  open_ = true;
}

Result<Block> Poll::checked(ByteView frame) {
  Check allowed = options_.check;
  const Check usual = usual_check(identification_ ? identification_->text : std::string());
  if (allowed == Check::automatic)
    allowed = memory_.rule != Check::automatic ? memory_.rule : usual;
  auto matched = verify(frame, allowed);
  // What is remembered may be of a meter that was here before.
  if (!matched && options_.check == Check::automatic && memory_.rule != Check::automatic &&
      sessions_ > 1) {
    matched = verify(frame, usual);
  }
  if (!matched) return matched.error();
  auto block = parse_block(frame);
  const bool telling = *matched == Check::exclusive_or || *matched == Check::sum;
  if (block && telling) memory_.rule = *matched;
  return block;
}

Result<Verdict> Poll::on_operand(ByteView frame) {
  if (first_of(frame) == nak) return Verdict::ignored("the meter does not take the option (NAK)");
  if (first_of(frame) == ack) return Verdict::ignored("an acknowledgement instead of P0");
  const auto block = checked(frame);
  if (!block) return Verdict::repeat(block.error());
  if (block->command != "P0") return Verdict::ignored("another block than P0");
  ask_password(*block);
  return Verdict::taken();
}

void Poll::ask_password(const Block& operand) {
  std::string password = options_.password.reveal();
  if (options_.operand_password) {
    const std::string_view text = operand.text;
    password = text.size() > 2 ? text.substr(1, text.size() - 2) : std::string_view{};
  }
  if (password.empty()) {
    ask_codes();
    return;
  }
  Exchange login = exchange("the password", password_request(password, rule()));
  login.attempts = 1;  // nobody knows whether the first one was counted as a wrong one
  login.framer = [noisy = false](ByteView arrived) mutable {
    return find_login_answer(arrived, noisy);
  };
  login.on_reply = [this](ByteView frame) { return on_password(frame); };
  login.on_lost = [](const Error& why) -> Result<> { return why; };
  list_.add(std::move(login));
}

Result<Verdict> Poll::refused_password(const std::string& how) {
  memory_.locked =
      Error(Errc::access, "the meter refuses the password (" + how +
                              "); nothing more is sent to it, because wrong passwords lock it: "
                              "correct `password`, then reload or restart");
  return *memory_.locked;
}

Result<Verdict> Poll::on_password(ByteView frame) {
  if (first_of(frame) == ack) {
    ask_codes();
    return Verdict::taken();
  }
  if (first_of(frame) == nak) return refused_password("NAK");
  const auto block = checked(frame);
  if (!block) return Verdict::ignored(block.error().detail());
  if (block->command == "P1") return Verdict::ignored("only our own request");
  if (block->command == "B0") return refused_password("it ends the session");
  const auto entries = entries_for(*block, {});
  if (!entries && entries.error().code() == Errc::exception)
    return refused_password(entries.error().detail());
  return Verdict::ignored("another block than the acknowledgement");
}

Result<Verdict> Poll::on_readout(ByteView frame) {
  const bool plain = first_of(frame) != stx && first_of(frame) != soh;
  std::string text = to_text(frame);
  if (!plain) {
    const auto block = checked(frame);
    if (!block) return Verdict::repeat(block.error());
    if (!block->command.empty()) return Verdict::ignored("a command instead of the readout");
    text = block->text;
  }
  const auto entries = parse_entries(text, plain ? Origin::plain : Origin::checked);
  if (!entries) return Verdict::repeat(entries.error());
  if (plain) {
    if (const auto lines = plausible_lines(*entries); !lines) return Verdict::repeat(lines.error());
    if (!is_plausible(*identification_))
      return Verdict::repeat(Error(Errc::malformed, "no maker identifies itself like that"));
  }
  put_readout(telegram_, *entries);
  open_ = false;
  return Verdict::taken();
}

// A session that broke off is begun anew, as long as it brings something.
Result<> Poll::lost(const Error& why) {
  const int allowed = options_.readout ? readouts_allowed : sessions_allowed;
  if (sessions_ >= allowed) return why;
  list_.clear();
  begin_session();
  return {};
}

Result<Telegram> Poll::finish() {
  MeterReadings& meter = telegram_.readings.front();
  for (const Reading& reading : memory_.constant) {
    if (meter.find(reading.key) == nullptr) meter.readings.push_back(reading);
  }
  if (const Reading* serial = meter.find(make_key(Quantity::serial)))
    telegram_.meter.serial = std::get<std::string>(serial->value);
  if (const auto clock = clock_from(date_, time_)) {
    telegram_.time = clock;
    meter.readings.emplace_back(make_key(Quantity::clock), *clock);
  }
  meter.identity = telegram_.meter;
  if (meter.readings.empty()) {
    std::string why = "the meter answers, but with nothing that has a meaning here";
    for (const auto& [code, words] : memory_.unsupported)
      why.append("; ").append(code).append(": ").append(words);
    return Error(Errc::unsupported, why);
  }
  finished_ = true;
  if (slow_) memory_.polls_since_slow = 0;
  return std::move(telegram_);
}

}  // namespace meterbridge::protocol::iec62056_21
