// SPDX-License-Identifier: MIT
// The list that a model sends, field by field.
#include "protocol/dlms/responder.hpp"

#include <algorithm>
#include <string>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::uint8_t octet_stamp = 12;

Decimal or_zero(const Result<Decimal>& result) {
  return result ? *result : Decimal();
}

template <std::size_t N>
Decimal sum(const std::array<Decimal, N>& parts) {
  Decimal total;
  for (const Decimal& part : parts)
    total = or_zero(total.plus(part));
  return total;
}

Decimal share(const Decimal& value, int percent) {
  return or_zero(value.times(Decimal(percent, -2)));
}

Decimal import_of(const Decimal& power) {
  return power.is_negative() ? Decimal() : power;
}

Decimal export_of(const Decimal& power) {
  return power.is_negative() ? or_zero(Decimal().minus(power)) : Decimal();
}

// In W, Wh, V, A. Reactive values are a share of the active ones.
Decimal value_of(What what, const MeterFace& face) {
  constexpr int reactive_percent = 12;
  const Decimal power = sum(face.power);
  switch (what) {
    case What::import:
      return sum(face.energy_import);
    case What::exported:
      return sum(face.energy_export);
    case What::import_t1:
      return face.energy_import[0];
    case What::import_t2:
      return face.energy_import[1];
    case What::export_t1:
      return face.energy_export[0];
    case What::export_t2:
      return face.energy_export[1];
    case What::reactive_import:
      return share(sum(face.energy_import), reactive_percent);
    case What::reactive_export:
      return share(sum(face.energy_export), reactive_percent);
    case What::power_import:
      return import_of(power);
    case What::power_export:
      return export_of(power);
    case What::power_import_l1:
    case What::power_import_l2:
    case What::power_import_l3:
      return import_of(face.power.at(static_cast<std::size_t>(what) -
                                     static_cast<std::size_t>(What::power_import_l1)));
    case What::power_export_l1:
    case What::power_export_l2:
    case What::power_export_l3:
      return export_of(face.power.at(static_cast<std::size_t>(what) -
                                     static_cast<std::size_t>(What::power_export_l1)));
    case What::reactive_power_import:
      return share(import_of(power), reactive_percent);
    case What::reactive_power_export:
      return share(export_of(power), reactive_percent);
    case What::voltage_l1:
    case What::voltage_l2:
    case What::voltage_l3:
      return face.voltage.at(static_cast<std::size_t>(what) -
                             static_cast<std::size_t>(What::voltage_l1));
    case What::current_l1:
    case What::current_l2:
    case What::current_l3:
      return face.current.at(static_cast<std::size_t>(what) -
                             static_cast<std::size_t>(What::current_l1));
    case What::power_factor:
      return Decimal(968, -3);
    case What::frequency:
      return face.frequency;
    default:
      return {};
  }
}

class Writer {
 public:
  Writer(const Model& model, const MeterFace& face, bool foreign)
      : model_(model), face_(face), foreign_(foreign) {}

  Bytes write(std::uint32_t invocation);

 private:
  void byte(unsigned value) { out_.push_back(static_cast<std::byte>(value & 0xFFU)); }

  void big(std::uint64_t value, unsigned size) {
    for (unsigned i = size; i > 0; --i)
      byte(static_cast<unsigned>(value >> (8U * (i - 1))));
  }

  void begin(Tag tag, std::size_t count) {
    byte(static_cast<unsigned>(tag));
    byte(static_cast<unsigned>(count));
  }

  void text(Tag tag, std::string_view content) {
    begin(tag, content.size());
    for (const char c : content)
      byte(static_cast<unsigned char>(c));
  }

  void code(const Obis& obis);
  void stamp();
  void scale(const Field& field);
  void value(const Field& field);
  void number(const Field& field);
  void body();
  void structure(const Field& field);
  void descriptors();
  [[nodiscard]] std::string meter_number() const;
  [[nodiscard]] LocalTime local() const;

  const Model& model_;
  const MeterFace& face_;
  const bool foreign_;
  Bytes out_;
};

void Writer::code(const Obis& obis) {
  begin(Tag::octets, 6);
  for (const unsigned group : {obis.a(), obis.b(), obis.c(), obis.d(), obis.e(), obis.f()})
    byte(group);
}

std::string Writer::meter_number() const {
  std::string number(model_.number);
  if (foreign_ && !number.empty()) number.back() = '9';
  return number;
}

LocalTime Writer::local() const {
  if (model_.stamp == Stamp::house || model_.stamp == Stamp::absent) return to_local(face_.now);
  LocalTime normal;
  normal.at = std::chrono::local_seconds(face_.now.time_since_epoch() + std::chrono::hours(1));
  return normal;
}

void Writer::stamp() {
  const LocalTime now = local();
  const auto day = std::chrono::floor<std::chrono::days>(now.at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now.at - day);
  big(static_cast<std::uint64_t>(static_cast<int>(date.year())), 2);
  byte(static_cast<unsigned>(date.month()));
  byte(static_cast<unsigned>(date.day()));
  byte(std::chrono::weekday(day).iso_encoding());
  byte(static_cast<unsigned>(time.hours().count()));
  byte(static_cast<unsigned>(time.minutes().count()));
  byte(static_cast<unsigned>(time.seconds().count()));
  byte(0);
  constexpr std::uint64_t one_hour_ahead = 0xFFC4;
  constexpr std::uint64_t unsaid = 0x8000;
  const bool says = model_.stamp == Stamp::offset;
  big(says ? one_hour_ahead : model_.stamp == Stamp::norway ? 0 : unsaid, 2);
  byte(model_.stamp == Stamp::absent ? 0xFF : 0);
}

void Writer::scale(const Field& field) {
  begin(Tag::structure, 2);
  byte(static_cast<unsigned>(Tag::int8));
  byte(static_cast<unsigned>(field.scaler));
  byte(static_cast<unsigned>(Tag::enumeration));
  byte(field.unit);
}

void Writer::number(const Field& field) {
  const Decimal wanted = value_of(field.what, face_);
  const Decimal raw = or_zero(or_zero(wanted.shifted(-field.scaler)).rounded(0));
  const std::int64_t digits = or_zero(raw.shifted(0)).digits();
  byte(static_cast<unsigned>(field.tag));
  const auto put = [&](std::int64_t least, std::int64_t most, unsigned size) {
    big(static_cast<std::uint64_t>(std::clamp(digits, least, most)), size);
  };
  switch (field.tag) {
    case Tag::int16:
      return put(INT16_MIN, INT16_MAX, 2);
    case Tag::uint16:
      return put(0, UINT16_MAX, 2);
    default:
      return put(0, UINT32_MAX, 4);
  }
}

void Writer::value(const Field& field) {
  switch (field.what) {
    case What::clock:
      begin(Tag::octets, octet_stamp);
      return stamp();
    case What::time_of_day: {
      const auto seconds = local().at - std::chrono::floor<std::chrono::days>(local().at);
      const std::chrono::hh_mm_ss time(seconds);
      begin(Tag::octets, 4);
      byte(static_cast<unsigned>(time.hours().count()));
      byte(static_cast<unsigned>(time.minutes().count()));
      byte(static_cast<unsigned>(time.seconds().count()));
      return byte(0);
    }
    case What::date: {
      const auto day = std::chrono::floor<std::chrono::days>(local().at);
      const std::chrono::year_month_day date(day);
      begin(Tag::octets, 5);
      big(static_cast<std::uint64_t>(static_cast<int>(date.year())), 2);
      byte(static_cast<unsigned>(date.month()));
      byte(static_cast<unsigned>(date.day()));
      return byte(std::chrono::weekday(day).iso_encoding());
    }
    case What::version:
      return text(field.tag, model_.version);
    case What::number:
      return text(field.tag, meter_number());
    case What::type:
      return text(field.tag, model_.type);
    case What::device_name:
      return text(field.tag, "KFM12" + meter_number().substr(3));
    case What::empty:
      return text(field.tag, {});
    case What::list_itself:
      return code(field.code);
    default:
      return number(field);
  }
}

// {code, value} or {code, value, {scaler, unit}}
void Writer::structure(const Field& field) {
  const bool scaled = field.tag != Tag::octets && field.tag != Tag::visible;
  begin(Tag::structure, scaled ? 3 : 2);
  code(field.code);
  value(field);
  if (scaled) scale(field);
}

void Writer::descriptors() {
  constexpr std::uint16_t list_class = 40;
  constexpr std::uint16_t clock_class = 8;
  constexpr std::uint16_t data_class = 1;
  constexpr std::uint16_t register_class = 3;
  const auto fields = model_.fields;
  begin(Tag::structure, fields.size());
  begin(Tag::array, fields.size());
  for (const Field& field : fields) {
    begin(Tag::structure, 4);
    byte(static_cast<unsigned>(Tag::uint16));
    big(field.what == What::list_itself ? list_class
        : field.what == What::clock     ? clock_class
        : field.what == What::number    ? data_class
                                        : register_class,
        2);
    code(field.code);
    byte(static_cast<unsigned>(Tag::int8));
    byte(2);
    byte(static_cast<unsigned>(Tag::uint16));
    big(0, 2);
  }
  for (const Field& field : fields.subspan(1))
    value(field);
}

void Writer::body() {
  const auto fields = model_.fields;
  switch (model_.shape) {
    case Shape::flat:
      begin(Tag::structure, 3 * fields.size() + 2);
      begin(Tag::octets, octet_stamp);
      stamp();
      for (const Field& field : fields) {
        code(field.code);
        value(field);
        scale(field);
      }
      return text(Tag::octets, meter_number());
    case Shape::structured:
      begin(Tag::structure, fields.size() + 1);
      code(fields.front().code);
      value(fields.front());
      for (const Field& field : fields.subspan(1))
        structure(field);
      return;
    case Shape::array:
    case Shape::structures:
      begin(model_.shape == Shape::array ? Tag::array : Tag::structure, fields.size());
      for (const Field& field : fields)
        structure(field);
      return;
    case Shape::pairs: {
      const bool coded = fields.front().what == What::version;
      begin(Tag::structure, 2 * fields.size() + (coded ? 0 : 1));
      if (!coded && !model_.version.empty()) {
        text(Tag::visible, model_.version);
      } else if (!coded) {
        begin(Tag::octets, octet_stamp);
        stamp();
      }
      for (const Field& field : fields) {
        code(field.code);
        value(field);
      }
      return;
    }
    case Shape::places:
      begin(Tag::structure, fields.size());
      for (const Field& field : fields)
        value(field);
      return;
    case Shape::descriptors:
      return descriptors();
  }
}

Bytes Writer::write(std::uint32_t invocation) {
  constexpr unsigned notification = 0x0F;
  byte(notification);
  big(invocation, 4);
  if (model_.stamp == Stamp::absent || model_.shape == Shape::array) {
    byte(0);
  } else {
    if (model_.octet_head) byte(static_cast<unsigned>(Tag::octets));
    byte(octet_stamp);
    stamp();
  }
  body();
  return std::move(out_);
}

}  // namespace

Bytes notification_of(const Model& model, const MeterFace& face, std::uint32_t invocation,
                      bool foreign) {
  return Writer(model, face, foreign).write(invocation);
}

}  // namespace meterbridge::protocol::dlms
