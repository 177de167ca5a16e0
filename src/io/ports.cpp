// SPDX-License-Identifier: MIT
// Ports by what they are, not by the order in which they were plugged in.
#include "core/text.hpp"
#include "io/links.hpp"
#include "io/usb_port.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace meterbridge::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view usb_prefix = "usb:";
constexpr std::string_view path_prefix = "usb-path:";

bool is_hex4(std::string_view text) noexcept {
  return text.size() == 4 &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

Result<std::string> the_one(const std::string& port, const std::vector<UsbPort>& all,
                            const std::vector<UsbPort>& found) {
  if (found.size() == 1) return found.front().device;
  std::string list;
  for (const auto& candidate : found.empty() ? all : found) {
    list += (list.empty() ? "" : ", ") + candidate.text();
  }
  if (!found.empty()) {
    return Error(Errc::no_device,
                 port + " means several ports: " + list + "; name one by its usb-path");
  }
  if (list.empty())
    return Error(Errc::no_device, port + " is absent: no USB serial port is plugged in");
  return Error(Errc::no_device, port + " is absent; plugged in: " + list);
}

}  // namespace

Result<std::string> resolve_port(const std::string& port, const std::string& sysfs) {
  const std::string_view text = port;
  if (text.starts_with(path_prefix)) {
    const auto path = text.substr(path_prefix.size());
    if (path.empty())
      return Error(Errc::invalid, port + ": a USB path is missing, for example usb-path:1-1.2");
    const auto all = usb_ports(sysfs);
    std::vector<UsbPort> found;
    std::copy_if(all.begin(), all.end(), std::back_inserter(found),
                 [&](const auto& one) { return one.path == path || one.interface == path; });
    return the_one(port, all, found);
  }
  if (!text.starts_with(usb_prefix)) return port;

  const auto rest = text.substr(usb_prefix.size());
  const auto vendor = rest.substr(0, 4);
  const auto product = rest.size() >= 9 ? rest.substr(5, 4) : std::string_view();
  const bool well_formed = is_hex4(vendor) && is_hex4(product) && rest[4] == ':' &&
                           (rest.size() == 9 || (rest[9] == ':' && rest.size() > 10));
  if (!well_formed) {
    return Error(Errc::invalid,
                 port + " is not usb:VID:PID or usb:VID:PID:SERIAL with four hex digits each");
  }
  const auto serial = rest.size() > 10 ? rest.substr(10) : std::string_view();
  const auto all = usb_ports(sysfs);
  std::vector<UsbPort> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const auto& one) {
    return same_ignoring_case(one.vendor, vendor) && same_ignoring_case(one.product, product) &&
           (serial.empty() || one.serial == serial);
  });
  return the_one(port, all, found);
}

std::optional<std::string> stable_name(const std::string& port, const std::string& by_id) {
  if (port.starts_with(by_id) || port.starts_with(usb_prefix) || port.starts_with(path_prefix))
    return std::nullopt;
  std::error_code failure;
  const auto device = fs::canonical(port, failure);
  if (failure) return std::nullopt;
  std::optional<std::string> name;
  for (fs::directory_iterator at(by_id, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code unresolved;
    const auto target = fs::canonical(at->path(), unresolved);
    // The first in the alphabet, so that the proposal is the same every time.
    if (!unresolved && target == device && (!name || at->path().string() < *name))
      name = at->path().string();
  }
  return name;
}

}  // namespace meterbridge::io
