// SPDX-License-Identifier: MIT
#include "config/tables.hpp"

#include <array>

namespace meterbridge::config {
namespace {

using std::string_view_literals::operator""sv;
using Type = SettingType;

constexpr std::array discovery_choices{"device"sv, "component"sv, "off"sv};
constexpr std::array language_choices{"en"sv, "de"sv, "hu"sv, "ru"sv};
constexpr std::array version_choices{"5"sv, "3.1.1"sv};
constexpr std::array hidden_choices{"hidden"sv};
constexpr std::array black_box_choices{"on"sv, "off"sv};
constexpr std::array journal_choices{"auto"sv, "on"sv, "memory"sv, "off"sv};
constexpr std::array mode_choices{"8N1"sv, "8N2"sv, "8E1"sv, "8E2"sv, "8O1"sv, "8O2"sv,
                                  "7N1"sv, "7N2"sv, "7E1"sv, "7E2"sv, "7O1"sv, "7O2"sv};

constexpr std::array tls_fields{
    Field{
        .spec = {.name = "ca",
                 .help =
                     "file with the authority's certificate (PEM); without it the system's store"}},
    Field{.spec = {.name = "certificate", .help = "file with the client's certificate (PEM)"}},
    Field{.spec = {.name = "key", .help = "file with the client's private key (PEM)"}},
    Field{.spec = {.name = "insecure",
                   .type = Type::boolean,
                   .help = "do not verify the broker at all; dangerous",
                   .fallback = "false"}},
};

constexpr std::array mqtt_fields{
    Field{
        .spec = {.name = "host", .help = "name or address of the broker", .fallback = "localhost"}},
    Field{.spec = {.name = "port",
                   .type = Type::integer,
                   .help = "port of the broker; 1883, with tls 8883",
                   .minimum = 1,
                   .maximum = 65535}},
    Field{.spec = {.name = "username", .help = "user at the broker"}},
    Field{.spec = {.name = "password",
                   .type = Type::secret,
                   .help = "password at the broker; better !secret NAME"}},
    Field{.spec = {.name = "client_id",
                   .help = "name towards the broker; without it a random one that is kept"}},
    Field{.spec = {.name = "base_topic",
                   .help = "first part of all our topics; without it the instance"}},
    Field{.spec = {.name = "qos",
                   .type = Type::integer,
                   .help = "quality of service of our messages",
                   .fallback = "1",
                   .minimum = 0,
                   .maximum = 2}},
    Field{.spec = {.name = "version",
                   .type = Type::choice,
                   .help = "MQTT version",
                   .fallback = "5",
                   .choices = version_choices}},
    Field{.spec = {.name = "keepalive",
                   .type = Type::duration,
                   .help = "a broker that is silent for so long (10s at least) is given up",
                   .fallback = "30s"},
          .least = Milliseconds(5000)},
    Field{.spec = {.name = "tls",
                   .type = Type::boolean,
                   .help = "encrypt the connection to the broker"},
          .section = &tls_section},
};

constexpr std::array homeassistant_fields{
    Field{.spec = {.name = "discovery",
                   .type = Type::choice,
                   .help = "device documents, one document per component (before Home Assistant "
                           "2024.11), or none",
                   .fallback = "device",
                   .choices = discovery_choices}},
    Field{.spec = {.name = "discovery_prefix",
                   .help = "Home Assistant's discovery prefix",
                   .fallback = "homeassistant"}},
    Field{.spec = {.name = "birth_topic",
                   .help = "where Home Assistant says that it is online",
                   .fallback = "homeassistant/status"}},
    Field{.spec = {.name = "language",
                   .type = Type::choice,
                   .help = "language of the entity names; identities do not change with it",
                   .fallback = "en",
                   .choices = language_choices}},
    Field{.spec = {.name = "link_availability_topic",
                   .help = "where the bridge of a broker says 1 or 0 (notification_topic in "
                           "mosquitto.conf): without 1 all entities are unavailable"}},
};

constexpr std::array http_fields{
    Field{.spec = {.name = "listen",
                   .help =
                       "address and port of the pages; 0.0.0.0:8099 for the whole network, where "
                       "everybody can read them then",
                   .fallback = "127.0.0.1:8099"}},
    Field{.spec = {.name = "edit",
                   .type = Type::boolean,
                   .help = "the configuration, secrets in it included, can be read and changed "
                           "there; only on 127.0.0.1 or [::1]"}},
};

constexpr std::array link_fields{
    Field{
        .spec = {.name = "serial",
                 .help =
                     "serial port: /dev/serial/by-id/..., usb:VID:PID[:SERIAL] or usb-path:1-1.2"}},
    Field{.spec = {.name = "tcp",
                   .help = "serial server as HOST:PORT, for example ser2net; rfc2217://HOST:PORT "
                           "where it speaks "
                           "RFC 2217 and sets speed and parity as we say"}},
    Field{.spec = {.name = "mqtt",
                   .help = "topic at the broker whose messages are the meter's telegrams, for "
                           "example tele/smartmeter/SENSOR; + and # as in MQTT"}},
    Field{.spec = {.name = "replay", .help = "file of captured bytes, played as a pushing meter"}},
    Field{.spec = {.name = "baud",
                   .type = Type::integer,
                   .help = "speed of the line; without it the profile's",
                   .minimum = 300,
                   .maximum = 921600}},
    Field{.spec = {.name = "mode",
                   .type = Type::choice,
                   .help = "data bits, parity and stop bits of the line; without it the profile's",
                   .choices = mode_choices}},
    Field{.spec = {.name = "echo",
                   .type = Type::boolean,
                   .help = "the adapter returns what is sent",
                   .fallback = "false"}},
    Field{.spec = {.name = "turnaround",
                   .type = Type::duration,
                   .help = "least pause between two exchanges",
                   .fallback = "50ms"}},
    Field{.spec = {.name = "failing_share",
                   .type = Type::integer,
                   .help = "percent of the line's time that meters which do not answer may cost "
                           "the others",
                   .fallback = "10",
                   .minimum = 1,
                   .maximum = 100}},
    Field{.spec = {.name = "silence",
                   .type = Type::duration,
                   .help = "reconnect when nothing valid came for so long; without it from the "
                           "meters' intervals"},
          .least = Milliseconds(1000)},
    Field{.spec = {.name = "usb_reset",
                   .type = Type::boolean,
                   .help = "when nothing else helps, reset the USB adapter of a serial port; needs "
                           "write access to its node below /dev/bus/usb",
                   .fallback = "false"}},
};

constexpr std::array telegram_fields{
    Field{.spec = {.name = "topic", .help = "full topic; without it <base>/<meter>/telegram"}},
    Field{.spec = {.name = "layout",
                   .help = "form of another program, for example okosmero; without it our own"}},
};

constexpr std::array meter_fields{
    Field{.spec = {.name = "id", .help = "the identity for ever: letters, digits, _ and -"},
          .required = true},
    Field{.spec = {.name = "name", .help = "shown name; without it the id"}},
    Field{.spec = {.name = "profile",
                   .help = "what kind of meter it is; see meterbridge profiles list"},
          .required = true},
    Field{.spec = {.name = "link", .help = "name of a link, or the link itself as a map"},
          .section = &link_section,
          .required = true},
    Field{.spec = {.name = "interval",
                   .type = Type::duration,
                   .help =
                       "time between two polls; for a meter that sends by itself its usual period"},
          .least = Milliseconds(100)},
    Field{.spec = {.name = "timeout",
                   .type = Type::duration,
                   .help = "limit for one whole poll; without it from profile and interval"},
          .least = Milliseconds(100)},
    Field{.spec = {.name = "paused",
                   .type = Type::boolean,
                   .help = "do not read this meter for now",
                   .fallback = "false"}},
    Field{.spec = {.name = "readings",
                   .type = Type::choice,
                   .help = "per reading key: hidden, or its name, factor and offset",
                   .choices = hidden_choices},
          .section = &reading_section,
          .many = Many::named},
    Field{.spec = {.name = "telegram",
                   .type = Type::boolean,
                   .help = "publish whole telegrams as JSON"},
          .section = &telegram_section},
    Field{.spec = {.name = "publish",
                   .type = Type::rate,
                   .help =
                       "how often values go out at most: one duration, `every` for each sample, or "
                       "one of these per reading key; without it counters every 60s, measured "
                       "values every 10s, all else when it changes"},
          .many = Many::one_or_named},
    Field{.spec = {.name = "max_power",
                   .help = "the most that can flow through this meter, for example 25kW: what its "
                           "counters and power readings are checked against"}},
    Field{.spec = {.name = "main_fuse",
                   .help = "the same from the fuse before the meter, for example 3x25A"}},
    Field{.spec = {.name = "guard",
                   .type = Type::boolean,
                   .help = "hold back counters that fall or leap; values out of their range too",
                   .fallback = "true"},
          .section = &guard_section},
    Field{.spec = {.name = "alarms",
                   .help = "what is told when it happens: limits of readings, silence, faults, "
                           "anomalies"},
          .section = &alarm_section,
          .many = Many::list,
          .scalar = false},
    Field{.spec = {.name = "anomalies",
                   .type = Type::boolean,
                   .help = "alarms of all kinds that compare readings with one another, with their "
                           "usual tolerances",
                   .fallback = "false"}},
};

constexpr std::array sink_fields{
    Field{.spec = {.name = "type",
                   .help = "its kind; may be left out where the name is one, such as csv"}},
    Field{.spec = {.name = "meters",
                   .help = "only the samples of these meters, by their ids; sub-meters follow "
                           "their meter; without it all"},
          .many = Many::list},
    Field{.spec = {.name = "batch",
                   .type = Type::integer,
                   .help = "samples that are written at once, at most",
                   .fallback = "500",
                   .minimum = 1,
                   .maximum = 500}},
    Field{.spec = {.name = "flush_interval",
                   .type = Type::duration,
                   .help = "a sample waits so long for others that are written with it, at most",
                   .fallback = "2s"},
          .least = Milliseconds(100)},
};

constexpr std::array journal_fields{
    Field{.spec = {.name = "store",
                   .type = Type::choice,
                   .help = "where: on a disk (on), in memory, or not at all; auto: on a disk when "
                           "a sink reads it",
                   .fallback = "auto",
                   .choices = journal_choices}},
    Field{.spec = {.name = "commit",
                   .type = Type::duration,
                   .help = "samples are written together after so long, or when they are many: "
                           "the most that a crash can cost; 0s writes each at once",
                   .fallback = "5s"}},
    Field{.spec = {.name = "sync",
                   .type = Type::duration,
                   .help = "what was written is forced onto the disk so often: with commit the "
                           "most that a power cut can cost; 0s forces each commit",
                   .fallback = "5m"}},
    Field{.spec = {.name = "keep",
                   .type = Type::duration,
                   .help = "older samples leave, unless a sink still wants them; 0s keeps all",
                   .fallback = "30d"}},
    Field{.spec = {.name = "size",
                   .help = "of the database, in kB, MB or GB; beyond it the oldest leave in any "
                           "case",
                   .fallback = "200MB"}},
    Field{.spec = {.name = "samples",
                   .type = Type::integer,
                   .help = "so many are kept in memory, with store: memory",
                   .fallback = "10000",
                   .minimum = 100,
                   .maximum = 1000000}},
};

constexpr std::array root_fields{
    Field{.spec = {.name = "instance",
                   .help = "part of every identity; two bridges in one house need two",
                   .fallback = "meterbridge"}},
    Field{.spec = {.name = "state_directory",
                   .help = "where the program keeps its state; without it $STATE_DIRECTORY or "
                           "/var/lib/meterbridge"}},
    Field{
        .spec = {.name = "profiles_directory",
                 .help =
                     "folder with meter profiles of your own (*.yaml), from where this file lies; "
                     "without it `profiles` beside this file"}},
    Field{
        .spec = {.name = "mqtt", .help = "the broker"}, .section = &mqtt_section, .scalar = false},
    Field{.spec = {.name = "homeassistant", .help = "what Home Assistant gets"},
          .section = &homeassistant_section,
          .scalar = false},
    Field{
        .spec = {.name = "http",
                 .help = "pages for monitoring: /healthz, /readyz, /metrics; without it there are "
                         "none"},
        .section = &http_section,
        .scalar = false},
    Field{.spec = {.name = "journal",
                   .type = Type::choice,
                   .help = "the store of samples: on, memory, off, or its settings as a map",
                   .choices = journal_choices},
          .section = &journal_section},
    Field{.spec = {.name = "black_box",
                   .type = Type::choice,
                   .help = "the last bytes of each line, for `capture` and `bundle`: on (the "
                           "default), off, or its settings as a map",
                   .choices = black_box_choices},
          .section = &black_box_section},
    Field{.spec = {.name = "links", .help = "the physical lines; meters share them"},
          .section = &link_section,
          .many = Many::named,
          .scalar = false},
    Field{.spec = {.name = "meters", .help = "the meters"},
          .section = &meter_section,
          .many = Many::list,
          .scalar = false},
    Field{.spec = {.name = "sinks",
                   .help = "files and databases that get every sample; a name of your own each"},
          .section = &sink_section,
          .many = Many::named,
          .scalar = false},
    Field{.spec = {.name = "bridges", .help = "further brokers, with which topics are exchanged"},
          .section = &bridge_section,
          .many = Many::list,
          .scalar = false},
};

}  // namespace

constinit const Section root_section{"the configuration", root_fields};
constinit const Section mqtt_section{"mqtt", mqtt_fields};
constinit const Section tls_section{"tls", tls_fields};
constinit const Section homeassistant_section{"homeassistant", homeassistant_fields};
constinit const Section http_section{"http", http_fields};
constinit const Section link_section{"a link", link_fields};
constinit const Section meter_section{"a meter", meter_fields};
constinit const Section telegram_section{"telegram", telegram_fields};
constinit const Section sink_section{"a sink", sink_fields};
constinit const Section journal_section{"journal", journal_fields};

}  // namespace meterbridge::config
