// SPDX-License-Identifier: MIT
// P14 of the user pains: the reset of exactly one USB device, on scratch trees. What a port and a
// device node are is decided by their numbers, so devices that every machine has stand in for them.
#include "fakes/loop.hpp"
#include "fakes/scratch.hpp"
#include "io/usb_reset.hpp"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace meterbridge::io {
namespace {

namespace fs = std::filesystem;
using fakes::Scratch;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string number_of(const std::string& device) {
  struct stat about {};

  EXPECT_EQ(stat(device.c_str(), &about), 0) << device;
  return std::to_string(major(about.st_rdev)) + ":" + std::to_string(minor(about.st_rdev));
}

// An adapter: its terminal is the device `port`, its node the device `node`.
struct Adapter {
  std::string tty = "ttyUSB3";
  std::string port = "/dev/null";
  std::string node = "/dev/zero";
  std::string path = "1-1.2";
  std::string devnum = "4";
  std::string device_class = "00";
  std::string interface = "1.0";
};

class UsbReset : public testing::Test {
 protected:
  UsbReset() {
    system.sysfs = (scratch.path() / "sys").string();
    system.devfs = (scratch.path() / "dev").string();
    system.reset = [this](int descriptor) {
      struct stat about {};

      fstat(descriptor, &about);
      resets.push_back(std::to_string(major(about.st_rdev)) + ":" +
                       std::to_string(minor(about.st_rdev)));
      if (refusal == 0) return 0;
      errno = refusal;
      return -1;
    };
    // The hub above every adapter has a node, too.
    scratch.file("sys/devices/usb1/idVendor", "1d6b\n");
    scratch.file("sys/devices/usb1/bDeviceClass", "09\n");
    scratch.file("sys/devices/usb1/busnum", "1\n");
    scratch.file("sys/devices/usb1/devnum", "1\n");
    link("/dev/full", "dev/bus/usb/001/001");
  }

  void link(const std::string& target, const std::string& place) const {
    const auto at = scratch.path() / place;
    fs::create_directories(at.parent_path());
    fs::remove(at);
    fs::create_symlink(target, at);
  }

  void plug(const Adapter& adapter) const {
    const std::string device = "sys/devices/usb1/" + adapter.path;
    scratch.file(device + "/idVendor", "0403\n");
    scratch.file(device + "/idProduct", "6001\n");
    scratch.file(device + "/serial", "A5XK\n");
    scratch.file(device + "/bDeviceClass", adapter.device_class + "\n");
    scratch.file(device + "/busnum", "1\n");
    scratch.file(device + "/devnum", adapter.devnum + "\n");
    scratch.file(device + "/dev", number_of(adapter.node) + "\n");
    const std::string port = device + "/" + adapter.path + ":" + adapter.interface;
    scratch.file(port + "/bInterfaceNumber", "00\n");
    const std::string terminal = port + "/" + adapter.tty + "/tty/" + adapter.tty;
    fs::create_directories(scratch.path() / terminal);
    link("../../../" + adapter.tty, terminal + "/device");
    link(scratch.path() / terminal, "sys/dev/char/" + number_of(adapter.port));
    link(scratch.path() / terminal, "sys/class/tty/" + adapter.tty);
    link(adapter.port, "dev/" + adapter.tty);
    link("../../" + adapter.tty, "dev/serial/by-id/usb-" + adapter.tty);
    link(adapter.node, "dev/bus/usb/001/00" + adapter.devnum);
  }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (scratch.path() / name).string();
  }

  [[nodiscard]] std::string tried(const std::string& port) const {
    const auto done = reset_usb_now(port, system);
    return done ? "reset " + *done : done.error().detail();
  }

  Scratch scratch;
  UsbSystem system;
  std::vector<std::string> resets;
  int refusal = 0;
};

TEST_F(UsbReset, P14ReachesExactlyTheDeviceOfThePort) {
  plug({});
  Adapter other;
  other.tty = "ttyUSB0";
  other.port = "/dev/random";
  other.node = "/dev/urandom";
  other.path = "1-1.4";
  other.devnum = "5";
  plug(other);
  EXPECT_EQ(tried(place("dev/ttyUSB3")), "reset 1-1.2 (0403:6001:A5XK)");
  EXPECT_EQ(tried(place("dev/serial/by-id/usb-ttyUSB3")), "reset 1-1.2 (0403:6001:A5XK)");
  EXPECT_THAT(resets, ElementsAre(number_of("/dev/zero"), number_of("/dev/zero")));
  resets.clear();
  EXPECT_EQ(tried(place("dev/ttyUSB0")), "reset 1-1.4 (0403:6001:A5XK)");
  EXPECT_THAT(resets, ElementsAre(number_of("/dev/urandom")));
}

TEST_F(UsbReset, P14KnowsThePortByItsNumberWhateverItIsCalled) {
  plug({});
  link("/dev/null", "dev/meter");  // a container may call it anything
  EXPECT_EQ(tried(place("dev/meter")), "reset 1-1.2 (0403:6001:A5XK)");
}

TEST_F(UsbReset, P14LeavesEverythingAloneWhenThePortIsGoneOrIsNoUsbDevice) {
  plug({});
  EXPECT_THAT(tried(place("dev/ttyUSB9")), HasSubstr("ttyUSB9 is absent"));
  link("/dev/random", "dev/ttyS0");
  EXPECT_THAT(tried(place("dev/ttyS0")), HasSubstr("ttyS0 is not behind a USB device"));
  scratch.file("dev/file", "no device");
  EXPECT_THAT(tried(place("dev/file")), HasSubstr("file is not behind a USB device"));
  EXPECT_THAT(resets, IsEmpty());
}

TEST_F(UsbReset, P14NeverResetsAHub) {
  Adapter hub;
  hub.device_class = "09";
  plug(hub);
  EXPECT_THAT(tried(place("dev/ttyUSB3")), HasSubstr("1-1.2 is a hub"));
  EXPECT_THAT(resets, IsEmpty());
}

TEST_F(UsbReset, P14LeavesAnAdapterAloneThatHasOtherPortsToo) {
  plug({});
  Adapter second;
  second.tty = "ttyUSB4";
  second.port = "/dev/random";
  second.interface = "1.1";
  plug(second);
  EXPECT_THAT(tried(place("dev/ttyUSB3")), HasSubstr("1-1.2 has other ports, too (/dev/ttyUSB4)"));
  EXPECT_THAT(resets, IsEmpty());
}

TEST_F(UsbReset, P14LeavesANodeAloneThatBelongsToAnotherDevice) {
  plug({});
  link("/dev/urandom", "dev/bus/usb/001/004");  // a new device got the number meanwhile
  EXPECT_THAT(tried(place("dev/ttyUSB3")), HasSubstr("not, or no longer, the node of 1-1.2"));
  fs::remove(scratch.path() / "dev/bus/usb/001/004");
  scratch.file("dev/bus/usb/001/004", "");
  EXPECT_THAT(tried(place("dev/ttyUSB3")), HasSubstr("not, or no longer, the node of 1-1.2"));
  EXPECT_THAT(resets, IsEmpty());
}

TEST_F(UsbReset, P14SaysWhatIsMissing) {
  plug({});
  fs::remove(scratch.path() / "dev/bus/usb/001/004");
  EXPECT_THAT(tried(place("dev/ttyUSB3")),
              HasSubstr("/dev/bus/usb/001/004 is absent: map /dev/bus/usb into the container"));
  scratch.file("sys/devices/usb1/1-1.2/devnum", "four\n");
  EXPECT_THAT(tried(place("dev/ttyUSB3")), HasSubstr("no usable devnum"));
}

TEST_F(UsbReset, P14SaysWhyTheKernelRefuses) {
  plug({});
  refusal = EPERM;
  EXPECT_EQ(tried(place("dev/ttyUSB3")),
            "the kernel does not reset 1-1.2 (0403:6001:A5XK): Operation not permitted");
  // The real request, to a device that is no USB device.
  const UsbSystem real;
  system.reset = real.reset;
  EXPECT_THAT(tried(place("dev/ttyUSB3")), HasSubstr("Inappropriate ioctl"));
}

TEST_F(UsbReset, HappensInAThreadOfItsOwn) {
  plug({});
  fakes::Loop loop;
  const auto done = loop.run(reset_usb(place("dev/ttyUSB3"), std::chrono::seconds(20), system));
  ASSERT_TRUE(done) << done.error().detail();
  EXPECT_EQ(*done, "1-1.2 (0403:6001:A5XK)");
  EXPECT_EQ(resets.size(), 1U);
  const auto failed = loop.run(reset_usb(place("dev/none"), std::chrono::seconds(20), system));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Errc::no_device);
}

TEST_F(UsbReset, DoesNotWaitForAKernelThatHangs) {
  plug({});
  const auto release = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  system.reset = [held = release->get_future().share(), ended](int) {
    held.wait();
    *ended = true;
    return 0;
  };
  {
    fakes::Loop loop;
    const auto done = loop.run(reset_usb(place("dev/ttyUSB3"), Milliseconds(20), system));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), Errc::timeout);
    EXPECT_THAT(done.error().detail(), HasSubstr("within 20ms"));
  }
  // The thread outlives the loop and harms nobody.
  release->set_value();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!*ended && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_TRUE(*ended);
}

}  // namespace
}  // namespace meterbridge::io
