// SPDX-License-Identifier: MIT
#include "io/state_file.hpp"

#include "io/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

Error failed(const std::string& path, const char* what) {
  return {Errc::io, path + ": " + what + ": " + std::generic_category().message(errno)};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool make_folders(const std::string& folder) {
  for (std::size_t at = 1; at != std::string::npos;) {
    at = folder.find('/', at);
    const std::string part = folder.substr(0, at);
    if (::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) return false;
    if (at != std::string::npos) ++at;
  }
  return true;
}

Result<> write_all(int fd, const std::string& path, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failed(path, "writing");
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<> write_atomically(const std::string& path, std::string_view content, unsigned mode) {
  const std::string folder = folder_of(path);
  if (!make_folders(folder)) return failed(folder, "making the folder");
  const std::string fresh = path + ".new";
  {
    Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    if (file.get() < 0) return failed(fresh, "opening");
    // Before there is anything in it that not everybody may read.
    if (mode != usual_mode && ::fchmod(file.get(), mode) != 0)
      return failed(fresh, "setting its rights");
    if (auto written = write_all(file.get(), fresh, content); !written) {
      const Error error = written.error();
      ::unlink(fresh.c_str());
      return error;
    }
    if (::fsync(file.get()) != 0 || ::close(file.release()) != 0) return failed(fresh, "writing");
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed(path, "renaming");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) (void)::fsync(directory.get());
  return {};
}

Result<> append_whole(const std::string& path, std::string_view content) {
  const auto open_it = [&path] {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  };
  Descriptor file(open_it());
  if (file.get() < 0 && errno == ENOENT) {
    if (auto made = make_folder(folder_of(path)); !made) return made.error();
  }
  const Descriptor second(file.get() < 0 ? open_it() : -1);
  const int fd = file.get() < 0 ? second.get() : file.get();

  struct stat before {};

  if (fd < 0 || ::fstat(fd, &before) != 0) return failed(path, "opening");
  auto written = write_all(fd, path, content);
  if (written) return {};
  if (::ftruncate(fd, before.st_size) != 0) return failed(path, "taking back half a line");
  return written.error();
}

Result<> sync_file(const std::string& path, bool fresh) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // What was deleted meanwhile needs no disk.
  if (file.get() < 0) return errno == ENOENT ? Result<>() : Result<>(failed(path, "opening"));
  if (::fdatasync(file.get()) != 0) return failed(path, "writing to the disk");
  if (!fresh) return {};
  const std::string folder = folder_of(path);
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) (void)::fsync(directory.get());
  return {};
}

Result<> make_folder(const std::string& folder) {
  if (!make_folders(folder)) return failed(folder, "making the folder");
  return {};
}

Result<std::string> read_whole(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    Error error = failed(path, "opening");
    return errno == ENOENT ? Error(Errc::not_found, error.detail()) : error;
  }
  std::string content;
  std::array<char, 16384> block{};
  for (;;) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(path, "reading");
    if (count == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
  }
}

Result<> move_aside(const std::string& path) {
  if (::rename(path.c_str(), (path + ".damaged").c_str()) != 0) return failed(path, "moving aside");
  return {};
}

}  // namespace meterbridge::io
