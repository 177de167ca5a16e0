// SPDX-License-Identifier: MIT
// `doctor` while a service of this configuration runs: it holds the ports and knows best.
#include "cli/doctor.hpp"
#include "cli/house.hpp"
#include "cli/retained.hpp"
#include "core/text.hpp"
#include "http/server.hpp"
#include "sink/http_client.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;
using nlohmann::json;
using namespace std::chrono_literals;

constexpr Milliseconds page_patience = 5s;
constexpr auto far_behind = 900;  // seconds

// Nothing of another type ends the program: the page may be another program's.
std::string text_of(const json& row, const char* name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool flag_of(const json& row, const char* name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_boolean() && found->get<bool>();
}

std::int64_t number_of(const json& row, const char* name) {
  const auto found = row.find(name);
  if (found == row.end() || !found->is_number()) return 0;
  return found->is_number_float() ? static_cast<std::int64_t>(found->get<double>())
                                  : found->get<std::int64_t>();
}

const json& rows_of(const json& document, const char* name) {
  static const json none = json::array();
  const auto found = document.find(name);
  return found != document.end() && found->is_array() ? *found : none;
}

Fault fault_named(std::string_view text) {
  const auto names = fault_names();
  const auto found = std::ranges::find(names, text);
  return found == names.end() ? Fault::starting : static_cast<Fault>(found - names.begin());
}

const meter::Meter* meter_named(const app::House& house, std::string_view id) {
  const auto found = std::ranges::find_if(
      house.meters, [id](const auto& meter) { return meter->settings().id == id; });
  return found == house.meters.end() ? nullptr : found->get();
}

app::Finding meter_row(const app::House& house, const meter::Meter& meter, Fault fault,
                       std::string words, bool paused) {
  app::Finding finding("meter", meter.settings().id);
  finding.text = std::move(words);
  if (paused) {
    finding.text = "is paused";
    finding.health = app::Health::note;
    return finding;
  }
  finding.fault = fault;
  if (fault == Fault::ok) return finding;
  if (fault == Fault::starting) {
    finding.health = app::Health::note;
    finding.text = "the service has only begun, and has not read it yet";
    finding.advice = "ask again in " + duration_text(meter.settings().interval);
    return finding;
  }
  finding.health = app::Health::bad;
  finding.advice = app::fault_advice(fault, evidence_of(house, meter));
  return finding;
}

app::Finding link_row(const json& row) {
  app::Finding finding("link", text_of(row, "name"));
  finding.text = text_of(row, "address") + ": " + text_of(row, "text");
  finding.fault = fault_named(text_of(row, "fault"));
  if (flag_of(row, "up") || finding.fault != Fault::no_device) {
    finding.fault.reset();
    return finding;
  }
  finding.health = app::Health::bad;
  finding.advice = app::link_advice(Error(Errc::no_device, text_of(row, "text")), {});
  return finding;
}

// Those that work are looked at themselves.
void add_sink(const std::string& name, bool up, const std::string& words, std::int64_t lag,
              std::int64_t lag_time, Findings& findings) {
  app::Finding finding("sink", name);
  finding.health = app::Health::bad;
  if (!up) {
    finding.text = "the service says: " + words;
    finding.advice = app::sink_advice(Error(Errc::io, words), "sinks." + name);
  } else if (lag_time > far_behind) {
    finding.text = "is " + std::to_string(lag) + " samples behind, the oldest has waited for " +
                   std::to_string(lag_time / 60) + " minutes";
    finding.advice = "see whether its server or disk is slow; nothing is lost meanwhile";
  } else {
    return;
  }
  findings.push_back(std::move(finding));
}

void read_page(const app::House& house, const json& document, Findings& findings) {
  for (const json& row : rows_of(document, "links"))
    findings.push_back(link_row(row));
  for (const json& row : rows_of(document, "meters")) {
    const meter::Meter* const meter = meter_named(house, text_of(row, "id"));
    if (meter == nullptr) continue;
    app::Finding finding = meter_row(house, *meter, fault_named(text_of(row, "fault")),
                                     text_of(row, "text"), flag_of(row, "paused"));
    std::set<ReadingKey> seen;
    for (const json& reading : rows_of(row, "readings")) {
      if (const auto key = ReadingKey::parse(text_of(reading, "key"))) seen.insert(*key);
    }
    if (finding.health == app::Health::good) {
      finding.text = std::to_string(seen.size()) + " readings";
      finding.unseen = meter::unseen(
          meter->profile(), meter::known_keys(meter->profile(), meter->settings().protocol), seen);
    }
    findings.push_back(std::move(finding));
  }
  for (const json& row : rows_of(document, "sinks"))
    add_sink(text_of(row, "name"), flag_of(row, "up"), text_of(row, "text"), number_of(row, "lag"),
             number_of(row, "lag_time"), findings);
  for (const json& row : rows_of(document, "brokers")) {
    if (number_of(row, "denied") == 0) continue;
    app::Finding finding("broker", "");
    finding.health = app::Health::bad;
    finding.text = "the broker refused " + std::to_string(number_of(row, "denied")) +
                   " messages of the service";
    finding.advice = "allow its user to write the topics in the broker's access list";
    findings.push_back(std::move(finding));
  }
}

// The address that the service listens on, seen from here.
sink::Url page_of(const config::HttpSettings& http) {
  sink::Url url;
  url.host = http.address == "0.0.0.0" ? "127.0.0.1" : http.address == "::" ? "::1" : http.address;
  url.port = http.port;
  return url;
}

Result<json> get_status(const config::HttpSettings& http) {
  asio::io_context context(1);
  sink::HttpClient client(context.get_executor(), page_of(http), {}, page_patience);
  sink::HttpRequest request;
  request.method = "GET";
  request.target = "/api/status";
  std::optional<Result<sink::HttpAnswer>> answer;
  asio::co_spawn(
      context, client.ask(request),
      [&](const std::exception_ptr&, Result<sink::HttpAnswer> got) { answer = std::move(got); });
  context.run();
  client.close();
  if (!*answer) return answer->error();
  json document = json::parse((*answer)->body, nullptr, false);
  if ((*answer)->status != 200 || !document.is_object())
    return Error(Errc::malformed, client.name() + " has no page /api/status");
  return document;
}

Result<ServiceView> ask_broker(const app::House& house) {
  const config::Settings& settings = house.settings;
  const std::string base =
      settings.mqtt.base_topic.empty() ? settings.instance : settings.mqtt.base_topic;
  std::vector<std::string> notices;
  const auto retained =
      visit_broker(settings.mqtt, settings.instance, {base + "/+/health"}, notices);
  if (!retained) return retained.error().within("broker");
  ServiceView view;
  view.source = "its health topics at the broker";
  for (const auto& [topic, payload] : *retained) {
    const json row = json::parse(payload, nullptr, false);
    if (!row.is_object()) continue;
    const std::string_view whole = topic;
    const auto id = whole.substr(base.size() + 1, whole.rfind('/') - base.size() - 1);
    if (const meter::Meter* const meter = meter_named(house, id)) {
      const std::string error = text_of(row, "error");
      app::Finding finding =
          meter_row(house, *meter, fault_named(text_of(row, "state")),
                    error.empty() ? text_of(row, "text") : error, flag_of(row, "paused"));
      // No topic tells of the link: what to do about it stands here.
      if (finding.fault == Fault::no_device)
        finding.advice = app::link_advice(Error(Errc::no_device, error), {});
      view.findings.push_back(std::move(finding));
    }
    const auto sinks = row.find("sinks");
    if (id != "bridge" || sinks == row.end() || !sinks->is_object()) continue;
    for (const auto& [name, sink] : sinks->items())
      add_sink(name, text_of(sink, "state") == "ok", text_of(sink, "error"), number_of(sink, "lag"),
               number_of(sink, "lag_seconds"), view.findings);
  }
  if (view.findings.empty())
    return Error(Errc::not_found, "the broker keeps nothing of it under \"" + base + "\"");
  return view;
}

// Those that are only in this file: the service has refused it, or reads another one.
void add_unknown(const app::House& house, Findings& findings) {
  for (const auto& meter : house.meters) {
    app::Finding finding("meter", meter->settings().id);
    const bool told = std::ranges::any_of(findings, [&](const app::Finding& one) {
      return one.kind == finding.kind && one.name == finding.name;
    });
    if (told) continue;
    finding.health = app::Health::bad;
    finding.text = "the running service does not know it: it runs with another configuration";
    finding.advice =
        "let it read this file: systemctl reload meterbridge, or start it again with -c";
    findings.push_back(std::move(finding));
  }
}

Result<ServiceView> ask_either(const app::House& house) {
  const config::HttpSettings& http = house.settings.http;
  if (http::available && http.port != 0) {
    const auto document = get_status(http);
    if (document) {
      ServiceView view;
      view.source = "its page http://" + page_of(http).host_header() + "/api/status";
      read_page(house, *document, view.findings);
      return view;
    }
  }
  return ask_broker(house);
}

}  // namespace

Result<ServiceView> ask_service(const app::House& house) {
  auto view = ask_either(house);
  if (view) add_unknown(house, view->findings);
  return view;
}

}  // namespace meterbridge::cli
