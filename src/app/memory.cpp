// SPDX-License-Identifier: MIT
#include "app/memory.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace meterbridge::app {
namespace {

using Json = nlohmann::json;
constexpr int format_version = 1;

// Numbers as text: a JSON library would make doubles of them.
Json value_json(const Value& value) {
  switch (value.index()) {
    case 0:
      return {{"number", std::get<Decimal>(value).str()}};
    case 1:
      return {{"text", std::get<std::string>(value)}};
    case 2:
      return {{"flag", std::get<bool>(value)}};
    default:
      return {{"time", std::get<Seconds>(value).time_since_epoch().count()}};
  }
}

std::int64_t milliseconds(Instant at) {
  return std::chrono::duration_cast<Milliseconds>(at.time_since_epoch()).count();
}

const Json* member(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() ? nullptr : &*found;
}

std::string text_in(const Json& json, const char* name) {
  const Json* found = member(json, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

Instant instant_in(const Json& json, const char* name) {
  const Json* found = member(json, name);
  if (found == nullptr || !found->is_number_integer()) return {};
  return Instant(
      std::chrono::duration_cast<Instant::duration>(Milliseconds(found->get<std::int64_t>())));
}

int count_in(const Json& json, const char* name) {
  const Json* found = member(json, name);
  if (found == nullptr || !found->is_number_integer()) return 0;
  return static_cast<int>(std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, INT32_MAX));
}

std::optional<Decimal> decimal_in(const Json& json, const char* name) {
  const auto number = Decimal::parse(text_in(json, name));
  return number ? std::optional<Decimal>(*number) : std::nullopt;
}

std::optional<Value> value_in(const Json& json) {
  if (const auto number = decimal_in(json, "number")) return Value(*number);
  if (const Json* text = member(json, "text"); text != nullptr && text->is_string())
    return Value(text->get<std::string>());
  if (const Json* flag = member(json, "flag"); flag != nullptr && flag->is_boolean())
    return Value(flag->get<bool>());
  if (const Json* time = member(json, "time"); time != nullptr && time->is_number_integer())
    return Value(Seconds(std::chrono::seconds(time->get<std::int64_t>())));
  return std::nullopt;
}

bool flag_in(const Json& json, const char* name) {
  const Json* found = member(json, name);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

Json alarms_json(const std::map<std::string, meter::AlarmMemory>& alarms) {
  Json all = Json::object();
  for (const auto& [name, alarm] : alarms) {
    Json& entry = all[name];
    entry = {{"raised", alarm.raised}, {"judged", alarm.judged}, {"text", alarm.text}};
    if (alarm.since) entry["since"] = milliseconds(*alarm.since);
    if (alarm.worst) entry["worst"] = alarm.worst->str();
  }
  return all;
}

void read_alarms(const Json& json, std::map<std::string, meter::AlarmMemory>& alarms) {
  const Json* all = member(json, "alarms");
  if (all == nullptr || !all->is_object()) return;
  for (const auto& [name, entry] : all->items()) {
    if (!entry.is_object()) continue;
    meter::AlarmMemory& alarm = alarms[name];
    alarm.raised = flag_in(entry, "raised");
    alarm.judged = flag_in(entry, "judged");
    alarm.text = text_in(entry, "text");
    if (member(entry, "since") != nullptr) alarm.since = instant_in(entry, "since");
    alarm.worst = decimal_in(entry, "worst");
  }
}

Json meter_json(const MeterMemory& meter) {
  Json values = Json::object();
  for (const auto& [key, kept] : meter.values) {
    values[key.text()] = value_json(kept.value);
    values[key.text()]["at"] = milliseconds(kept.at);
  }
  Json registers = Json::object();
  for (const auto& [key, kept] : meter.guard.registers) {
    registers[key.text()] = {
        {"value", kept.value.str()},     {"unit", std::string(symbol(kept.unit))},
        {"at", milliseconds(kept.at)},   {"scale", kept.scale},
        {"carried", kept.carried.str()}, {"carry_next", kept.carry_next}};
  }
  Json held = Json::object();
  for (const auto& [key, kept] : meter.guard.held) {
    held[key.text()] = {{"first", kept.first.str()},
                        {"latest", kept.latest.str()},
                        {"since", milliseconds(kept.since)},
                        {"latest_at", milliseconds(kept.latest_at)},
                        {"confirmations", kept.confirmations},
                        {"provable", kept.provable},
                        {"wraps", kept.wraps},
                        {"why", kept.why}};
  }
  return {{"time", milliseconds(meter.time)},
          {"values", std::move(values)},
          {"driver", meter.driver},
          {"serial", meter.guard.serial},
          {"earlier_serials", meter.guard.earlier},
          {"newcomer", meter.guard.newcomer},
          {"newcomer_since", milliseconds(meter.guard.newcomer_since)},
          {"newcomer_seen", meter.guard.newcomer_seen},
          {"registers", std::move(registers)},
          {"held", std::move(held)},
          {"alarms", alarms_json(meter.alarms)}};
}

template <class Take>
void each_key(const Json& json, const char* name, const Take& take) {
  const Json* all = member(json, name);
  if (all == nullptr || !all->is_object()) return;
  for (const auto& [text, entry] : all->items()) {
    const auto key = ReadingKey::parse(text);
    if (key && entry.is_object()) take(*key, entry);
  }
}

void read_guard(const Json& json, meter::GuardMemory& guard) {
  guard.serial = text_in(json, "serial");
  if (const Json* serials = member(json, "earlier_serials");
      serials != nullptr && serials->is_array()) {
    for (const Json& serial : *serials)
      if (serial.is_string()) guard.earlier.push_back(serial.get<std::string>());
  }
  guard.newcomer = text_in(json, "newcomer");
  guard.newcomer_since = instant_in(json, "newcomer_since");
  guard.newcomer_seen = count_in(json, "newcomer_seen");
  each_key(json, "registers", [&](const ReadingKey& key, const Json& entry) {
    const auto value = decimal_in(entry, "value");
    const auto carried = decimal_in(entry, "carried");
    if (!value || !carried) return;
    const std::string unit = text_in(entry, "unit");
    meter::GuardMemory::Register& kept = guard.registers[key];
    kept.value = *value;
    kept.carried = *carried;
    kept.carry_next = flag_in(entry, "carry_next");
    kept.unit = unit.empty() ? Unit::none : unit_from(unit).value_or(Unit::none);
    kept.at = instant_in(entry, "at");
    kept.scale = text_in(entry, "scale");
  });
  each_key(json, "held", [&](const ReadingKey& key, const Json& entry) {
    const auto first = decimal_in(entry, "first");
    const auto latest = decimal_in(entry, "latest");
    if (!first || !latest) return;
    meter::GuardMemory::Held& held = guard.held[key];
    held.first = *first;
    held.latest = *latest;
    held.since = instant_in(entry, "since");
    held.latest_at = instant_in(entry, "latest_at");
    held.confirmations = count_in(entry, "confirmations");
    held.provable = flag_in(entry, "provable");
    held.wraps = flag_in(entry, "wraps");
    held.why = text_in(entry, "why");
  });
}

MeterMemory read_meter(const Json& json) {
  MeterMemory meter;
  meter.time = instant_in(json, "time");
  each_key(json, "values", [&](const ReadingKey& key, const Json& entry) {
    if (auto value = value_in(entry))
      meter.values.emplace(key, RememberedValue(*std::move(value), instant_in(entry, "at")));
  });
  meter.driver = text_in(json, "driver");
  read_guard(json, meter.guard);
  read_alarms(json, meter.alarms);
  return meter;
}

}  // namespace

std::string Memory::json() const {
  Json all = Json::object();
  for (const auto& [id, meter] : meters)
    all[id] = meter_json(meter);
  const Json document = {{"format", format_version}, {"meters", std::move(all)}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Memory> Memory::parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return Error(Errc::malformed, "this is no JSON object");
  const Json* format = member(json, "format");
  if (format == nullptr || *format != format_version)
    return Error(Errc::malformed, "the format is not version 1");
  Memory memory;
  const Json* meters = member(json, "meters");
  if (meters == nullptr || !meters->is_object()) return memory;
  for (const auto& [id, meter] : meters->items())
    if (meter.is_object()) memory.meters.emplace(id, read_meter(meter));
  return memory;
}

}  // namespace meterbridge::app
