// SPDX-License-Identifier: MIT
#include "protocol/ce102/poll.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace meterbridge::protocol::ce102 {
namespace {

// Of bytes that nobody asked for, no more than this is looked at: some seconds of a busy line.
constexpr std::size_t max_overheard = 1024;

constexpr int readings_to_believe = 3;

// Errors that come of what the meter itself said.
bool proves_answer(Errc code) {
  return code == Errc::exception || code == Errc::access || code == Errc::unsupported;
}

std::byte byte_of(int value) {
  return static_cast<std::byte>(static_cast<std::uint8_t>(value));
}

}  // namespace

Poll::Poll(const Options& options, Memory& memory, std::optional<int> first_attempts)
    : options_(options),
      memory_(memory),
      list_(options.pace.timing(memory.unsettled, first_attempts), [this] { return finish(); }),
      telegram_(empty_telegram()) {
  if (options_.family != Family::automatic) memory_.family = options_.family;
  if (options_.decimals) memory_.decimals = options_.decimals;
  ++memory_.polls_since_slow;
  slow_ = memory_.polls_since_slow > Ce102Driver::slow_every;
  if (slow_) memory_.mute.clear();
  if (slow_) memory_.sums_differ = false;
  memory_.other_master.clear();
  version_due_ = slow_ || !memory_.version;
  serial_due_ = slow_ || memory_.serial.empty() || !memory_.other_serial.empty();
  if (memory_.family == Family::automatic) {
    ask_family();
  } else {
    plan();
  }
}

Poll::~Poll() {
  memory_.unsettled = list_.unsettled();
  if (finished_) return;
  // The meter may be another one when it answers again: nothing that was learnt of it is taken for
  // granted.
  memory_.polls_since_slow = Ce102Driver::slow_every;
  if (options_.family == Family::automatic) memory_.family = Family::automatic;
  if (!options_.decimals) memory_.decimals.reset();
}

Result<Step> Poll::next() {
  auto step = list_.next();
  if (step || memory_.other_master.empty() || proves_answer(step.error().code())) return step;
  return Error(step.error().code(), step.error().detail() + "; " + memory_.other_master);
}

// Between two polls everything that others said on the line gathers; between two exchanges hardly
// anything.
void Poll::drained(ByteView bytes) {
  const std::size_t kept = std::min(bytes.size(), max_overheard);
  bytes = bytes.last(kept);
  overheard_.insert(overheard_.end(), bytes.begin(), bytes.end());
  while (!overheard_.empty()) {
    const Cut cut = find_frame(overheard_);
    if (cut.drop + cut.frame == 0) break;
    const auto begin = overheard_.begin() + static_cast<std::ptrdiff_t>(cut.drop);
    const auto end = begin + static_cast<std::ptrdiff_t>(cut.frame);
    const Bytes wire(begin, end);
    overheard_.erase(overheard_.begin(), end);
    if (wire.empty() || !is_request(wire, options_.station.bridge)) continue;
    if (const auto request = parse_request(wire)) note_master(*request);
  }
}

void Poll::note_master(const Frame& request) {
  memory_.other_master = "another master is talking on the line: it asks the address " +
                         std::to_string(request.to) + " as " + std::to_string(request.from);
  list_.let_others_finish();
}

void Poll::plan() {
  if (memory_.family == Family::classic && !memory_.decimals) ask_decimals();
  ask_energies(false);
  ask_clock();
  if (memory_.family != Family::classic) ask_status();
  if (version_due_) ask_version();
  if (serial_due_) ask_serial_part(false);
  if (!options_.instant.on) return;
  if (memory_.family == Family::r51) {
    ask_instant(Query::phase_voltage, "the voltage");
    ask_instant(Query::phase_current, "the current");
    ask_instant(Query::phase_power, "the power");
  } else if (memory_.family == Family::classic && options_.instant.power_scale) {
    ask_instant(Query::power, "the power");
  }
}

void Poll::ask_energies(bool backwards) {
  for (int i = 0; i <= options_.tariffs; ++i)
    ask_energy(backwards ? options_.tariffs - i : i);
}

void Poll::ask(Question question) {
  const Memory::Value value{question.query, question.tariff};
  if (memory_.unsupported.contains(value) || memory_.mute.contains(value)) return;
  auto request = build_request(options_.station, question.query, question.data);
  if (!request) return;  // the questions below all fit the table; a test builds each of them
  const auto asked =
      std::make_shared<const Question>(std::move(question));  // shared by the two functions below
  Exchange exchange;
  exchange.what = asked->what;
  exchange.request = std::move(*request);
  exchange.framer = find_frame;
  exchange.on_reply = [this, asked, repeated = false](ByteView wire) mutable {
    return judge(*asked, wire, repeated);
  };
  exchange.on_lost = [this, asked](const Error& why) { return lost(*asked, why); };
  list_.add(std::move(exchange));
}

Result<Verdict> Poll::judge(const Question& question, ByteView wire, bool& repeated) {
  const auto reply = parse_reply(wire);
  if (!reply || is_request(wire, options_.station.bridge)) {
    const auto request = parse_request(wire);
    if (!request) return Verdict::ignored("a frame that is neither answer nor request");
    note_master(*request);
    const Error why(Errc::mismatch, memory_.other_master);
    // Two answers of our meter will come, and nothing tells them apart.
    const bool contested = request->to == options_.station.meter &&
                           request->command == static_cast<std::uint16_t>(question.query);
    return contested ? Verdict::repeat(why) : Verdict::ignored(why.detail());
  }
  if (reply->to != options_.station.bridge || reply->from != options_.station.meter) {
    return Verdict::ignored("only an answer of the address " + std::to_string(reply->from) +
                            " to " + std::to_string(reply->to));
  }
  if (reply->command != static_cast<std::uint16_t>(question.query)) {
    return Verdict::ignored("only an answer to the command " + address_of(reply->command));
  }
  if (reply->access == class_error) return refused(question, refusal(reply->data), repeated);
  const auto read = question.on_data(reply->data);
  if (read) {
    memory_.unheard.erase({question.query, question.tariff});
    return Verdict::taken();
  }
  // Right address, command and checksum, but not what this question is answered with: perhaps the
  // right one follows.
  if (read.error().code() == Errc::malformed) return Verdict::ignored(read.error().detail());
  return read.error().within(question.what);
}

Result<Verdict> Poll::refused(const Question& question, const Refusal& why, bool& repeated) {
  const Error error(Errc::exception, question.what + ": " + why.words);
  if (why.reaction == Reaction::locked) {
    memory_.locked = Error(
        Errc::access, error.detail() +
                          "; nothing more is sent, because three wrong passwords lock the meter: "
                          "correct `password` (0 may read), then reload or restart");
    return *memory_.locked;
  }
  if (why.reaction == Reaction::repeat && !std::exchange(repeated, true))
    return Verdict::repeat(error);
  if (question.needed || why.reaction == Reaction::stop) return error;
  if (why.reaction == Reaction::unsupported)
    memory_.unsupported.insert({question.query, question.tariff});
  return Verdict::taken();
}

Result<> Poll::lost(const Question& question, const Error& why) {
  if (!question.patient) return why;
  // Some meters are silent instead of refusing: what was not heard in two polls is not asked again.
  const Memory::Value value{question.query, question.tariff};
  if (!memory_.unheard.insert(value).second) memory_.mute.insert(value);
  list_.clear();
  return {};
}

void Poll::ask_family() {
  Question question;
  question.what = "the version, to learn the family";
  question.query = Query::version;
  question.needed = true;
  question.on_data = [this](ByteView data) -> Result<> {
    if (const auto noted = note_version(data); !noted) return noted.error();
    memory_.family = memory_.version->family();
    if (memory_.family == Family::automatic) {
      return Error(Errc::unsupported, "core " + std::to_string(memory_.version->core) +
                                          " is not known: set `family` to classic, r51 or ce307");
    }
    version_due_ = false;
    plan();
    return {};
  };
  ask(std::move(question));
}

void Poll::ask_decimals() {
  Question question;
  question.what = "the number of decimals";
  question.query = Query::config;
  question.needed = true;
  question.on_data = [this](ByteView data) -> Result<> {
    const auto decimals = parse_decimals(data);
    if (!decimals) return decimals.error();
    memory_.decimals = *decimals;
    return {};
  };
  ask(std::move(question));
}

void Poll::ask_energy(int tariff) {
  const bool classic = memory_.family == Family::classic;
  Question question;
  question.what = tariff == 0 ? "the energy" : "the energy of tariff " + std::to_string(tariff);
  question.query = classic && tariff == 0 ? Query::energy_total : Query::energy;
  question.tariff = static_cast<std::uint8_t>(tariff);
  question.needed = tariff == 0;
  // Same command, swapped parameters: depth, tariff here and tariff - 1, depth there.
  if (!classic) {
    question.data = {byte_of(0), byte_of(tariff)};
  } else if (tariff == 0) {
    question.data = {byte_of(0)};
  } else {
    question.data = {byte_of(tariff - 1), byte_of(0)};
  }
  question.on_data = [this, tariff, query = question.query](ByteView data) -> Result<> {
    const auto kwh =
        parse_energy(data, memory_.family, memory_.decimals.value_or(assumed_decimals));
    if (!kwh) return kwh.error();
    energies_[tariff] = *kwh;
    put_energy(telegram_, address_of(static_cast<std::uint16_t>(query), tariff), tariff, *kwh);
    return {};
  };
  ask(std::move(question));
}

void Poll::ask_clock() {
  Question question;
  question.what = "date and time";
  question.query = Query::date_time;
  question.patient = true;
  question.on_data = [this](ByteView data) -> Result<> {
    const auto local = parse_date_time(data);
    // A clock that was never set shows impossible dates; that is no reason to ask again.
    if (!local && data.size() != date_time_length) return local.error();
    if (local) put_clock(telegram_, *local);
    return {};
  };
  ask(std::move(question));
}

void Poll::ask_status() {
  Question question;
  question.what = "the status";
  question.query = Query::status;
  question.patient = true;
  question.on_data = [this](ByteView data) -> Result<> {
    const auto status = parse_status(data);
    if (!status) return status.error();
    put_status(telegram_, data, *status);
    return {};
  };
  ask(std::move(question));
}

Result<> Poll::note_version(ByteView data) {
  const auto version = parse_version(data);
  if (!version) return version.error();
  memory_.version = *version;
  memory_.version_data.assign(data.begin(), data.end());
  return {};
}

void Poll::ask_version() {
  Question question;
  question.what = "the version";
  question.query = Query::version;
  question.patient = true;
  question.on_data = [this](ByteView data) { return note_version(data); };
  ask(std::move(question));
}

void Poll::ask_serial_part(bool second) {
  Question question;
  question.what = "the serial number";
  question.query = Query::serial;
  question.patient = true;
  question.data = {byte_of(second ? 1 : 0)};
  question.on_data = [this, second](ByteView data) -> Result<> {
    if (data.size() != serial_part_length)
      return Error(Errc::malformed, "a serial number of the wrong length");
    // The two halves of a number of 15 digits differ in length: it is the first, sent twice.
    if (second && std::ranges::equal(data, serial_part_))
      return Error(Errc::malformed, "the first half of the serial number once more");
    if (second) return believe(join_serial(serial_part_, data));
    serial_part_.assign(data.begin(), data.end());
    ask_serial_part(true);
    return {};
  };
  ask(std::move(question));
}

// A serial number decides about "meter replaced", and its two answers do not say which part they
// are: another number than the known one must be read twice.
Result<> Poll::believe(const std::string& serial) {
  if (serial.empty() || serial == memory_.serial) {
    memory_.other_serial.clear();
  } else if (memory_.serial.empty() || serial == memory_.other_serial) {
    if (!memory_.serial.empty()) memory_.unsupported.clear();  // another meter knows other things
    memory_.serial = serial;
    memory_.other_serial.clear();
  } else {
    memory_.other_serial = serial;
  }
  return {};
}

void Poll::ask_instant(Query query, std::string what) {
  Question question;
  question.what = std::move(what);
  question.query = query;
  question.patient = true;
  question.on_data = [this, query](ByteView data) -> Result<> {
    const auto values = parse_phases(query, data, options_.instant);
    if (values) {
      put_phases(telegram_, query, *values);
      return {};
    }
    if (values.error().code() != Errc::refused) return values.error();
    list_.clear();  // with an impossible voltage, current and power are no better
    return {};
  };
  ask(std::move(question));
}

// What does not fit is read again: either a later reading fits, or three say the same, and the
// meter means it. To and fro, because answers that are all one question late would say the same
// wrong thing in the same order. Costs nothing as long as everything fits. False: the list goes on.
Result<bool> Poll::check_energies() {
  const int decimals = energies_.empty() ? 0 : energies_.begin()->second.precision();
  const bool sum = adds_up(energies_, decimals);
  ++readings_;
  if ((sum || memory_.sums_differ) && follows(energies_, memory_.energies, decimals)) return true;
  if (readings_ > 1 && !agrees(last_energies_, energies_)) {
    return Error(Errc::mismatch,
                 "two readings of the energies contradict each other: answers arrive at the wrong "
                 "questions");
  }
  if (readings_ == readings_to_believe) {
    memory_.sums_differ = !sum;
    return true;
  }
  last_energies_ = std::exchange(energies_, {});
  std::erase_if(telegram_.items, [](const Item& item) { return item.unit == "kWh"; });
  std::erase_if(telegram_.readings.front().readings,
                [](const Reading& reading) { return reading.key.quantity == Quantity::energy; });
  ask_energies(readings_ % 2 == 1);
  return false;
}

Result<Telegram> Poll::finish() {
  const auto checked = check_energies();
  if (!checked) return checked.error();
  if (!*checked) return telegram_;
  memory_.energies = energies_;
  finished_ = true;
  if (slow_) memory_.polls_since_slow = 0;
  if (memory_.version) put_version(telegram_, memory_.version_data, *memory_.version);
  if (!memory_.serial.empty()) put_serial(telegram_, memory_.serial);
  telegram_.meter.manufacturer = "Energomera";
  telegram_.readings.front().identity = telegram_.meter;
  return std::move(telegram_);
}

}  // namespace meterbridge::protocol::ce102
