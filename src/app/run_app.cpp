// SPDX-License-Identifier: MIT
#include "app/run_app.hpp"

#include "app/log.hpp"
#include "app/log_ring.hpp"
#include "app/waiting.hpp"
#include "app/write_log.hpp"
#include "io/state_file.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

namespace meterbridge::app {
namespace {

constexpr std::uint16_t ingress_port = 8099;
// Where ingress and the watchdog come from.
constexpr std::string_view supervisor_address = "172.30.32.2";

std::string environment(const char* name, std::string_view fallback) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::string(fallback) : std::string(value);
}

AppOptions read_options() {
  const std::string path = environment("METERBRIDGE_OPTIONS", "/data/options.json");
  auto text = io::read_whole(path);
  if (!text) {
    log::warn("the app's options cannot be read, all have their defaults: {}",
              text.error().detail());
    return {};
  }
  std::vector<std::string> remarks;
  AppOptions options = parse_options(*text, remarks);
  for (const std::string& remark : remarks)
    log::warn("{}", remark);
  return options;
}

void set_level(const std::string& level) {
  spdlog::set_level(level == "error"     ? spdlog::level::err
                    : level == "warning" ? spdlog::level::warn
                    : level == "debug"   ? spdlog::level::debug
                    : level == "trace"   ? spdlog::level::trace
                                         : spdlog::level::info);
}

// At the first start; what is there is never touched.
void write_example(const std::string& path) {
  std::error_code failed;
  const auto type = std::filesystem::symlink_status(path, failed).type();
  if (type != std::filesystem::file_type::not_found) return;
  const auto written = io::write_atomically(path, example_configuration());
  if (written) {
    log::info("{} was written: an example, in which everything is a comment", path);
  } else {
    log::error("an example could not be written: {}", written.error().detail());
  }
}

// While nothing runs that must be ended, and nobody else hears the signals. 143 would make the
// Supervisor complain.
void end_in_order() {
  for (const int number : {SIGTERM, SIGINT})
    (void)std::signal(number, [](int) { std::_Exit(0); });
}

http::ServerOptions ingress_pages() {
  http::ServerOptions pages;
  pages.address = "0.0.0.0";
  pages.port = ingress_port;
  const std::string port = environment("METERBRIDGE_APP_PORT", "");
  if (!port.empty())
    pages.port = static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10));
  pages.peers = {std::string(supervisor_address)};
  pages.log = write_log;
  return pages;
}

}  // namespace

int run_app(const std::optional<std::string>& log_level) {
  end_in_order();
  attach_log_ring();
  // /data is what the Supervisor keeps and backs up. For this process and nobody else.
  (void)::setenv("STATE_DIRECTORY", "/data", 0);  // NOLINT(concurrency-mt-unsafe): no threads yet
  Surroundings around;
  around.app.emplace();
  AppPlace& place = *around.app;
  place.options = read_options();
  set_level(log_level.value_or(place.options.log_level));
  place.supervisor = environment("METERBRIDGE_SUPERVISOR", "http://supervisor");
  place.token = Secret(environment("SUPERVISOR_TOKEN", ""));
  (void)::unsetenv("SUPERVISOR_TOKEN");  // NOLINT(concurrency-mt-unsafe)
  place.pages = ingress_pages();
  const ConfigurationFile file(place.options.configuration);
  write_example(file.path());
  auto loaded = wait_for_configuration(file, place.pages, file.load());
  if (!loaded) return 0;
  end_in_order();
  House house = std::move(*loaded->house);
  complete(house.settings.mqtt, place.options, std::nullopt);
  around.stamp = std::move(loaded->stamp);
  around.problems = std::move(loaded->verdict.problems);
  Service service(std::move(house), file.path(), std::move(around));
  return service.run();
}

}  // namespace meterbridge::app
