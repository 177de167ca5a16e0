// SPDX-License-Identifier: MIT
#include "sink/sql/options.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::sink::sql {
namespace {

using Type = SettingType;

constexpr std::array table{
    SettingSpec{.name = "host", .help = "name or address of the server (this, or `socket`)"},
    SettingSpec{.name = "port",
                .type = Type::integer,
                .help = "port of the server; without it 3306 for MySQL, 5432 for PostgreSQL",
                .minimum = 1,
                .maximum = 65535},
    SettingSpec{.name = "socket",
                .help = "a server on this machine: MySQL's socket (/run/mysqld/mysqld.sock), or "
                        "the folder of PostgreSQL's (/run/postgresql)"},
    SettingSpec{.name = "database", .help = "name of the database, which must exist (needed)"},
    SettingSpec{.name = "username", .help = "user of the database (needed)"},
    SettingSpec{.name = "password",
                .type = Type::secret,
                .help = "password of the user; better !secret NAME"},
    SettingSpec{.name = "prefix",
                .help = "what the names of our tables begin with: small letters, digits, _",
                .fallback = "meterbridge_"},
    SettingSpec{.name = "tls",
                .type = Type::boolean,
                .help = "encrypted and the server's certificate verified; without this setting so "
                        "for every server but those on this machine"},
    SettingSpec{.name = "tls_ca",
                .help = "file with the authority's certificate (PEM); without it the system's "
                        "store"},
    SettingSpec{.name = "tls_certificate", .help = "file with our certificate (PEM)"},
    SettingSpec{.name = "tls_key", .help = "file with our private key (PEM)"},
    SettingSpec{.name = "tls_insecure",
                .type = Type::boolean,
                .help = "do not verify the server at all; dangerous",
                .fallback = "false"},
    SettingSpec{.name = "timeout",
                .type = Type::duration,
                .help = "a server that did not answer within this time has failed",
                .fallback = "10s"},
};

Error wrong(std::string text) {
  return {Errc::invalid, std::move(text)};
}

bool is_on_this_machine(const Options& options) {
  return !options.socket.empty() || options.host == "localhost" || options.host == "::1" ||
         options.host.starts_with("127.");
}

Result<> read_place(const SettingValues& settings, std::uint16_t usual_port, Options& options) {
  options.host = settings.text("host");
  options.socket = settings.text("socket");
  options.port =
      settings.has("port") ? static_cast<std::uint16_t>(settings.integer("port")) : usual_port;
  if (options.host.empty() && options.socket.empty())
    return wrong("`host` is missing: the server's name or address (or `socket`)");
  if (!options.socket.empty() && (!options.host.empty() || settings.has("port")))
    return wrong("`socket` stands in place of `host` and `port`: leave one of them away");
  if (options.host.find_first_of(" /,@") != std::string::npos)
    return wrong(
        "`host` is no name of a machine; port, user and database have settings of their "
        "own");
  if (!options.socket.empty() && !options.socket.starts_with('/'))
    return wrong("`socket` is a path that begins with /");
  return {};
}

Result<> read_tls(const SettingValues& settings, Options& options) {
  options.tls = settings.has("tls") ? settings.boolean("tls") : !is_on_this_machine(options);
  options.insecure = settings.boolean("tls_insecure");
  options.ca = settings.text("tls_ca");
  options.certificate = settings.text("tls_certificate");
  options.key = settings.text("tls_key");
  const bool named = !options.ca.empty() || !options.certificate.empty() || !options.key.empty() ||
                     options.insecure;
  // Who names a certificate wants to be safe.
  if (named && !options.tls)
    return wrong("certificates and `tls_insecure` belong to `tls: true`, which is not on here");
  if (options.certificate.empty() != options.key.empty())
    return wrong("`tls_certificate` and `tls_key` belong together: one is missing");
  return {};
}

}  // namespace

std::string Options::place() const {
  if (!socket.empty()) return socket;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::span<const SettingSpec> specs() {
  return table;
}

Result<Options> options_of(const SettingValues& settings, std::uint16_t usual_port) {
  Options options;
  if (auto read = read_place(settings, usual_port, options); !read) return read.error();
  options.database = settings.text("database");
  options.username = settings.text("username");
  options.password = settings.secret("password");
  options.prefix = settings.text("prefix");
  if (options.database.empty()) return wrong("`database` is missing: it must exist on the server");
  if (options.username.empty()) return wrong("`username` is missing: a user of the database");
  if (auto read = read_tls(settings, options); !read) return read.error();
  const bool plain = std::ranges::all_of(options.prefix, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  const bool digit =
      !options.prefix.empty() && options.prefix.front() >= '0' && options.prefix.front() <= '9';
  if (!plain || digit || options.prefix.size() > 40)
    return wrong(
        "`prefix` begins the names of tables: small letters, digits and _, 40 at most, no "
        "digit first");
  options.timeout = settings.duration("timeout");
  if (options.timeout < std::chrono::seconds(1))
    return wrong("`timeout` is too short: 1s at least");
  return options;
}

}  // namespace meterbridge::sink::sql
