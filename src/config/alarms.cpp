// SPDX-License-Identifier: MIT
// `alarms` and `anomalies` of a meter.
#include "config/reader.hpp"
#include "config/tables.hpp"
#include "core/text.hpp"
#include "core/unit.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace meterbridge::config {
namespace {

using std::string_view_literals::operator""sv;
using Type = SettingType;

constexpr std::array kind_names{"limit"sv,     "silent"sv,        "fault"sv,
                                "stuck"sv,     "sign"sv,          "lost_phase"sv,
                                "phase_sum"sv, "power_product"sv, "energy"sv};
constexpr std::array severity_names{"info"sv, "warning"sv, "critical"sv};

constexpr std::array alarm_fields{
    Field{
        .spec = {.name = "name", .help = "part of the entity's identity: letters, digits, _ and -"},
        .required = true},
    Field{.spec = {.name = "label", .help = "name of the entity; without it made from `name`"}},
    Field{.spec = {.name = "kind",
                   .type = Type::choice,
                   .help = "what is watched; limit needs a key, and above, below, is or is_not",
                   .fallback = "limit",
                   .choices = kind_names}},
    Field{.spec = {.name = "key",
                   .help =
                       "the reading; one without phase speaks for L1, L2 and L3 where the meter "
                       "has no total"}},
    Field{
        .spec = {.name = "above",
                 .help = "raised by a higher value; 15kW, or 15000 in the unit that is published"}},
    Field{.spec = {.name = "below", .help = "raised by a lower value"}},
    Field{.spec = {.name = "hysteresis",
                   .help = "cleared only when the value is back by so much behind the limit"}},
    Field{.spec = {.name = "per",
                   .type = Type::duration,
                   .help = "the limits are for the change of the value in this time"},
          .least = Milliseconds(1000)},
    Field{.spec = {.name = "is", .help = "raised while the reading says this: on, off, or a text"}},
    Field{.spec = {.name = "is_not", .help = "raised while the reading says anything else"}},
    Field{.spec = {.name = "delay",
                   .type = Type::duration,
                   .help = "raised only when it lasts so long; without it at once (phase_sum, "
                           "power_product 1m, lost_phase 10s)"}},
    Field{.spec = {.name = "clear_delay",
                   .type = Type::duration,
                   .help = "cleared only when it is over for so long",
                   .fallback = "0s"}},
    Field{.spec = {.name = "for",
                   .type = Type::duration,
                   .help = "of silent (10m), stuck and energy (1h): the time that is looked at"},
          .least = Milliseconds(1000)},
    Field{.spec = {.name = "tolerance",
                   .type = Type::decimal,
                   .help = "percent: of lost_phase (15), phase_sum (5), power_product (10), energy "
                           "(50)"}},
    Field{.spec = {.name = "between",
                   .help = "only in these hours of the day, local time: 22:00-05:00"}},
    Field{.spec = {.name = "severity",
                   .type = Type::choice,
                   .help = "is told with the event",
                   .fallback = "warning",
                   .choices = severity_names}},
};

// What each kind takes when the user says nothing, and which keys mean something to it.
struct KindFacts {
  AlarmKind kind;
  Milliseconds delay;
  Milliseconds span;
  std::int64_t tolerance;
};

using namespace std::chrono_literals;
constexpr std::array kinds{
    KindFacts{AlarmKind::limit, 0s, 0s, 0},       KindFacts{AlarmKind::silent, 0s, 10min, 0},
    KindFacts{AlarmKind::fault, 0s, 0s, 0},       KindFacts{AlarmKind::stuck, 0s, 1h, 0},
    KindFacts{AlarmKind::sign, 0s, 0s, 0},        KindFacts{AlarmKind::lost_phase, 10s, 0s, 15},
    KindFacts{AlarmKind::phase_sum, 1min, 0s, 5}, KindFacts{AlarmKind::power_product, 1min, 0s, 10},
    KindFacts{AlarmKind::energy, 0s, 1h, 50},
};

const KindFacts& facts_of(AlarmKind kind) {
  return kinds[static_cast<std::size_t>(kind)];
}

bool takes_key(AlarmKind kind) {
  return kind == AlarmKind::limit || kind == AlarmKind::stuck;
}

// Whether a reading's value is a number that can be compared.
bool is_number(const ReadingKey& key) {
  switch (key.quantity) {
    case Quantity::serial:
    case Quantity::firmware:
    case Quantity::clock:
    case Quantity::status:
    case Quantity::message:
    case Quantity::input:
      return false;
    default:
      return true;
  }
}

// All keys without scope and aspect: what somebody who mistyped one may have meant.
std::vector<std::string> common_keys() {
  std::vector<std::string> all;
  for (int q = 0; q <= static_cast<int>(Quantity::value); ++q) {
    for (int d = 0; d <= static_cast<int>(Direction::q4); ++d) {
      for (int p = 0; p <= static_cast<int>(Phase::l3_l1); ++p) {
        ReadingKey key =
            make_key(static_cast<Quantity>(q), static_cast<Direction>(d), static_cast<Phase>(p));
        key.number = 1;
        std::string text = key.text();
        if (ReadingKey::parse(text)) all.push_back(std::move(text));
      }
    }
  }
  return all;
}

// One alarm's map with what its kind makes of it.
class AlarmReader {
 public:
  AlarmReader(const Node& node, const MeterSettings& meter, Problems& problems)
      : node_(node),
        meter_(meter),
        problems_(problems),
        values_(read_section(node, alarm_section, {}, problems)) {}

  AlarmSettings read() {
    read_name();
    read_kind();
    read_key();
    alarm_.label = values_.text("label");
    alarm_.above = quantity("above");
    alarm_.below = quantity("below");
    alarm_.hysteresis = quantity("hysteresis").value_or(Decimal(0));
    alarm_.is = values_.text("is");
    alarm_.is_not = values_.text("is_not");
    if (values_.has("per")) alarm_.per = values_.duration("per");
    read_times();
    check_limits();
    check_words();
    check_kind();
    return std::move(alarm_);
  }

 private:
  void complain_at(const char* name, std::string text) {
    const Node* member = node_.find(name);
    complain(problems_, member == nullptr ? node_ : *member, std::move(text));
  }

  [[nodiscard]] bool given(const char* name) const { return node_.find(name) != nullptr; }

  void read_name() {
    const Node* name = node_.find("name");
    if (name == nullptr || !values_.has("name")) return;
    alarm_.name = values_.text("name");
    if (!check_identity(*name, alarm_.name, problems_)) return;
    const auto same = [&](const AlarmSettings& other) { return other.name == alarm_.name; };
    if (std::any_of(meter_.alarms.begin(), meter_.alarms.end(), same))
      complain(problems_, *name, shown(*name) + " is the name of another alarm of this meter");
  }

  void read_kind() {
    const std::string kind = values_.text("kind");
    const auto found = std::find(kind_names.begin(), kind_names.end(), kind);
    if (found != kind_names.end()) alarm_.kind = static_cast<AlarmKind>(found - kind_names.begin());
    const std::string severity = values_.text("severity");
    const auto* const level = std::find(severity_names.begin(), severity_names.end(), severity);
    if (level != severity_names.end())
      alarm_.severity = static_cast<AlarmSeverity>(level - severity_names.begin());
  }

  void read_key() {
    const Node* key = node_.find("key");
    if (key == nullptr || !values_.has("key")) return;
    const std::string text = values_.text("key");
    const auto parsed = ReadingKey::parse(text);
    if (!parsed) {
      const std::vector<std::string> all = common_keys();
      const std::vector<std::string_view> views(all.begin(), all.end());
      const std::string near = suggestion(text, views);
      complain(problems_, *key,
               shown(*key) + " is no reading key" +
                   (near.empty() ? " (such as power, voltage_l2, input_7)" : near));
      return;
    }
    alarm_.key = *parsed;
    const auto options = meter_.readings.find(*parsed);
    if (options != meter_.readings.end() && options->second.hidden)
      complain(problems_, *key, "this reading is hidden: hidden readings are not watched");
  }

  // "15kW", "500": in the unit in which the key is published.
  std::optional<Decimal> quantity(const char* name) {
    const Node* member = node_.find(name);
    if (member == nullptr || !values_.has(name)) return std::nullopt;
    const std::string text = values_.text(name);
    const std::string_view all = trimmed(text);
    const std::size_t end = std::min(all.find_first_not_of("+-0123456789."), all.size());
    const auto number = Decimal::parse(all.substr(0, end));
    const std::string_view unit = trimmed(all.substr(end));
    if (!number) {
      complain(problems_, *member,
               shown(*member) + " is no number (write for example 15kW or 207)");
      return std::nullopt;
    }
    if (unit.empty() || !alarm_.key) return *number;
    const Unit own = canonical_unit(alarm_.key->quantity);
    const auto given_unit = unit_from(unit);
    const auto converted = given_unit && own != Unit::none
                               ? convert(*number, *given_unit, own)
                               : Result<Decimal>(Error(Errc::invalid, ""));
    if (converted) return *converted;
    const std::string words = own == Unit::none ? "write the number alone, as it is published"
                                                : "it is published in " + std::string(symbol(own));
    complain(problems_, *member,
             shown(*member) + " does not fit " + alarm_.key->text() + ": " + words);
    return std::nullopt;
  }

  void read_times() {
    const KindFacts& facts = facts_of(alarm_.kind);
    alarm_.delay = values_.has("delay") ? values_.duration("delay") : facts.delay;
    alarm_.clear_delay = values_.duration("clear_delay");
    alarm_.span = values_.has("for") ? values_.duration("for") : facts.span;
    alarm_.tolerance = values_.decimal("tolerance").value_or(Decimal(facts.tolerance));
    if (alarm_.tolerance.is_negative()) complain_at("tolerance", "must not be negative");
    if (!given("between") || !values_.has("between")) return;
    alarm_.between = window(values_.text("between"));
    if (!alarm_.between)
      complain_at("between", shown(*node_.find("between")) +
                                 " is no part of a day (write for example \"22:00-05:00\")");
  }

  static std::optional<std::chrono::minutes> time_of_day(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || text.size() != colon + 3)
      return std::nullopt;
    const auto digits = [](std::string_view part, int most) -> std::optional<int> {
      int number = 0;
      const auto parsed = std::from_chars(part.data(), part.data() + part.size(), number);
      if (parsed.ec != std::errc() || parsed.ptr != part.data() + part.size() || number < 0 ||
          number > most)
        return std::nullopt;
      return number;
    };
    const auto hour = digits(text.substr(0, colon), 24);
    const auto minute = digits(text.substr(colon + 1), 59);
    if (!hour || !minute || (*hour == 24 && *minute != 0)) return std::nullopt;
    return std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  }

  static std::optional<DayWindow> window(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto from = time_of_day(trimmed(text.substr(0, dash)));
    const auto to = time_of_day(trimmed(text.substr(dash + 1)));
    if (!from || !to || *from == *to) return std::nullopt;
    return DayWindow{*from, *to};
  }

  void check_limits() {
    if (alarm_.hysteresis.is_negative()) complain_at("hysteresis", "must not be negative");
    if (given("hysteresis") && !given("above") && !given("below"))
      complain_at("hysteresis", "needs above or below");
    if (alarm_.key && !is_number(*alarm_.key)) {
      for (const char* name : {"above", "below", "per"}) {
        if (given(name)) complain_at(name, alarm_.key->text() + " is no number: use is or is_not");
      }
    }
    if (!alarm_.above || !alarm_.below) return;
    const auto low = alarm_.below->plus(alarm_.hysteresis);
    const auto high = alarm_.above->minus(alarm_.hysteresis);
    if (*alarm_.below >= *alarm_.above) {
      complain_at("below", "must be less than above: any value would be an alarm");
    } else if (!low || !high || *low > *high) {
      complain_at("hysteresis",
                  "leaves nothing between below and above: it would never be cleared");
    }
  }

  void check_words() {
    const bool words = given("is") || given("is_not");
    if (!words) return;
    if (given("is") && given("is_not")) complain_at("is_not", "give one of is and is_not");
    if (given("above") || given("below"))
      complain_at(given("is") ? "is" : "is_not",
                  "a limit is either above and below, or is, or is_not");
    if (alarm_.key && alarm_.key->quantity == Quantity::input) {
      const std::string word = lower(alarm_.is.empty() ? alarm_.is_not : alarm_.is);
      if (std::ranges::count(std::array{"on"sv, "off"sv, "true"sv, "false"sv}, word) == 0)
        complain_at(given("is") ? "is" : "is_not", "an input is on or off");
    }
  }

  // What belongs to another kind has no effect, and is refused for that.
  void check_kind() {
    const std::string kind(name(alarm_.kind));
    // Of a kind that does not exist nobody knows what belongs to it.
    if (const Node* word = node_.find("kind"); word != nullptr && word->scalar != kind) return;
    const bool limit = alarm_.kind == AlarmKind::limit;
    if (limit && !given("key"))
      complain(problems_, node_, "needs the key \"key\": the reading that is watched");
    if (limit && !given("above") && !given("below") && !given("is") && !given("is_not"))
      complain(problems_, node_, "needs one of: above, below, is, is_not");
    for (const char* only : {"above", "below", "hysteresis", "per", "is", "is_not"}) {
      if (!limit && given(only)) complain_at(only, "means nothing to kind " + kind);
    }
    if (!takes_key(alarm_.kind) && given("key"))
      complain_at("key", "means nothing to kind " + kind);
    if (facts_of(alarm_.kind).span == 0s && given("for"))
      complain_at("for",
                  limit ? "means nothing to a limit: use delay" : "means nothing to kind " + kind);
    if (facts_of(alarm_.kind).tolerance == 0 && given("tolerance"))
      complain_at("tolerance", "means nothing to kind " + kind);
  }

  const Node& node_;
  const MeterSettings& meter_;
  Problems& problems_;
  SettingValues values_;
  AlarmSettings alarm_;
};

// Those of the anomalies that were not configured by hand.
void add_anomalies(MeterSettings& meter) {
  for (const AlarmKind kind : {AlarmKind::stuck, AlarmKind::sign, AlarmKind::lost_phase,
                               AlarmKind::phase_sum, AlarmKind::power_product, AlarmKind::energy}) {
    const auto taken = [kind](const AlarmSettings& other) {
      return other.kind == kind || other.name == name(kind);
    };
    if (std::any_of(meter.alarms.begin(), meter.alarms.end(), taken)) continue;
    const KindFacts& facts = facts_of(kind);
    AlarmSettings alarm;
    alarm.name = name(kind);
    alarm.kind = kind;
    alarm.delay = facts.delay;
    alarm.span = facts.span;
    alarm.tolerance = Decimal(facts.tolerance);
    alarm.automatic = true;
    meter.alarms.push_back(std::move(alarm));
  }
}

}  // namespace

constinit const Section alarm_section{"an alarm", alarm_fields};

std::string_view name(AlarmKind kind) noexcept {
  return kind_names[static_cast<std::size_t>(kind)];
}

std::string_view name(AlarmSeverity severity) noexcept {
  return severity_names[static_cast<std::size_t>(severity)];
}

void read_alarms(const Node& node, const SettingValues& values, MeterSettings& meter,
                 Problems& problems) {
  if (const Node* list = list_in(node, "alarms")) {
    for (const Node& entry : list->items) {
      if (entry.missing) continue;
      if (entry.kind == Kind::map) {
        meter.alarms.push_back(AlarmReader(entry, meter, problems).read());
      } else {
        complain(problems, entry,
                 "must be a map, for example {name: overload, key: power, above: 15kW}");
      }
    }
  }
  if (values.boolean("anomalies")) add_anomalies(meter);
}

}  // namespace meterbridge::config
