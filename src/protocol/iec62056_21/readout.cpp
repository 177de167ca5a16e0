// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/readout.hpp"

#include "core/text.hpp"
#include "protocol/obis_readings.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <variant>

namespace meterbridge::protocol::iec62056_21 {
namespace {

// Two-part codes of heat meters, and the few of electricity meters that are no OBIS. The unit
// decides whether a meaning fits: 6.8 in GJ is heat, 6.8.0 in kvarh is reactive energy.
struct Meaning {
  std::string_view code;
  ReadingKey key;
  Unit usual;
  std::string_view maker = {};  // only of this one
};

constexpr ReadingKey peak(Quantity quantity) {
  return make_key(quantity, Direction::none, Phase::none, 0, Aspect::peak);
}

constexpr std::array meanings{
    Meaning{"6.8", make_key(Quantity::heat), Unit::none},
    Meaning{"6.26", make_key(Quantity::volume), Unit::m3},
    Meaning{"6.6", peak(Quantity::power), Unit::none},
    Meaning{"6.33", peak(Quantity::flow), Unit::none},
    Meaning{"1.20", make_key(Quantity::energy, Direction::import), Unit::kWh, "KAM"},
};

// The first that the meter sends is its serial number: its own number before those that the grid
// operator gave it.
constexpr std::array<std::string_view, 9> serial_codes{
    "C.1.0", "C.1", "96.1.0", "96.1.255", "0.0.0", "0.0", "9.21", "9.20", "0.0.1"};
constexpr std::array<std::string_view, 4> status_codes{"F.F", "F.F.0", "F", "97.97.0"};
constexpr std::array<std::string_view, 1> firmware_codes{"0.2.0"};
constexpr std::string_view temperatures = "9.4";

struct Line {
  const Entry* entry = nullptr;
  Code code;
  std::optional<ObisMeaning> meaning;
  const Meaning* own = nullptr;
};

const Meaning* own_meaning(const Code& code, std::string_view maker) {
  if (code.former || (code.obis && code.obis->f() != 255)) return nullptr;
  for (const Meaning& meaning : meanings) {
    if (meaning.code == code.plain &&
        (meaning.maker.empty() || same_ignoring_case(meaning.maker, maker)))
      return &meaning;
  }
  return nullptr;
}

// Power failures.
bool counts_events(const Code& code) {
  return code.plain.starts_with("C.7");
}

// YYMMDDhhmm[ss], perhaps behind a digit of season, or date and time with a blank between them.
std::optional<Seconds> stamp_from(std::string_view text) {
  constexpr std::size_t date_digits = 6;
  std::string_view date = text.substr(0, text.find(' '));
  std::string time;
  if (date.size() < text.size()) {
    time = trimmed(text.substr(date.size()));
  } else {
    const std::size_t digits = date_digits + text.size() % 2;
    date = text.substr(0, digits);
    time = text.substr(std::min(digits, text.size()));
  }
  constexpr std::size_t with_seconds = 6;
  if (time.size() < with_seconds) time += time.find(':') == std::string::npos ? "00" : ":00";
  return clock_from(date, time);
}

// How many values a code has. Pafal's 12EC3g says each twice: 1.8.0*00(000783.16)(000783.16).
std::size_t values_of(const Entry& entry) {
  const bool same =
      std::ranges::adjacent_find(entry.values, std::not_equal_to()) == entry.values.end();
  return same ? std::min<std::size_t>(entry.values.size(), 1) : entry.values.size();
}

class Builder {
 public:
  Builder(Telegram& telegram, std::span<const Entry> entries)
      : telegram_(telegram),
        entries_(entries),
        maker_(std::string_view(telegram.identification).substr(0, 3)),
        readings_(telegram.readings.front()) {}

  void run();

 private:
  void settle_live_registers();
  [[nodiscard]] static Item first_value(const Line& line, bool number);
  void add(const Line& line, const Item& item);
  void add_own(const Meaning& meaning, const Item& item);
  void add_temperatures(const Entry& entry);
  [[nodiscard]] std::string first_of(std::span<const std::string_view> codes) const;
  void add_clock();

  Telegram& telegram_;
  std::span<const Entry> entries_;
  std::string_view maker_;
  ObisReadings readings_;
  std::vector<Line> lines_;
};

// Pafal marks the register of this moment with *00, others the last period: it counts only when
// the code does not come without it.
void Builder::settle_live_registers() {
  for (Line& line : lines_) {
    if (!line.code.obis || line.code.obis->f() != 0 ||
        line.code.address.find('*') == std::string::npos)
      continue;
    const Obis& o = *line.code.obis;
    const Obis live{o.a(), o.b(), o.c(), o.d(), o.e()};
    const bool other = std::ranges::any_of(
        lines_, [&](const Line& one) { return one.code.obis && *one.code.obis == live; });
    if (!other) line.meaning = meaning_of(live);
  }
}

// A maximum comes with the time at which it was reached: 1.6.1(0.4*kW)(22-03-14 11:45).
Item Builder::first_value(const Line& line, bool number) {
  const Entry& entry = *line.entry;
  if (entry.values.size() < 2) return item_from(entry, line.code, number);
  Entry first;
  first.code = entry.code;
  first.values.push_back(entry.values.front());
  Item item = item_from(first, line.code, number);
  if (!item.value) return item_from(entry, line.code, number);
  item.time = stamp_from(entry.values[1]);
  return item;
}

void Builder::add_own(const Meaning& meaning, const Item& item) {
  if (!item.value) return;
  const auto unit = item.unit.empty() ? std::optional(meaning.usual) : unit_from(item.unit);
  if (!unit || *unit == Unit::none) return;
  if (auto reading = Reading::make(meaning.key, *item.value, *unit))
    readings_.add(*std::move(reading));
}

// 9.4(098.5*C&096.1*C): the highest of flow and return.
void Builder::add_temperatures(const Entry& entry) {
  if (entry.values.size() != 1) return;
  const std::string_view both = entry.values.front();
  const std::size_t middle = both.find('&');
  if (middle == std::string_view::npos) return;
  const auto put = [&](Quantity quantity, std::string_view text) {
    const std::size_t star = text.find('*');
    const auto number = number_from(text.substr(0, star));
    if (!number || star == std::string_view::npos || text.substr(star) != "*C") return;
    readings_.add(Reading(peak(quantity), *number, Unit::celsius));
  };
  put(Quantity::temperature_flow, both.substr(0, middle));
  put(Quantity::temperature_return, both.substr(middle + 1));
}

void Builder::add(const Line& line, const Item& item) {
  if (line.code.former && !line.meaning) return;
  if (line.code.plain == temperatures && !line.code.former) add_temperatures(*line.entry);
  if (line.own != nullptr) {
    add_own(*line.own, item);
    return;
  }
  // A heat meter's 9.7(20000) is no apparent power: two groups alone mean something with a unit
  // only.
  const bool reduced = std::ranges::count(line.code.plain, '.') < 2;
  if (!line.meaning || (reduced && item.unit.empty())) return;
  switch (line.meaning->form) {
    case ObisForm::number:
    case ObisForm::ratio:
    case ObisForm::limit:
      readings_.add_number(item, *line.meaning);
      return;
    case ObisForm::tariff:
      if (const auto number = item.text ? number_from(*item.text) : item.value)
        readings_.add(Reading(line.meaning->key, *number));
      return;
    case ObisForm::breaker:
    case ObisForm::text:
    case ObisForm::clock:
      return;  // serial number, firmware and clock have rules of their own
  }
}

std::string Builder::first_of(std::span<const std::string_view> codes) const {
  for (const std::string_view wanted : codes) {
    for (const Line& line : lines_) {
      if (line.code.plain != wanted || line.code.former || values_of(*line.entry) != 1) continue;
      std::string text = sanitised(line.entry->values.front());
      if (!text.empty()) return text;
    }
  }
  return {};
}

void Builder::add_clock() {
  constexpr std::array<std::string_view, 1> time{"0.9.1"};
  constexpr std::array<std::string_view, 1> date{"0.9.2"};
  telegram_.time = clock_from(first_of(date), first_of(time));
  if (telegram_.time) readings_.add(Reading(make_key(Quantity::clock), *telegram_.time));
}

void Builder::run() {
  for (const Entry& entry : entries_) {
    Line line;
    line.entry = &entry;
    line.code = code_from(entry.code);
    line.own = own_meaning(line.code, maker_);
    // 6.8 of a heat meter is no 6.8.0 of an electricity meter.
    const bool reactive = line.own == nullptr || line.code.plain != line.own->code;
    if (line.code.obis && reactive) line.meaning = meaning_of(*line.code.obis);
    lines_.push_back(std::move(line));
  }
  settle_live_registers();
  for (const Line& line : lines_) {
    const bool number = counts_events(line.code) || line.own != nullptr ||
                        (line.code.obis && is_number(*line.code.obis, line.meaning));
    telegram_.items.push_back(first_value(line, number));
    const std::size_t groups = values_of(*line.entry);
    if (groups < 2 || (groups == 2 && telegram_.items.back().time))
      add(line, telegram_.items.back());
  }
  readings_.add_sums();
  readings_.add_net_power();
  if (same_ignoring_case(maker_, "ESY")) readings_.take_signed_import();
  MeterIdentity& meter = telegram_.meter;
  meter.serial = first_of(serial_codes);
  meter.firmware = first_of(firmware_codes);
  if (!meter.serial.empty()) readings_.add(Reading(make_key(Quantity::serial), meter.serial));
  if (!meter.firmware.empty()) readings_.add(Reading(make_key(Quantity::firmware), meter.firmware));
  const std::string errors = first_of(status_codes);
  const bool fine = errors.find_first_not_of('0') == std::string::npos;
  if (!errors.empty()) readings_.add(Reading(make_key(Quantity::status), fine ? "ok" : errors));
  add_clock();
  telegram_.readings.front().identity = meter;
}

// Digits in groups of two, whatever stands between them. Nothing unless there are three groups.
std::optional<std::array<int, 3>> three_pairs(std::string_view text) {
  std::array<int, 3> pairs{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    if (count == pairs.size() || text.size() - i < 2) return std::nullopt;
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (!digit(i) || !digit(i + 1)) return std::nullopt;
    pairs[count] = (text[i] - '0') * 10 + (text[i + 1] - '0');
    i += 2;
    if (i < text.size() && (text[i] == '.' || text[i] == ':' || text[i] == '-')) ++i;
  }
  if (count != pairs.size()) return std::nullopt;
  return pairs;
}

struct Part {
  std::array<int, 3> pairs{};
  std::optional<Season> season;
};

// Seven digits: the first is a season, 0 normal, 1 summer (Iskra, EMH). Eight: with the century
// (ZPA).
std::optional<Part> part_from(std::string_view text) {
  Part part;
  constexpr std::size_t with_century = 8;
  if (text.size() == with_century && text.starts_with("20") &&
      text.find_first_not_of("0123456789") == std::string_view::npos)
    text.remove_prefix(2);
  if (text.size() == 7 && (text.front() == '0' || text.front() == '1')) {
    if (text.front() == '1') part.season = Season::summer;
    text.remove_prefix(1);
  }
  const auto pairs = three_pairs(text);
  if (!pairs) return std::nullopt;
  part.pairs = *pairs;
  return part;
}

// What cannot be true of a value, with its unit; empty when nothing is wrong.
std::string_view value_fault(std::string_view sent, bool number) {
  const std::size_t star = std::min(sent.find('*'), sent.size());
  const std::string_view unit = trimmed(sent.substr(std::min(star + 1, sent.size())));
  const bool digits = sent.find_first_of("0123456789") < star;
  const bool known = unit.empty() || unit_from(unit);
  if (known && !unit.empty() && digits && !number_from(sent.substr(0, star))) return "is no number";
  return number && !known ? "has no unit that there is" : "";
}

}  // namespace

Telegram empty_telegram() {
  Telegram telegram;
  telegram.protocol = "iec62056-21";
  telegram.readings.emplace_back();
  return telegram;
}

void put_identification(Telegram& telegram, const Identification& identification) {
  telegram.identification = identification.text;
  const std::string_view maker = maker_of(identification.maker);
  telegram.meter.manufacturer = maker.empty() ? identification.maker : std::string(maker);
  telegram.meter.model = sanitised(identification.model);
  telegram.readings.front().identity = telegram.meter;
}

void put_readout(Telegram& telegram, std::span<const Entry> entries) {
  Builder(telegram, entries).run();
}

Result<> plausible_lines(std::span<const Entry> entries) {
  std::map<std::string, std::string_view> registers;
  for (const Entry& entry : entries) {
    const auto wrong = [&entry](std::string_view why) {
      return Error(Errc::malformed, sanitised(entry.code, 40) + "(" +
                                        sanitised(entry.values.front(), 40) + ") " +
                                        std::string(why));
    };
    if (entry.values.size() != 1) continue;
    const std::string_view sent = entry.values.front();
    const Code code = code_from(entry.code);
    const bool number = code.obis && !code.former && is_number(*code.obis);
    const bool reduced = std::ranges::count(code.plain, '.') < 2;
    for (std::string_view rest = sent;;) {
      // Heat meters join values: 9.4(098.5*C&096.1*C).
      const std::size_t end = reduced ? rest.find('&') : std::string_view::npos;
      if (const auto why = value_fault(rest.substr(0, end), number); !why.empty())
        return wrong(why);
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    if (!number) continue;
    const auto [other, fresh] = registers.emplace(code.address, sent);
    if (!fresh && other->second != sent) return wrong("comes twice, and not the same");
  }
  return {};
}

std::optional<Seconds> clock_from(std::string_view date, std::string_view time) {
  // Energomera puts the day of the week in front, and the year last.
  const std::size_t points = static_cast<std::size_t>(std::ranges::count(date, '.'));
  const bool german = points >= 2;
  if (points == 3) date.remove_prefix(date.find('.') + 1);
  const auto day = part_from(date);
  const auto hour = part_from(time);
  if (!day || !hour) return std::nullopt;
  const int year = 2000 + day->pairs[german ? 2 : 0];
  const auto local = LocalTime::make(year, day->pairs[1], day->pairs[german ? 0 : 2],
                                     hour->pairs[0], hour->pairs[1], hour->pairs[2]);
  if (!local) return std::nullopt;
  const auto instant = to_utc(*local, hour->season ? hour->season : day->season);
  if (!instant) return std::nullopt;
  return *instant;
}

}  // namespace meterbridge::protocol::iec62056_21
