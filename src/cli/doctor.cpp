// SPDX-License-Identifier: MIT
// `doctor`: what works, what does not, and the one thing to do next.
#include "cli/doctor.hpp"

#include "app/claim.hpp"
#include "cli/house.hpp"
#include "core/json_writer.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>

#include <unistd.h>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    config_option,
    Option{"--json", "", "", "one JSON object per line instead of sentences"},
    Option{"--quick", "", "", "does not try other speeds where a line is not understood"},
};

// "power_l2, power_l3 (a meter ... has none); voltage (...)": grouped by reason.
std::string unseen_text(const std::vector<meter::Unseen>& unseen) {
  std::vector<std::pair<std::string_view, std::string>> groups;
  for (const meter::Unseen& one : unseen) {
    const auto group = std::ranges::find(groups, one.reason, &decltype(groups)::value_type::first);
    if (group == groups.end()) {
      groups.emplace_back(one.reason, one.key.text());
    } else {
      group->second += ", " + one.key.text();
    }
  }
  std::string text;
  for (const auto& [reason, keys] : groups)
    text += (text.empty() ? "" : "; ") + keys + " (" + std::string(reason) + ")";
  return text;
}

std::string sentence_of(const app::Finding& finding) {
  std::string line(name(finding.health));
  line.resize(6, ' ');
  line += std::string(finding.kind);
  if (!finding.name.empty()) line += " " + finding.name;
  line += ": ";
  if (finding.fault && *finding.fault != Fault::ok)
    line += std::string(name(*finding.fault)) + ": ";
  line += sanitised(finding.text, 1000) + "\n";
  if (!finding.unseen.empty()) line += "      not seen: " + unseen_text(finding.unseen) + "\n";
  if (!finding.advice.empty()) line += "      do: " + finding.advice + "\n";
  return line;
}

std::string json_of(const app::Finding& finding) {
  JsonWriter json;
  json.object().member("kind", finding.kind).member("name", finding.name);
  json.member("health", name(finding.health));
  if (finding.fault) json.member("fault", name(*finding.fault));
  json.member("text", sanitised(finding.text, 1000)).member("advice", finding.advice);
  if (!finding.unseen.empty()) {
    json.key("unseen").array();
    for (const meter::Unseen& one : finding.unseen)
      json.object().member("key", one.key.text()).member("reason", one.reason).end();
    json.end();
  }
  return json.end().text() + "\n";
}

}  // namespace

void tell_progress(const std::string& words) {
  if (::isatty(STDERR_FILENO) == 1) complain("... " + words);
}

namespace {

// By the service's own words where it runs: it holds the ports.
void look_at_service(app::House& house, const std::string& holder, bool trials,
                     Findings& findings) {
  app::Finding finding("service", house.settings.instance);
  finding.text = "runs already: " + holder;
  auto view = ask_service(house);
  if (view) {
    finding.text += "; what follows of its meters is from " + view->source;
    findings.push_back(std::move(finding));
    findings.insert(findings.end(), view->findings.begin(), view->findings.end());
    return;
  }
  finding.health = app::Health::note;
  finding.text += "; what it knows cannot be asked: " + view.error().detail();
  finding.advice = "set `http: {listen: 127.0.0.1:8080}`, or end the service while `doctor` runs";
  findings.push_back(std::move(finding));
  look_at_lines(house, trials, findings);
}

std::string summary(const Findings& findings) {
  const auto bad = std::ranges::count(findings, app::Health::bad, &app::Finding::health);
  const auto notes = std::ranges::count(findings, app::Health::note, &app::Finding::health);
  std::string text = bad == 0 ? "all that was looked at works"
                              : std::to_string(bad) + " of " + std::to_string(findings.size()) +
                                    (bad == 1 ? " does not work" : " do not work");
  if (notes > 0) text += "; " + std::to_string(notes) + (notes == 1 ? " note" : " notes");
  return text + "\n";
}

int run(const Arguments& arguments) {
  if (!arguments.words().empty()) {
    complain("doctor takes no further words; name the file with -c " + arguments.words().front());
    return exit_usage;
  }
  auto house = load_house(arguments);
  if (!house) return exit_usage;
  const bool trials = !arguments.has("--quick");
  const bool as_json = arguments.has("--json");
  Findings findings;
  std::size_t told = 0;
  // Lines take their time: what is known is said at once.
  const auto tell = [&] {
    for (; told < findings.size(); ++told)
      print(as_json ? json_of(findings[told]) : sentence_of(findings[told]));
  };
  const auto holder = app::holder_of_instance(house->settings);
  look_at_machine(*house, holder.has_value(), findings);
  tell();
  if (holder) {
    look_at_service(*house, *holder, trials, findings);
  } else {
    look_at_lines(*house, trials, findings);
  }
  tell();
  look_at_broker(*house, findings);
  look_at_bridges(*house, findings);
  look_at_journal(*house, holder.has_value(), findings);
  tell();
  look_at_sinks(*house, findings);
  tell();
  if (!as_json) print(summary(findings));
  const bool healthy = std::ranges::none_of(
      findings, [](const app::Finding& one) { return one.health == app::Health::bad; });
  return healthy ? exit_ok : exit_failed;
}

}  // namespace

const Command doctor_command{
    "doctor",
    "doctor [-c FILE] [--json] [--quick]",
    "says link by link, meter by meter, sink by sink what works and what to do",
    "Opens every link, reads every meter once, connects to the brokers and asks the sinks; then it "
    "says of each\nin words whether it works, what is wrong, and the one thing to do next. It only "
    "reads: nothing is published,\nand no sink gets a sample. Where a serial line brings nothing "
    "that is understood, other speeds are tried.\nWhile a service of this configuration runs, it "
    "holds the ports: then its own words count (its page, or its\nhealth topics at the broker).\n\n"
    "  meterbridge doctor -c meterbridge.yaml\n\n"
    "exit code: 0 all works, 1 something does not, 2 invalid configuration\n",
    options,
    run};

}  // namespace meterbridge::cli
