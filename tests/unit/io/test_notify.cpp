// SPDX-License-Identifier: MIT
#include "fakes/scratch.hpp"
#include "io/notify.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

// The service manager's end of the socket.
class ServiceManager {
 public:
  explicit ServiceManager(const std::string& path)
      : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    bound_ = bind(socket_, reinterpret_cast<const sockaddr*>(&address), length) == 0;
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }

  ~ServiceManager() {
    unsetenv("NOTIFY_SOCKET");
    close(socket_);
  }

  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  [[nodiscard]] bool bound() const { return bound_; }

  [[nodiscard]] std::string heard() const {
    std::array<char, 1000> text{};
    const auto count = recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return count < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(count));
  }

 private:
  int socket_;
  bool bound_ = false;
};

TEST(Notify, SaysNothingWhereNobodyAsked) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(notify("READY=1"));
  setenv("NOTIFY_SOCKET", "/not/there", 1);
  EXPECT_FALSE(notify("READY=1"));
  setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
  EXPECT_FALSE(notify("READY=1"));
  setenv("NOTIFY_SOCKET", std::string(300, '/').c_str(), 1);
  EXPECT_FALSE(notify("READY=1"));
  unsetenv("NOTIFY_SOCKET");
}

TEST(Notify, SpeaksTheProtocol) {
  const fakes::Scratch scratch;
  const ServiceManager manager((scratch.path() / "notify").string());
  ASSERT_TRUE(manager.bound());
  notify_ready("2 meters");
  EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=2 meters");
  notify_status("one\nSTOPPING=1");
  EXPECT_EQ(manager.heard(), "STATUS=one STOPPING=1");
  notify_alive();
  EXPECT_EQ(manager.heard(), "WATCHDOG=1");
  notify_stopping("bye");
  EXPECT_EQ(manager.heard(), "STOPPING=1\nSTATUS=bye");
}

TEST(Notify, ReachesAbstractAddresses) {
  const ServiceManager manager("@meterbridge-test-" + std::to_string(getpid()));
  ASSERT_TRUE(manager.bound());
  EXPECT_TRUE(notify("READY=1"));
  EXPECT_EQ(manager.heard(), "READY=1");
}

TEST(Notify, KnowsHowOftenItMustSpeak) {
  unsetenv("WATCHDOG_USEC");
  unsetenv("WATCHDOG_PID");
  EXPECT_FALSE(notify_interval());
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(notify_interval(), std::chrono::seconds(30));
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(notify_interval(), std::chrono::seconds(30));
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(notify_interval()) << "another process is meant";
  unsetenv("WATCHDOG_PID");
  for (const auto* wrong : {"", "0", "-5", "soon", "5s"}) {
    setenv("WATCHDOG_USEC", wrong, 1);
    EXPECT_FALSE(notify_interval()) << wrong;
  }
  unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace meterbridge::io
