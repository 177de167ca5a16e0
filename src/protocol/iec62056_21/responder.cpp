// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/responder.hpp"

#include "protocol/face.hpp"
#include "protocol/iec62056_21/answer.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::string_view factory_operand = "00000000";
constexpr std::size_t announced_at = 3;  // in the identification
constexpr std::string_view own_serial = "60089784";

std::string_view identification_of(Family family, bool readout) {
  switch (family) {
    case Family::energomera:
      return "EKT5CE301v12";
    case Family::energomera_dlms:
      return "EMR5CE3081.1";
    case Family::neva:
      return "TPC5NEVAMT324.1106";
    case Family::none:
      break;
  }
  return readout ? "MBR5SIMULATED" : "MBR4SIMULATED";
}

bool by_name(Family family) {
  return family == Family::energomera || family == Family::energomera_dlms;
}

// How many whole `scale` are in a value.
Decimal counted(const Decimal& value, const Decimal& scale) {
  const auto moved = value.shifted(-scale.exponent());
  auto whole = moved ? moved->rounded(0) : moved;
  if (!whole || scale.is_zero()) return {};
  if (*whole > *moved) whole = whole->minus(Decimal(1));
  return Decimal(whole ? whole->digits() / scale.digits() : 0);
}

bool same_address(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view text) {
    while (text.size() > 1 && text.front() == '0')
      text.remove_prefix(1);
    return text;
  };
  return bare(a) == bare(b);
}

// Which of the forms of a code this meter sends: the number of its values; 0 where there is one
// form only.
int form_of(const CodeTable& table, std::string_view name, int values) {
  constexpr std::array<std::array<int, 3>, 4> preferred{
      {{1, 0, 0}, {2, 1, 0}, {3, 1, 0}, {4, 3, 1}}};
  const auto index = static_cast<std::size_t>(std::clamp(values, 1, 4) - 1);
  for (const int form : preferred[index]) {
    const bool there = std::ranges::any_of(
        table, [&](const CodeRow& row) { return row.code == name && row.of == form; });
    if (form != 0 && there) return form;
  }
  return 0;
}

}  // namespace

Iec62056Responder::Iec62056Responder(Options options)
    : options_(std::move(options)),
      model_(model_of(options_.model)),
      family_(options_.family.value_or(Family::none)),
      baud_(options_.start_baud) {
  if (options_.codes.empty() && !options_.readout && family_ == Family::none)
    family_ = Family::energomera;
  identification_ = model_.identification.empty() ? identification_of(family_, options_.readout)
                                                  : model_.identification;
  if (!options_.identification.empty()) identification_ = options_.identification;
  table_ = options_.table(family_);
  rule_ = by_name(family_) ? Check::sum : model_.check;
  if (options_.check == Check::sum || options_.check == Check::exclusive_or) rule_ = options_.check;
}

void Iec62056Responder::wait_for_sign_on() {
  state_ = State::idle;
  baud_ = options_.start_baud;
}

bool Iec62056Responder::hears_at(std::uint32_t baud) {
  heard_at_ = baud;
  return options_.speed == Speed::announced;
}

// At another speed a meter hears nothing. One that is left alone returns to its first speed.
bool Iec62056Responder::is_deaf() {
  if (options_.speed != Speed::announced || heard_at_ == 0 || heard_at_ == baud_) return false;
  // A pseudo-terminal takes no time: the line may have its next speed when the option select,
  // which was sent at the old one, is looked at.
  if (state_ == State::identified && heard_at_ == baud_of(identification_[announced_at]))
    return false;
  if (heard_at_ != options_.start_baud) return true;
  wait_for_sign_on();
  return false;
}

std::vector<Bytes> Iec62056Responder::received(ByteView bytes) {
  if (is_deaf()) return {};
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
  const std::size_t line_end = text.find('\n');
  const std::size_t command = text.find(soh);
  if (command < line_end) {
    const std::size_t end = text.find(etx, command);
    if (end == std::string::npos || end + 1 == text.size()) return std::nullopt;
    const Bytes frame(arrived_.begin() + static_cast<std::ptrdiff_t>(command),
                      arrived_.begin() + static_cast<std::ptrdiff_t>(end + 2));
    drop(end + 2);
    return command == 0 ? on_command(frame) : on_fast_read(text.substr(0, command), frame);
  }
  if (line_end == std::string::npos) return std::nullopt;
  drop(line_end + 1);
  if (text.front() == '/') return on_sign_on(text.substr(0, line_end));
  if (state_ != State::identified || line_end < 4) return std::nullopt;
  return on_select(text[2], text[3]);
}

// "/?address!", or "/1address!" for one of several tables.
bool Iec62056Responder::is_mine(std::string_view line) const {
  const std::size_t mark = line.find('!');
  if (line.size() < 3 || mark == std::string_view::npos || mark < 2) return false;
  if (line[1] != '?' && (line[1] < '1' || line[1] > '9')) return false;
  const std::string_view wanted = line.substr(2, mark - 2);
  return wanted.empty() || (!options_.address.empty() && same_address(wanted, options_.address));
}

std::optional<Bytes> Iec62056Responder::on_sign_on(const std::string& line) {
  wait_for_sign_on();
  if (!is_mine(line)) return std::nullopt;
  state_ = State::identified;
  Bytes answer = to_bytes("/" + identification_ + "\r\n");
  if (options_.readout && (options_.mode == Mode::a || options_.mode == Mode::b)) {
    const Bytes data = readout();
    answer.insert(answer.end(), data.begin(), data.end());
    state_ = State::idle;
  }
  return answer;
}

std::uint32_t Iec62056Responder::baud_of(char character) const {
  if (options_.data_baud != 0) return options_.data_baud;
  return speed_of(character).value_or(options_.start_baud);
}

std::optional<Bytes> Iec62056Responder::on_select(char speed, char mode) {
  if (mode == '0') {
    wait_for_sign_on();
    if (model_.only_slow && speed != '0') return std::nullopt;
    return readout();
  }
  if (mode != options_.mode_character) return std::nullopt;
  if (options_.speed == Speed::announced) baud_ = baud_of(speed);
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
    wait_for_sign_on();
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
  if (block->command != known || block->text.find('(') == std::string::npos) return refused;
  if (state_ != State::open) return build_block({}, "(ERR15)", rule_);
  Bytes answer = answer_to(*block);
  if (mischief_.other_master) {
    Bytes both = read_request(options_.command, "OTHER", {}, rule_);
    both.insert(both.end(), answer.begin(), answer.end());
    return both;
  }
  return answer;
}

// Sign-on and command in one go, only of meters that are read so.
std::optional<Bytes> Iec62056Responder::on_fast_read(const std::string& line, ByteView frame) {
  if (!options_.fast || !is_mine(line) || !verify(frame, rule_)) return std::nullopt;
  const auto block = parse_block(frame);
  if (!block || block->command != "R1" || block->text.find('(') == std::string::npos)
    return std::nullopt;
  return answer_to(*block);
}

// Another code's answer stands for the answer of somebody else: nothing else tells the two apart.
Bytes Iec62056Responder::answer_to(const Block& block) const {
  const std::size_t open = block.text.find('(');
  const std::string_view text = block.text;
  const std::string_view name = text.substr(0, open);
  if (mischief_.foreign) return build_block({}, "FOREIGN(1)\r\n", rule_);
  std::string values;
  if (name == group_code && by_name(family_)) {
    values = group_of(text.substr(open + 1));
  } else if (knows(table_, name)) {
    values = values_of(name, family_ == Family::energomera);
  }
  if (values.empty()) return build_block({}, "(ERR12)", rule_);
  return build_block({}, values + (by_name(family_) ? "\r\n" : ""), rule_);
}

// VOLTA()CURRE()): empty when one of them is unknown.
std::string Iec62056Responder::group_of(std::string_view names) const {
  std::string text;
  for (std::size_t open = names.find('('); open != std::string_view::npos; open = names.find('(')) {
    const std::string_view name = names.substr(0, open);
    if (!knows(table_, name)) return {};
    text += values_of(name, false);
    names.remove_prefix(std::min(names.find(')', open) + 1, names.size()));
  }
  return text;
}

// repeat: each value with the name in front, on a line of its own, as CE301 does.
std::string Iec62056Responder::values_of(std::string_view name, bool repeat) const {
  const int form = form_of(table_, name, model_.values);
  std::vector<const CodeRow*> rows;
  for (const CodeRow& row : table_) {
    if (row.code == name && (row.of == 0 || row.of == form)) rows.push_back(&row);
  }
  std::ranges::sort(rows, {}, [](const CodeRow* row) { return row->part; });
  std::vector<std::string> values;
  values.reserve(rows.size());
  for (const CodeRow* row : rows)
    values.push_back(value_of(*row));
  while (values.size() < static_cast<std::size_t>(form))
    values.emplace_back("0.0");
  std::string text;
  for (const std::string& value : values) {
    if (by_name(family_)) {
      if (repeat && !text.empty()) text.append("\r\n");
      if (repeat || text.empty()) text.append(name);
      text.append("(").append(value).append(")");
    } else {
      text.append(text.empty() ? "" : ",").append(value);
    }
  }
  if (by_name(family_)) return text;
  const bool named = family_of(identification_.substr(0, 3)) == Family::neva;
  return (named ? std::string(name) : std::string()) + "(" + text + ")";
}

std::string Iec62056Responder::value_of(const CodeRow& row) const {
  constexpr int usual_precision = 3;
  if (row.form == Form::text) return serial();
  if (row.form == Form::date)
    return "0" + std::to_string(weekday_of(face_)) + "." + date_text(face_, ".", false);
  if (row.form == Form::time) return time_text(face_, ":");
  const auto converted = convert(shown(row.key, face_), canonical_unit(row.key.quantity), row.unit);
  const Decimal value = converted ? *converted : shown(row.key, face_);
  if (row.form == Form::number) return digits_of(value, 0, usual_precision);
  if (row.form == Form::dated)
    return date_text(face_, ".", false) + "," + digits_of(value, 0, usual_precision);
  const std::size_t width = row.digits > 0 ? static_cast<std::size_t>(row.digits) : 6;
  const std::string digits = digits_of(counted(value, row.scale), width, 0);
  return row.digits > 0 ? digits + "00000000" : digits;
}

std::string Iec62056Responder::serial() const {
  return options_.address.empty() ? std::string(own_serial) : options_.address;
}

Bytes Iec62056Responder::readout() const {
  const Model& model = model_.readout.empty() ? model_of({}) : model_;
  return build_block({}, readout_of(model, face_, serial()), rule_);
}

Result<std::unique_ptr<Responder>> make_responder(const SettingValues& settings) {
  auto options = Options::from(settings);
  if (!options) return options.error();
  return std::unique_ptr<Responder>(std::make_unique<Iec62056Responder>(*std::move(options)));
}

}  // namespace meterbridge::protocol::iec62056_21
