// SPDX-License-Identifier: MIT
#include "app/diagnosis.hpp"

#include "protocol/symptoms.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::app {
namespace {

using config::LinkKind;

// By words of our own errors: the first that is found counts.
struct Hint {
  std::string_view words;
  std::string_view advice;
};

constexpr std::array link_hints{
    Hint{"holds", "end that program: a port has one reader"},
    Hint{"is unknown", "mend the name, or write the address in numbers"},
    Hint{"name server does not answer",
         "look after this machine's network, or write the address "
         "in numbers"},
    Hint{"has no address", "mend the name, or write the address in numbers"},
    Hint{"refuses the connection",
         "switch the gateway's TCP server on and compare the port (one that serves a single client "
         "may be busy)"},
    Hint{"does not answer", "see that it is switched on and in this network: ping it"},
    Hint{"cannot be reached", "see that this machine is in the gateway's network"},
    Hint{"is not a serial port", "name the device of the adapter: ls -l /dev/serial/by-id"},
    Hint{"map the device", "map the device into the container (devices: in compose.yaml)"},
    Hint{"several ports", "name the one that is meant by its usb-path"},
    Hint{"was played to its end", "give the link another file"},
    Hint{"cannot be played", "give the link a file that can be read"},
    Hint{"broker", "see the row of the broker"},
};

constexpr std::array broker_hints{
    Hint{"without a user name", "set `username` and `password` of a user that the broker knows"},
    Hint{"banned", "lift the ban at the broker"},
    Hint{"refuses the login",
         "compare `username` and `password` with those of the broker (Home "
         "Assistant: a user of its own, or a login of the Mosquitto app)"},
    Hint{"is unknown", "mend the name in `host`, or write the address in numbers"},
    Hint{"look-up of the name",
         "look after this machine's name server, or write the address in "
         "numbers"},
    Hint{"no broker listens", "start the broker, and compare `port` (1883, with TLS 8883)"},
    Hint{"during the handshake", "compare `port` (8883 is usual), or take `tls` out"},
    Hint{"unknown authority", "name the authority's certificate in `tls: {ca: FILE}`"},
    Hint{"expired", "renew the broker's certificate"},
    Hint{"not valid before",
         "set the clock of this machine, or of the one that made the "
         "certificate"},
    Hint{"for another name", "write in `host` the name that the certificate is for"},
    Hint{"client certificate", "set `certificate` and `key` under `tls`"},
    Hint{"unreachable", "see that this machine is in the broker's network"},
    Hint{"TLS", "mend what the words say about `tls`"},
    Hint{"client id", "take `client_id` out, or choose another one"},
};

constexpr std::array sink_hints{
    Hint{"does not find", "create it there"},
    // Of the databases: the words after their name are the server's own.
    Hint{" to database '", "grant this user the rights on that database"},
    Hint{"Access denied", "compare `username` and `password` with those of the database"},
    Hint{"password authentication failed",
         "compare `username` and `password` with those of the database"},
    Hint{"no password supplied", "set `password`; write it as !secret"},
    Hint{"role \"", "create that user in the database, or mend `username`"},
    Hint{"pg_hba.conf", "allow this machine, user and database in the server's pg_hba.conf"},
    Hint{"Unknown database", "create the database there, or mend its name"},
    Hint{"database \"", "create the database there, or mend its name"},
    Hint{"lacks the rights", "grant this user these rights (docs/sql.md)"},
    Hint{"command denied", "grant this user the rights on that database"},
    Hint{"permission denied", "grant this user the rights on that database and its schema"},
    Hint{"client library is not installed", "install it, as the words say"},
    Hint{"was built without", "use a build that has it, or another sink"},
    Hint{"by a newer", "update this program, or choose another `prefix`"},
    Hint{"is there TLS", "name the authority in `tls_ca`; in a network that you trust: tls: false"},
    Hint{"Unknown server host", "mend the name, or write the address in numbers"},
    Hint{"could not translate host name", "mend the name, or write the address in numbers"},
    Hint{"is not known", "mend the name, or write the address in numbers"},
    Hint{"onnection refused", "start the server, and compare the port"},
    Hint{"Can't connect", "start the server, and compare the port or `socket`"},
    Hint{"No such file", "compare `socket` with the server's own, and see that it runs"},
    Hint{"refuses the login", "compare the login with that of the database; write it as !secret"},
    Hint{"does not let us write", "give that user or token the right to write there"},
    Hint{"knows no address", "compare `url` and `version` with the server's documentation"},
    Hint{"sends us elsewhere", "write the address that it names into `url`"},
    Hint{"not as a database", "write the address of the database into `url`, not that of a page"},
    Hint{"is this InfluxDB", "compare `url` and `version`"},
    Hint{"is full", "delete something there, or name another directory"},
    Hint{"no more files", "delete something there, or name another directory"},
    Hint{"read-only", "mount it writable, or name another directory"},
    Hint{"no permission to write", "give this user the directory by chown, or name another one"},
    Hint{"is a file", "name another directory"},
    Hint{"is unknown", "mend the name, or write the address in numbers"},
    Hint{"name server", "look after this machine's network"},
    Hint{"refuses the connection", "start the server, and compare the port"},
    Hint{"certificate", "mend what the words say about the certificate (tls_ca, or the name)"},
    Hint{"TLS", "compare http:// and https:// in `url`"},
    Hint{"cannot be reached", "see that this machine is in the server's network"},
};

std::string hint(std::span<const Hint> hints, std::string_view words) {
  const auto found = std::ranges::find_if(
      hints, [words](const Hint& one) { return words.find(one.words) != std::string_view::npos; });
  return found == hints.end() ? std::string() : std::string(found->advice);
}

enum class Way : std::uint8_t { any, serial, tcp, mqtt };
enum class Talk : std::uint8_t { any, polled, pushed };

struct Advice {
  Fault fault;
  Way way;
  Talk talk;
  std::string_view protocol;  // empty = any
  std::string_view text;      // %line% is the line of the profile
};

constexpr std::array advices{
    Advice{Fault::no_bytes, Way::mqtt, Talk::any, "",
           "see whether anything is published on this topic: mosquitto_sub -v -t TOPIC"},
    Advice{Fault::no_bytes, Way::any, Talk::pushed, "p1",
           "check the cable (data request and ground), and whether the grid operator has to switch "
           "the port on"},
    Advice{Fault::no_bytes, Way::any, Talk::pushed, "sml",
           "check that the optical head sits straight on the meter's infrared eye and has power"},
    Advice{Fault::no_bytes, Way::any, Talk::pushed, "dlms",
           "check the cable and the adapter (M-Bus needs a level converter), and whether the grid "
           "operator has to switch the customer interface on"},
    Advice{Fault::no_bytes, Way::tcp, Talk::pushed, "",
           "check the wire between gateway and meter, and the gateway's serial speed (%line%)"},
    Advice{Fault::no_bytes, Way::any, Talk::pushed, "",
           "check the wire from the meter to the adapter"},
    Advice{
        Fault::no_bytes, Way::any, Talk::polled, "iec62056-21",
        "check that the optical head sits straight on the meter's eye (or A and B of its RS-485), "
        "and the address"},
    Advice{Fault::no_bytes, Way::tcp, Talk::polled, "",
           "compare the meter's address and the gateway's serial speed (%line%); then swap the "
           "wires A and B"},
    Advice{Fault::no_bytes, Way::any, Talk::any, "",
           "compare the meter's address and speed (%line%) with its display; then swap the wires A "
           "and B"},
    Advice{Fault::no_frame, Way::mqtt, Talk::any, "",
           "choose the profile that fits these messages: meterbridge profiles list"},
    Advice{Fault::no_frame, Way::tcp, Talk::any, "",
           "compare the gateway's serial speed and mode (%line%), and let it pass the bytes "
           "unchanged (raw, transparent)"},
    Advice{Fault::no_frame, Way::any, Talk::any, "",
           "compare speed and parity with the meter's manual (%line% is usual), and the wires"},
    Advice{Fault::bad_checksum, Way::mqtt, Talk::any, "",
           "look after the program that publishes these messages: it spoils them"},
    Advice{Fault::bad_checksum, Way::any, Talk::any, "",
           "look for a disturbance: a long or unshielded cable, missing terminating resistors, a "
           "loose contact"},
    Advice{Fault::not_understood, Way::any, Talk::any, "",
           "choose the profile of exactly this model: meterbridge profiles list"},
    Advice{Fault::refused, Way::any, Talk::any, "",
           "look at the value; if it is right, press \"accept\" in Home Assistant"},
    Advice{Fault::no_device, Way::any, Talk::any, "", "see its link"},
    Advice{Fault::starting, Way::any, Talk::any, "", "wait, and ask again"},
};

Way way_of(LinkKind kind) {
  switch (kind) {
    case LinkKind::serial:
      return Way::serial;
    case LinkKind::tcp:
      return Way::tcp;
    case LinkKind::mqtt:
      return Way::mqtt;
    case LinkKind::replay:
      break;
  }
  return Way::any;
}

std::string key_advice(Errc code, std::string_view protocol) {
  if (code == Errc::authentication)
    return "compare `authentication_key` and `key` digit by digit with the grid operator's letter: "
           "two keys of 32 digits that are often exchanged";
  return "ask the grid operator for the key of exactly this meter and set it: `key: !secret NAME`" +
         std::string(protocol == "dlms" ? " (called GUEK, or encryption key)" : "");
}

// Where the kind of an error says more than the step of the ladder.
std::string code_advice(const Error& error, const MeterEvidence& evidence) {
  switch (error.code()) {
    case Errc::key:
    case Errc::authentication:
      return key_advice(error.code(), evidence.protocol->name);
    case Errc::access:
      return "write the right password into the configuration; a refused one is not sent again, "
             "because meters lock themselves";
    case Errc::replay:
      return "see that nothing replays old telegrams; after a new meter remove its state by "
             "`meterbridge clear`";
    default:
      return {};
  }
}

bool is_mute(Fault fault) {
  return fault == Fault::no_bytes || fault == Fault::no_frame || fault == Fault::bad_checksum;
}

std::optional<protocol::Symptom> symptom_of(const MeterEvidence& evidence) {
  protocol::Conversation talk;
  talk.protocol = evidence.protocol;
  talk.settings = evidence.settings;
  talk.line = evidence.line;
  talk.serial = evidence.kind == LinkKind::serial;
  talk.sent = evidence.echo ? Bytes() : evidence.sent;
  talk.heard = evidence.heard;
  talk.typical = evidence.typical;
  return protocol::symptom_of(talk);
}

std::string in_seconds(Milliseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

// What came first is what we sent first. Requests are told from answers by their first bytes.
bool echoes(const MeterEvidence& evidence) {
  constexpr std::size_t telling = 8;
  const auto size = std::min({telling, evidence.sent.size(), evidence.heard.size()});
  return !evidence.echo && size >= 4 &&
         std::equal(evidence.sent.begin(),
                    evidence.sent.begin() + static_cast<std::ptrdiff_t>(size),
                    evidence.heard.begin());
}

void say_good(Finding& finding, const MeterEvidence& evidence) {
  finding.fault = Fault::ok;
  finding.text = std::to_string(evidence.readings) +
                 (evidence.readings == 1 ? " reading in " : " readings in ") +
                 in_seconds(evidence.took);
  if (evidence.remark.empty() && !echoes(evidence)) return;
  finding.health = Health::note;
  if (evidence.remark.empty()) {
    finding.text += "; the adapter returns what is sent to it (echo)";
    finding.advice = "set `echo: true` at the link";
    return;
  }
  finding.text += "; " + evidence.remark;
  if (evidence.remark.find("master") != std::string::npos)
    finding.advice =
        "let only one program ask on this line: end the other one, or let it read from "
        "the broker";
}

void say_line(Finding& finding, const MeterEvidence& evidence, const LineSettings& line) {
  const std::string text = line.text();
  finding.text += "; at " + text + " it is understood";
  finding.advice =
      "set `baud: " + std::to_string(line.baud) +
      "` and `mode: " + text.substr(text.find(' ') + 1) + "` at the link" +
      (line == evidence.profile_line ? ", or take both out: the profile has them" : "");
}

}  // namespace

std::string_view name(Health health) noexcept {
  constexpr std::array<std::string_view, 3> names{"ok", "note", "bad"};
  return names[static_cast<std::size_t>(health)];
}

std::string fault_advice(Fault fault, const MeterEvidence& evidence) {
  if (fault == Fault::wrong_key) return key_advice(Errc::key, evidence.protocol->name);
  if (fault == Fault::no_bytes && evidence.others_answer)
    return "check this meter's address, its wires and its power: others on the line answer";
  const Way way = way_of(evidence.kind);
  const Talk talk = evidence.protocol->pushes ? Talk::pushed : Talk::polled;
  const auto* const found = std::ranges::find_if(advices, [&](const Advice& one) {
    return one.fault == fault && (one.way == Way::any || one.way == way) &&
           (one.talk == Talk::any || one.talk == talk) &&
           (one.protocol.empty() || one.protocol == evidence.protocol->name);
  });
  if (found == advices.end()) return {};
  std::string text(found->text);
  constexpr std::string_view mark = "%line%";
  if (const auto at = text.find(mark); at != std::string::npos)
    text.replace(at, mark.size(), evidence.profile_line.text());
  return text;
}

Finding meter_finding(std::string name, const MeterEvidence& evidence) {
  Finding finding("meter", std::move(name));
  if (!evidence.error) {
    say_good(finding, evidence);
    return finding;
  }
  const Error& error = *evidence.error;
  const Fault fault = error.code() == Errc::watchdog && evidence.heard.empty()
                          ? Fault::no_bytes
                          : fault_of(error.code());
  finding.health = Health::bad;
  finding.fault = fault;
  finding.text = error.detail();
  if (error.code() == Errc::watchdog && evidence.heard.empty() && evidence.protocol->pushes)
    finding.text = "nothing came within " + in_seconds(evidence.took);
  finding.advice = code_advice(error, evidence);
  if (evidence.works_at) {
    say_line(finding, evidence, *evidence.works_at);
    return finding;
  }
  if (is_mute(fault)) {
    if (const auto symptom = symptom_of(evidence)) {
      finding.text += "; " + symptom->words;
      finding.advice = symptom->advice;
      return finding;
    }
  }
  if (!evidence.tried.empty()) {
    finding.text += "; other speeds were tried in vain:";
    for (const LineSettings& line : evidence.tried)
      finding.text += (line == evidence.tried.front() ? " " : ", ") + line.text();
  }
  if (error.detail().find("another master") != std::string::npos)
    finding.advice = "let only one program ask on this line: end the other one";
  if (finding.advice.empty()) finding.advice = fault_advice(fault, evidence);
  return finding;
}

std::string link_advice(const Error& error, const std::vector<std::string>& present) {
  const std::string& words = error.detail();
  // Permissions: the words end with what to do.
  if (words.find("no permission to open") != std::string::npos)
    return words.substr(words.rfind("; ") + 2);
  if (words.find("is absent") != std::string::npos || words.find("is gone") != std::string::npos) {
    std::string text = "plug the adapter in";
    for (const std::string& port : present)
      text += (port == present.front() ? ", or name one that is there: " : ", ") + port;
    return text;
  }
  const std::string advice = hint(link_hints, words);
  return advice.empty() ? "unplug the adapter and plug it in again, or restart the gateway"
                        : advice;
}

std::string sink_advice(const Error& error, std::string_view section) {
  std::string advice = hint(sink_hints, error.detail());
  if (advice.empty()) advice = "see that the server runs and is healthy";
  return advice + " (section " + std::string(section) + ")";
}

std::string broker_advice(const Error& error, std::string_view section) {
  std::string advice = hint(broker_hints, error.detail());
  if (advice.empty()) advice = "see that the broker runs, and that `host` and `port` are right";
  return advice + " (section " + std::string(section) + ")";
}

}  // namespace meterbridge::app
