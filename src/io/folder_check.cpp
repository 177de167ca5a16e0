// SPDX-License-Identifier: MIT
#include "io/folder_check.hpp"

#include "io/port_owner.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

namespace fs = std::filesystem;

// A database and its log need that much to go on at all.
constexpr std::uint64_t hardly_anything = 1'000'000;

std::string size_text(std::uint64_t bytes) {
  const bool large = bytes >= 1'000'000'000;
  const std::uint64_t tenths = bytes / (large ? 100'000'000 : 100'000);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + (large ? " GB" : " MB");
}

// The folder itself, or the nearest one above it that exists.
fs::path existing(fs::path path) {
  std::error_code failure;
  while (!fs::exists(path, failure) && path.has_relative_path())
    path = path.parent_path();
  return path;
}

Error wrong(std::string words) {
  return {Errc::io, std::move(words)};
}

Error why_not(const std::string& place, int reason) {
  if (reason == EROFS) {
    return wrong(place +
                 " is on a disk that is mounted read-only: mount it writable, or name another "
                 "directory (after a fault of the disk the system does that: see dmesg)");
  }
  if (reason != EACCES && reason != EPERM)
    return wrong(place + " cannot be used: " + std::generic_category().message(reason));
  const PortAccess access = port_access(place);
  return wrong("no permission to write in " + place + ": it belongs to user " + access.owner +
               ", group " + access.group + "; this program runs as user " + access.user +
               ": chown " + access.user + " " + place + ", or name another directory");
}

Result<std::uint64_t> room_in(const std::string& place) {
  struct statvfs room {};

  if (::statvfs(place.c_str(), &room) != 0) return why_not(place, errno);
  if (room.f_files > 0 && room.f_favail == 0)
    return wrong("the disk of " + place + " takes no more files (no inodes): delete some");
  return std::uint64_t{room.f_bavail} * room.f_frsize;
}

}  // namespace

Result<std::string> check_folder(const std::string& folder, std::uint64_t least) {
  std::error_code failure;
  fs::path absolute = fs::absolute(folder, failure).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  const std::string place = existing(absolute).string();

  struct stat about {};

  if (::stat(place.c_str(), &about) != 0) return why_not(place, errno);
  if (!S_ISDIR(about.st_mode))
    return wrong(place + " is a file, and a directory is needed: name another one");
  if (::faccessat(AT_FDCWD, place.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return why_not(place, errno);
  const auto room = room_in(place);
  if (!room) return room.error();
  if (*room < std::max(least, hardly_anything)) {
    return wrong("the disk of " + place + " is full: " + size_text(*room) + " are free" +
                 (least > hardly_anything ? ", less than min_free" : "") + "; delete something");
  }
  const std::string free = ", " + size_text(*room) + " are free";
  if (place == absolute.string()) return folder + " can be written" + free;
  return folder + " is not there yet and will be made" + free;
}

}  // namespace meterbridge::io
