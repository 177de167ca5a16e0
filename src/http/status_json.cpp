// SPDX-License-Identifier: MIT
#include "http/status_json.hpp"

#include "core/json_writer.hpp"
#include "core/text.hpp"

#include <array>

namespace meterbridge::http {
namespace {

Decimal seconds(Milliseconds time) {
  return Decimal(time.count(), -3);
}

void age(JsonWriter& json, std::string_view name, std::optional<Milliseconds> time) {
  json.key(name);
  if (time) {
    json.value(seconds(*time));
  } else {
    json.null();
  }
}

std::string_view kind_of(const Value& value) {
  constexpr std::array<std::string_view, 4> names{"number", "text", "flag", "time"};
  if (std::holds_alternative<Decimal>(value)) return names[0];
  if (std::holds_alternative<bool>(value)) return names[2];
  return std::holds_alternative<Seconds>(value) ? names[3] : names[1];
}

std::string text_of(const Value& value) {
  if (const auto* const number = std::get_if<Decimal>(&value)) return number->str();
  if (const auto* const flag = std::get_if<bool>(&value)) return *flag ? "on" : "off";
  if (const auto* const time = std::get_if<Seconds>(&value)) return iso_utc(*time);
  return sanitised(std::get<std::string>(value));
}

void write(JsonWriter& json, const ReadingStatus& reading) {
  json.object().member("key", reading.key.text()).member("name", reading.name).key("value");
  if (reading.value) {
    json.value(text_of(*reading.value));
  } else {
    json.null();
  }
  json.member("unit", symbol(reading.unit)).key("kind");
  if (reading.value) {
    json.value(kind_of(*reading.value));
  } else {
    json.null();
  }
  json.end();
}

void write(JsonWriter& json, const AlarmStatus& alarm) {
  json.object().member("name", alarm.name).member("severity", alarm.severity).key("active");
  if (alarm.active) {
    json.value(*alarm.active);
  } else {
    json.null();
  }
  json.key("since");
  if (alarm.since) {
    json.value(iso_utc(*alarm.since));
  } else {
    json.null();
  }
  json.member("text", sanitised(alarm.text)).end();
}

void write_members(JsonWriter& json, const MeterStatus& meter) {
  json.member("id", meter.id).member("name", meter.name);
  json.member("parent", meter.parent).member("profile", meter.profile).member("link", meter.link);
  json.member("up", meter.up).member("paused", meter.paused).member("fault", name(meter.fault));
  json.member("text", meter.text).member("interval", seconds(meter.interval));
  age(json, "frame_age", meter.frame_age);
  age(json, "reading_age", meter.reading_age);
  json.member("polls", meter.polls).member("failures", meter.failures);
  json.member("refused", meter.refused).key("recoveries").object();
  for (const auto& [rung, count] : meter.recoveries)
    json.member(rung, count);
  json.end().key("readings").array();
  for (const ReadingStatus& reading : meter.readings)
    write(json, reading);
  json.end().key("alarms").array();
  for (const AlarmStatus& alarm : meter.alarms)
    write(json, alarm);
  json.end().key("left_out").array();
  for (const std::string& what : meter.left_out)
    json.value(sanitised(what));
  json.end();
}

void write(JsonWriter& json, const MeterStatus& meter) {
  json.object();
  write_members(json, meter);
  json.end();
}

void write(JsonWriter& json, const LinkStatus& link) {
  json.object().member("name", link.name).member("address", link.address).member("up", link.up);
  json.member("fault", name(link.fault)).member("text", link.text).key("meters").array();
  for (const std::string& meter : link.meters)
    json.value(meter);
  json.end().end();
}

void write(JsonWriter& json, const BrokerStatus& broker) {
  json.object().member("name", broker.name).member("address", broker.address);
  json.member("connected", broker.connected).member("text", broker.text);
  json.member("waiting", broker.waiting).member("in_flight", broker.in_flight);
  json.member("dropped", broker.dropped).member("denied", broker.denied).end();
}

void write(JsonWriter& json, const SinkStatus& sink) {
  json.object().member("name", sink.name).member("type", sink.type).member("up", sink.up);
  json.member("text", sink.text).member("lag", sink.lag);
  json.member("lag_time", seconds(sink.lag_time)).member("written", sink.written);
  json.member("refused", sink.refused).member("dropped", sink.dropped);
  json.member("failures", sink.failures).end();
}

void write(JsonWriter& json, const BridgeStatus& bridge) {
  json.object().member("name", bridge.name).member("up", bridge.up).member("text", bridge.text);
  json.member("waiting", bridge.waiting).member("dropped", bridge.dropped).end();
}

template <class Row>
void rows(JsonWriter& json, std::string_view name, const std::vector<Row>& all) {
  json.key(name).array();
  for (const Row& row : all)
    write(json, row);
  json.end();
}

void write(JsonWriter& json, const ConfigurationStatus& file) {
  json.key("configuration").object().member("path", file.path);
  json.member("state", name(file.state)).member("editable", file.editable);
  if (file.previous) json.member("running", "previous");
  write_problems(json, file.problems);
  json.key("since");
  if (file.since) {
    json.value(iso_utc(*file.since));
  } else {
    json.null();
  }
  json.end();
}

void write_journal(JsonWriter& json, const Status& status) {
  json.key("journal");
  if (!status.journal) {
    json.null();
    return;
  }
  const journal::Status& journal = *status.journal;
  json.object().member("up", journal.trouble.empty());
  json.member("kind", status.journal_on_disk ? "disk" : "memory");
  json.member("text", journal.trouble).member("entries", journal.entries);
  json.member("size", journal.bytes).end();
}

}  // namespace

std::string_view name(Validity validity) noexcept {
  switch (validity) {
    case Validity::valid:
      return "valid";
    case Validity::invalid:
      return "invalid";
    case Validity::empty:
      return "empty";
    case Validity::missing:
      break;
  }
  return "missing";
}

void write_problems(JsonWriter& json, std::span<const ProblemStatus> problems) {
  json.key("problems").array();
  for (const ProblemStatus& problem : problems) {
    json.object().member("severity", problem.error ? "error" : "warning");
    json.member("line", problem.line).member("column", problem.column);
    json.member("path", problem.path).member("message", problem.message).end();
  }
  json.end();
}

std::string fingerprint(const Status& status) {
  Status calm = status;
  calm.uptime = {};
  calm.time = {};
  calm.memory = 0;
  for (MeterStatus& meter : calm.meters) {
    meter.frame_age.reset();
    meter.reading_age.reset();
  }
  for (SinkStatus& sink : calm.sinks)
    sink.lag_time = {};
  return status_json(calm);
}

std::string line_json(const LogLine& line) {
  JsonWriter json;
  json.object().member("time", iso_utc(line.time)).member("level", line.level);
  return json.member("text", line.text).end().text();
}

std::string log_json(std::span<const LogLine> lines) {
  JsonWriter json;
  json.object().key("lines").array();
  for (const LogLine& line : lines)
    json.raw(line_json(line));
  return json.end().end().text();
}

std::string meter_json(const MeterStatus& meter, std::span<const UnseenStatus> unseen) {
  JsonWriter json;
  json.object();
  write_members(json, meter);
  json.key("unseen").array();
  for (const UnseenStatus& one : unseen) {
    json.object().member("key", one.key.text()).member("name", one.name);
    json.member("reason", one.reason).end();
  }
  return json.end().end().text();
}

std::string status_json(const Status& status) {
  JsonWriter json;
  json.object().member("version", status.version).member("instance", status.instance);
  json.member("uptime", seconds(status.uptime)).key("memory");
  if (status.memory > 0) {
    json.value(status.memory);
  } else {
    json.null();
  }
  json.member("time", iso_utc(status.time)).member("mode", status.app ? "app" : "service");
  write(json, status.configuration);
  rows(json, "brokers", status.brokers);
  rows(json, "links", status.links);
  rows(json, "meters", status.meters);
  rows(json, "sinks", status.sinks);
  rows(json, "bridges", status.bridges);
  write_journal(json, status);
  return json.end().text();
}

}  // namespace meterbridge::http
