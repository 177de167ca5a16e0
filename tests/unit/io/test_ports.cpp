// SPDX-License-Identifier: MIT
// P11 (ports by identity) and P13 (permission in words) of the user pains, on scratch trees.
#include "fakes/pty_pair.hpp"
#include "fakes/scratch.hpp"
#include "io/folder_check.hpp"
#include "io/links.hpp"
#include "io/port_owner.hpp"

#include <cerrno>
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

namespace fs = std::filesystem;
using fakes::Scratch;
using testing::HasSubstr;
using testing::Not;

// A sysfs with USB serial ports as the kernel lays them out.
class UsbTree {
 public:
  void plug(const std::string& tty, const std::string& path, const std::string& vendor,
            const std::string& product, const std::string& serial,
            const std::string& interface = "1.0") {
    const auto device = "devices/pci0000:00/usb1/" + path;
    scratch_.file(device + "/idVendor", vendor + "\n");
    scratch_.file(device + "/idProduct", product + "\n");
    if (!serial.empty()) scratch_.file(device + "/serial", serial + "\n");
    const auto port = device + "/" + path + ":" + interface;
    scratch_.file(port + "/bInterfaceNumber", "00\n");
    const auto terminal = scratch_.path() / port / tty / "tty" / tty;
    fs::create_directories(terminal);
    fs::create_directory_symlink(scratch_.path() / port / tty, terminal / "device");
    fs::create_directories(scratch_.path() / "class/tty");
    fs::create_directory_symlink(terminal, scratch_.path() / "class/tty" / tty);
  }

  // The hub above every adapter has an identity too: the walk must stop before it.
  void hub() {
    scratch_.file("devices/pci0000:00/usb1/idVendor", "1d6b\n");
    scratch_.file("devices/pci0000:00/usb1/idProduct", "0002\n");
  }

  void board_port(const std::string& tty) {
    const auto terminal = scratch_.path() / "devices/platform/serial8250/tty" / tty;
    fs::create_directories(terminal);
    fs::create_directory_symlink(scratch_.path() / "devices/platform/serial8250",
                                 terminal / "device");
    fs::create_directories(scratch_.path() / "class/tty");
    fs::create_directory_symlink(terminal, scratch_.path() / "class/tty" / tty);
  }

  [[nodiscard]] std::string root() const { return scratch_.path().string(); }

 private:
  Scratch scratch_;
};

std::string resolved(const std::string& port, const UsbTree& tree) {
  const auto found = resolve_port(port, tree.root());
  return found ? *found : std::string(name(found.error().code())) + ": " + found.error().detail();
}

TEST(PortNames, AreUsedAsTheyAreWhenTheyArePaths) {
  const UsbTree tree;
  EXPECT_EQ(resolved("/dev/ttyUSB7", tree), "/dev/ttyUSB7");
}

TEST(PortNames, P11FollowTheAdapterWhateverItIsCalledToday) {
  UsbTree tree;
  tree.hub();
  tree.board_port("ttyS0");
  tree.plug("ttyUSB3", "1-1.2", "0403", "6001", "A5XK");
  tree.plug("ttyUSB0", "1-1.4", "0403", "6001", "B7YZ");
  tree.plug("ttyACM0", "1-2", "1A86", "55d4", "");
  EXPECT_EQ(resolved("usb:0403:6001:A5XK", tree), "/dev/ttyUSB3");
  EXPECT_EQ(resolved("usb:0403:6001:B7YZ", tree), "/dev/ttyUSB0");
  EXPECT_EQ(resolved("usb:1a86:55D4", tree), "/dev/ttyACM0");
  EXPECT_EQ(resolved("usb-path:1-1.2", tree), "/dev/ttyUSB3");
}

TEST(PortNames, TellWhatIsPluggedInWhenNoneMatches) {
  UsbTree tree;
  EXPECT_EQ(resolved("usb:0403:6001", tree),
            "no_device: usb:0403:6001 is absent: no USB serial port is plugged in");
  tree.plug("ttyUSB3", "1-1.2", "0403", "6001", "A5XK");
  EXPECT_EQ(resolved("usb:0403:6001:other", tree),
            "no_device: usb:0403:6001:other is absent; plugged in: "
            "/dev/ttyUSB3 (0403:6001:A5XK, usb-path:1-1.2:1.0)");
  EXPECT_THAT(resolved("usb-path:1-1", tree), HasSubstr("no_device: usb-path:1-1 is absent"));
}

TEST(PortNames, TellWhichWhenSeveralMatch) {
  UsbTree tree;
  tree.plug("ttyUSB0", "1-1", "10c4", "ea60", "0001");
  tree.plug("ttyUSB1", "1-2", "10c4", "ea60", "0001");
  const auto text = resolved("usb:10c4:ea60:0001", tree);
  EXPECT_THAT(text, HasSubstr("no_device: usb:10c4:ea60:0001 means several ports"));
  EXPECT_THAT(text, HasSubstr("/dev/ttyUSB0"));
  EXPECT_THAT(text, HasSubstr("usb-path:1-2:1.0"));
}

TEST(PortNames, TellThePortsOfOneAdapterApart) {
  UsbTree tree;
  tree.plug("ttyUSB0", "1-1", "0403", "6011", "", "1.0");
  tree.plug("ttyUSB1", "1-1", "0403", "6011", "", "1.1");
  EXPECT_THAT(resolved("usb-path:1-1", tree), HasSubstr("several"));
  EXPECT_EQ(resolved("usb-path:1-1:1.1", tree), "/dev/ttyUSB1");
}

TEST(PortNames, RefuseMalformedAddresses) {
  const UsbTree tree;
  for (const auto* port : {"usb:", "usb:0403", "usb:0403:", "usb:0403:60", "usb:zzzz:6001",
                           "usb:0403-6001", "usb:0403:60011", "usb:0403:6001:", "usb-path:"}) {
    const auto found = resolve_port(port, tree.root());
    ASSERT_FALSE(found) << port;
    EXPECT_EQ(found.error().code(), Errc::invalid) << port;
  }
}

TEST(PortNames, P11ProposeTheStableOne) {
  const Scratch scratch;
  const auto device = scratch.file("dev/ttyUSB0", "").string();
  const auto by_id = scratch.path() / "serial/by-id";
  EXPECT_FALSE(stable_name(device, by_id.string()));
  fs::create_directories(by_id);
  EXPECT_FALSE(stable_name(device, by_id.string()));
  fs::create_symlink(scratch.file("dev/ttyUSB1", ""), by_id / "usb-A_other");
  fs::create_symlink(scratch.path() / "dev/gone", by_id / "usb-broken");
  fs::create_symlink("../../dev/ttyUSB0", by_id / "usb-FTDI_A5XK");
  const auto stable = (by_id / "usb-FTDI_A5XK").string();
  EXPECT_EQ(stable_name(device, by_id.string()), stable);
  EXPECT_FALSE(stable_name(stable, by_id.string())) << "it is stable already";
  EXPECT_FALSE(stable_name("usb:0403:6001", by_id.string()));
  EXPECT_FALSE(stable_name("/dev/not-there", by_id.string()));
}

PortAccess access(const std::string& group, unsigned mode, std::vector<std::string> groups,
                  bool app = false) {
  PortAccess all;
  all.owner = "root";
  all.group = group;
  all.mode = mode;
  all.user = "meter";
  all.groups = std::move(groups);
  all.app = app;
  return all;
}

TEST(PermissionAdvice, P13NamesPortGroupUserAndTheOneThingToDo) {
  EXPECT_EQ(permission_advice("/dev/ttyUSB0", access("dialout", 0660, {"meter", "users"})),
            "no permission to open /dev/ttyUSB0: it belongs to user root, group dialout; "
            "meterbridge runs as user "
            "meter (groups: meter, users); add the user to the group: usermod -aG dialout meter, "
            "then start "
            "meterbridge again");
}

TEST(PermissionAdvice, P13FitsTheCase) {
  EXPECT_THAT(permission_advice("/dev/x", access("dialout", 0600, {"dialout"})),
              HasSubstr("udev rule"));
  EXPECT_THAT(permission_advice("/dev/x", access("root", 0660, {"users"})), HasSubstr("udev rule"));
  EXPECT_THAT(permission_advice("/dev/x", access("20", 0660, {"20"})), HasSubstr("container"));
  const auto app = permission_advice("/dev/x", access("dialout", 0660, {"users"}, true));
  EXPECT_THAT(app, HasSubstr("uart: true"));
  EXPECT_THAT(app, Not(HasSubstr("usermod")));
}

TEST(FolderCheck, SaysWhatStandsInTheWayAndWritesNothing) {
  const Scratch scratch;
  const std::string folder = scratch.path().string();
  const auto good = check_folder(folder);
  ASSERT_TRUE(good) << good.error().detail();
  EXPECT_THAT(*good, HasSubstr(folder + " can be written, "));
  const auto absent = check_folder(folder + "/a/b/");
  ASSERT_TRUE(absent) << absent.error().detail();
  EXPECT_THAT(*absent, HasSubstr("is not there yet and will be made"));
  EXPECT_TRUE(fs::is_empty(scratch.path()));

  const auto file = scratch.file("file", "").string();
  EXPECT_THAT(check_folder(file + "/csv").error().detail(), HasSubstr(file + " is a file"));
  EXPECT_THAT(check_folder(folder, UINT64_MAX).error().detail(), HasSubstr("is full: "));

  const bool almighty = ::geteuid() == 0;
  if (almighty) {
    ASSERT_EQ(::seteuid(65534), 0);
  } else {
    fs::permissions(scratch.path(), fs::perms::owner_read | fs::perms::owner_exec);
  }
  const auto refused = check_folder(folder + (almighty ? "" : "/x"));
  if (almighty) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  fs::permissions(scratch.path(), fs::perms::owner_all);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail(), HasSubstr("chown "));
  EXPECT_THAT(refused.error().detail(), HasSubstr(folder));
}

TEST(OpenFailure, SaysEveryReasonInWords) {
  EXPECT_THAT(open_failure("/dev/x", ENOENT).detail(), HasSubstr("absent"));
  EXPECT_THAT(open_failure("/dev/x", ENXIO).detail(), HasSubstr("absent"));
  EXPECT_THAT(open_failure("/dev/x", EPERM).detail(),
              HasSubstr("map the device into the container"));
  EXPECT_THAT(open_failure("/dev/x", EBUSY).detail(), HasSubstr("another program holds /dev/x"));
  EXPECT_THAT(open_failure("/dev/x", EMFILE).detail(), HasSubstr("open files"));
  EXPECT_THAT(open_failure("/dev/null", EACCES).detail(),
              HasSubstr("it belongs to user root, group root"));
  for (const auto reason : {ENOENT, EACCES, EBUSY, ENOTTY, EMFILE}) {
    EXPECT_EQ(open_failure("/dev/x", reason).code(), Errc::no_device);
  }
}

TEST(Holder, IsFoundByItsLock) {
  const fakes::PtyPair pty;

  struct stat about {};

  ASSERT_EQ(stat(pty.path().c_str(), &about), 0);
  const Scratch proc;
  std::ostringstream place;
  place << std::hex;
  place.fill('0');
  place.width(2);
  place << major(about.st_dev) << ':';
  place.width(2);
  place << minor(about.st_dev) << std::dec << ':' << about.st_ino;
  proc.file("locks", "1: POSIX  ADVISORY  WRITE 7 " + place.str() +
                         " 0 EOF\n2: FLOCK  ADVISORY  WRITE 812 " + place.str() + " 0 EOF\n");
  proc.file("812/comm", "ser2net\n");
  EXPECT_EQ(holder_advice(pty.path(), proc.path().string()),
            "another program (pid 812, ser2net) holds " + pty.path());
}

TEST(Holder, IsFoundByItsDescriptorWhenItTookNoLock) {
  const fakes::PtyPair pty;
  const Scratch proc;
  proc.file("44/comm", "minicom\n");
  fs::create_directories(proc.path() / "44/fd");
  fs::create_symlink(pty.path(), proc.path() / "44/fd/3");
  fs::create_directories(proc.path() / "self/fd");
  EXPECT_EQ(holder_advice(pty.path(), proc.path().string()),
            "another program (pid 44, minicom) holds " + pty.path());
}

}  // namespace
}  // namespace meterbridge::io
