// SPDX-License-Identifier: MIT
// `doctor` on the lines: every meter is read once; where a serial line is not understood, other
// speeds are tried.
#include "app/once.hpp"
#include "app/poller.hpp"
#include "cli/doctor.hpp"
#include "cli/refusals.hpp"
#include "io/links.hpp"
#include "meter/proof.hpp"
#include "protocol/symptoms.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;
using config::LinkKind;
using namespace std::chrono_literals;

// Of one other speed: a meter that is asked, and one that sends by itself.
constexpr Milliseconds trial_of_polled = 2s;
constexpr Milliseconds longest_trial = 12s;
constexpr std::size_t most_trials = 8;

struct Patient {
  Patient() = default;
  meter::Meter* meter = nullptr;
  const config::LinkSettings* link = nullptr;
  app::OnceResult result;
  app::MeterEvidence evidence;
};

std::string address_of(const config::LinkSettings& link, const LineSettings& line) {
  switch (link.kind) {
    case LinkKind::serial:
      return link.serial + " " + line.text();
    case LinkKind::tcp:
      return link.host + ":" + std::to_string(link.port);
    case LinkKind::mqtt:
      return "topic " + link.topic;
    case LinkKind::replay:
      break;
  }
  return link.replay;
}

std::vector<std::string> present_ports() {
  std::vector<std::string> names;
  std::error_code failure;
  namespace fs = std::filesystem;
  for (fs::directory_iterator at("/dev/serial/by-id", failure), end; !failure && at != end;
       at.increment(failure))
    names.push_back(at->path().string());
  std::ranges::sort(names);
  return names;
}

bool opened(const Patient& patient) {
  return !patient.result.error || (patient.result.error->code() != Errc::no_device &&
                                   patient.result.error->code() != Errc::not_found);
}

bool understood(const Patient& patient) {
  return !patient.result.error || proves_frames(patient.result.error->code());
}

// --- other speeds -----------------------------------------------------------------------------

std::vector<LineSettings> lines_to_try(const app::MeterEvidence& evidence) {
  std::vector<LineSettings> lines;
  const auto add = [&](const LineSettings& line) {
    if (line != evidence.line && std::ranges::count(lines, line) == 0) lines.push_back(line);
  };
  // What the bytes look like comes first, then what the profile says.
  if (!evidence.heard.empty()) {
    if (const auto guess = protocol::guess_line(evidence.heard, evidence.typical, evidence.line))
      add(guess->line);
  }
  add(evidence.profile_line);
  for (const LineSettings& line : protocol::usual_lines())
    add(line);
  lines.resize(std::min(lines.size(), most_trials));
  return lines;
}

Milliseconds trial_limit(const meter::Meter& meter) {
  if (!meter.profile().protocol->pushes) return trial_of_polled;
  return std::min(longest_trial, meter.settings().interval * 2 + 1s);
}

// Telegrams that are whole, whatever they say, prove the line.
asio::awaitable<void> try_lines(const app::House& house, Patient& patient) {
  const auto executor = co_await asio::this_coro::executor;
  meter::Meter& meter = *patient.meter;
  for (const LineSettings& line : lines_to_try(patient.evidence)) {
    tell_progress("tries " + line.text() + " on " + patient.link->name);
    config::LinkSettings other = *patient.link;
    other.line = line;
    const auto transport = house.transport(executor, other, line);
    const auto open = co_await transport->open();
    if (!open) co_return;
    const auto end = app::Steady::now() + trial_limit(meter);
    auto dialogue = meter.driver().knock();
    bool fits = false;
    while (!fits && app::Steady::now() < end) {
      const auto left = std::chrono::duration_cast<Milliseconds>(end - app::Steady::now()) + 1ms;
      const auto got = co_await io::under_watchdog(io::converse(*transport, *dialogue), left);
      fits = got || proves_frames(got.error().code());
      const bool over = got || app::is_transport_error(got.error().code());
      if (over || !meter.profile().protocol->pushes) break;
    }
    transport->close();
    if (fits) {
      patient.evidence.works_at = line;
      co_return;
    }
    patient.evidence.tried.push_back(line);
  }
}

// A meter that sends: when bytes came that nobody understands. One that is asked: when nobody on
// its line answered. Not where another master talks, whose answers we would spoil.
bool worth_trying(const Patient& patient, const std::vector<Patient>& all) {
  if (patient.link->kind != LinkKind::serial || !opened(patient) || understood(patient))
    return false;
  const std::string& words = patient.result.error->detail();
  if (words.find("master") != std::string::npos) return false;
  const auto fault = fault_of(patient.result.error->code());
  if (fault == Fault::no_device || fault == Fault::starting) return false;
  if (patient.meter->profile().protocol->pushes) return !patient.result.heard.empty();
  const bool first = std::ranges::find(all, patient.link, &Patient::link)->meter == patient.meter;
  return first && std::ranges::none_of(all, [&](const Patient& other) {
           return other.link == patient.link && understood(other);
         });
}

asio::awaitable<void> try_all(const app::House& house, std::vector<Patient>& patients) {
  for (Patient& patient : patients) {
    if (!worth_trying(patient, patients)) continue;
    co_await try_lines(house, patient);
  }
}

// --- findings -----------------------------------------------------------------------------------

void fill(Patient& patient, const std::vector<Patient>& all) {
  app::MeterEvidence& evidence = patient.evidence;
  evidence.error = patient.result.error;
  evidence.took = patient.result.took;
  evidence.sent = patient.result.sent;
  evidence.heard = patient.result.heard;
  evidence.remark = patient.result.remark;
  evidence.readings = 0;
  for (const Sample& sample : patient.result.samples)
    evidence.readings += sample.readings.size();
  evidence.others_answer = std::ranges::any_of(all, [&](const Patient& other) {
    return &other != &patient && other.link == patient.link && understood(other);
  });
}

app::Finding link_finding(const config::LinkSettings& link, const std::vector<Patient>& all) {
  app::Finding finding("link", link.name);
  const Patient* one = nullptr;
  for (const Patient& patient : all) {
    if (patient.link != &link) continue;
    if (one == nullptr || opened(patient)) one = &patient;
  }
  finding.text = address_of(link, one->evidence.line);
  if (!opened(*one)) {
    finding.health = app::Health::bad;
    finding.fault = Fault::no_device;
    finding.text = one->result.error->detail();
    finding.advice = app::link_advice(*one->result.error, present_ports());
    return finding;
  }
  finding.text += link.kind == LinkKind::tcp ? " is connected" : " is open";
  if (link.kind == LinkKind::mqtt) finding.text = address_of(link, {}) + " is listened to";
  if (link.kind != LinkKind::serial) return finding;
  const auto stable = io::stable_name(link.serial);
  if (!stable) return finding;
  finding.health = app::Health::note;
  finding.text += "; its name may change when something is plugged in";
  finding.advice = "write serial: " + *stable;
  return finding;
}

app::Finding finding_of(const Patient& patient) {
  const std::string& id = patient.meter->settings().id;
  if (!opened(patient)) {
    app::Finding finding("meter", id);
    finding.health = app::Health::bad;
    finding.fault = Fault::no_device;
    finding.text = "cannot be read: its link \"" + patient.link->name + "\" does not open";
    finding.advice = app::fault_advice(Fault::no_device, patient.evidence);
    return finding;
  }
  app::Finding finding = app::meter_finding(id, patient.evidence);
  if (patient.result.error) return finding;
  std::set<ReadingKey> seen;
  for (const Sample& sample : patient.result.samples) {
    for (const Reading& reading : sample.readings)
      seen.insert(reading.key);
  }
  const meter::Profile& profile = patient.meter->profile();
  const auto known = meter::known_keys(profile, patient.meter->settings().protocol);
  finding.unseen = meter::unseen(profile, known, seen);
  return finding;
}

}  // namespace

app::MeterEvidence evidence_of(const app::House& house, const meter::Meter& meter) {
  const config::LinkSettings& link = *app::find_link(house.settings, meter.settings().link);
  app::MeterEvidence evidence;
  evidence.protocol = meter.profile().protocol;
  evidence.settings = &meter.settings().protocol;
  evidence.kind = link.kind;
  evidence.profile_line = meter.profile().line;
  evidence.line = link.line.value_or(meter.profile().line);
  evidence.echo = link.echo;
  evidence.typical = meter::simulated_push(meter.profile(), meter.settings().protocol);
  return evidence;
}

void look_at_lines(app::House& house, bool trials, Findings& findings) {
  std::vector<Patient> patients;
  std::vector<std::string> ids;
  if (house.meters.empty()) {
    app::Finding nobody("meters", "");
    nobody.health = app::Health::note;
    nobody.text = "none is configured";
    nobody.advice = "meterbridge scan --serial PORT finds those of one line";
    findings.push_back(std::move(nobody));
  }
  for (const auto& meter : house.meters) {
    const std::string& id = meter->settings().id;
    if (meter->settings().paused) {
      app::Finding paused("meter", id);
      paused.text = "is paused in the configuration, and was not asked";
      findings.push_back(std::move(paused));
      continue;
    }
    ids.push_back(id);
    Patient& patient = patients.emplace_back();
    patient.meter = meter.get();
    patient.link = app::find_link(house.settings, meter->settings().link);
    patient.evidence = evidence_of(house, *meter);
  }
  if (ids.empty()) return;
  Refusals refusals(house);
  app::OnceVeto veto = [&](const std::string& meter) { return refusals.veto(meter); };
  app::OnceSink sink = [&](const app::OnceResult& result) {
    if (result.error) refusals.failed(result.meter, *result.error);
    for (Patient& patient : patients) {
      if (patient.meter->settings().id == result.meter) patient.result = result;
    }
  };
  tell_progress("reads " + std::to_string(ids.size()) + (ids.size() == 1 ? " meter" : " meters"));
  asio::io_context context(1);
  asio::co_spawn(context, app::read_once(house, ids, sink, veto), asio::detached);
  context.run();
  if (trials) {
    for (Patient& patient : patients)
      fill(patient, patients);
    context.restart();
    asio::co_spawn(context, try_all(house, patients), asio::detached);
    context.run();
  }
  for (Patient& patient : patients)
    fill(patient, patients);
  for (const config::LinkSettings& link : house.settings.links) {
    if (std::ranges::find(patients, &link, &Patient::link) == patients.end()) continue;
    findings.push_back(link_finding(link, patients));
    for (const Patient& patient : patients) {
      if (patient.link == &link) findings.push_back(finding_of(patient));
    }
  }
}

}  // namespace meterbridge::cli
