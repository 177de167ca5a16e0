// SPDX-License-Identifier: MIT
#include "app/version.hpp"

#include "cli/command.hpp"
#include "journal/sqlite.hpp"
#include "mqtt/broker.hpp"
#include "sink/mysql/mysql.hpp"
#include "sink/postgresql/postgresql.hpp"

#include <boost/version.hpp>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <spdlog/version.h>

namespace meterbridge::cli {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

// Of the databases that this program was built to write into.
std::string sink_libraries() {
  std::string text;
  for (const std::string& library :
       {sink::mysql::library_version(), sink::postgresql::library_version()}) {
    if (!library.empty()) text += ", " + library;
  }
  return text;
}

int run_version(const Arguments& arguments) {
  if (!arguments.words().empty()) {
    complain("meterbridge version: \"" + arguments.words().front() + "\" is not expected here");
    return exit_usage;
  }
  std::string text = "meterbridge " + std::string(app::version) + "\n";
  text += "build: " + std::string(app::build_type) + ", " + app::compiler + "\n";
  text += "libraries: " + mqtt::library_version() + ", " + OpenSSL_version(OPENSSL_VERSION) +
          std::string(journal::sqlite_version().empty() ? "" : ", SQLite ") +
          journal::sqlite_version() + sink_libraries() + ", Boost " +
          dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100) +
          ", nlohmann-json " +
          dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                 NLOHMANN_JSON_VERSION_PATCH) +
          ", spdlog " + dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH) + "\n";
  print(text);
  return exit_ok;
}

}  // namespace

const Command version_command{
    "version",
    "version",
    "version, build options, versions of libraries",
    "Prints what this program was built from; put it into every report of a fault.\n",
    {},
    run_version};

}  // namespace meterbridge::cli
