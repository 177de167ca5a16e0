// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/models.hpp"

#include "core/reading_key.hpp"
#include "protocol/face.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::string_view generic_readout =
    "F.F(00000000)\r\nC.1.0({serial})\r\n0.9.1({time})\r\n0.9.2({date})\r\n"
    "1.8.0({energy_import,kWh,0.3}*kWh)\r\n2.8.0({energy_export,kWh,0.3}*kWh)\r\n"
    "1.8.1({energy_import_t1,kWh,0.3}*kWh)\r\n1.8.2({energy_import_t2,kWh,0.3}*kWh)\r\n"
    "1.8.3({energy_import_t3,kWh,0.3}*kWh)\r\n1.8.4({energy_import_t4,kWh,0.3}*kWh)\r\n"
    "16.7.0({power,kW,0.3}*kW)\r\n32.7.0({voltage_l1,V,0.1}*V)\r\n31.7.0({current_l1,A,0.3}*A)\r\n"
    "52.7.0({voltage_l2,V,0.1}*V)\r\n51.7.0({current_l2,A,0.3}*A)\r\n"
    "72.7.0({voltage_l3,V,0.1}*V)\r\n71.7.0({current_l3,A,0.3}*A)\r\n"
    "14.7({frequency,Hz,0.2}*Hz)\r\n!\r\n";

constexpr std::string_view mt174_readout =
    "1-0:0.9.2*255(0{date})\r\n1-0:0.9.1*255({time})\r\n1-0:0.0.0*255({serial})\r\n"
    "1-0:1.8.0*255({energy_import,kWh,11.3}*kWh)\r\n"
    "1-0:1.8.1*255({energy_import_t1,kWh,11.3}*kWh)\r\n"
    "1-0:1.8.2*255({energy_import_t2,kWh,11.3}*kWh)\r\n"
    "1-0:2.8.0*255({energy_export,kWh,11.3}*kWh)\r\n"
    "1-0:F.F*255(0000000)\r\n!\r\n";

constexpr std::string_view me162_readout =
    "F.F(00)\r\n0.9.1({time})\r\n0.9.2({date})\r\nC.1.0({serial})\r\n"
    "1.8.0({energy_import,kWh,10.3}*kWh)\r\n1.8.1({energy_import_t1,kWh,10.3}*kWh)\r\n"
    "1.8.2({energy_import_t2,kWh,10.3}*kWh)\r\nC.7.0(0003)\r\n!\r\n";

constexpr std::string_view zmf100_readout =
    "F.F(00)\r\n0.0(          {serial})\r\nC.1.0({serial})\r\nC.1.1(        )\r\n"
    "1.8.1({energy_import_t1,kWh,10.3}*kWh)\r\n1.8.2({energy_import_t2,kWh,10.3}*kWh)\r\n"
    "2.8.1({energy_export_t1,kWh,10.3}*kWh)\r\n2.8.2({energy_export_t2,kWh,10.3}*kWh)\r\n"
    "1.8.0({energy_import,kWh,10.3}*kWh)\r\n2.8.0({energy_export,kWh,10.3}*kWh)\r\n"
    "15.8.0({energy_total,kWh,10.3}*kWh)\r\nC.7.0(0008)\r\n32.7({voltage_l1,V,3.0}*V)\r\n"
    "52.7({voltage_l2,V,3.0}*V)\r\n72.7({voltage_l3,V,3.0}*V)\r\n31.7({current_l1,A,6.2}*A)\r\n"
    "51.7({current_l2,A,6.2}*A)\r\n71.7({current_l3,A,6.2}*A)\r\n0.2.0(M26)\r\nC.5.0(0401)\r\n"
    "!\r\n";

constexpr std::string_view zmr120_readout =
    "F.F.0(00000000)\r\n0.0.2(  175225)\r\n0.0.0({serial})\r\n0.0.3(        )\r\n"
    "1.8.1({energy_import_t1,kWh,10.3}*kWh)\r\n1.8.2({energy_import_t2,kWh,10.3}*kWh)\r\n"
    "1.8.0({energy_import,kWh,10.3}*kWh)\r\n2.8.0({energy_export,kWh,10.3}*kWh)\r\n"
    "15.8.0({energy_total,kWh,10.3}*kWh)\r\nC.7.0(0056)\r\n32.7.0({voltage_l1,V,3.0})\r\n"
    "52.7.0({voltage_l2,V,3.0})\r\n72.7.0({voltage_l3,V,3.0})\r\n31.7.0({current_l1,A,6.2})\r\n"
    "51.7.0({current_l2,A,6.2})\r\n71.7.0({current_l3,A,6.2})\r\n!\r\n";

constexpr std::string_view zmd120_readout =
    "F.F(00000000)\r\n0.0.0({serial})\r\n0.9.1({time})\r\n0.9.2({date})\r\n"
    "1.8.0({energy_import,kWh,10.3}*kWh)\r\n1.8.1({energy_import_t1,kWh,10.3}*kWh)\r\n"
    "1.8.2({energy_import_t2,kWh,10.3}*kWh)\r\n1.6.1(0004.31*kW)(22-03-14 11:45)\r\n"
    "1.6.1*01(0004.02*kW)(22-02-08 18:15)\r\n1.8.0*01(000100.000*kWh)\r\nC.7.0(0004)\r\n"
    "0.2.0(G03)\r\n!\r\n";

constexpr std::string_view pafal_readout =
    "0.0.0({serial})\r\n0.0.1(PAF)\r\nF.F(00)\r\n0.2.0(1.27)\r\n"
    "1.8.0*00({energy_import,kWh,9.2})\r\n2.8.0*00({energy_export,kWh,9.2})\r\n"
    "C.2.1(000000000000)(                )\r\n0.2.2(:::::G11)!\r\n";

constexpr std::string_view elster_readout =
    "F.F(00000000)\r\nC.1.0({serial})\r\nC.1.1(        )\r\n0.9.1({time})\r\n0.9.2({date})\r\n"
    "1.8.1({energy_import_t1,kWh,8.1}*kWh)\r\n1.8.2({energy_import_t2,kWh,8.1}*kWh)\r\n"
    "1.8.0({energy_import,kWh,8.1}*kWh)\r\n1.7.0({power_import,kW,6.3}*kW)\r\n"
    "1.6.1(02.310*kW)(2203141145)\r\n1.6.1*09(01.990*kW)(2202081815)\r\n"
    "1.8.0*09(000100.0*kWh)\r\nC.7.0(03)\r\n!\r\n";

constexpr std::string_view ace3000_readout =
    "F.F(00)\r\nC.1({serial})\r\nC.5.0(00)\r\n1.8.0({energy_import,kWh,8.1}*kWh)\r\n!\r\n";

constexpr std::string_view lzqj_readout =
    "F.F(00000000)\r\n0.0.0({serial})\r\n0.9.1(1{time})\r\n0.9.2(1{date})\r\n"
    "1.2.1(004.325*kW)\r\n1.6.1(0.4325*kW)(1220314114500)\r\n"
    "1.8.0({energy_import,kWh,0.2}*kWh)\r\n1.8.1({energy_import_t1,kWh,0.2}*kWh)\r\n"
    "1.8.2({energy_import_t2,kWh,0.2}*kWh)\r\n1.8.1&01(0000.10*kWh)\r\n"
    "2.8.0({energy_export,kWh,0.2}*kWh)\r\n!\r\n";

constexpr std::string_view kamstrup_685_readout =
    "0.0({serial})\r\n1.8.0({energy_import,kWh,8.1}*kWh)\r\n"
    "1.8.1({energy_import_t1,kWh,8.1}*kWh)\r\n1.8.2({energy_import_t2,kWh,8.1}*kWh)\r\n"
    "1.7.0({power_import,kW,8.1}*kW)!\r\n";

constexpr std::string_view multical_66_readout =
    "0.0({serial})\r\n6.8({heat,GJ,8.2}*GJ)\r\n6.26({volume,m3,8.2}*m3)\r\n6.31(0109868*h)!\r\n";

constexpr std::string_view ultraheat_readout =
    "6.8({heat,GJ,8.3}*GJ)6.26({volume,m3,8.2}*m3)9.21({serial})\r\n"
    "6.26*01(00000.10*m3)6.8*01(0000.100*GJ)\r\nF(0)9.20({serial})6.35(60*m)\r\n"
    "6.6(0022.4*kW)6.6*01(0022.4*kW)6.33(000.744*m3ph)9.4(098.5*C&096.1*C)\r\n"
    "6.31(0107988*h)6.32(0000005*h)9.22(R)\r\n9.7(20000)6.36(01-01&00:00)\r\n"
    "6.8.1()6.8.2()6.8.1*01()\r\n9.36(20{date}&{time})9.24(1.5*m3ph)\r\n!\r\n";

constexpr std::string_view q3d_readout =
    "1-0:0.0.0*255({serial})\r\n1-0:1.8.0*255({energy_import,kWh,16.7}*kWh)\r\n"
    "1-0:2.8.0*255({energy_export,kWh,16.7}*kWh)\r\n1-0:21.7.0*255({power_l1,W,9.2}*W)\r\n"
    "1-0:41.7.0*255({power_l2,W,9.2}*W)\r\n1-0:61.7.0*255({power_l3,W,9.2}*W)\r\n"
    "1-0:1.7.0*255({power,W,9.2}*W)\r\n1-0:96.5.5*255(80)\r\n"
    "0-0:96.1.255*255(1ESY{serial})\r\n!\r\n";

constexpr std::string_view lk13be_readout =
    "1-0:96.1.0*255(001LOG{serial})\r\n1-0:1.8.0*255({energy_import,kWh,11.4}*kWh)\r\n"
    "1-0:1.8.1*255({energy_import_t1,kWh,11.4}*kWh)\r\n"
    "1-0:1.8.2*255({energy_import_t2,kWh,11.4}*kWh)\r\n"
    "1-0:2.8.0*255({energy_export,kWh,11.4}*kWh)\r\n1-0:16.7.0*255({power,W,6.0}*W)\r\n"
    "1-0:32.7.0*255({voltage_l1,V,5.1}*V)\r\n1-0:52.7.0*255({voltage_l2,V,5.1}*V)\r\n"
    "1-0:72.7.0*255({voltage_l3,V,5.1}*V)\r\n1-0:31.7.0*255({current_l1,A,6.2}*A)\r\n"
    "1-0:51.7.0*255({current_l2,A,6.2}*A)\r\n1-0:71.7.0*255({current_l3,A,6.2}*A)\r\n"
    "1-0:81.7.1*255(120*deg)\r\n1-0:81.7.2*255(240*deg)\r\n1-0:14.7.0*255({frequency,Hz,4.1}*Hz)"
    "\r\n"
    "1-0:1.8.0*96(00001.0*kWh)\r\n1-0:1.8.0*97(00007.0*kWh)\r\n"
    "1-0:0.2.0*255(ver.03,EF8C,20170504)\r\n1-0:97.97.0*255(00000000)\r\n!\r\n";

constexpr std::string_view ehz010_readout =
    "1-0:0.0.0*255({serial})\r\n1-0:1.8.1*255({energy_import,kWh,11.4})\r\n"
    "1-0:2.8.1*255({energy_export,kWh,11.4})\r\n1-0:96.5.5*255(82)\r\n"
    "0-0:96.1.255*255({serial})\r\n!\r\n";

constexpr std::string_view push_readout =
    "1-0:0.0.0*255({serial})\r\n1-0:1.8.0*255({energy_import,kWh,11.4}*kWh)\r\n"
    "1-0:2.8.0*255({energy_export,kWh,11.4}*kWh)\r\n1-0:16.7.0*255({power,W,6.0}*W)\r\n!\r\n";

constexpr auto by_sum = Check::sum;

// The first one is what a meter is played as that says nothing else.
constexpr std::array models{
    Model{"generic", "", generic_readout},
    Model{"iskra-mt174", "ISk5MT174-0002", mt174_readout},
    Model{"iskra-me162", "ISK5ME162-0033", me162_readout},
    Model{"landisgyr-zmf100", "LGZ4ZMF100AC.M26", zmf100_readout},
    Model{"landisgyr-zmr120", "LGZ4ZMR120AC.K750", zmr120_readout},
    Model{"landisgyr-zmd120", "LGZ52ZMD120APt.G03", zmd120_readout},
    Model{.name = "pafal-ec3",
          .identification = "PAF5EC3gr00006",
          .readout = pafal_readout,
          .only_slow = true},
    Model{"elster-as1440", "ELS5\\@V10.04", elster_readout},
    Model{"actaris-ace3000", "ACE0\\3k260V01.19", ace3000_readout},
    Model{"emh-lzqj", "EMH4\\@01LZQJL0014F", lzqj_readout},
    Model{.name = "kamstrup-685",
          .identification = "KAM 685-382-QR-10",
          .readout = kamstrup_685_readout,
          .check = by_sum,
          .comma = true},
    Model{"kamstrup-multical-66", "KAM MC", multical_66_readout, by_sum},
    Model{"landisgyr-ultraheat", "LUGCUH50", ultraheat_readout},
    Model{"energomera-ce301", "EKT5CE301v12", {}, by_sum},
    Model{"energomera-ce303", "EKT5CE303v12", {}, by_sum},
    Model{.name = "energomera-ce102m",
          .identification = "EKT5CE102Mv01",
          .check = by_sum,
          .values = 1},
    Model{
        .name = "energomera-ce207", .identification = "EMR5CE2071.1", .check = by_sum, .values = 2},
    Model{
        .name = "energomera-ce208", .identification = "EMR5CE2081.1", .check = by_sum, .values = 2},
    Model{
        .name = "energomera-ce307", .identification = "EMR5CE3071.1", .check = by_sum, .values = 4},
    Model{
        .name = "energomera-ce308", .identification = "EMR5CE3081.1", .check = by_sum, .values = 4},
    Model{"neva-mt123", "CPz3NEVAMT123.2302"},
    Model{"neva-mt324", "TPC5NEVAMT324.1106"},
};

constexpr std::array push_models{
    Model{"generic", "MBR5SIMULATED", push_readout},
    Model{"easymeter-q3d", "ESY5Q3DB1024 V3.04", q3d_readout},
    Model{"logarex-lk13be", "LOG5LK13BE803049", lk13be_readout},
    Model{"hager-ehz010", "HAG5eHZ010C_EHZ1vA02", ehz010_readout},
};

template <std::size_t N>
constexpr std::array<std::string_view, N> names_of(const std::array<Model, N>& all) {
  std::array<std::string_view, N> names{};
  for (std::size_t i = 0; i < N; ++i)
    names[i] = all[i].name;
  return names;
}

constexpr auto all_names = names_of(models);
constexpr auto all_push_names = names_of(push_models);

const Model& find(std::span<const Model> all, std::string_view name) {
  const auto at = std::ranges::find(all, name, &Model::name);
  return at == all.end() ? all.front() : *at;
}

std::string padded(std::string digits, std::size_t width) {
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

std::string pair(std::int64_t number) {
  return padded(std::to_string(number), 2);
}

// In that unit. Heat comes from the face in kWh, and heat meters count GJ: 1 kWh is 0.0036 GJ.
Decimal value_in(const ReadingKey& key, std::string_view unit, const MeterFace& face) {
  const Decimal value = shown(key, face);
  if (key.quantity == Quantity::heat && unit == "GJ") {
    const auto heat = value.times(Decimal(36, -4));
    return heat ? *heat : Decimal();
  }
  const auto wanted = unit_from(unit);
  if (!wanted) return value;
  const auto converted = convert(value, canonical_unit(key.quantity), *wanted);
  return converted ? *converted : value;
}

int number_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// key,unit,width.decimals
std::string field_text(const Model& model, std::string_view field, const MeterFace& face) {
  const std::size_t first = field.find(',');
  const std::size_t second = field.find(',', first + 1);
  const std::size_t point = field.find('.', second);
  const auto key = ReadingKey::parse(field.substr(0, first));
  if (!key || point == std::string_view::npos) return std::string(field);
  const Decimal value = value_in(*key, field.substr(first + 1, second - first - 1), face);
  const int width = number_of(field.substr(second + 1, point - second - 1));
  std::string text =
      digits_of(value, static_cast<std::size_t>(width), number_of(field.substr(point + 1)));
  if (model.comma) std::ranges::replace(text, '.', ',');
  return text;
}

}  // namespace

const Model& model_of(std::string_view name) {
  return find(models, name);
}

const Model& push_model_of(std::string_view name) {
  return find(push_models, name);
}

std::span<const std::string_view> model_names() noexcept {
  return all_names;
}

std::span<const std::string_view> push_model_names() noexcept {
  return all_push_names;
}

std::string digits_of(const Decimal& value, std::size_t width, int decimals) {
  auto rounded = value.rounded(decimals);
  if (rounded && *rounded > value) rounded = rounded->minus(Decimal(1, -decimals));
  std::string text = rounded ? rounded->str() : std::string("0");
  const bool negative = text.starts_with('-');
  if (!negative) return padded(std::move(text), width);
  return "-" + padded(text.substr(1), width > 0 ? width - 1 : 0);
}

std::string date_text(const MeterFace& face, std::string_view separator, bool year_first) {
  const auto day = std::chrono::floor<std::chrono::days>(to_local(face.now).at);
  const std::chrono::year_month_day date(day);
  const std::string year = pair(static_cast<int>(date.year()) % 100);
  const std::string month = pair(static_cast<unsigned>(date.month()));
  const std::string of_month = pair(static_cast<unsigned>(date.day()));
  const std::string between(separator);
  return year_first ? year + between + month + between + of_month
                    : of_month + between + month + between + year;
}

std::string time_text(const MeterFace& face, std::string_view separator) {
  const auto local = to_local(face.now).at;
  const std::chrono::hh_mm_ss time(local - std::chrono::floor<std::chrono::days>(local));
  const std::string between(separator);
  return pair(time.hours().count()) + between + pair(time.minutes().count()) + between +
         pair(time.seconds().count());
}

unsigned weekday_of(const MeterFace& face) {
  const auto day = std::chrono::floor<std::chrono::days>(to_local(face.now).at);
  return std::chrono::weekday(day).c_encoding();
}

std::string readout_of(const Model& model, const MeterFace& face, std::string_view serial) {
  std::string text;
  std::string_view rest = model.readout;
  while (!rest.empty()) {
    const std::size_t open = std::min(rest.find('{'), rest.size());
    text.append(rest.substr(0, open));
    if (open == rest.size()) break;
    const std::size_t close = std::min(rest.find('}', open), rest.size());
    const std::string_view field = rest.substr(open + 1, close - open - 1);
    rest.remove_prefix(std::min(close + 1, rest.size()));
    if (field == "serial") {
      text.append(serial);
    } else if (field == "date") {
      text.append(date_text(face, {}, true));
    } else if (field == "time") {
      text.append(time_text(face, {}));
    } else {
      text.append(field_text(model, field, face));
    }
  }
  return text;
}

}  // namespace meterbridge::protocol::iec62056_21
