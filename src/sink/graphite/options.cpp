// SPDX-License-Identifier: MIT
#include "sink/graphite/options.hpp"

#include <array>
#include <utility>

namespace meterbridge::sink::graphite {
namespace {

using std::string_view_literals::operator""sv;
using Type = SettingType;

constexpr std::array transports{"tcp"sv, "udp"sv};
constexpr std::array layouts{"path"sv, "netz-noe"sv};

constexpr std::array table{
    SettingSpec{.name = "host", .help = "name or address of the server (needed)"},
    SettingSpec{.name = "port",
                .type = Type::integer,
                .help = "port of the plaintext protocol",
                .fallback = "2003",
                .minimum = 1,
                .maximum = 65535},
    SettingSpec{.name = "transport",
                .type = Type::choice,
                .help = "with udp nobody says what arrived",
                .fallback = "tcp",
                .choices = transports},
    SettingSpec{.name = "layout",
                .type = Type::choice,
                .help = "names after `path`, or those of the ESP32 logger for Netz NÖ: "
                        "BASE.momentanleistung.plus and so on, in W, Wh, V and A",
                .fallback = "path",
                .choices = layouts},
    SettingSpec{.name = "path",
                .help = "name of a series: letters, digits, -, _, points, and {base}, {instance}, "
                        "{meter}, {device} (of a sub-meter: the meter that it stands behind), "
                        "{serial}, {key}, {quantity}, {unit}",
                .fallback = "{base}.{meter}.{key}"},
    SettingSpec{.name = "base",
                .help = "what {base} stands for; without it meterbridge, in the layout netz-noe "
                        "smartmeter"},
    SettingSpec{.name = "confirm",
                .type = Type::boolean,
                .help = "tcp: each write is over when the server closed the connection, and so "
                        "read all of it; false for servers that keep it open",
                .fallback = "true"},
    SettingSpec{.name = "repeat",
                .type = Type::duration,
                .help = "tcp: what a server took so short before it went away is sent once more; "
                        "0s where points are counted or summed on their way",
                .fallback = "60s"},
    SettingSpec{.name = "timeout",
                .type = Type::duration,
                .help = "a server that did not take a write within this time has failed",
                .fallback = "10s"},
};

Error wrong(std::string text) {
  return {Errc::invalid, std::move(text)};
}

}  // namespace

std::span<const SettingSpec> specs() {
  return table;
}

Result<Options> options_of(const SettingValues& settings, const std::string& instance) {
  Options options;
  options.host = settings.text("host");
  if (options.host.empty()) return wrong("`host` is missing: the server's name or address");
  if (options.host.find_first_of(" /") != std::string::npos)
    return wrong("`host` is no name of a machine; the port has a setting of its own");
  options.port = static_cast<std::uint16_t>(settings.integer("port"));
  options.udp = settings.text("transport") == "udp";
  options.confirm = settings.boolean("confirm");
  options.repeat = settings.duration("repeat");
  options.timeout = settings.duration("timeout");
  if (options.timeout < std::chrono::milliseconds(100))
    return wrong("`timeout` is too short: 100ms at least");
  options.paths.netz_noe = settings.text("layout") == "netz-noe";
  auto pieces = parse_path(settings.text("path"));
  if (!pieces) return Error(pieces.error()).within("path");
  options.paths.pieces = std::move(*pieces);
  options.paths.instance = instance;
  options.paths.base = settings.text("base");
  if (options.paths.base.empty())
    options.paths.base = options.paths.netz_noe ? "smartmeter" : "meterbridge";
  if (node(options.paths.base, true) != options.paths.base)
    return wrong("`base`: only letters, digits, -, _ and points belong into a path");
  return options;
}

}  // namespace meterbridge::sink::graphite
