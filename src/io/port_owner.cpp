// SPDX-License-Identifier: MIT
#include "io/port_owner.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

namespace fs = std::filesystem;

std::string group_name(gid_t id) {
  const auto* const entry = getgrgid(id);
  return entry != nullptr ? entry->gr_name : std::to_string(id);
}

std::string user_name(uid_t id) {
  const auto* const entry = getpwuid(id);
  return entry != nullptr ? entry->pw_name : std::to_string(id);
}

std::optional<long> number(const std::string& text) {
  long value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string hex(unsigned value) {
  std::ostringstream out;
  out << std::hex;
  out.width(2);
  out.fill('0');
  out << value;
  return out.str();
}

// /proc/locks is readable for everybody: "1: FLOCK  ADVISORY  WRITE 13918 00:1a:3 0 EOF"
std::optional<long> lock_holder(const struct stat& about, const std::string& proc) {
  const auto place = hex(major(about.st_dev)) + ":" + hex(minor(about.st_dev)) + ":" +
                     std::to_string(about.st_ino);
  std::ifstream locks(proc + "/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string count;
    std::string kind;
    std::string advisory;
    std::string write;
    std::string pid;
    std::string where;
    words >> count >> kind >> advisory >> write >> pid >> where;
    if (where == place && kind == "FLOCK") return number(pid);
  }
  return std::nullopt;
}

bool has_open(const fs::path& process, const struct stat& about) {
  std::error_code failure;
  for (fs::directory_iterator at(process / "fd", failure), end; !failure && at != end;
       at.increment(failure)) {
    struct stat other {};

    if (stat(at->path().c_str(), &other) == 0 && S_ISCHR(other.st_mode) &&
        other.st_rdev == about.st_rdev) {
      return true;
    }
  }
  return false;
}

// Programs without a lock show themselves by their descriptors, if we may look.
std::optional<long> descriptor_holder(const struct stat& about, const std::string& proc) {
  std::error_code failure;
  for (fs::directory_iterator at(proc, failure), end; !failure && at != end;
       at.increment(failure)) {
    const auto pid = number(at->path().filename().string());
    if (pid && *pid != getpid() && has_open(at->path(), about)) return pid;
  }
  return std::nullopt;
}

}  // namespace

PortAccess port_access(const std::string& port) {
  PortAccess access;

  struct stat about {};

  if (stat(port.c_str(), &about) == 0) {
    access.owner = user_name(about.st_uid);
    access.group = group_name(about.st_gid);
    access.mode = about.st_mode & 0777U;
  }
  access.user = user_name(geteuid());
  std::vector<gid_t> ids(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
  const auto count = getgroups(static_cast<int>(ids.size()), ids.data());
  ids.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (std::find(ids.begin(), ids.end(), getegid()) == ids.end()) ids.push_back(getegid());
  for (const auto id : ids)
    access.groups.push_back(group_name(id));
  access.app = std::getenv("SUPERVISOR_TOKEN") != nullptr;
  return access;
}

std::string permission_advice(const std::string& port, const PortAccess& access) {
  std::string groups;
  for (const auto& group : access.groups)
    groups += (groups.empty() ? "" : ", ") + group;
  auto text = "no permission to open " + port + ": it belongs to user " + access.owner +
              ", group " + access.group + "; meterbridge runs as user " + access.user +
              " (groups: " + groups + "); ";
  const bool group_may = (access.mode & 0060U) == 0060U;
  const bool member =
      std::find(access.groups.begin(), access.groups.end(), access.group) != access.groups.end();
  if (access.app) return text + "give the app access to serial devices (uart: true) and restart it";
  if (!group_may) {
    return text +
           "the group may not read and write it: set MODE=\"0660\", GROUP=\"dialout\" in a udev "
           "rule";
  }
  if (member)
    return text + "the system forbids it (container or sandbox): map the device into the container";
  if (access.group == "root") return text + "set GROUP=\"dialout\" for it in a udev rule";
  return text + "add the user to the group: usermod -aG " + access.group + " " + access.user +
         ", then start meterbridge again";
}

std::string holder_advice(const std::string& port, const std::string& proc) {
  struct stat about {};

  std::optional<long> pid;
  if (stat(port.c_str(), &about) == 0) {
    pid = lock_holder(about, proc);
    if (!pid || *pid <= 0) pid = descriptor_holder(about, proc);
  }
  if (!pid) return "another program holds " + port;
  if (*pid == getpid())
    return "meterbridge itself holds " + port + " already: is it the port of two links?";
  std::string name;
  std::ifstream comm(proc + "/" + std::to_string(*pid) + "/comm");
  std::getline(comm, name);
  return "another program (pid " + std::to_string(*pid) + (name.empty() ? "" : ", " + name) +
         ") holds " + port;
}

Error open_failure(const std::string& port, int reason) {
  switch (reason) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return {Errc::no_device, port + " is absent: unplugged, or it has another name now"};
    case EACCES:
      return {Errc::no_device, permission_advice(port, port_access(port))};
    case EPERM:
      return {Errc::no_device,
              "the system forbids to open " + port + ": map the device into the container"};
    case EBUSY:
    case EWOULDBLOCK:
      return {Errc::no_device, holder_advice(port)};
    case ENOTTY:
    case EISDIR:
      return {Errc::no_device, port + " is not a serial port"};
    default:
      return {Errc::no_device,
              port + " cannot be opened: " + std::generic_category().message(reason)};
  }
}

}  // namespace meterbridge::io
