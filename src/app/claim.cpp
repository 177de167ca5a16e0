// SPDX-License-Identifier: MIT
#include "app/claim.hpp"

#include "io/port_owner.hpp"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/file.h>

namespace meterbridge::app {
namespace {

std::string lock_file(const config::Settings& settings) {
  return settings.state_directory + "/" + settings.instance + ".lock";
}

}  // namespace

Result<std::unique_ptr<io::Descriptor>> claim_instance(const config::Settings& settings) {
  constexpr int mode = 0640;
  const std::string path = lock_file(settings);
  auto file =
      std::make_unique<io::Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode));
  if (file->get() < 0) return std::unique_ptr<io::Descriptor>();
  if (::flock(file->get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno != EWOULDBLOCK) return std::unique_ptr<io::Descriptor>();
  return Error(Errc::io, "the instance \"" + settings.instance +
                             "\" is running already: " + io::holder_advice(path));
}

std::optional<std::string> holder_of_instance(const config::Settings& settings) {
  const std::string path = lock_file(settings);
  const io::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return std::nullopt;
  // Shared: another doctor at the same time is no service. Given back at once by closing it.
  if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return std::nullopt;
  return io::holder_advice(path);
}

}  // namespace meterbridge::app
