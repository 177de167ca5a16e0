// SPDX-License-Identifier: MIT
// The telegrams that the responder pushes, country by country.
#include "core/text.hpp"
#include "protocol/crc16.hpp"
#include "protocol/p1/responder.hpp"
#include "protocol/p1/stamp.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::array<int, 3> phases = {0, 1, 2};

Decimal or_zero(const Result<Decimal>& result) {
  return result ? *result : Decimal();
}

template <std::size_t N>
Decimal sum(const std::array<Decimal, N>& parts) {
  Decimal total;
  for (const Decimal& part : parts) {
    total = or_zero(total.plus(part));
  }
  return total;
}

Decimal share(const Decimal& value, int percent) {
  return or_zero(value.times(Decimal(percent, -2)));
}

Decimal positive(const Decimal& value) {
  return value.is_negative() ? Decimal() : value;
}

Decimal negative(const Decimal& value) {
  return value.is_negative() ? or_zero(Decimal().minus(value)) : Decimal();
}

// What was counted when a round value was last passed: stands for the register of the month before.
Decimal last_round(const Decimal& watt_hours) {
  constexpr std::int64_t step = 100'000;
  const Decimal whole = or_zero(watt_hours.rounded(0));
  return Decimal(whole.digits() / step * step);
}

std::string hex_of(std::string_view text) {
  return to_hex_upper(to_bytes(text));
}

std::string group_d(std::string_view c, std::string_view rest) {
  std::string code = "1-0:";
  code += c;
  code += rest;
  return code;
}

// 21, 41, 61 for base 1 and phases 0, 1, 2.
std::string of_phase(int base, int phase, std::string_view rest) {
  return group_d(std::to_string(20 * (phase + 1) + base), rest);
}

class Writer {
 public:
  Writer(std::string_view header, const MeterFace& face, std::chrono::minutes offset)
      : face_(face), offset_(offset), text_("/" + std::string(header) + "\r\n\r\n") {}

  Writer& line(std::string_view code, std::string_view content) {
    text_ += code;
    text_ += '(';
    text_ += content;
    text_ += ")\r\n";
    return *this;
  }

  // value in the meter's own base unit, shifted by `power` of ten, with `digits` before the point.
  Writer& number(std::string_view code, const Decimal& value, int power, std::size_t digits,
                 int precision, std::string_view unit) {
    return line(code, printed(value, power, digits, precision, unit));
  }

  [[nodiscard]] static std::string printed(const Decimal& value, int power, std::size_t digits,
                                           int precision, std::string_view unit) {
    std::string text = or_zero(or_zero(value.shifted(power)).rounded(precision)).str();
    const bool minus = !text.empty() && text.front() == '-';
    if (minus) text.erase(0, 1);
    const std::size_t before_point = std::min(text.find('.'), text.size());
    if (before_point < digits) text.insert(0, digits - before_point, '0');
    if (minus) text.insert(0, 1, '-');
    if (!unit.empty()) text += "*" + std::string(unit);
    return text;
  }

  Writer& clock() { return line("0-0:1.0.0", stamp(face_.now)); }

  [[nodiscard]] std::string stamp(Seconds at) const { return stamp_text(at, offset_); }

  Writer& kwh(std::string_view code, const Decimal& watt_hours) {
    return number(code, watt_hours, -3, 6, 3, "kWh");
  }

  Writer& kw(std::string_view code, const Decimal& watts) {
    return number(code, watts, -3, 2, 3, "kW");
  }

  Writer& kvarh(std::string_view code, const Decimal& v) {
    return number(code, v, -3, 6, 3, "kvarh");
  }

  Writer& kvar(std::string_view code, const Decimal& v) {
    return number(code, v, -3, 2, 3, "kvar");
  }

  Writer& raw(std::string_view text) {
    text_ += text;
    return *this;
  }

  [[nodiscard]] std::string without_check() { return text_ + "!\r\n"; }

  [[nodiscard]] std::string with_check() {
    text_ += '!';
    const std::uint16_t crc = crc16(text_);
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const unsigned shift : {12U, 8U, 4U, 0U}) {
      text_ += digits[(crc >> shift) & 0x0FU];
    }
    return text_ + "\r\n";
  }

 private:
  const MeterFace& face_;
  std::chrono::minutes offset_;
  std::string text_;
};

std::string serial_of(std::string_view prefix, int number) {
  std::string serial(prefix);
  serial += "0000012345";
  serial += std::to_string(number);
  return serial;
}

void tariffs(Writer& w, std::string_view c, const std::array<Decimal, 4>& energies, int count,
             bool total) {
  if (total) w.kwh(group_d(c, ".8.0"), sum(energies));
  for (int tariff = 1; tariff <= count; ++tariff) {
    w.kwh(group_d(c, ".8." + std::to_string(tariff)),
          energies.at(static_cast<std::size_t>(tariff - 1)));
  }
}

void voltages_and_currents(Writer& w, const MeterFace& face, std::size_t digits, int precision) {
  for (const int phase : phases) {
    w.number(of_phase(12, phase, ".7.0"), face.voltage.at(static_cast<std::size_t>(phase)), 0, 3, 1,
             "V");
  }
  for (const int phase : phases) {
    w.number(of_phase(11, phase, ".7.0"), face.current.at(static_cast<std::size_t>(phase)), 0,
             digits, precision, "A");
  }
}

void phase_powers(Writer& w, const MeterFace& face) {
  for (const int phase : phases) {
    w.kw(of_phase(1, phase, ".7.0"), positive(face.power.at(static_cast<std::size_t>(phase))));
  }
  for (const int phase : phases) {
    w.kw(of_phase(2, phase, ".7.0"), negative(face.power.at(static_cast<std::size_t>(phase))));
  }
}

Seconds start_of_month(Seconds now) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(now));
  return std::chrono::sys_days(date.year() / date.month() / 1);
}

void hungarian_month(Writer& w, const MeterFace& face) {
  const auto group = [](const Decimal& v, std::string_view unit) {
    return ")(" + Writer::printed(v, -3, unit == "kW" ? 2 : 6, 3, unit);
  };
  std::array<Decimal, 4> import{};
  std::array<Decimal, 4> exported{};
  std::transform(face.energy_import.begin(), face.energy_import.end(), import.begin(), last_round);
  std::transform(face.energy_export.begin(), face.energy_export.end(), exported.begin(),
                 last_round);
  std::string list = w.stamp(start_of_month(face.now));
  for (const auto* energies : {&import, &exported}) {
    list +=
        group(sum(*energies), "kWh") + group((*energies)[0], "kWh") + group((*energies)[1], "kWh");
  }
  const Decimal reactive = sum(import);
  for (const int percent : {4, 18, 3, 1, 10, 8}) {
    list += group(share(reactive, percent), "kvarh");
  }
  list += group(or_zero(sum(import).plus(sum(exported))), "kWh");
  for (const std::int64_t watts : {4104, 3564, 4104, 3400, 3400, 2156}) {
    list += group(Decimal(watts), "kW");
  }
  w.line("0-0:98.1.0", list);
}

std::string hungary(const MeterFace& face, int number) {
  Writer w("SAG5SAG-METER", face, normal_offset(Country::hu, {}));
  const Decimal power = sum(face.power);
  const Decimal import = sum(face.energy_import);
  w.clock().line("0-0:42.0.0", hex_of(serial_of("SAG30", number)));
  w.line("0-0:96.1.0", hex_of(serial_of("8900", number)));
  w.line("0-0:96.14.0", "000" + std::to_string(face.tariff)).line("0-0:96.3.10", "1");
  w.line("0-0:17.0.0", "90.000*kW");
  tariffs(w, "1", face.energy_import, 4, true);
  tariffs(w, "2", face.energy_export, 4, true);
  w.kvarh("1-0:3.8.0", share(import, 4)).kvarh("1-0:4.8.0", share(import, 18));
  w.kvarh("1-0:5.8.0", share(import, 3)).kvarh("1-0:6.8.0", share(import, 1));
  w.kvarh("1-0:7.8.0", share(import, 10)).kvarh("1-0:8.8.0", share(import, 8));
  w.kwh("1-0:15.8.0", or_zero(import.plus(sum(face.energy_export))));
  voltages_and_currents(w, face, 3, 0);
  w.line("1-0:13.7.0", "0.988").line("1-0:33.7.0", "0.991");
  w.line("1-0:53.7.0", "0.985").line("1-0:73.7.0", "0.989");
  w.number("1-0:14.7.0", face.frequency, 0, 2, 2, "Hz");
  w.kw("1-0:1.7.0", positive(power)).kw("1-0:2.7.0", negative(power));
  w.kvar("1-0:5.7.0", share(positive(power), 12)).kvar("1-0:6.7.0", Decimal());
  w.kvar("1-0:7.7.0", share(negative(power), 12)).kvar("1-0:8.7.0", Decimal());
  for (const int phase : phases) {
    w.line(of_phase(11, phase, ".4.0"), "200.00*A");
  }
  hungarian_month(w, face);
  return w.line("0-0:96.13.0", "").with_check();
}

void gas_behind(Writer& w, const MeterFace& face, std::string_view channel,
                std::string_view serial_code, std::string_view value_code) {
  const std::string prefix = "0-" + std::string(channel) + ":";
  const auto five_minutes =
      std::chrono::floor<std::chrono::minutes>(face.now) -
      std::chrono::minutes(std::chrono::floor<std::chrono::minutes>(face.now).time_since_epoch() %
                           std::chrono::minutes(5));
  w.line(prefix + "24.1.0", "003")
      .line(prefix + std::string(serial_code), hex_of("G0012345678901234"));
  w.raw(prefix + std::string(value_code) + "(" + w.stamp(five_minutes) + ")(" +
        Writer::printed(face.gas, 0, 5, 3, "m3") + ")\r\n");
}

std::string netherlands(const MeterFace& face, int number) {
  Writer w("ISK5\\2M550T-1012", face, normal_offset(Country::nl, {}));
  const Decimal power = sum(face.power);
  w.line("1-3:0.2.8", "50").clock().line("0-0:96.1.1", hex_of(serial_of("E0044", number)));
  tariffs(w, "1", face.energy_import, 2, false);
  tariffs(w, "2", face.energy_export, 2, false);
  w.line("0-0:96.14.0", "000" + std::to_string(face.tariff));
  w.kw("1-0:1.7.0", positive(power)).kw("1-0:2.7.0", negative(power));
  w.line("0-0:96.7.21", "00005").line("0-0:96.7.9", "00003");
  w.raw("1-0:99.97.0(1)(0-0:96.7.19)(250326095015W)(0000001234*s)\r\n").line("0-0:96.13.0", "");
  voltages_and_currents(w, face, 3, 0);
  phase_powers(w, face);
  gas_behind(w, face, "1", "96.1.0", "24.2.1");
  return w.with_check();
}

std::string belgium(const MeterFace& face, int number) {
  Writer w("FLU5\\251234567_A", face, normal_offset(Country::be, {}));
  const Decimal power = sum(face.power);
  w.line("0-0:96.1.4", "50217").line("0-0:96.1.1", hex_of(serial_of("1SAG1", number))).clock();
  tariffs(w, "1", face.energy_import, 2, false);
  tariffs(w, "2", face.energy_export, 2, false);
  w.kw("1-0:1.4.0", positive(power));
  w.raw("1-0:1.6.0(" + w.stamp(start_of_month(face.now)) + ")(02.589*kW)\r\n");
  w.raw("0-0:98.1.0(1)(1-0:1.6.0)(1-0:1.6.0)(260701000000S)(260612183000S)(03.141*kW)\r\n");
  w.line("0-0:96.14.0", "000" + std::to_string(face.tariff));
  w.kw("1-0:1.7.0", positive(power)).kw("1-0:2.7.0", negative(power));
  phase_powers(w, face);
  voltages_and_currents(w, face, 3, 2);
  w.line("0-0:96.3.10", "1")
      .line("0-0:17.0.0", "999.9*kW")
      .line("1-0:31.4.0", "999*A")
      .line("0-0:96.13.0", "");
  gas_behind(w, face, "1", "96.1.1", "24.2.3");
  w.line("0-2:24.1.0", "007").line("0-2:96.1.1", hex_of("8SAG1234567890"));
  w.raw("0-2:24.2.1(" + w.stamp(face.now) + ")(" + Writer::printed(face.water, 0, 5, 3, "m3") +
        ")\r\n");
  return w.with_check();
}

std::string luxembourg(const MeterFace& face, int number) {
  Writer w("Lux5\\251234568_D", face, normal_offset(Country::lu, {}));
  const Decimal power = sum(face.power);
  const Decimal import = sum(face.energy_import);
  w.line("1-3:0.2.8", "42").clock().line("0-0:42.0.0", hex_of(serial_of("SAG10", number)));
  w.kwh("1-0:1.8.0", import).kwh("1-0:2.8.0", sum(face.energy_export));
  w.kvarh("1-0:3.8.0", share(import, 4)).kvarh("1-0:4.8.0", share(import, 18));
  w.kw("1-0:1.7.0", positive(power)).kw("1-0:2.7.0", negative(power));
  w.kvar("1-0:3.7.0", share(positive(power), 12)).kvar("1-0:4.7.0", share(negative(power), 12));
  w.line("0-0:17.0.0", "027.6*kVA");
  w.number("1-0:9.7.0", share(positive(power), 101), -3, 2, 3, "kVA");
  w.number("1-0:10.7.0", share(negative(power), 101), -3, 2, 3, "kVA");
  w.raw("1-1:31.4.0(040*A)(-040*A)\r\n").line("0-0:96.3.10", "1").line("0-1:96.3.10", "0");
  w.line("0-0:96.7.21", "01067").line("0-0:96.13.0", "").line("0-0:96.13.2", "");
  voltages_and_currents(w, face, 3, 0);
  phase_powers(w, face);
  gas_behind(w, face, "1", "96.1.0", "24.2.1");
  return w.line("0-1:24.4.0", "1").with_check();
}

std::string austria(const MeterFace& face) {
  Writer w("EST5\\251234569_A", face, normal_offset(Country::at, {}));
  const Decimal power = sum(face.power);
  const auto integer = [&w](std::string_view code, const Decimal& v, std::string_view unit) {
    w.number(code, v, 0, 9, 0, unit);
  };
  w.line("1-3:0.2.8", "50").clock();
  integer("1-0:1.8.0", sum(face.energy_import), "Wh");
  integer("1-0:1.8.1", face.energy_import[0], "Wh");
  integer("1-0:1.8.2", face.energy_import[1], "Wh");
  integer("1-0:1.7.0", positive(power), "W");
  integer("1-0:2.8.0", sum(face.energy_export), "Wh");
  integer("1-0:2.7.0", negative(power), "W");
  integer("1-0:3.8.0", share(sum(face.energy_import), 4), "varh");
  integer("1-0:3.7.0", share(positive(power), 12), "var");
  return w.with_check();
}

// Sweden, Finland and Lithuania: totals and the three phases, no serial number.
std::string nordic(std::string_view header, Country country, const MeterFace& face) {
  Writer w(header, face, normal_offset(country, header));
  const Decimal power = sum(face.power);
  w.clock().kwh("1-0:1.8.0", sum(face.energy_import)).kwh("1-0:2.8.0", sum(face.energy_export));
  w.number("1-0:3.8.0", share(sum(face.energy_import), 4), -3, 8, 3, "kVArh");
  w.kw("1-0:1.7.0", positive(power)).kw("1-0:2.7.0", negative(power));
  phase_powers(w, face);
  voltages_and_currents(w, face, 3, 1);
  return w.with_check();
}

std::string slovenia(const MeterFace& face, int number) {
  Writer w("ISK9\\2M550T-1013", face, normal_offset(Country::si, {}));
  const std::string now = w.stamp(face.now);
  w.line("0-0:0.9.2", now.substr(0, 6)).line("0-0:0.9.1", now.substr(6, 6));
  w.line("0-0:96.1.0", serial_of("7", number));
  tariffs(w, "1", face.energy_import, 2, true);
  tariffs(w, "2", face.energy_export, 2, true);
  w.kw("1-0:1.7.0", positive(sum(face.power))).kw("1-0:2.7.0", negative(sum(face.power)));
  return w.without_check();
}

std::string poland(const MeterFace& face, int number) {
  Writer w("EGM5G15", face, normal_offset(Country::pl, {}));
  w.clock();
  tariffs(w, "1", face.energy_import, 4, true);
  tariffs(w, "2", face.energy_export, 4, true);
  w.kw("1-0:1.7.0", positive(sum(face.power))).kw("1-0:2.7.0", negative(sum(face.power)));
  w.line("0-0:96.13.0", "").line("0-0:96.1.0", hex_of(serial_of("14", number)));
  for (const int repeated : phases) {
    w.line("0-0:17.0.0", repeated == 0 ? "16500" : "00000");  // only the first counts
  }
  return w.with_check();
}

}  // namespace

std::string telegram_text(Country country, const MeterFace& face, int number) {
  switch (country) {
    case Country::nl:
      return netherlands(face, number);
    case Country::be:
      return belgium(face, number);
    case Country::lu:
      return luxembourg(face, number);
    case Country::at:
      return austria(face);
    case Country::se:
      return nordic("ADN9 6534", Country::se, face);
    case Country::fi:
      return nordic("ADN9 7534", Country::fi, face);
    case Country::lt:
      return nordic("ESO5\\VMMmm", Country::lt, face);
    case Country::si:
      return slovenia(face, number);
    case Country::pl:
      return poland(face, number);
    case Country::automatic:
    case Country::hu:
      break;
  }
  return hungary(face, number);
}

}  // namespace meterbridge::protocol::p1
