// SPDX-License-Identifier: MIT
// What the programs that publish meters would publish of a simulated house.
#include "core/json_writer.hpp"
#include "protocol/face.hpp"
#include "protocol/json/moment.hpp"
#include "protocol/json/responder.hpp"

#include <utility>

namespace meterbridge::protocol::json {
namespace {

constexpr std::string_view usual_id = "12345678";

std::string first_id(const Options& options) {
  return options.ids.listed.empty() ? std::string(usual_id) : options.ids.listed.front();
}

Decimal rounded(const Decimal& value, int precision) {
  const auto shorter = value.precision() > precision ? value.rounded(precision) : value;
  return shorter ? *shorter : value;
}

Post document(std::string topic, JsonWriter& json) {
  json.end();
  return {std::move(topic), to_bytes(json.text())};
}

void begin_wireless(JsonWriter& json, std::string_view media, std::string_view driver,
                    std::string_view id) {
  json.object();
  json.key("media").value(media);
  json.key("meter").value(driver);
  json.key("name").value("Simulated");
  json.key("id").value(id);
}

std::vector<Post> wmbusmeters_posts(const Options& options, const MeterFace& face) {
  JsonWriter water;
  begin_wireless(water, "water", "multical21", first_id(options));
  water.key("total_m3").value(rounded(face.water, 3));
  water.key("target_m3").value(Decimal(1));
  water.key("flow_temperature_c").value(Decimal(8));
  water.key("status").value("OK");
  water.key("timestamp").value(moment_text(Format::iso, face.now));
  std::vector<Post> posts{document("water", water)};
  if (!options.ids.all && options.ids.listed.size() < 2) return posts;
  JsonWriter heat;
  begin_wireless(heat, "heat", "kamheat",
                 options.ids.all ? std::string("87654321") : options.ids.listed[1]);
  heat.key("total_energy_consumption_kwh")
      .value(rounded(protocol::shown(make_key(Quantity::heat), face), 0));
  heat.key("t1_temperature_c").value(Decimal(615, -1));
  heat.key("t2_temperature_c").value(Decimal(402, -1));
  heat.key("timestamp").value(moment_text(Format::iso, face.now));
  posts.push_back(document("heat", heat));
  return posts;
}

std::vector<Post> rtl_433_posts(const Options& options, const MeterFace& face) {
  const Decimal energy = protocol::shown(make_key(Quantity::energy, Direction::import), face);
  const auto tens = energy.shifted(2);  // some of these meters count 10 Wh
  JsonWriter json;
  json.object();
  json.key("time").value(moment_text(Format::iso, face.now).substr(0, 19));
  json.key("model").value("SCMplus");
  json.key("id").value(first_id(options));
  json.key("ProtocolID").value("0x1E");
  json.key("EndpointType").value("0x07");
  json.key("Consumption").value(rounded(tens ? *tens : energy, 0));
  json.key("Tamper").value("0x0000");
  json.key("MeterType").value("Electric");
  json.key("mic").value("CRC");
  return {document("events", json)};
}

Post channel_value(std::string topic, const Decimal& value, Seconds now) {
  JsonWriter json;
  json.object();
  json.key("timestamp").raw(moment_text(Format::unix_ms, now));
  json.key("value").value(value);
  return document(std::move(topic), json);
}

// In watt-hours and watts, as meters say them by SML, or in the thousand of them.
std::vector<Post> vzlogger_posts(const Options& options, const MeterFace& face) {
  std::vector<Post> posts;
  for (const Field& field : options.fields) {
    const auto value =
        convert(protocol::shown(field.key, face), canonical_unit(field.key.quantity), field.unit);
    const bool named = field.topic.ends_with("/raw") || field.topic.ends_with("/agg");
    if (value && !field.topic.empty())
      posts.push_back(channel_value(field.topic + (named ? "" : "/raw"), *value, face.now));
  }
  if (!posts.empty()) return posts;
  const int shift = options.counts_in == CountsIn::kwh ? 0 : 3;
  const auto energy =
      protocol::shown(make_key(Quantity::energy, Direction::import), face).shifted(shift);
  const auto power = protocol::shown(make_key(Quantity::power), face).shifted(shift - 3);
  posts.emplace_back("chn0/id", to_bytes("1-0:1.8.0"));
  if (energy) posts.push_back(channel_value("chn0/raw", *energy, face.now));
  posts.emplace_back("chn1/id", to_bytes("1-0:16.7.0"));
  if (power) posts.push_back(channel_value("chn1/raw", *power, face.now));
  return posts;
}

// A leaf with one meter. Between 0 and its number it has no other sample: nothing to ask for.
std::vector<Post> leaf_posts(const MeterFace& face) {
  JsonWriter json;
  json.object().member("sequence", face.now.time_since_epoch().count()).member("previous", 0);
  json.member("journal", "simulated").member("instance", "leaf").member("meter", "house");
  json.member("time", iso_utc(Instant(face.now))).key("readings").array();
  for (const ReadingKey& key :
       {make_key(Quantity::energy, Direction::import), make_key(Quantity::power)}) {
    json.object().member("key", key.text()).member("value", protocol::shown(key, face));
    json.member("unit", symbol(canonical_unit(key.quantity))).end();
  }
  json.end();
  return {document("house/sample", json)};
}

}  // namespace

std::vector<Post> sender_posts(const Options& options, const MeterFace& face) {
  switch (options.sender) {
    case Sender::wmbusmeters:
      return wmbusmeters_posts(options, face);
    case Sender::rtl_433:
      return rtl_433_posts(options, face);
    case Sender::vzlogger:
      return vzlogger_posts(options, face);
    case Sender::meterbridge:
      return leaf_posts(face);
    case Sender::fields:
      break;
  }
  return {};
}

}  // namespace meterbridge::protocol::json
