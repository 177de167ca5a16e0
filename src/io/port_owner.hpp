// SPDX-License-Identifier: MIT
// Why a port cannot be opened, in words a user can act on.
#pragma once

#include "core/result.hpp"

#include <string>
#include <vector>

namespace meterbridge::io {

// Who may open a port, and who asks.
struct PortAccess {
  PortAccess() = default;

  std::string owner;
  std::string group;  // name, or the number where it has no name
  unsigned mode = 0;  // permission bits
  std::string user;
  std::vector<std::string> groups;
  bool app = false;  // inside the Home Assistant app
};

// "no permission to open /dev/ttyUSB0: it belongs to group dialout, but meterbridge runs as user
// meter
//  (groups users): add the user to the group: usermod -aG dialout meter"
[[nodiscard]] std::string permission_advice(const std::string& port, const PortAccess& access);
[[nodiscard]] PortAccess port_access(const std::string& port);

// "another program (pid 812, ser2net) holds /dev/ttyUSB0", as far as <proc> tells.
[[nodiscard]] std::string holder_advice(const std::string& port, const std::string& proc = "/proc");

// The error of open(2), flock(2) or a first tcgetattr(3) as an Error of kind no_device.
[[nodiscard]] Error open_failure(const std::string& port, int reason);

}  // namespace meterbridge::io
