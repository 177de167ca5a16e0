// SPDX-License-Identifier: MIT
#include "protocol/telegram.hpp"

#include "core/json_writer.hpp"

#include <array>

namespace meterbridge::protocol {
namespace {

constexpr std::array<std::string_view, 10> status_names = {
    "ok",     "truncated",   "malformed", "checksum", "key", "authentication",
    "replay", "unsupported", "exception", "mismatch",
};
static_assert(status_names.size() == static_cast<std::size_t>(Status::mismatch) + 1);

void write_member(JsonWriter& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.member(name, std::string_view(text));
}

void write_meter(JsonWriter& json, const MeterIdentity& meter) {
  json.key("meter").object();
  write_member(json, "manufacturer", meter.manufacturer);
  write_member(json, "model", meter.model);
  write_member(json, "serial", meter.serial);
  write_member(json, "firmware", meter.firmware);
  json.end();
}

void write_time(JsonWriter& json, const std::optional<Seconds>& time) {
  if (time) json.member("time", std::string_view(iso_utc(*time)));
}

void write_item(JsonWriter& json, const Item& item) {
  json.object().member("address", std::string_view(item.address));
  write_time(json, item.time);
  if (item.value) {
    json.member("value", *item.value);
    write_member(json, "unit", item.unit);
  } else if (item.text) {
    json.member("text", std::string_view(*item.text));
  } else {
    json.key("groups").array();
    for (const std::string& group : item.groups) {
      json.value(std::string_view(group));
    }
    json.end();
  }
  json.end();
}

void write_reading(JsonWriter& json, const std::string& submeter, const Reading& reading) {
  json.object();
  write_member(json, "meter", submeter);
  json.member("key", std::string_view(reading.key.text())).content(reading.value);
  const std::string_view unit = symbol(reading.unit);
  if (!unit.empty()) json.member("unit", unit);
  json.end();
}

void write_content(JsonWriter& json, const Telegram& telegram) {
  write_meter(json, telegram.meter);
  write_time(json, telegram.time);
  json.key("items").array();
  for (const Item& item : telegram.items) {
    write_item(json, item);
  }
  json.end().key("readings").array();
  for (const MeterReadings& meter : telegram.readings) {
    for (const Reading& reading : meter.readings) {
      write_reading(json, meter.submeter, reading);
    }
  }
  json.end();
}

}  // namespace

const Item* Telegram::find(std::string_view address) const noexcept {
  for (const Item& item : items) {
    if (item.address == address) return &item;
  }
  return nullptr;
}

std::string_view name(Status status) noexcept {
  const auto index = static_cast<std::size_t>(status);
  return index < status_names.size() ? status_names[index] : std::string_view("malformed");
}

Errc errc_of(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return Errc::bug;
    case Status::truncated:
      return Errc::truncated;
    case Status::malformed:
      return Errc::malformed;
    case Status::checksum:
      return Errc::checksum;
    case Status::key:
      return Errc::key;
    case Status::authentication:
      return Errc::authentication;
    case Status::replay:
      return Errc::replay;
    case Status::unsupported:
      return Errc::unsupported;
    case Status::exception:
      return Errc::exception;
    case Status::mismatch:
      return Errc::mismatch;
  }
  return Errc::bug;
}

Status status_of(Errc code) noexcept {
  for (std::size_t i = 1; i < status_names.size(); ++i) {
    const auto status = static_cast<Status>(i);
    if (errc_of(status) == code) return status;
  }
  return Status::malformed;
}

Decoded no_telegram(std::string_view protocol, Status status, std::string why) {
  Decoded decoded;
  decoded.status = status;
  decoded.error = std::move(why);
  decoded.telegram.protocol = protocol;
  return decoded;
}

Decoded no_telegram(std::string_view protocol, const Error& why) {
  return no_telegram(protocol, status_of(why.code()), why.detail());
}

std::string decoded_json(const Decoded& decoded) {
  JsonWriter json;
  json.object()
      .member("protocol", std::string_view(decoded.telegram.protocol))
      .member("offset", static_cast<std::int64_t>(decoded.offset))
      .member("length", static_cast<std::int64_t>(decoded.length))
      .member("status", name(decoded.status));
  if (decoded.ok()) {
    write_content(json, decoded.telegram);
  } else {
    json.member("error", std::string_view(decoded.error));
  }
  json.end();
  return json.text();
}

std::string telegram_json(const Telegram& telegram) {
  JsonWriter json;
  json.object()
      .member("protocol", std::string_view(telegram.protocol))
      .member("status", name(Status::ok));
  write_content(json, telegram);
  json.end();
  return json.text();
}

}  // namespace meterbridge::protocol
