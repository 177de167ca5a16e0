// SPDX-License-Identifier: MIT
#include "http/metrics.hpp"

#include "core/text.hpp"

#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace meterbridge::http {
namespace {

struct Label {
  std::string_view name;
  std::string_view value;
};

// Families one after the other, each with its head; one without samples has no head either.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = "meterbridge_" + std::string(name);
    head_ = "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " +
            std::string(type) + "\n";
  }

  void sample(std::initializer_list<Label> labels, std::string_view value) {
    text += std::exchange(head_, {}) + name_;
    char separator = '{';
    for (const Label& label : labels) {
      text += separator;
      text += label.name;
      text += "=\"";
      append_value(label.value);
      text += '"';
      separator = ',';
    }
    if (labels.size() > 0) text += '}';
    text += ' ';
    text += value;
    text += '\n';
  }

  void sample(std::initializer_list<Label> labels, std::uint64_t value) {
    sample(labels, std::to_string(value));
  }

  void sample(std::initializer_list<Label> labels, bool value) {
    sample(labels, std::string_view(value ? "1" : "0"));
  }

  void sample(std::initializer_list<Label> labels, Milliseconds value) {
    sample(labels, Decimal(value.count(), -3).str());
  }

  std::string text;

 private:
  void append_value(std::string_view value) {
    for (const char letter : sanitised(value)) {
      if (letter == '"' || letter == '\\') text += '\\';
      text += letter;
    }
  }

  std::string name_;
  std::string head_;
};

using Counts = std::map<std::string, std::uint64_t>;

void program(Exposition& out, const Status& status) {
  out.family("build_info", "gauge", "The program; always 1.");
  out.sample({{"instance", status.instance}, {"version", status.version}}, true);
  out.family("uptime_seconds", "gauge", "Time since the program was started.");
  out.sample({}, status.uptime);
  out.family("resident_memory_bytes", "gauge", "Memory that the program holds.");
  if (status.memory > 0) out.sample({}, status.memory);
}

template <class Value>
void each(Exposition& out, const std::vector<MeterStatus>& meters, Value MeterStatus::*member) {
  for (const MeterStatus& meter : meters)
    out.sample({{"meter", meter.id}}, meter.*member);
}

void each(Exposition& out, const std::vector<MeterStatus>& meters,
          std::optional<Milliseconds> MeterStatus::*member) {
  for (const MeterStatus& meter : meters) {
    if (meter.*member) out.sample({{"meter", meter.id}}, *(meter.*member));
  }
}

void each(Exposition& out, const std::vector<MeterStatus>& meters, std::string_view label,
          Counts MeterStatus::*member) {
  for (const MeterStatus& meter : meters) {
    for (const auto& [name, count] : meter.*member)
      out.sample({{"meter", meter.id}, {label, name}}, count);
  }
}

void meters(Exposition& out, const std::vector<MeterStatus>& all) {
  out.family("meter_up", "gauge", "Whether the meter is available.");
  each(out, all, &MeterStatus::up);
  out.family("meter_paused", "gauge", "Whether the meter is not read for now.");
  each(out, all, &MeterStatus::paused);
  out.family("meter_fault", "gauge", "State on the fault ladder: 1 for the present one.");
  for (const MeterStatus& meter : all) {
    for (const std::string_view fault : fault_names())
      out.sample({{"meter", meter.id}, {"fault", fault}}, fault == name(meter.fault));
  }
  out.family("meter_frame_age_seconds", "gauge", "Time since the last valid frame.");
  each(out, all, &MeterStatus::frame_age);
  out.family("meter_reading_age_seconds", "gauge", "Time since the last reading.");
  each(out, all, &MeterStatus::reading_age);
  out.family("meter_poll_seconds", "gauge", "How long the last poll took.");
  each(out, all, &MeterStatus::poll_time);
  out.family("meter_interval_seconds", "gauge", "Time between two polls.");
  each(out, all, &MeterStatus::interval);
  out.family("meter_polls_total", "counter",
             "Polls, or telegrams of a meter that sends by itself.");
  each(out, all, &MeterStatus::polls);
  out.family("meter_failures_total", "counter", "Polls or telegrams that failed.");
  each(out, all, &MeterStatus::failures);
  out.family("meter_refused_total", "counter", "Readings that the guard held back.");
  each(out, all, &MeterStatus::refused);
  out.family("meter_errors_total", "counter", "Failures by kind.");
  each(out, all, "kind", &MeterStatus::errors);
  out.family("meter_recoveries_total", "counter", "Steps of the recovery ladder.");
  each(out, all, "rung", &MeterStatus::recoveries);
}

void alarms(Exposition& out, const std::vector<MeterStatus>& all) {
  out.family("alarm_active", "gauge",
             "Whether an alarm is raised; absent while it cannot be told.");
  for (const MeterStatus& meter : all) {
    for (const AlarmStatus& alarm : meter.alarms) {
      if (alarm.active)
        out.sample({{"meter", meter.id}, {"alarm", alarm.name}, {"severity", alarm.severity}},
                   *alarm.active);
    }
  }
}

// Texts and times are no metrics.
std::string number_of(const Value& value) {
  if (const auto* const number = std::get_if<Decimal>(&value)) return number->str();
  if (const auto* const flag = std::get_if<bool>(&value)) return *flag ? "1" : "0";
  return {};
}

void readings(Exposition& out, const std::vector<MeterStatus>& all) {
  out.family("reading", "gauge", "The last good value of a reading, while it is not too old.");
  for (const MeterStatus& meter : all) {
    for (const ReadingStatus& reading : meter.readings) {
      if (!reading.value) continue;
      const std::string number = number_of(*reading.value);
      if (number.empty()) continue;
      const std::string key = reading.key.text();
      out.sample({{"meter", meter.id}, {"key", key}, {"unit", symbol(reading.unit)}}, number);
    }
  }
}

template <class Row, class Value>
void rows(Exposition& out, std::string_view label, const std::vector<Row>& all,
          Value Row::*member) {
  for (const Row& row : all)
    out.sample({{label, row.name}}, row.*member);
}

void brokers(Exposition& out, const std::vector<BrokerStatus>& all) {
  out.family("broker_connected", "gauge", "Whether the broker has taken us in.");
  rows(out, "broker", all, &BrokerStatus::connected);
  out.family("broker_queue_messages", "gauge", "Messages that wait for the broker.");
  rows(out, "broker", all, &BrokerStatus::waiting);
  out.family("broker_in_flight_messages", "gauge", "Messages sent and not acknowledged yet.");
  rows(out, "broker", all, &BrokerStatus::in_flight);
  out.family("broker_dropped_total", "counter", "Messages dropped because too many waited.");
  rows(out, "broker", all, &BrokerStatus::dropped);
  out.family("broker_denied_total", "counter", "Messages that the broker refused.");
  rows(out, "broker", all, &BrokerStatus::denied);
}

void bridges(Exposition& out, const std::vector<BridgeStatus>& all) {
  out.family("bridge_up", "gauge", "Whether both brokers of the bridge are connected.");
  rows(out, "bridge", all, &BridgeStatus::up);
  out.family("bridge_queue_messages", "gauge", "Messages that wait for either broker.");
  rows(out, "bridge", all, &BridgeStatus::waiting);
  out.family("bridge_dropped_total", "counter", "Messages dropped because too many waited.");
  rows(out, "bridge", all, &BridgeStatus::dropped);
}

void sinks(Exposition& out, const std::vector<SinkStatus>& all) {
  out.family("sink_up", "gauge", "Whether the last write succeeded.");
  rows(out, "sink", all, &SinkStatus::up);
  out.family("sink_lag_samples", "gauge", "Samples in the journal that are not written yet.");
  rows(out, "sink", all, &SinkStatus::lag);
  out.family("sink_lag_seconds", "gauge", "Age of the oldest of them.");
  rows(out, "sink", all, &SinkStatus::lag_time);
  out.family("sink_written_total", "counter", "Samples written.");
  rows(out, "sink", all, &SinkStatus::written);
  out.family("sink_refused_total", "counter",
             "Samples that the place refused; they are set aside.");
  rows(out, "sink", all, &SinkStatus::refused);
  out.family("sink_dropped_total", "counter", "Samples that left the journal unwritten.");
  rows(out, "sink", all, &SinkStatus::dropped);
  out.family("sink_failures_total", "counter", "Writes that failed and are tried again.");
  rows(out, "sink", all, &SinkStatus::failures);
}

void journal_rows(Exposition& out, const journal::Status& status) {
  out.family("journal_up", "gauge", "Whether the journal can be written.");
  out.sample({}, status.trouble.empty());
  out.family("journal_entries", "gauge", "Samples in the journal.");
  out.sample({}, status.entries);
  out.family("journal_waiting_entries", "gauge", "Samples that are not committed yet.");
  out.sample({}, status.waiting);
  out.family("journal_size_bytes", "gauge", "Size of the journal's database.");
  out.sample({}, status.bytes);
  out.family("journal_dropped_total", "counter", "Samples that left before every sink had them.");
  out.sample({}, status.dropped);
  out.family("journal_damaged_total", "counter", "Samples that were found damaged and left out.");
  out.sample({}, status.damaged);
}

}  // namespace

std::string metrics_text(const Status& status) {
  Exposition out;
  program(out, status);
  meters(out, status.meters);
  alarms(out, status.meters);
  readings(out, status.meters);
  out.family("link_up", "gauge", "Whether the link is open.");
  rows(out, "link", status.links, &LinkStatus::up);
  brokers(out, status.brokers);
  bridges(out, status.bridges);
  sinks(out, status.sinks);
  if (status.journal) journal_rows(out, *status.journal);
  return std::move(out.text);
}

}  // namespace meterbridge::http
