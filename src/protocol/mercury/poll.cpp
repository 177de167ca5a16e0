// SPDX-License-Identifier: MIT
#include "protocol/mercury/poll.hpp"

#include "protocol/mercury/frame.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace meterbridge::protocol::mercury {
namespace {

constexpr int register_decimals = 3;  // of kWh
constexpr int readings_to_believe = 3;
constexpr int lost_to_give_up = 2;
// Of bytes that nobody asked for, no more than this is looked at: some seconds of a busy line.
constexpr std::size_t max_overheard = 256;

// What is rarely asked: it hardly ever changes.
bool is_slow(ByteView body) {
  const auto kind = kind_of(body);
  return kind == Kind::serial || kind == Kind::version || kind == Kind::ratios;
}

Bytes energy_body(int tariff) {
  return {std::byte{0x05}, std::byte{0x00}, static_cast<std::byte>(tariff)};
}

std::string what_energy(int tariff) {
  return tariff == 0 ? "the energy" : "the energy of tariff " + std::to_string(tariff);
}

Bytes body_of(std::initializer_list<std::uint8_t> codes) {
  Bytes body;
  for (const std::uint8_t code : codes)
    body.push_back(static_cast<std::byte>(code));
  return body;
}

// Errors that come of what the meter itself said.
bool proves_answer(Errc code) {
  return code == Errc::exception || code == Errc::access || code == Errc::unsupported;
}

}  // namespace

Poll::Poll(const Options& options, Memory& memory, std::optional<int> first_attempts)
    : options_(options),
      memory_(memory),
      list_(options.pace.timing(memory.unsettled, first_attempts), [this] { return finish(); }) {
  ++memory_.polls_since_slow;
  slow_ = memory_.slow_due || memory_.polls_since_slow > MercuryDriver::slow_every;
  if (slow_) memory_.mute.clear();
  if (slow_) memory_.sums_differ = false;
  memory_.other_master.clear();
  if (auto open = opening(false)) list_.add(std::move(*open));
  plan();
}

Poll::~Poll() {
  memory_.unsettled = list_.unsettled();
  // The meter may be another one when it answers again.
  memory_.slow_due = memory_.slow_due || !finished_;
}

Result<Step> Poll::next() {
  auto step = list_.next();
  if (step || memory_.other_master.empty() || proves_answer(step.error().code())) return step;
  return Error(step.error().code(), step.error().detail() + "; " + memory_.other_master);
}

void Poll::drained(ByteView bytes) {
  const std::size_t kept = std::min(bytes.size(), max_overheard);
  bytes = bytes.last(kept);
  overheard_.insert(overheard_.end(), bytes.begin(), bytes.end());
  note_master(overheard_, {});
  // The begin of a request whose end is still to come.
  constexpr std::size_t begun = 10;
  if (overheard_.size() > begun)
    overheard_.erase(overheard_.begin(), overheard_.end() - std::ptrdiff_t{begun});
}

void Poll::note_master(ByteView bytes, ByteView own) {
  const auto asked = request_of_another(bytes, own);
  if (!asked) return;
  overheard_.clear();
  memory_.other_master =
      "another master is talking on the line: it asks the address " + std::to_string(*asked);
  list_.let_others_finish();
}

// No question is followed by one whose answer has the same length: what is sent twice, or too late,
// or in the place of the next answer, never fits.
void Poll::plan() {
  struct Row {
    const char* what;
    Bytes body;
    bool three_phases;  // of no use where there is one
    bool extended;
  };

  const std::vector<Row> rows{
      {"the voltages", body_of({0x08, 0x16, 0x11}), false, false},                  // 9
      {"the power", body_of({0x08, 0x16, 0x00}), false, false},                     // 12
      {"the currents", body_of({0x08, 0x16, 0x21}), false, false},                  // 9
      {"the reactive power", body_of({0x08, 0x16, 0x04}), false, false},            // 12
      {"the distortion of L1", body_of({0x08, 0x11, 0x61}), false, true},           // 2
      {"the frequency", body_of({0x08, 0x16, 0x40}), false, false},                 // 3
      {"the distortion of L2", body_of({0x08, 0x11, 0x62}), true, true},            // 2
      {"the apparent power", body_of({0x08, 0x16, 0x08}), false, false},            // 12
      {"the distortion of L3", body_of({0x08, 0x11, 0x63}), true, true},            // 2
      {"the angles between the phases", body_of({0x08, 0x16, 0x51}), true, false},  // 9
      {"date and time", body_of({0x04, 0x00}), false, false},                       // 8
      {"the temperature", body_of({0x08, 0x11, 0x70}), false, true},                // 2
      {"the power factors", body_of({0x08, 0x16, 0x30}), false, false},             // 12 or 9
      {"the status", body_of({0x08, 0x0A}), false, false},                          // 4 to 6
      {"the energy of the phases", body_of({0x05, 0x60, 0x00}), true, false},       // 12
      {"the serial number", body_of({0x08, 0x00}), false, false},                   // 7
      {"the transformer ratios", body_of({0x08, 0x02}), false, false},              // 4
      {"the version", body_of({0x08, 0x03}), false, false},                         // 3
  };
  int tariff = 0;
  for (const Row& row : rows) {
    if (tariff <= options_.tariffs) {
      Question energy;
      energy.what = what_energy(tariff);
      energy.body = energy_body(tariff++);  // 16
      energy.needed = tariff == 1;
      ask(std::move(energy));
    }
    if ((row.three_phases && options_.phases == 1) || (row.extended && !options_.extended))
      continue;
    Question question;
    question.what = row.what;
    question.body = row.body;
    question.needed = options_.apply_ratio && kind_of(row.body) == Kind::ratios;
    ask(std::move(question));
  }
}

void Poll::ask(Question question) {
  if (memory_.unsupported.contains(question.body) || memory_.mute.contains(question.body)) return;
  if (std::ranges::find(order_, question.body) == order_.end()) order_.push_back(question.body);
  const bool known = is_slow(question.body) && memory_.slow.contains(question.body);
  if (known && !slow_) return;
  if (auto exchange = exchange_of(question)) list_.add(std::move(*exchange));
}

std::optional<Exchange> Poll::exchange_of(const Question& question) {
  auto request = build_request(options_.address.value_or(0), question.body);
  if (!request) return std::nullopt;  // a test builds each of the questions above
  const std::vector<std::size_t> lengths = reply_lengths(question.body);
  const auto learned = memory_.lengths.find(question.body);
  const std::size_t length = learned == memory_.lengths.end() ? lengths.front() : learned->second;
  Exchange exchange;
  exchange.what = question.what;
  exchange.request = std::move(*request);
  exchange.framer = [this, request = exchange.request, length](ByteView arrived) {
    Cut cut = find_answer(arrived, request, length);
    if (cut.frame != 0) note_master(arrived.first(cut.drop), request);
    return cut;
  };
  exchange.at_silence = [request = exchange.request, lengths](ByteView arrived) {
    return settle_answer(arrived, request, lengths);
  };
  exchange.on_reply = [this, question](ByteView frame) { return judge(question, frame); };
  exchange.on_lost = [this, question](const Error& why) { return lost(question, why); };
  return exchange;
}

std::optional<Exchange> Poll::opening(bool again) {
  Question question;
  question.what = again ? "opening the channel again" : "opening the channel";
  question.body = {std::byte{0x01}, std::byte{reader_level}};
  question.body.insert(question.body.end(), options_.password.begin(), options_.password.end());
  question.needed = true;
  auto exchange = exchange_of(question);
  if (exchange) exchange->on_reply = [this, again](ByteView frame) { return opened(frame, again); };
  return exchange;
}

Result<Verdict> Poll::opened(ByteView frame, bool again) {
  const std::size_t lengths[] = {status_length};
  if (u8(frame.front()) != options_.address || frame.size() != status_length + frame_overhead)
    return Verdict::ignored("only " +
                            misfit(frame, Bytes{std::byte{options_.address.value_or(0)}}, lengths));
  const std::byte status = data_of(frame).front();
  constexpr std::uint8_t internal_error = 2;
  if (status_code(status) == 0) return Verdict::taken();
  const std::string words = "opening the channel: the meter answers: " + status_words(status);
  // The same password was good a moment ago, so that is no word about it.
  if (again || status_code(status) == internal_error) return Error(Errc::exception, words);
  memory_.locked =
      Error(Errc::access, words +
                              "; nothing more is sent, because wrong passwords lock the meter: "
                              "correct `password` or `password_format`, then reload or restart");
  return *memory_.locked;
}

Result<Verdict> Poll::judge(const Question& question, ByteView frame) {
  const auto lengths = reply_lengths(question.body);
  const ByteView data = data_of(frame);
  const bool fits = std::ranges::find(lengths, data.size()) != lengths.end();
  if (u8(frame.front()) != options_.address || (!fits && data.size() != status_length)) {
    const Bytes asked{std::byte{options_.address.value_or(0)}};
    return Verdict::ignored("only " + misfit(frame, asked, lengths));
  }
  return fits ? take(question, data) : refused(question, data.front());
}

Result<Verdict> Poll::take(const Question& question, ByteView data) {
  Telegram scratch = empty_telegram();
  const auto read = read_answer(scratch, question.body, data, scale());
  const auto kind = kind_of(question.body);
  // A clock that was never set shows impossible dates; that is no reason to ask again.
  if (!read && kind != Kind::clock) {
    if (read.error().code() != Errc::malformed) return read.error().within(question.what);
    return Verdict::ignored(read.error().detail());
  }
  lost_in_a_row_ = 0;
  memory_.unheard.erase(question.body);
  memory_.lengths[question.body] = data.size();
  if (kind == Kind::serial) believe_serial(question.body, data);
  if (kind == Kind::energy) note_energy(question.body, data);
  if (is_slow(question.body)) memory_.slow[question.body] = Bytes(data.begin(), data.end());
  if (read) answers_[question.body] = Bytes(data.begin(), data.end());
  return Verdict::taken();
}

// Another meter knows other things.
void Poll::believe_serial(const Bytes& body, ByteView data) {
  const auto known = memory_.slow.find(body);
  if (known == memory_.slow.end() || std::ranges::equal(known->second, data)) return;
  memory_.unsupported.clear();
  memory_.slow.erase(body_of({0x08, 0x02}));
  memory_.slow.erase(body_of({0x08, 0x03}));
}

void Poll::note_energy(ByteView body, ByteView data) {
  if (body[1] != std::byte{0}) return;  // of the phases
  for (std::size_t i = 0; i < energies_.size(); ++i) {
    const auto count = parse_energy(data.subspan(4 * i, 4));
    if (count) energies_[i][u8(body[2])] = Decimal(*count, -register_decimals);
  }
}

Result<Verdict> Poll::refused(const Question& question, std::byte status) {
  constexpr std::uint8_t unknown = 1;
  constexpr std::uint8_t level_too_low = 3;
  constexpr std::uint8_t not_open = 5;
  const std::uint8_t code = status_code(status);
  if (code == 0) return Verdict::ignored("only \"ok\", where data were asked for");
  const Error error(Errc::exception,
                    question.what + ": the meter answers: " + status_words(status));
  if (code == not_open) return question.again ? error : reopen(question);
  if (question.needed) return error;
  if (code == unknown || code == level_too_low) memory_.unsupported[question.body] = error.detail();
  lost_in_a_row_ = 0;
  return Verdict::taken();
}

// The channel closes itself after 20 s without a request.
Result<Verdict> Poll::reopen(const Question& question) {
  Question once_more = question;
  once_more.again = true;
  if (auto exchange = exchange_of(once_more)) list_.add_next(std::move(*exchange));
  if (auto open = opening(true)) list_.add_next(std::move(*open));
  return Verdict::taken();
}

Result<> Poll::lost(const Question& question, const Error& why) {
  const bool energy = !question.body.empty() && kind_of(question.body) == Kind::energy;
  if (question.needed || energy) return why;
  // Some meters are silent instead of refusing: what was not heard in two polls is not asked again.
  if (!memory_.unheard.insert(question.body).second)
    memory_.mute[question.body] = question.what + ": no answer";
  if (++lost_in_a_row_ >= lost_to_give_up) list_.clear();
  return {};
}

void Poll::ask_energies_again(bool backwards) {
  for (int i = 0; i <= options_.tariffs; ++i) {
    const int tariff = backwards ? options_.tariffs - i : i;
    Question question;
    question.what = what_energy(tariff) + ", once more";
    question.body = energy_body(tariff);
    question.needed = tariff == 0;
    ask(std::move(question));
  }
}

// What does not fit is read again, to and fro: either a later reading fits, or three say the same,
// and the meter means it. False: the list goes on.
Result<bool> Poll::check_energies() {
  bool sum = true;
  bool growing = true;
  bool same = true;
  for (std::size_t i = 0; i < energies_.size(); ++i) {
    sum = sum && adds_up(energies_[i], register_decimals);
    growing = growing && follows(energies_[i], memory_.energies[i], register_decimals);
    same = same && agrees(last_energies_[i], energies_[i]);
  }
  ++readings_;
  if ((sum || memory_.sums_differ) && growing) return true;
  if (readings_ > 1 && !same)
    return Error(Errc::mismatch,
                 "two readings of the energies contradict each other: answers arrive at the wrong "
                 "questions");
  if (readings_ == readings_to_believe) {
    memory_.sums_differ = !sum;
    return true;
  }
  last_energies_ = std::exchange(energies_, {});
  ask_energies_again(readings_ % 2 == 1);
  return false;
}

Scale Poll::scale() const {
  Scale scale;
  scale.apply = options_.apply_ratio;
  scale.phases = options_.phases;
  const auto ratios = memory_.slow.find(body_of({0x08, 0x02}));
  if (ratios == memory_.slow.end()) return scale;
  if (const auto parsed = parse_ratios(ratios->second)) scale.ratios = *parsed;
  return scale;
}

Result<Telegram> Poll::finish() {
  const auto checked = check_energies();
  if (!checked) return checked.error();
  Telegram telegram = empty_telegram();
  if (!*checked) return telegram;
  memory_.energies = energies_;
  finished_ = true;
  if (slow_) memory_.polls_since_slow = 0;
  memory_.slow_due = false;
  for (const Bytes& body : order_) {
    const auto answer = answers_.find(body);
    const auto known = memory_.slow.find(body);
    if (answer == answers_.end() && known == memory_.slow.end()) continue;
    const Bytes& data = answer == answers_.end() ? known->second : answer->second;
    if (const auto read = read_answer(telegram, body, data, scale()); !read) return read.error();
  }
  telegram.time.reset();  // the time at which we asked is the better one
  telegram.meter.manufacturer = "Incotex";
  telegram.readings.front().identity = telegram.meter;
  return telegram;
}

}  // namespace meterbridge::protocol::mercury
