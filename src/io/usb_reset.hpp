// SPDX-License-Identifier: MIT
// Resets the USB device behind a serial port through the kernel: what unplugging and plugging it in
// again would do. Exactly this one device, or none.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace meterbridge::io {

// Where the kernel shows its devices, and what it is asked; parameters for tests.
struct UsbSystem {
  UsbSystem();
  std::string sysfs = "/sys";
  std::string devfs = "/dev";
  // ioctl(descriptor, USBDEVFS_RESET): 0, or -1 with errno.
  std::function<int(int descriptor)> reset;
};

// Blocks until the kernel has done it, which may take seconds. Gives the device in words:
// "1-1.2 (0403:6001:A5XK)". Errors, all in words: no_device (the port or the node of its device is
// absent, or we may not write it), unsupported (it is behind no USB device), io (the kernel
// refuses).
Result<std::string> reset_usb_now(const std::string& port, const UsbSystem& system);

// The same in a thread of its own, because nothing may block the loop. After the limit we go on
// without it: Errc::timeout.
boost::asio::awaitable<Result<std::string>> reset_usb(std::string port, Milliseconds limit,
                                                      UsbSystem system = UsbSystem());

}  // namespace meterbridge::io
