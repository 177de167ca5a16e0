// SPDX-License-Identifier: MIT
#include "sink/influxdb/options.hpp"

#include "core/text.hpp"
#include "sink/http_client.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::sink::influxdb {
namespace {

using std::string_view_literals::operator""sv;
using Type = SettingType;

constexpr std::array version_choices{"1"sv, "2"sv, "3"sv};
constexpr std::array measurement_choices{"meter"sv, "quantity"sv};
constexpr std::array precision_choices{"ms"sv, "s"sv};

constexpr std::array settings_table{
    SettingSpec{.name = "url", .help = "address of the server: http://localhost:8086"},
    SettingSpec{.name = "version",
                .type = Type::choice,
                .help = "InfluxDB 1.x, 2.x or 3 (what speaks like 2: VictoriaMetrics)",
                .fallback = "2",
                .choices = version_choices},
    SettingSpec{.name = "database", .help = "versions 1 and 3: database, which must exist"},
    SettingSpec{.name = "retention_policy",
                .help = "version 1: retention policy; without it the database's default"},
    SettingSpec{.name = "username", .help = "version 1: user, where the server asks for one"},
    SettingSpec{.name = "password",
                .type = Type::secret,
                .help = "version 1: password of the user; better !secret NAME"},
    SettingSpec{.name = "org", .help = "version 2: organisation"},
    SettingSpec{.name = "bucket", .help = "version 2: bucket, which must exist"},
    SettingSpec{.name = "token",
                .type = Type::secret,
                .help = "versions 2 and 3: token that may write; better !secret NAME"},
    SettingSpec{.name = "measurement",
                .type = Type::choice,
                .help = "one measurement for each meter, with a field for each reading key; or one "
                        "for each quantity, with meter, direction, phase and tariff as tags",
                .fallback = "meter",
                .choices = measurement_choices},
    SettingSpec{.name = "precision",
                .type = Type::choice,
                .help = "of times; with s the last sample of a second is the one that stays",
                .fallback = "ms",
                .choices = precision_choices},
    SettingSpec{.name = "gzip",
                .type = Type::boolean,
                .help = "compress what is sent, from one packet on",
                .fallback = "true"},
    SettingSpec{.name = "timeout",
                .type = Type::duration,
                .help = "a server that did not answer a write within this time has failed",
                .fallback = "10s"},
    SettingSpec{.name = "tls_ca",
                .help = "file with the authority's certificate (PEM); without it the system's "
                        "store"},
    SettingSpec{.name = "tls_certificate", .help = "file with our certificate (PEM)"},
    SettingSpec{.name = "tls_key", .help = "file with our private key (PEM)"},
    SettingSpec{.name = "tls_insecure",
                .type = Type::boolean,
                .help = "do not verify the server at all; dangerous",
                .fallback = "false"},
};

struct Belongs {
  std::string_view setting;
  std::string_view versions;
};

constexpr std::array belongings{
    Belongs{"database", "13"}, Belongs{"retention_policy", "1"},
    Belongs{"username", "1"},  Belongs{"password", "1"},
    Belongs{"org", "2"},       Belongs{"bucket", "2"},
    Belongs{"token", "23"},
};

Error wrong(std::string text) {
  return {Errc::invalid, std::move(text)};
}

Result<> check_version(const SettingValues& settings, const std::string& version) {
  for (const Belongs& row : belongings) {
    if (!settings.has(row.setting) || row.versions.find(version) != std::string_view::npos)
      continue;
    std::string owners = row.versions.size() > 1 ? "s " : " ";
    owners += row.versions.front();
    if (row.versions.size() > 1) owners += std::string(" and ") + row.versions.back();
    return wrong("`" + std::string(row.setting) + "` belongs to version" + owners +
                 " of InfluxDB, and `version` is " + version);
  }
  const std::string needed = version == "2" ? "bucket" : "database";
  if (settings.text(needed).empty())
    return wrong("`" + needed + "` is missing: version " + version + " of InfluxDB needs it");
  if (settings.has("username") != settings.has("password"))
    return wrong("`username` and `password` belong together: one is missing");
  return {};
}

// Who names a certificate wants to be safe; without https:// nothing would be.
Result<> check_tls(const SettingValues& settings, const Url& url) {
#ifdef METERBRIDGE_WITHOUT_TLS
  if (url.tls) return wrong("`url` begins with https://, and this program was built without TLS");
#endif
  for (const std::string_view name : {"tls_ca", "tls_certificate", "tls_key"}) {
    if (!url.tls && !settings.text(name).empty())
      return wrong("`" + std::string(name) +
                   "` belongs to https://, and `url` begins with http://");
  }
  if (!url.tls && settings.boolean("tls_insecure"))
    return wrong("`tls_insecure` belongs to https://, and `url` begins with http://");
  if (settings.text("tls_certificate").empty() != settings.text("tls_key").empty())
    return wrong("`tls_certificate` and `tls_key` belong together: one is missing");
  return {};
}

// What becomes part of a header line must not end it.
bool fits_header(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c != 0x7f; });
}

void address(const SettingValues& settings, Options& options) {
  const auto query = [&](std::string_view name, std::string_view setting) {
    const std::string value = settings.text(setting);
    if (value.empty()) return;
    options.target += options.target.ends_with('?') ? "" : "&";
    options.target += std::string(name) + "=" + percent_encoded(value);
  };
  options.target = options.url.path + (options.version == 1 ? "/write?" : "/api/v2/write?");
  query("db", options.version == 1 ? "database" : "");
  query("rp", "retention_policy");
  query("org", "org");
  // Version 3 takes the writes of version 2, and calls its database a bucket there.
  query("bucket", options.version == 2 ? "bucket" : options.version == 3 ? "database" : "");
  query("precision", "precision");
}

void log_in(const SettingValues& settings, Options& options) {
  const std::string user = settings.text("username");
  const Secret token = settings.secret("token");
  if (!user.empty()) {
    options.login = Secret(basic_authorization(user, settings.secret("password").reveal()));
  } else if (!token.empty()) {
    options.login = Secret("Authorization: Token " + token.reveal() + "\r\n");
  }
}

}  // namespace

std::span<const SettingSpec> specs() {
  return settings_table;
}

Result<Options> options_of(const SettingValues& settings) {
  Options options;
  if (settings.text("url").empty())
    return wrong("`url` is missing: the address of the server, like http://localhost:8086");
  auto url = parse_url(settings.text("url"));
  if (!url) return Error(url.error()).within("url");
  options.url = std::move(*url);
  if (auto checked = check_tls(settings, options.url); !checked) return checked.error();
  const std::string version = settings.text("version");
  if (auto checked = check_version(settings, version); !checked) return checked.error();
  if (!fits_header(settings.secret("token").reveal()))
    return wrong("`token` holds a line end or another control character: was it copied whole?");
  if (settings.text("username").find(':') != std::string::npos)
    return wrong("`username`: a colon has no place in a user's name");
  options.version = version.front() - '0';
  const std::string_view needed = options.version == 2 ? "bucket" : "database";
  options.place = std::string(needed) + " \"" + sanitised(settings.text(needed), 80) + "\"";
  options.form.measurement =
      settings.text("measurement") == "quantity" ? Measurement::quantity : Measurement::meter;
  options.form.precision =
      settings.text("precision") == "s" ? Precision::seconds : Precision::milliseconds;
  options.form.all_tags = options.version == 3;
  address(settings, options);
  log_in(settings, options);
  options.gzip = settings.boolean("gzip");
  options.timeout = settings.duration("timeout");
  if (options.timeout < std::chrono::milliseconds(100))
    return wrong("`timeout` is too short: 100ms at least");
  options.tls = {settings.text("tls_ca"), settings.text("tls_certificate"),
                 settings.text("tls_key"), settings.boolean("tls_insecure")};
  return options;
}

}  // namespace meterbridge::sink::influxdb
