// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/responder.hpp"

#include "protocol/iec62056_21/answer.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::string_view factory_operand = "00000000";
constexpr std::string_view own_serial = "60089784";

std::string_view identification_of(Family family, bool readout) {
  switch (family) {
    case Family::energomera:
      return "EKT5CE301v12";
    case Family::neva:
      return "TPC5NEVAMT324.1106";
    case Family::none:
      break;
  }
  return readout ? "MBR5SIMULATED" : "MBR4SIMULATED";
}

Decimal sum(const std::array<Decimal, 4>& tariffs) {
  Decimal all;
  for (const Decimal& one : tariffs) {
    if (const auto more = all.plus(one)) all = *more;
  }
  return all;
}

Decimal sum(const std::array<Decimal, 3>& phases) {
  Decimal all;
  for (const Decimal& one : phases) {
    if (const auto more = all.plus(one)) all = *more;
  }
  return all;
}

Decimal plus(const Decimal& a, const Decimal& b) {
  const auto both = a.plus(b);
  return both ? *both : a;
}

// In Wh and its kin.
Decimal energy_of(const ReadingKey& key, const MeterFace& face) {
  if (key.tariff > face.energy_import.size()) return {};
  const auto of = [&](const std::array<Decimal, 4>& tariffs) {
    return key.tariff == 0 ? sum(tariffs) : tariffs[key.tariff - 1U];
  };
  switch (key.direction) {
    case Direction::export_:
      return of(face.energy_export);
    case Direction::total:
      return plus(of(face.energy_import), of(face.energy_export));
    default:
      return of(face.energy_import);
  }
}

Decimal of_phase(const std::array<Decimal, 3>& phases, Phase phase) {
  switch (phase) {
    case Phase::l1:
      return phases[0];
    case Phase::l2:
      return phases[1];
    case Phase::l3:
      return phases[2];
    case Phase::none:
      return sum(phases);
    default:
      return {};
  }
}

struct Amount {
  Decimal value;
  Unit unit = Unit::none;
};

Amount amount_of(const ReadingKey& key, const MeterFace& face) {
  switch (key.quantity) {
    case Quantity::energy:
      return {energy_of(key, face), Unit::Wh};
    case Quantity::reactive_energy:
      return {energy_of(key, face), Unit::varh};
    case Quantity::voltage:
      return {of_phase(face.voltage, key.phase), Unit::V};
    case Quantity::current:
      return {of_phase(face.current, key.phase), Unit::A};
    case Quantity::power:
      return {of_phase(face.power, key.phase), Unit::W};
    case Quantity::apparent_power:
      return {of_phase(face.power, key.phase), Unit::VA};
    case Quantity::reactive_power:
      return {Decimal(0), Unit::var};
    case Quantity::frequency:
      return {face.frequency, Unit::Hz};
    case Quantity::power_factor:
      return {Decimal(98, -2), Unit::none};
    default:
      return {};
  }
}

// With so many digits, never more than was counted.
Decimal cut(const Decimal& value, int precision) {
  const auto rounded = value.rounded(precision);
  if (!rounded) return {};
  if (*rounded <= value) return *rounded;
  const auto less = rounded->minus(Decimal(1, -precision));
  return less ? *less : *rounded;
}

// How many whole `scale` are in a value.
Decimal counted(const Decimal& value, const Decimal& scale) {
  const auto moved = value.shifted(-scale.exponent());
  const Decimal whole = cut(moved ? *moved : Decimal(), 0);
  return Decimal(scale.is_zero() ? 0 : whole.digits() / scale.digits());
}

std::string padded(std::string digits, std::size_t width) {
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

std::string pair(std::int64_t number) {
  return padded(std::to_string(number), 2);
}

struct Wall {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> time;
  unsigned weekday = 0;
};

Wall wall_of(Seconds now) {
  const LocalTime local = to_local(now);
  const auto day = std::chrono::floor<std::chrono::days>(local.at);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss(local.at - day),
          std::chrono::weekday(day).c_encoding()};
}

std::string date_text(const Wall& wall, std::string_view separator, bool year_first) {
  const std::string year = pair(static_cast<int>(wall.date.year()) % 100);
  const std::string month = pair(static_cast<unsigned>(wall.date.month()));
  const std::string day = pair(static_cast<unsigned>(wall.date.day()));
  const std::string between(separator);
  return year_first ? year + between + month + between + day
                    : day + between + month + between + year;
}

std::string time_text(const Wall& wall, std::string_view separator) {
  const std::string between(separator);
  return pair(wall.time.hours().count()) + between + pair(wall.time.minutes().count()) + between +
         pair(wall.time.seconds().count());
}

bool same_address(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view text) {
    while (text.size() > 1 && text.front() == '0')
      text.remove_prefix(1);
    return text;
  };
  return bare(a) == bare(b);
}

}  // namespace

Iec62056Responder::Iec62056Responder(Options options) : options_(std::move(options)) {
  Family family = options_.family.value_or(Family::none);
  if (options_.codes.empty() && !options_.readout && family == Family::none)
    family = Family::energomera;
  identification_ = options_.identification.empty() ? identification_of(family, options_.readout)
                                                    : options_.identification;
  table_ = options_.table(family);
  rule_ = family == Family::energomera ? Check::sum : Check::exclusive_or;
  if (options_.check == Check::sum || options_.check == Check::exclusive_or) rule_ = options_.check;
}

std::vector<Bytes> Iec62056Responder::received(ByteView bytes) {
  parity_ = std::ranges::any_of(bytes, [](std::byte b) { return u8(b) > 0x7F; });
  for (const std::byte b : bytes)
    arrived_.push_back(b & std::byte{0x7F});
  constexpr std::size_t longest = 1024;
  if (arrived_.size() > longest) arrived_.erase(arrived_.begin(), arrived_.end() - 256);
  std::vector<Bytes> answers;
  while (!arrived_.empty()) {
    const std::size_t before = arrived_.size();
    auto answer = take_request();
    if (answer && !answer->empty()) answers.push_back(parity_ ? with_parity(*answer) : *answer);
    if (arrived_.size() == before) break;
  }
  return answers;
}

// Takes one request off the front, or noise; nothing when more bytes are needed.
std::optional<Bytes> Iec62056Responder::take_request() {
  const std::string text = to_text(arrived_);
  const auto drop = [this](std::size_t count) {
    arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(count));
  };
  const std::size_t begin = text.find_first_of("/\x06\x01");
  if (begin != 0) {
    drop(std::min(begin, text.size()));
    return std::nullopt;
  }
  if (text.front() == soh) {
    const std::size_t end = text.find(etx);
    if (end == std::string::npos || end + 1 == text.size()) return std::nullopt;
    const Bytes frame(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(end + 2));
    drop(end + 2);
    return on_command(frame);
  }
  const std::size_t end = text.find('\n');
  if (end == std::string::npos) return std::nullopt;
  drop(end + 1);
  if (text.front() == '/') return on_sign_on(text.substr(0, end));
  if (state_ != State::identified || end < 4) return std::nullopt;
  return on_select(text[3]);
}

std::optional<Bytes> Iec62056Responder::on_sign_on(const std::string& line) {
  const std::size_t mark = line.find('!');
  state_ = State::idle;
  if (!line.starts_with("/?") || mark == std::string::npos) return std::nullopt;
  const std::string wanted = line.substr(2, mark - 2);
  if (!wanted.empty() && !options_.address.empty() && !same_address(wanted, options_.address))
    return std::nullopt;
  if (!wanted.empty() && options_.address.empty()) return std::nullopt;
  state_ = State::identified;
  Bytes answer = to_bytes("/" + identification_ + "\r\n");
  if (options_.readout && (options_.mode == Mode::a || options_.mode == Mode::b)) {
    const Bytes data = build_block({}, readout(), rule_);
    answer.insert(answer.end(), data.begin(), data.end());
    state_ = State::idle;
  }
  return answer;
}

std::optional<Bytes> Iec62056Responder::on_select(char mode) {
  if (mode == '0') {
    state_ = State::idle;
    return build_block({}, readout(), rule_);
  }
  if (mode != options_.mode_character) return std::nullopt;
  const bool secured = !options_.password.empty() || options_.operand_password;
  state_ = secured ? State::operand_sent : State::open;
  return build_block("P0", "(" + std::string(factory_operand) + ")", rule_);
}

std::optional<Bytes> Iec62056Responder::on_command(ByteView frame) {
  if (state_ != State::operand_sent && state_ != State::open) return std::nullopt;
  const auto block = verify(frame, rule_) ? parse_block(frame) : Result<Block>(Error());
  const Bytes refused = to_bytes(std::string(1, nak));
  if (!block) return refused;
  if (block->command == "B0") {
    state_ = State::idle;
    return std::nullopt;
  }
  if (block->command == "P1") {
    const std::string wanted =
        options_.operand_password ? std::string(factory_operand) : options_.password.reveal();
    const bool right = wanted.empty() || block->text == "(" + wanted + ")";
    if (!right || mischief_.wrong_key) return refused;
    state_ = State::open;
    return to_bytes(std::string(1, ack));
  }
  const std::string_view known = options_.command == Read::r1 ? "R1" : "R2";
  const std::size_t open = block->text.find('(');
  if (block->command != known || open == std::string::npos) return refused;
  if (state_ != State::open) return build_block({}, "(ERR15)", rule_);
  Bytes answer = answer_to(block->text.substr(0, open));
  if (mischief_.other_master) {
    Bytes both = read_request(options_.command, "OTHER", {}, rule_);
    both.insert(both.end(), answer.begin(), answer.end());
    return both;
  }
  return answer;
}

// Another code's answer stands for the answer of somebody else: nothing else tells the two apart.
Bytes Iec62056Responder::answer_to(const std::string& name) const {
  const bool known = knows(table_, name);
  const std::string text = known ? values_of(name) : "(ERR12)";
  const bool energomera = family_of(identification_.substr(0, 3)) == Family::energomera;
  if (mischief_.foreign) return build_block({}, "FOREIGN(1)\r\n", rule_);
  return build_block({}, text + (energomera && known ? "\r\n" : ""), rule_);
}

std::string Iec62056Responder::values_of(const std::string& name) const {
  int wanted = 0;  // the three-phase form, where there are several
  std::vector<const CodeRow*> rows;
  for (const CodeRow& row : table_) {
    if (row.code == name && (row.of == 0 || row.of == 1 || row.of == 3))
      wanted = std::max(wanted, row.of);
  }
  for (const CodeRow& row : table_) {
    if (row.code == name && (row.of == 0 || row.of == wanted)) rows.push_back(&row);
  }
  std::ranges::sort(rows, {}, [](const CodeRow* row) { return row->part; });
  const Family family = family_of(identification_.substr(0, 3));
  std::string text;
  for (const CodeRow* row : rows) {
    const std::string value = value_of(*row);
    if (family == Family::energomera) {
      text.append(text.empty() ? "" : "\r\n").append(name).append("(").append(value).append(")");
    } else {
      text.append(text.empty() ? "" : ",").append(value);
    }
  }
  if (family == Family::energomera) return text;
  return (family == Family::neva ? name : std::string()) + "(" + text + ")";
}

std::string Iec62056Responder::value_of(const CodeRow& row) const {
  constexpr int usual_precision = 3;
  const Wall wall = wall_of(face_.now);
  if (row.form == Form::text) return serial();
  if (row.form == Form::date)
    return "0" + std::to_string(wall.weekday) + "." + date_text(wall, ".", false);
  if (row.form == Form::time) return time_text(wall, ":");
  const Amount amount = amount_of(row.key, face_);
  const auto converted = convert(amount.value, amount.unit, row.unit);
  const Decimal value = converted ? *converted : Decimal();
  if (row.form == Form::number) return cut(value, usual_precision).str();
  const Decimal count = counted(value, row.scale);
  const std::string digits =
      padded(count.str(), row.digits > 0 ? static_cast<std::size_t>(row.digits) : 6);
  return row.digits > 0 ? digits + "00000000" : digits;
}

std::string Iec62056Responder::serial() const {
  return options_.address.empty() ? std::string(own_serial) : options_.address;
}

std::string Iec62056Responder::readout() const {
  const Wall wall = wall_of(face_.now);
  std::string text;
  const auto line = [&](std::string_view code, const std::string& value, std::string_view unit) {
    text.append(code).append("(").append(value);
    if (!unit.empty()) text.append("*").append(unit);
    text.append(")\r\n");
  };
  const auto kilo = [](const Decimal& value) {
    const auto moved = value.shifted(-3);
    return cut(moved ? *moved : Decimal(), 3).str();
  };
  line("F.F", "00000000", {});
  line("C.1.0", serial(), {});
  line("0.9.1", time_text(wall, {}), {});
  line("0.9.2", date_text(wall, {}, true), {});
  line("1.8.0", kilo(sum(face_.energy_import)), "kWh");
  line("2.8.0", kilo(sum(face_.energy_export)), "kWh");
  for (std::size_t i = 0; i < face_.energy_import.size(); ++i)
    line("1.8." + std::to_string(i + 1), kilo(face_.energy_import[i]), "kWh");
  line("16.7.0", kilo(sum(face_.power)), "kW");
  constexpr std::array volts{"32.7.0", "52.7.0", "72.7.0"};
  constexpr std::array amperes{"31.7.0", "51.7.0", "71.7.0"};
  for (std::size_t i = 0; i < volts.size(); ++i) {
    line(volts[i], face_.voltage[i].str(), "V");
    line(amperes[i], face_.current[i].str(), "A");
  }
  line("14.7", face_.frequency.str(), "Hz");
  return text + "!\r\n";
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return options.error();
  return std::unique_ptr<Responder>(std::make_unique<Iec62056Responder>(*std::move(options)));
}

}  // namespace meterbridge::protocol::iec62056_21
