// SPDX-License-Identifier: MIT
// State, health and availability. Digits of readings pass through unchanged; diagnostics are
// rounded, because every change of theirs costs a row in Home Assistant's database.
#include "core/json_writer.hpp"
#include "core/text.hpp"
#include "homeassistant/entity.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::homeassistant {
namespace {

constexpr std::array<std::string_view, 6> rungs = {"resynchronise", "flush",   "reopen",
                                                   "usb_reset",     "restart", "cool_down"};
constexpr std::uint64_t memory_step = 1 << 18;  // 256 KiB
constexpr std::int64_t poll_time_step = 10;     // ms
constexpr std::size_t most_left_out = 50;       // a wrong profile refuses hundreds

std::int64_t number(std::uint64_t count) {
  return static_cast<std::int64_t>(count);
}

void instant_member(JsonWriter& json, std::string_view name, const std::optional<Instant>& at) {
  json.key(name);
  if (at) {
    json.value(std::string_view(iso_utc(std::chrono::floor<std::chrono::seconds>(*at))));
  } else {
    json.null();
  }
}

void text_or_null(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.value(std::string_view(sanitised(text)));
  }
}

void journal_member(JsonWriter& json, const JournalFacts& journal) {
  json.key("journal").object();
  json.key("entries").value(number(journal.entries));
  json.key("waiting").value(number(journal.waiting));
  json.key("bytes").value(number(journal.bytes));
  json.key("dropped").value(number(journal.dropped));
  json.key("damaged").value(number(journal.damaged));
  instant_member(json, "last_commit", journal.last_commit);
  text_or_null(json, "error", journal.trouble);
  json.end();
}

// Each alarm, and in `alarm` in words what is raised now.
void alarm_members(JsonWriter& json, const std::vector<AlarmHealth>& alarms) {
  std::string raised;
  json.key("alarms").object();
  for (const AlarmHealth& alarm : alarms) {
    json.key(alarm.name).object().key("active");
    if (alarm.active) {
      json.value(*alarm.active);
    } else {
      json.null();
    }
    json.member("severity", alarm.severity);
    if (alarm.raised) {
      instant_member(json, "since", alarm.since);
      json.member("text", sanitised(alarm.text));
    }
    json.end();
    if (alarm.raised) raised += (raised.empty() ? "" : "; ") + alarm.text;
  }
  json.end();
  text_or_null(json, "alarm", raised);
}

// Seconds without trailing zeros: 30, 0.5.
Decimal seconds(Milliseconds duration) {
  std::int64_t digits = duration.count();
  int exponent = -3;
  while (exponent < 0 && digits % 10 == 0) {
    digits /= 10;
    ++exponent;
  }
  return Decimal(digits, exponent);
}

}  // namespace

mqtt::Message state_document(const BridgeFacts& bridge, std::string_view meter,
                             const StateFacts& state) {
  JsonWriter json;
  json.object();
  for (const auto& [key, value] : state.values) {
    json.key(key.text());
    if (!value) {
      json.null();
    } else if (const auto* text = std::get_if<std::string>(&*value)) {
      json.value(std::string_view(sanitised(*text)));
    } else {
      json.value(*value);
    }
  }
  json.key("time").value(std::string_view(iso_utc(state.time))).end();
  return {topic(bridge, meter, "state"), json.text(), true, bridge.qos};
}

mqtt::Message health_document(const BridgeFacts& bridge, std::string_view meter,
                              const HealthFacts& health) {
  JsonWriter json;
  json.object();
  json.key("state").value(name(health.fault));
  json.key("text").value(describe(health.fault));
  text_or_null(json, "error", health.error);
  instant_member(json, "last_frame", health.last_frame);
  instant_member(json, "last_reading", health.last_reading);
  json.key("polls").value(number(health.polls));
  json.key("failures").value(number(health.failures));
  json.key("refused").value(number(health.refused));
  json.key("error_rate").value(std::int64_t{health.error_rate_percent});
  json.key("recoveries").object();
  for (const std::string_view rung : rungs) {
    const auto found = health.recoveries.find(std::string(rung));
    json.key(rung).value(number(found == health.recoveries.end() ? 0 : found->second));
  }
  json.end().key("poll_time");
  if (health.poll_time) {
    const std::int64_t steps = (health.poll_time->count() + poll_time_step / 2) / poll_time_step;
    json.value(steps * poll_time_step);
  } else {
    json.null();
  }
  json.key("interval");
  if (health.interval > Milliseconds{}) {
    json.value(seconds(health.interval));
  } else {
    json.null();
  }
  json.key("paused").value(health.paused);
  if (!health.alarms.empty()) alarm_members(json, health.alarms);
  if (!health.left_out.empty()) {
    json.key("left_out").array();
    for (std::size_t i = 0; i < std::min(health.left_out.size(), most_left_out); ++i)
      json.value(sanitised(health.left_out[i]));
    json.end();
  }
  json.end();
  return {topic(bridge, meter, "health"), json.text(), true, bridge.qos};
}

std::string bridge_health_topic(const BridgeFacts& bridge) {
  return topic(bridge, bridge_id, "health");
}

mqtt::Message bridge_health_document(const BridgeFacts& bridge, const BridgeHealthFacts& health) {
  const std::uint64_t memory = (health.memory_bytes + memory_step / 2) / memory_step * memory_step;
  JsonWriter json;
  json.object();
  json.key("uptime").value(std::int64_t{health.uptime.count()});
  json.key("version").value(std::string_view(bridge.version));
  json.key("memory").value(number(memory));
  json.key("queue").value(number(health.queue));
  json.key("run").value(std::string_view(health.run));
  json.key("host").value(std::string_view(sanitised(health.host)));
  if (!health.bridges.empty()) {
    json.key("bridges").object();
    for (const LinkFacts& link : health.bridges) {
      json.key(link.name).object().member("state", link.state);
      json.member("error", sanitised(link.error));
      for (const auto& [name, count] : link.counters)
        json.key(name).value(number(count));
      json.end();
    }
    json.end();
  }
  if (!health.sinks.empty()) {
    json.key("sinks").object();
    for (const SinkHealthFacts& sink : health.sinks) {
      json.key(sink.name).object();
      json.member("state", sink.failing ? "failing" : "ok")
          .member("lag", sink.lag)
          .member("lag_seconds", std::int64_t{sink.lag_time.count()})
          .member("written", sink.written)
          .member("refused", sink.refused)
          .member("dropped", sink.dropped)
          .member("failures", sink.failures)
          .member("error", sanitised(sink.error))
          .end();
    }
    json.end();
  }
  if (health.journal) journal_member(json, *health.journal);
  json.end();
  return {bridge_health_topic(bridge), json.text(), true, bridge.qos};
}

mqtt::Message availability(const BridgeFacts& bridge, std::string_view meter, bool online) {
  return {topic(bridge, meter, "availability"), online ? "online" : "offline", true, bridge.qos};
}

}  // namespace meterbridge::homeassistant
