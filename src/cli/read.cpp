// SPDX-License-Identifier: MIT
#include "app/once.hpp"
#include "cli/house.hpp"
#include "cli/refusals.hpp"
#include "cli/retained.hpp"
#include "cli/sample_json.hpp"
#include "core/json_writer.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    config_option,
    Option{"--json", "", "", "one JSON object per line instead of a table"},
};

using Rows = std::vector<std::vector<std::string>>;

void add_rows(Rows& rows, const Sample& sample) {
  for (const Reading& reading : sample.readings) {
    rows.push_back({sample.meter, reading.key.text(), value_text(reading.value),
                    std::string(symbol(reading.unit))});
  }
}

void print_json(const Sample& sample) {
  JsonWriter json;
  json.object();
  sample_members(json, sample);
  json.end();
  print(json.text() + "\n");
}

void print_json(const std::string& meter, const Error& error) {
  JsonWriter json;
  json.object().member("meter", meter).member("error", error.detail()).end();
  print(json.text() + "\n");
}

// The meter of "<base>/<meter>/state"; empty for other topics.
std::string meter_of_state(std::string_view topic) {
  constexpr std::string_view end = "/state";
  if (!topic.ends_with(end)) return {};
  topic.remove_suffix(end.size());
  return std::string(topic.substr(topic.rfind('/') + 1));
}

// A running service holds the port: its last values, from the broker.
void print_service(const app::House& house, const std::vector<std::string>& failed, bool as_json) {
  auto retained = retained_of_service(house.settings);
  if (!retained) {
    complain("no running service's values to show instead: " + retained.error().detail());
    return;
  }
  for (const auto& [topic, payload] : *retained) {
    const std::string meter = meter_of_state(topic);
    const std::string owner = owner_of(house, meter);
    if (owner.empty() || std::ranges::find(failed, owner) == failed.end()) continue;
    if (as_json) {
      JsonWriter json;
      json.object().member("meter", meter).key("service").raw(payload).end();
      print(json.text() + "\n");
    } else {
      std::string line = "the service's last values, ";
      line.append(topic).append(": ").append(payload).append("\n");
      print(line);
    }
  }
}

int run(const Arguments& arguments) {
  auto house = load_house(arguments);
  if (!house) return exit_usage;
  for (const std::string& id : arguments.words()) {
    const auto unknown = unknown_meter(house->settings, id, false);
    if (!unknown) continue;
    complain("meterbridge read: " + *unknown);
    return exit_usage;
  }
  const bool as_json = arguments.has("--json");
  Rows rows{{"meter", "reading", "value", "unit"}};
  std::vector<std::string> failed;
  for (const auto& meter : house->meters) {
    if (arguments.words().empty() && meter->settings().paused)
      complain(meter->settings().id +
               ": is paused in the configuration, and was not asked; it is when it is named");
  }
  Refusals refusals(*house);
  app::OnceVeto veto = [&](const std::string& meter) { return refusals.veto(meter); };
  app::OnceSink sink = [&](const app::OnceResult& result) {
    if (result.error) {
      failed.push_back(result.meter);
      refusals.failed(result.meter, *result.error);
      if (as_json) {
        print_json(result.meter, *result.error);
      } else {
        complain(result.meter + ": " + result.error->detail());
      }
      return;
    }
    for (const Sample& sample : result.samples) {
      if (as_json) {
        print_json(sample);
      } else {
        add_rows(rows, sample);
      }
    }
  };
  boost::asio::io_context context(1);
  boost::asio::co_spawn(context, app::read_once(*house, arguments.words(), sink, veto),
                        boost::asio::detached);
  context.run();
  if (!as_json && rows.size() > 1) print(table(rows));
  if (!failed.empty()) print_service(*house, failed, as_json);
  return failed.empty() ? exit_ok : exit_failed;
}

}  // namespace

const Command read_command{
    "read",
    "read [-c FILE] [--json] [METER...]",
    "polls the meters now and prints their readings; needs no broker",
    "Reads every configured meter that is not paused once, or those that are "
    "named, and prints what Home Assistant would get.\n"
    "Where a running service holds the port, that is said, and the "
    "service's last values are shown.\n\n"
    "  meterbridge read -c meterbridge.yaml house\n\n"
    "exit code: 0 all read, 1 a meter failed, 2 invalid configuration\n",
    options,
    run};

}  // namespace meterbridge::cli
