// SPDX-License-Identifier: MIT
#include "cli/bundle.hpp"

#include "cli/capture.hpp"
#include "cli/house.hpp"
#include "core/text.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <sys/utsname.h>

namespace meterbridge::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array options{
    config_option,
    Option{"--kept", "", "", "the newest case that the service kept when the meter failed"},
    Option{"--from", "", "CAPTURE", "a file that `capture` wrote, of this meter"},
    Option{"--for", "", "DURATION", "without a service: read the meter for so long, e.g. 60s"},
    Option{"--output", "-o", "FILE", "write there instead of standard output"},
};

Error usage(std::string text) {
  return {Errc::invalid, std::move(text)};
}

std::string line_of(const std::string& file, std::string_view begin) {
  const auto text = read_file(file);
  if (!text) return {};
  const std::size_t at = text->find(begin);
  if (at == std::string::npos) return {};
  const std::size_t from = at + begin.size();
  return std::string(trimmed(std::string_view(*text).substr(from, text->find('\n', from) - from)));
}

// Of the adapter behind /dev/ttyUSB0: its kind, never its serial number.
std::string usb_of(const std::string& port) {
  std::error_code failed;
  const fs::path tty = fs::canonical(port, failed).filename();
  fs::path place = fs::canonical("/sys/class/tty" / tty / "device", failed);
  if (failed) return {};
  constexpr int levels = 4;
  for (int i = 0; i < levels && place.has_relative_path(); ++i, place = place.parent_path()) {
    if (!fs::exists(place / "idVendor", failed)) continue;
    return line_of((place / "idVendor").string(), "") + ":" +
           line_of((place / "idProduct").string(), "") + " " +
           line_of((place / "product").string(), "");
  }
  return {};
}

void add_environment(const app::House& house, const meter::Meter& meter,
                     protocol::Capture& capture) {
  utsname system{};
  if (::uname(&system) == 0)
    capture.facts.emplace_back(
        "system", std::string(system.sysname) + " " + system.release + " " + system.machine);
  std::string name = line_of("/etc/os-release", "PRETTY_NAME=");
  std::erase(name, '"');
  if (!name.empty()) capture.facts.emplace_back("os", name);
  std::error_code ignored;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
  const bool app = std::getenv("SUPERVISOR_TOKEN") != nullptr;
  const bool container =
      fs::exists("/.dockerenv", ignored) || fs::exists("/run/.containerenv", ignored);
  capture.facts.emplace_back("runs", app         ? "as an app of Home Assistant"
                                     : container ? "in a container"
                                                 : "without a container");
  const config::LinkSettings* const link = app::find_link(house.settings, meter.settings().link);
  if (link == nullptr || link->serial.empty()) return;
  if (const std::string usb = usb_of(link->serial); !usb.empty())
    capture.facts.emplace_back("adapter", usb);
}

Result<protocol::Capture> source_of(const Arguments& arguments, app::House& house,
                                    meter::Meter& meter) {
  if (const auto file = arguments.value("--from")) {
    const auto text = read_file(*file);
    if (!text) return text.error();
    auto capture = protocol::parse_capture(*text);
    if (!capture) return capture.error().within(*file);
    if (!capture->configuration.empty())
      return Error(Errc::unsupported, *file + " is a bundle already");
    // By the rules of another protocol the numbers of this one would stay.
    const std::string spoken(meter.profile().protocol->name);
    if (const std::string of = capture->fact("protocol"); !of.empty() && of != spoken)
      return Error(Errc::invalid, *file + " is of a meter that speaks " + of + ", and \"" +
                                      meter.settings().id + "\" speaks " + spoken +
                                      ": name the meter that it is of");
    return capture;
  }
  CaptureWish wish;
  wish.kept = arguments.has("--kept");
  if (const auto text = arguments.value("--for")) {
    const auto length = parse_duration(*text);
    if (!length) return length.error().within("--for");
    wish.length = *length;
  }
  return capture_meter(house, meter, wish);
}

int run(const Arguments& arguments) {
  const auto fail = [](const Error& error, int code) {
    complain("meterbridge bundle: " + error.detail());
    return code;
  };
  if (arguments.words().size() > 1) return fail(usage("one METER at a time"), exit_usage);
  auto house = load_house(arguments);
  if (!house) return exit_usage;
  const auto meter =
      chosen_meter(*house, arguments.words().empty() ? std::string() : arguments.words().front());
  if (!meter) return fail(meter.error(), exit_usage);
  auto capture = source_of(arguments, *house, **meter);
  if (!capture) return fail(capture.error(), exit_failed);
  auto bundle = bundle_of(*house, **meter, *capture);
  if (!bundle) return fail(bundle.error(), exit_failed);
  add_environment(*house, **meter, bundle->capture);
  const auto done =
      deliver_text(arguments.value("--output"), protocol::capture_text(bundle->capture));
  if (!done) return fail(done.error(), exit_failed);
  for (const std::string& remark : bundle->remarks)
    complain("meterbridge bundle: " + remark);
  return exit_ok;
}

}  // namespace

const Command bundle_command{
    .name = "bundle",
    .synopsis = "bundle [-c FILE] [METER] [--kept] [--from CAPTURE] [-o FILE]",
    .summary = "writes a case of a meter that can be shown to others",
    .help =
        R"(A capture as `capture` makes it, the settings of the meter, and where the program runs, in one text
file. Serial numbers, addresses and system titles are replaced by invented ones (the same one
everywhere, checks are mended), passwords, names, hosts and topics are left out, encrypted telegrams are
closed again with a published key that stands in the file. Values and times stay: they are needed.

`decode`, `decode --explain` and `replay` read the file, anywhere. Before it is written it is proven that
it gives the same values and that none of the numbers is left in it; else it is not written.

  meterbridge bundle house -o case.txt
  meterbridge bundle house --kept -o case.txt

Exit code: 0 written, 1 not, 2 wrong usage.
)",
    .options = options,
    .run = run,
};

}  // namespace meterbridge::cli
