// SPDX-License-Identifier: MIT
#include "app/claim.hpp"

#include "io/port_owner.hpp"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/file.h>

namespace meterbridge::app {

Result<std::unique_ptr<io::Descriptor>> claim_instance(const config::Settings& settings) {
  constexpr int mode = 0640;
  const std::string path = settings.state_directory + "/" + settings.instance + ".lock";
  auto file =
      std::make_unique<io::Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode));
  if (file->get() < 0) return std::unique_ptr<io::Descriptor>();
  if (::flock(file->get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno != EWOULDBLOCK) return std::unique_ptr<io::Descriptor>();
  return Error(Errc::io, "the instance \"" + settings.instance +
                             "\" is running already: " + io::holder_advice(path));
}

}  // namespace meterbridge::app
