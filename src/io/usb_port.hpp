// SPDX-License-Identifier: MIT
// A terminal behind a USB device, as sysfs shows it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::io {

struct UsbPort {
  UsbPort() = default;

  std::string device;               // /dev/ttyUSB0
  std::string vendor;               // 0403
  std::string product;              // 6001
  std::string serial;               // may be empty
  std::string path;                 // 1-1.2
  std::string interface;            // 1-1.2:1.0, tells the ports of one adapter apart
  std::filesystem::path directory;  // of the USB device

  [[nodiscard]] std::string text() const;
};

// First line of a file, trimmed; empty when there is none.
[[nodiscard]] std::string attribute(const std::filesystem::path& file);

// Walks from the terminal (an entry of class/tty) up to the USB device that carries it; nothing for
// terminals that are behind none.
[[nodiscard]] std::optional<UsbPort> usb_port(const std::filesystem::path& terminal,
                                              const std::filesystem::path& sysfs);
// All that are there, ordered by the device's name.
[[nodiscard]] std::vector<UsbPort> usb_ports(const std::filesystem::path& sysfs);

}  // namespace meterbridge::io
