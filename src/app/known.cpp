// SPDX-License-Identifier: MIT
#include "app/known.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace meterbridge::app {
namespace {

using Json = nlohmann::json;
constexpr int format_version = 1;

Json meter_json(const KnownMeter& meter) {
  Json entities = Json::object();
  for (const auto& [key, entity] : meter.entities) {
    entities[key.text()] = {{"kind", static_cast<int>(entity.kind)},
                            {"unit", std::string(symbol(entity.unit))},
                            {"precision", entity.precision}};
    if (entity.listed) entities[key.text()]["listed"] = true;
  }
  return {{"parent", meter.parent},
          {"medium", meter.medium},
          {"profile", meter.profile},
          {"manufacturer", meter.identity.manufacturer},
          {"model", meter.identity.model},
          {"serial", meter.identity.serial},
          {"firmware", meter.identity.firmware},
          {"entities", std::move(entities)},
          {"components", meter.components},
          {"discovery", meter.discovery},
          {"topics", meter.topics},
          {"refused", meter.refused}};
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::set<std::string> texts_of(const Json& json, const char* name) {
  std::set<std::string> all;
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return all;
  for (const Json& one : *found) {
    if (one.is_string()) all.insert(one.get<std::string>());
  }
  return all;
}

void read_entity(KnownMeter& meter, const std::string& name, const Json& json) {
  const auto key = ReadingKey::parse(name);
  const auto kind = json.find("kind");
  const auto precision = json.find("precision");
  if (!key || kind == json.end() || !kind->is_number_integer() || precision == json.end() ||
      !precision->is_number_integer()) {
    return;
  }
  const int number = kind->get<int>();
  if (number < 0 || number > static_cast<int>(homeassistant::Kind::time)) return;
  homeassistant::EntityFacts entity;
  entity.key = *key;
  entity.kind = static_cast<homeassistant::Kind>(number);
  const auto unit = unit_for(*key, text_of(json, "unit"));
  entity.unit = unit ? *unit : Unit::none;
  entity.precision = std::clamp(precision->get<int>(), 0, Decimal::max_exponent);
  entity.listed = json.value("listed", Json()) == true;
  meter.entities.emplace(*key, std::move(entity));
}

KnownMeter read_meter(const Json& json) {
  KnownMeter meter;
  meter.parent = text_of(json, "parent");
  meter.medium = text_of(json, "medium");
  meter.profile = text_of(json, "profile");
  meter.identity.manufacturer = text_of(json, "manufacturer");
  meter.identity.model = text_of(json, "model");
  meter.identity.serial = text_of(json, "serial");
  meter.identity.firmware = text_of(json, "firmware");
  meter.refused = text_of(json, "refused");
  meter.discovery = texts_of(json, "discovery");
  meter.topics = texts_of(json, "topics");
  if (const auto found = json.find("components"); found != json.end() && found->is_object()) {
    for (const auto& [name, platform] : found->items()) {
      if (platform.is_string()) meter.components.emplace(name, platform.get<std::string>());
    }
  }
  if (const auto found = json.find("entities"); found != json.end() && found->is_object()) {
    for (const auto& [name, entity] : found->items()) {
      if (entity.is_object()) read_entity(meter, name, entity);
    }
  }
  return meter;
}

}  // namespace

std::string Known::json() const {
  Json all = Json::object();
  for (const auto& [id, meter] : meters)
    all[id] = meter_json(meter);
  const Json document = {{"format", format_version},
                         {"client_id", client_id},
                         {"bridge", meter_json(bridge)},
                         {"meters", std::move(all)}};
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Known> Known::parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return Error(Errc::malformed, "this is no JSON object");
  const auto format = json.find("format");
  if (format == json.end() || *format != format_version)
    return Error(Errc::malformed, "the format is not version 1");
  Known known;
  known.client_id = text_of(json, "client_id");
  if (const auto found = json.find("bridge"); found != json.end() && found->is_object())
    known.bridge = read_meter(*found);
  if (const auto found = json.find("meters"); found != json.end() && found->is_object()) {
    for (const auto& [id, meter] : found->items()) {
      if (meter.is_object()) known.meters.emplace(id, read_meter(meter));
    }
  }
  return known;
}

}  // namespace meterbridge::app
