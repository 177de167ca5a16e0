// SPDX-License-Identifier: MIT
#include "io/usb_port.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <utility>

namespace meterbridge::io {

namespace fs = std::filesystem;

std::string UsbPort::text() const {
  return device + " (" + vendor + ":" + product + (serial.empty() ? "" : ":" + serial) +
         ", usb-path:" + (interface.empty() ? path : interface) + ")";
}

std::string attribute(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return std::string(trimmed(line));
}

std::optional<UsbPort> usb_port(const fs::path& terminal, const fs::path& sysfs) {
  std::error_code failure;
  auto at = fs::canonical(terminal / "device", failure);
  if (failure) return std::nullopt;
  const auto top = fs::canonical(sysfs, failure);
  UsbPort port;
  port.device = "/dev/" + terminal.filename().string();
  for (; at != top && at.has_relative_path(); at = at.parent_path()) {
    if (fs::exists(at / "bInterfaceNumber", failure)) port.interface = at.filename().string();
    if (!fs::exists(at / "idVendor", failure)) continue;
    port.vendor = attribute(at / "idVendor");
    port.product = attribute(at / "idProduct");
    port.serial = attribute(at / "serial");
    port.path = at.filename().string();
    port.directory = at;
    return port;
  }
  return std::nullopt;
}

std::vector<UsbPort> usb_ports(const fs::path& sysfs) {
  std::vector<UsbPort> ports;
  std::error_code failure;
  for (fs::directory_iterator at(sysfs / "class/tty", failure), end; !failure && at != end;
       at.increment(failure)) {
    if (auto port = usb_port(at->path(), sysfs)) ports.push_back(std::move(*port));
  }
  std::sort(ports.begin(), ports.end(),
            [](const auto& a, const auto& b) { return a.device < b.device; });
  return ports;
}

}  // namespace meterbridge::io
