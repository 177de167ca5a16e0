// SPDX-License-Identifier: MIT
#include "io/usb_reset.hpp"

#include "io/descriptor.hpp"
#include "io/links.hpp"
#include "io/usb_port.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

namespace fs = std::filesystem;
namespace asio = boost::asio;

constexpr std::string_view hub_class = "09";

// "/dev/ttyUSB4, /dev/ttyUSB5": the other ports of the same device, which a reset would cut off.
std::string neighbours(const UsbPort& port, const UsbSystem& system) {
  std::string names;
  for (const UsbPort& other : usb_ports(system.sysfs)) {
    if (other.directory != port.directory || other.device == port.device) continue;
    names += (names.empty() ? "" : ", ") + other.device;
  }
  return names;
}

std::string number_of(dev_t device) {
  return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

// The entry of the port in sysfs is found by the number of the device, not by its name, which may
// be anything in a container.
Result<UsbPort> usb_device_of(const std::string& port, const UsbSystem& system) {
  auto device = resolve_port(port, system.sysfs);
  if (!device) return device.error();

  struct stat about {};

  if (stat(device->c_str(), &about) != 0)
    return Error(Errc::no_device, *device + " is absent, so nobody knows which one it is");
  std::error_code failure;
  const fs::path entry = fs::path(system.sysfs) / "dev/char" / number_of(about.st_rdev);
  const auto terminal = S_ISCHR(about.st_mode) ? fs::canonical(entry, failure) : fs::path();
  auto found = failure || terminal.empty() ? std::nullopt : usb_port(terminal, system.sysfs);
  if (!found) return Error(Errc::unsupported, *device + " is not behind a USB device");
  if (attribute(found->directory / "bDeviceClass") == hub_class)
    return Error(Errc::unsupported, found->path + " is a hub, and others are behind it");
  if (const std::string others = neighbours(*found, system); !others.empty())
    return Error(Errc::unsupported,
                 found->path + " has other ports, too (" + others + "), and would take them along");
  return std::move(*found);
}

std::string identity(const UsbPort& port) {
  return port.path + " (" + port.vendor + ":" + port.product +
         (port.serial.empty() ? "" : ":" + port.serial) + ")";
}

// "1", "4" -> <devfs>/bus/usb/001/004
Result<std::string> node_of(const UsbPort& port, const UsbSystem& system) {
  std::array<unsigned, 2> numbers{};
  std::size_t at = 0;
  for (const auto* name : {"busnum", "devnum"}) {
    const auto text = attribute(port.directory / name);
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), numbers[at]);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size())
      return Error(Errc::unsupported, identity(port) + " has no usable " + name + " in sysfs");
    ++at;
  }
  std::array<char, 32> place{};
  (void)std::snprintf(place.data(), place.size(), "/bus/usb/%03u/%03u", numbers[0], numbers[1]);
  return system.devfs + place.data();
}

Error node_failure(const std::string& node, int reason) {
  if (reason == ENOENT || reason == ENXIO || reason == ENODEV)
    return {Errc::no_device, node + " is absent: map /dev/bus/usb into the container"};
  if (reason == EACCES || reason == EPERM || reason == EROFS)
    return {Errc::no_device,
            "no right to write " + node +
                ": give the group of the service write access with a udev rule, or "
                "map it writable into the container"};
  return {Errc::io, node + ": " + std::generic_category().message(reason)};
}

// Device numbers are given anew with every plug: between our look and the opening the node may have
// become that of another device.
Result<> same_device(const Descriptor& node, const std::string& place, const UsbPort& port,
                     const UsbSystem& system) {
  struct stat about {};

  const auto again = node_of(port, system);
  const bool same = fstat(node.get(), &about) == 0 && S_ISCHR(about.st_mode) && again &&
                    *again == place &&
                    attribute(port.directory / "dev") == number_of(about.st_rdev) &&
                    attribute(port.directory / "idVendor") == port.vendor &&
                    attribute(port.directory / "idProduct") == port.product &&
                    attribute(port.directory / "serial") == port.serial;
  if (same) return {};
  return Error(Errc::io, place + " is not, or no longer, the node of " + identity(port) +
                             "; it is left alone");
}

// What the thread and the waiting task share. The task may be gone when the kernel is done.
struct Job {
  Job(std::string p, UsbSystem s, int end) : port(std::move(p)), system(std::move(s)), done(end) {}

  std::string port;
  UsbSystem system;
  Descriptor done;  // counting up there publishes the outcome
  std::optional<Result<std::string>> outcome;
};

void work(const std::shared_ptr<Job>& job) noexcept {
  try {
    job->outcome = reset_usb_now(job->port, job->system);
  } catch (const std::exception& exception) {
    job->outcome = Error(Errc::bug, exception.what());
  }
  // Not a pipe: when nobody waits any more, writing there would end the program by a signal.
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(job->done.get(), &one, sizeof one);
}

}  // namespace

UsbSystem::UsbSystem()
    : reset([](int descriptor) { return ::ioctl(descriptor, USBDEVFS_RESET, 0); }) {}

Result<std::string> reset_usb_now(const std::string& port, const UsbSystem& system) {
  const auto device = usb_device_of(port, system);
  if (!device) return device.error();
  const auto place = node_of(*device, system);
  if (!place) return place.error();
  const Descriptor node(::open(place->c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (node.get() < 0) return node_failure(*place, errno);
  if (const auto same = same_device(node, *place, *device, system); !same) return same.error();
  if (system.reset(node.get()) != 0)
    return Error(Errc::io, "the kernel does not reset " + identity(*device) + ": " +
                               std::generic_category().message(errno));
  return identity(*device);
}

asio::awaitable<Result<std::string>> reset_usb(std::string port, Milliseconds limit,
                                               UsbSystem system) {
  using asio::experimental::awaitable_operators::operator||;
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int other = event < 0 ? -1 : ::fcntl(event, F_DUPFD_CLOEXEC, 0);
  if (event < 0) co_return Error(Errc::io, std::generic_category().message(errno));
  asio::posix::stream_descriptor done(executor, event);
  const auto job = std::make_shared<Job>(std::move(port), std::move(system), other);
  try {
    std::thread([job] { work(job); }).detach();
  } catch (const std::system_error& failure) {
    co_return Error(Errc::io, std::string("no thread: ") + failure.what());
  }
  asio::steady_timer timer(executor, limit);
  std::array<std::byte, sizeof(std::uint64_t)> count{};
  constexpr auto answer = asio::as_tuple(asio::use_awaitable);
  const auto first =
      co_await (done.async_read_some(asio::buffer(count), answer) || timer.async_wait(answer));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none)
    co_return Error(Errc::cancelled, "the work was ended");
  // Only this says that the thread is done with what we share.
  if (first.index() == 0 && std::get<1>(std::get<0>(first)) == count.size())
    co_return *job->outcome;
  co_return Error(Errc::timeout,
                  "the kernel did not come to an end with it within " + duration_text(limit));
}

}  // namespace meterbridge::io
