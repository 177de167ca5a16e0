// SPDX-License-Identifier: MIT
// Simulated lines with a client on the other end, in real files and sockets of this machine.
#include "simulator/station.hpp"

#include "core/time.hpp"
#include "fake_responder.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace meterbridge::simulator {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto long_enough = 10s;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "meterbridge-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data()) != nullptr ? name : std::string();
  }

  ~Folder() { fs::remove_all(path_); }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  fs::path path_;
};

// A client that never blocks; run() is called with it until something has come true.
class Client {
 public:
  Client() = default;

  explicit Client(int fd) : fd_(fd) {}

  ~Client() { hang_up(); }

  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), heard_(std::move(other.heard_)) {}

  Client& operator=(Client&& other) noexcept {
    hang_up();
    fd_ = std::exchange(other.fd_, -1);
    heard_ = std::move(other.heard_);
    return *this;
  }

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  static Client at_pty(const std::string& path) {
    return Client(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  }

  [[nodiscard]] bool connected() const { return fd_ >= 0; }

  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  void say(std::string_view text) const {
    EXPECT_EQ(::write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  const std::string& listen() {
    std::array<char, 4096> block{};
    for (;;) {
      const ssize_t count = ::read(fd_, block.data(), block.size());
      if (count <= 0) {
        gone_ = gone_ || count == 0 || errno == EIO;
        break;
      }
      heard_.append(block.data(), static_cast<std::size_t>(count));
    }
    return heard_;
  }

  [[nodiscard]] bool gone() {
    listen();
    return gone_;
  }

  void forget() { heard_.clear(); }

 private:
  int fd_ = -1;
  std::string heard_;
  bool gone_ = false;
};

FaultRates rates_of(std::string_view fault) {
  FaultRates rates;
  if (!fault.empty()) {
    EXPECT_TRUE(add_fault(rates, fault));
  }
  return rates;
}

// A station with its own loop; `until` lets it run until something has come true.
class Stage {
 public:
  Stage(std::unique_ptr<Port> port, std::vector<std::string> addresses,
        std::optional<Milliseconds> period, std::string_view fault = {},
        std::optional<std::uint64_t> limit = {}) {
    std::vector<Seat> seats;
    for (const std::string& address : addresses) {
      seats.emplace_back(Player(address, std::make_unique<FakeResponder>(address), LoadModel(8), 8,
                                rates_of(fault), limit),
                         period);
    }
    StationOptions options;
    options.baud = 115'200;
    options.away = 5ms;
    options.now = [] { return Seconds(std::chrono::seconds(1'795'172'400)); };
    options.finished = [this] { finished_ = true; };
    station_ = std::make_unique<Station>(context.get_executor(), std::move(port), std::move(seats),
                                         Faults(rates_of(fault), 8), std::move(options));
  }

  ~Stage() {
    station_->stop();
    context.restart();
    context.run_for(long_enough);
  }

  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  bool open() {
    const auto opened = station_->open();
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail());
    if (opened) station_->start();
    return bool(opened);
  }

  template <class Predicate>
  bool until(Predicate predicate) {
    const auto deadline = std::chrono::steady_clock::now() + long_enough;
    while (!predicate()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      context.restart();
      context.run_one_for(5ms);
    }
    return true;
  }

  [[nodiscard]] Station& station() { return *station_; }

  [[nodiscard]] bool finished() const { return finished_; }

 private:
  std::unique_ptr<Station> station_;
  bool finished_ = false;

 public:
  inline static asio::io_context context{1};
};

std::unique_ptr<Port> pty_at(const std::string& path) {
  return make_pty_port(Stage::context.get_executor(), path);
}

std::unique_ptr<Port> loopback() {
  return make_tcp_port(Stage::context.get_executor(), "127.0.0.1", 0);
}

Client dial(const std::string& name) {
  const int port = std::atoi(name.substr(name.rfind(':') + 1).c_str());
  asio::io_context own;
  asio::ip::tcp::socket socket(own);
  boost::system::error_code error;
  socket.connect({asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(port)}, error);
  EXPECT_FALSE(error) << error.message();
  socket.non_blocking(true, error);
  socket.native_non_blocking(true, error);
  return Client(socket.release(error));
}

TEST(PtyStation, AnswersClientAfterClient) {
  const Folder folder;
  const std::string path = folder / "ttyA";
  Stage stage(pty_at(path), {"A"}, std::nullopt);
  ASSERT_TRUE(stage.open());
  ASSERT_TRUE(fs::is_symlink(path));
  for (int visit = 0; visit < 5; ++visit) {
    Client client = Client::at_pty(path);
    ASSERT_TRUE(client.connected());
    client.say("A?\n");
    EXPECT_TRUE(stage.until([&] { return client.listen().ends_with('\n'); })) << visit;
    EXPECT_TRUE(client.listen().starts_with("A ")) << client.listen();
  }
}

TEST(PtyStation, SeveralMetersShareALine) {
  const Folder folder;
  const std::string path = folder / "bus";
  Stage stage(pty_at(path), {"A", "B", "C"}, std::nullopt);
  ASSERT_TRUE(stage.open());
  Client client = Client::at_pty(path);
  for (const std::string address : {"C", "A", "B"}) {
    client.forget();
    client.say(address + "?\n");
    EXPECT_TRUE(stage.until([&] { return client.listen().ends_with('\n'); }));
    EXPECT_TRUE(client.listen().starts_with(address + " "));
  }
}

TEST(PtyStation, IsRawHoweverItIsOpened) {
  const Folder folder;
  const std::string path = folder / "raw";
  Stage stage(pty_at(path), {"A"}, std::nullopt);
  ASSERT_TRUE(stage.open());
  for (int visit = 0; visit < 2; ++visit) {
    const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    termios mode{};
    ASSERT_EQ(::tcgetattr(fd, &mode), 0);
    EXPECT_EQ(mode.c_lflag & static_cast<tcflag_t>(ECHO | ICANON | ISIG), 0U);
    EXPECT_EQ(mode.c_iflag & static_cast<tcflag_t>(ICRNL | IXON), 0U);
    EXPECT_EQ(mode.c_oflag & static_cast<tcflag_t>(OPOST), 0U);
    ::close(fd);
  }
}

TEST(PtyStation, PushesOnlyWhileSomebodyIsThereAndHoldsNoOldTelegramsBack) {
  const Folder folder;
  const std::string path = folder / "p1";
  Stage stage(pty_at(path), {"A"}, 2ms);
  ASSERT_TRUE(stage.open());
  const auto sent = [&] { return stage.station().seats()[0].player.sent(); };
  int beats = 0;
  stage.until([&] { return ++beats > 20; });
  EXPECT_EQ(sent(), 0U);
  {
    Client client = Client::at_pty(path);
    ASSERT_TRUE(stage.until(
        [&] { return std::count(client.listen().begin(), client.listen().end(), '\n') >= 3; }));
    EXPECT_TRUE(client.listen().starts_with("A "));
  }
  const auto so_far = sent();
  EXPECT_GE(so_far, 3U);
  beats = 0;
  stage.until([&] { return ++beats > 20; });
  EXPECT_LE(sent(), so_far + 1);
}

TEST(PtyStation, LeavesFilesAndForeignLinksAlone) {
  const Folder folder;
  const std::string file = folder / "file";
  std::ofstream(file) << "mine";
  const std::string device = folder / "device";
  fs::create_symlink("/dev/null", device);
  for (const std::string& path : {file, device}) {
    auto port = pty_at(path);
    const auto opened = port->open();
    ASSERT_FALSE(opened) << path;
    EXPECT_EQ(opened.error().code(), Errc::no_device);
    EXPECT_NE(opened.error().detail().find("left alone"), std::string::npos);
  }
  EXPECT_EQ(fs::file_size(file), 4U);
  EXPECT_EQ(fs::read_symlink(device), "/dev/null");
}

TEST(PtyStation, ReplacesTheLinkThatADeadSimulatorLeftAndRemovesItsOwn) {
  const Folder folder;
  const std::string path = folder / "left";
  fs::create_symlink("/dev/pts/no-such-terminal", path);
  {
    auto port = pty_at(path);
    ASSERT_TRUE(port->open());
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(path)));
  // A link that another has put there meanwhile is not ours to remove.
  auto port = pty_at(path);
  ASSERT_TRUE(port->open());
  fs::remove(path);
  fs::create_symlink("/dev/null", path);
  port->close();
  EXPECT_EQ(fs::read_symlink(path), "/dev/null");
}

TEST(PtyStation, HangupThrowsTheClientOutAndTheLinkComesBack) {
  const Folder folder;
  const std::string path = folder / "usb";
  Stage stage(pty_at(path), {"A"}, std::nullopt, "hangup=1");
  ASSERT_TRUE(stage.open());
  for (int visit = 0; visit < 3; ++visit) {
    Client client;
    ASSERT_TRUE(stage.until([&] {
      client = Client::at_pty(path);
      return client.connected();
    }));
    client.say("A?\n");
    EXPECT_TRUE(stage.until([&] { return client.gone(); })) << visit;
  }
  EXPECT_GE(stage.station().seats()[0].player.faults().count(FaultKind::hangup), 3U);
}

TEST(PtyStation, EchoReturnsTheRequestBeforeTheAnswer) {
  const Folder folder;
  const std::string path = folder / "echo";
  Stage stage(pty_at(path), {"A"}, std::nullopt, "echo=1");
  ASSERT_TRUE(stage.open());
  Client client = Client::at_pty(path);
  client.say("A?\n");
  EXPECT_TRUE(stage.until(
      [&] { return std::count(client.listen().begin(), client.listen().end(), '\n') == 2; }));
  EXPECT_TRUE(client.listen().starts_with("A?\nA ")) << client.listen();
  EXPECT_EQ(stage.station().echoes(), 1U);
}

TEST(PtyStation, EndsAfterTheCountOfTelegrams) {
  const Folder folder;
  const std::string path = folder / "count";
  Stage stage(pty_at(path), {"A"}, 2ms, {}, 4);
  ASSERT_TRUE(stage.open());
  Client client = Client::at_pty(path);
  EXPECT_TRUE(stage.until([&] { return stage.finished(); }));
  EXPECT_TRUE(stage.until(
      [&] { return std::count(client.listen().begin(), client.listen().end(), '\n') == 4; }));
}

TEST(PtyStation, LosesWhatNobodyReadsInsteadOfStanding) {
  const Folder folder;
  const std::string path = folder / "full";
  Stage stage(pty_at(path), {"A"}, 1ms);
  ASSERT_TRUE(stage.open());
  Client client = Client::at_pty(path);
  int beats = 0;
  // The client holds the port open and reads nothing; the loop goes on.
  EXPECT_TRUE(stage.until([&] { return ++beats > 100; }));
  EXPECT_TRUE(client.connected());
}

TEST(TcpStation, AnswersClientAfterClientAndTheNewestWins) {
  Stage stage(loopback(), {"A"}, std::nullopt);
  ASSERT_TRUE(stage.open());
  Client old = dial(stage.station().name());
  old.say("A?\n");
  EXPECT_TRUE(stage.until([&] { return old.listen().ends_with('\n'); }));
  for (int visit = 0; visit < 3; ++visit) {
    Client client = dial(stage.station().name());
    client.say("A?\n");
    EXPECT_TRUE(stage.until([&] { return client.listen().ends_with('\n'); })) << visit;
    EXPECT_TRUE(client.listen().starts_with("A "));
  }
  EXPECT_TRUE(stage.until([&] { return old.gone(); }));
}

TEST(TcpStation, HangupEndsTheConnectionAndAcceptsTheNext) {
  Stage stage(loopback(), {"A"}, 2ms, "hangup=1");
  ASSERT_TRUE(stage.open());
  for (int visit = 0; visit < 3; ++visit) {
    Client client = dial(stage.station().name());
    EXPECT_TRUE(stage.until([&] { return client.gone(); })) << visit;
  }
}

TEST(TcpStation, SaysWhyItCannotListen) {
  auto taken = loopback();
  ASSERT_TRUE(taken->open());
  const std::string name = taken->name();
  const auto port = static_cast<std::uint16_t>(std::atoi(name.substr(name.rfind(':') + 1).c_str()));
  auto second = make_tcp_port(Stage::context.get_executor(), "127.0.0.1", port);
  const auto opened = second->open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail().find(name), std::string::npos) << opened.error().detail();
  auto foreign = make_tcp_port(Stage::context.get_executor(), "203.0.113.7", 0);
  EXPECT_FALSE(foreign->open());
  taken->close();
  Stage::context.restart();
  Stage::context.poll();
}

}  // namespace
}  // namespace meterbridge::simulator
