// SPDX-License-Identifier: MIT
// `doctor` on what stands behind the meters: brokers, sinks, the journal, this machine.
#include "app/recorder.hpp"
#include "app/sink_plan.hpp"
#include "cli/doctor.hpp"
#include "cli/retained.hpp"
#include "core/time.hpp"
#include "io/folder_check.hpp"
#include "io/port_owner.hpp"
#include "journal/archive.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Finding, greeting and asking a server has ten seconds each.
constexpr auto sink_patience = 30s;
constexpr auto farewell = 1s;

// One connection, as a client of its own that only listens.
app::Finding visit(std::string_view kind, std::string name,
                   const config::ConnectionSettings& connection, const std::string& instance,
                   const std::vector<std::string>& filters, std::string_view section) {
  app::Finding finding(kind, std::move(name));
  std::vector<std::string> notices;
  const auto retained = visit_broker(connection, instance, filters, notices);
  if (!retained) {
    finding.health = app::Health::bad;
    finding.text = retained.error().detail();
    finding.advice = app::broker_advice(retained.error(), section);
    return finding;
  }
  finding.text = connection.host + ":" + std::to_string(connection.port) + " lets us in" +
                 (connection.tls.enabled ? ", with TLS" : "");
  if (connection.tls.enabled && connection.tls.insecure) {
    finding.health = app::Health::note;
    finding.text += "; whoever answers there is believed";
    finding.advice = "take `insecure` out, and name the authority in `ca`";
  }
  for (const std::string& notice : notices) {
    finding.health = app::Health::note;
    finding.text += "; " + notice;
  }
  if (!notices.empty() && finding.advice.empty())
    finding.advice = "allow this user the topics in the broker's access list (section " +
                     std::string(section) + ")";
  return finding;
}

Result<std::string> check_sink(const app::House& house, const config::SinkSettings& settings) {
  asio::io_context context(1);
  sink::Setup setup;
  setup.state_directory = house.settings.state_directory;
  setup.instance = house.settings.instance;
  const auto made = app::make_sink(context.get_executor(), settings, std::move(setup));
  if (!made) return made.error();
  std::optional<Result<std::string>> answer;
  asio::cancellation_signal stop;
  asio::co_spawn(context, (*made)->check(),
                 asio::bind_cancellation_slot(
                     stop.slot(), [&](const std::exception_ptr&, Result<std::string> found) {
                       answer = std::move(found);
                     }));
  context.run_for(sink_patience);
  if (!answer) {
    stop.emit(asio::cancellation_type::terminal);
    context.run_for(farewell);
    answer =
        Error(Errc::timeout, "did not answer within " + duration_text(Milliseconds(sink_patience)));
  }
  (*made)->close();
  return *std::move(answer);
}

// What waits in the journal while nobody takes it.
std::string waiting_text(const journal::Overview& overview) {
  std::string text;
  for (const journal::SinkState& sink : overview.sinks) {
    if (sink.lag > 0)
      text += "; " + std::to_string(sink.lag) + " samples wait for the sink " + sink.sink;
  }
  return text;
}

// What the service has said of it already stands in the same row.
void tell_sink(app::Finding finding, Findings& findings) {
  const auto told = std::ranges::find_if(findings, [&finding](const app::Finding& one) {
    return one.kind == finding.kind && one.name == finding.name;
  });
  if (told == findings.end()) return findings.push_back(std::move(finding));
  if (finding.health == app::Health::good) {
    told->text += "; asked by this command: " + finding.text;
    return;
  }
  if (told->text.find(finding.text) == std::string::npos) finding.text += "; " + told->text;
  *told = std::move(finding);
}

}  // namespace

void look_at_broker(const app::House& house, Findings& findings) {
  const config::Settings& settings = house.settings;
  const std::string base =
      settings.mqtt.base_topic.empty() ? settings.instance : settings.mqtt.base_topic;
  findings.push_back(
      visit("broker", "", settings.mqtt, settings.instance, {base + "/+/availability"}, "mqtt"));
}

void look_at_bridges(const app::House& house, Findings& findings) {
  for (const config::BridgeSettings& bridge : house.settings.bridges)
    findings.push_back(
        visit("bridge", bridge.name, bridge, house.settings.instance, {}, bridge.path));
}

void look_at_sinks(const app::House& house, Findings& findings) {
  for (const config::SinkSettings& settings : house.settings.sinks) {
    app::Finding finding("sink", settings.name);
    const auto answer = check_sink(house, settings);
    finding.text = answer ? *answer : answer.error().detail();
    if (!answer && answer.error().code() == Errc::unsupported) {
      finding.health = app::Health::note;
    } else if (!answer) {
      finding.health = app::Health::bad;
      finding.advice = app::sink_advice(answer.error(), settings.path);
    }
    tell_sink(std::move(finding), findings);
  }
}

void look_at_journal(const app::House& house, bool service, Findings& findings) {
  const config::Settings& settings = house.settings;
  if (!app::journal_is_wanted(settings) || settings.journal.store == config::JournalStore::memory)
    return;
  app::Finding finding("journal", "");
  const std::string path = app::journal_path(settings);
  const auto archive = journal::open_archive(path);
  if (!archive && archive.error().code() == Errc::not_found) {
    finding.text = path + " is not there yet: it begins with the first sample";
    findings.push_back(std::move(finding));
    return;
  }
  const auto overview = archive ? (*archive)->overview() : archive.error();
  if (!overview) {
    finding.health = app::Health::bad;
    finding.text = overview.error().detail();
    finding.advice =
        "look after this file's rights and disk; the service moves a damaged one aside "
        "and begins anew";
    findings.push_back(std::move(finding));
    return;
  }
  finding.text = std::to_string(overview->entries) + " samples";
  if (overview->newest) finding.text += ", the newest of " + iso_utc(overview->newest->at);
  // While the service runs, places in the file are old: it says itself who is behind.
  if (!service) finding.text += waiting_text(*overview);
  if (overview->dropped > 0 || overview->damaged > 0) {
    finding.health = app::Health::note;
    finding.text += "; " + std::to_string(overview->dropped) +
                    " had to leave before every sink had "
                    "them, " +
                    std::to_string(overview->damaged) + " are damaged";
    finding.advice = "give it more room: `journal: {size: ...}`, and see that the sinks work";
  }
  findings.push_back(std::move(finding));
}

void look_at_machine(const app::House& house, bool service, Findings& findings) {
  app::Finding clock("clock", "");
  const SystemClock now;
  clock.text = "this machine's clock shows " + iso_utc(now.now());
  if (!clock_is_set(now.now())) {
    clock.health = app::Health::bad;
    clock.text += " and is not set: readings wait until it is";
    clock.advice = "let it be set from the network: timedatectl set-ntp true";
  }
  findings.push_back(std::move(clock));
  if (service) return;  // whose user may be another one, and which says itself what it cannot write
  app::Finding state("state directory", "");
  const auto checked = io::check_folder(house.settings.state_directory);
  state.text = checked ? *checked : checked.error().detail();
  if (!checked) {
    state.health = app::Health::bad;
    state.advice = app::sink_advice(checked.error(), "state_directory");
  } else {
    const auto access = io::port_access(house.settings.state_directory);
    state.text += ", as user " + access.user;
    if (access.user == "root" && !access.owner.empty() && access.owner != "root") {
      state.health = app::Health::note;
      state.text += "; it belongs to " + access.owner + ", who may open less than root";
      state.advice = "ask as that user: sudo -u " + access.owner + " meterbridge doctor";
    }
  }
  findings.push_back(std::move(state));
}

}  // namespace meterbridge::cli
