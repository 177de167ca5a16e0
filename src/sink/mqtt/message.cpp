// SPDX-License-Identifier: MIT
#include "sink/mqtt/message.hpp"

#include "core/json_writer.hpp"

namespace meterbridge::sink::mqtt {
namespace {

void begin(JsonWriter& json, std::string_view meter, journal::Sequence sequence,
           journal::Sequence previous, const Leaf& leaf) {
  json.object().member("sequence", sequence).member("previous", previous);
  json.member("journal", leaf.journal).member("instance", leaf.instance).member("meter", meter);
}

void add_reading(JsonWriter& json, const Reading& reading) {
  json.object().member("key", reading.key.text()).content(reading.value);
  // A text may look like either.
  if (std::holds_alternative<bool>(reading.value)) json.member("type", "flag");
  if (std::holds_alternative<Seconds>(reading.value)) json.member("type", "time");
  if (reading.unit != Unit::none) json.member("unit", symbol(reading.unit));
  if (reading.time) json.member("time", iso_utc(*reading.time));
  json.end();
}

void add_device(JsonWriter& json, const MeterIdentity& identity) {
  const std::pair<std::string_view, const std::string*> members[] = {
      {"manufacturer", &identity.manufacturer},
      {"model", &identity.model},
      {"serial", &identity.serial},
      {"firmware", &identity.firmware}};
  bool any = false;
  for (const auto& [name, text] : members) {
    if (text->empty()) continue;
    if (!any) json.key("device").object();
    any = true;
    json.member(name, *text);
  }
  if (any) json.end();
}

}  // namespace

std::string sample_text(const journal::Entry& entry, journal::Sequence previous, const Leaf& leaf) {
  const Sample& sample = entry.sample;
  JsonWriter json;
  begin(json, sample.meter, entry.sequence, previous, leaf);
  if (!sample.parent.empty()) json.member("parent", sample.parent);
  json.member("time", iso_utc(sample.at));
  json.member("origin", sample.origin == TimeOrigin::meter ? "meter" : "arrival");
  add_device(json, sample.identity);
  json.key("readings").array();
  for (const Reading& reading : sample.readings)
    add_reading(json, reading);
  json.end().end();
  return json.text();
}

std::string void_text(std::string_view meter, const Void& answer, const Leaf& leaf) {
  JsonWriter json;
  begin(json, meter, answer.sequence, answer.previous, leaf);
  json.member("newest", answer.newest);
  if (!answer.missing.empty()) json.member("missing", answer.missing);
  json.end();
  return json.text();
}

std::string sample_topic(std::string_view base, std::string_view meter) {
  return std::string(base) + "/" + std::string(meter) + "/sample";
}

}  // namespace meterbridge::sink::mqtt
