// SPDX-License-Identifier: MIT
// Loopback TCP; P02 of the user pains.
#include "core/time.hpp"
#include "fakes/loop.hpp"
#include "io/links.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;

Deadline in(int milliseconds) {
  return std::chrono::steady_clock::now() + Milliseconds(milliseconds);
}

class TcpLink : public testing::Test {
 protected:
  TcpLink()
      : gateway_(loop_.context(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        peer_(loop_.context()) {}

  [[nodiscard]] std::uint16_t port() const { return gateway_.local_endpoint().port(); }

  std::unique_ptr<Transport> connected(const std::string& host = "127.0.0.1", bool echo = false) {
    auto link = make_tcp(loop_.executor(), host, port(), echo);
    const auto opened = loop_.run(link->open());
    EXPECT_TRUE(opened) << opened.error().detail();
    gateway_.accept(peer_);
    return link;
  }

  void answer(std::string_view text) { asio::write(peer_, asio::buffer(text)); }

  std::string read(Transport& link, int milliseconds = 2000) {
    std::array<std::byte, 8192> block{};
    const auto got = loop_.run(link.read_some(block, in(milliseconds)));
    if (!got) return std::string(name(got.error().code()));
    return to_text(ByteView(block).first(*got));
  }

  fakes::Loop loop_;
  tcp::acceptor gateway_;
  tcp::socket peer_;
};

TEST_F(TcpLink, CarriesBytesBothWays) {
  auto link = connected();
  answer("from the meter");
  EXPECT_EQ(read(*link), "from the meter");
  ASSERT_TRUE(loop_.run(link->write(to_bytes("to the meter"), in(1000))));
  std::array<char, 100> heard{};
  const auto count = peer_.read_some(asio::buffer(heard));
  EXPECT_EQ(std::string(heard.data(), count), "to the meter");
  EXPECT_FALSE(link->local());
  EXPECT_EQ(link->name(), "127.0.0.1:" + std::to_string(port()));
}

TEST_F(TcpLink, FindsItsPeerByName) {
  auto link = connected("localhost");
  answer("hello");
  EXPECT_EQ(read(*link), "hello");
}

TEST_F(TcpLink, TellsAnUnknownName) {
  auto link = make_tcp(loop_.executor(), "no-such-host.invalid", 8899, false);
  const auto opened = loop_.run(link->open());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::no_device);
  EXPECT_THAT(opened.error().detail(), HasSubstr("no-such-host.invalid"));
}

TEST_F(TcpLink, TellsARefusedConnection) {
  const auto closed_port = port();
  gateway_.close();
  auto link = make_tcp(loop_.executor(), "127.0.0.1", closed_port, false);
  const auto opened = loop_.run(link->open());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::no_device);
  EXPECT_THAT(opened.error().detail(), HasSubstr("refuses the connection"));
  EXPECT_FALSE(link->is_open());
}

TEST_F(TcpLink, SeesThatThePeerClosed) {
  auto link = connected();
  answer("last words");
  peer_.close();
  EXPECT_EQ(read(*link), "last words");
  EXPECT_EQ(read(*link), "io");
}

TEST_F(TcpLink, SeesAResetAndReconnects) {
  auto link = connected();
  peer_.set_option(tcp::socket::linger(true, 0));
  peer_.close();
  EXPECT_EQ(read(*link), "io");
  link->close();
  ASSERT_TRUE(loop_.run(link->open()));
  gateway_.accept(peer_);
  answer("again");
  EXPECT_EQ(read(*link), "again");
}

TEST_F(TcpLink, P02GivesUpOnASilentPeerAtTheDeadline) {
  auto link = connected();
  EXPECT_EQ(read(*link, 20), "timeout");
}

TEST_F(TcpLink, P02GivesUpWritingToAPeerThatTakesNothing) {
  auto link = connected();
  const Bytes much(32U << 20U);
  const auto written = loop_.run(link->write(much, in(30)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Errc::io);
}

TEST_F(TcpLink, P02LetsTheKernelNoticeAVanishedPeer) {
  auto link = connected();
  // Our socket is the one whose peer is the gateway.
  int ours = -1;
  for (int candidate = 3; candidate < 256; ++candidate) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (getpeername(candidate, reinterpret_cast<sockaddr*>(&peer), &length) == 0 &&
        ntohs(peer.sin_port) == port()) {
      ours = candidate;
    }
  }
  ASSERT_GE(ours, 0);
  const auto option = [ours](int level, int what) {
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(ours, level, what, &value, &length);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_LE(option(IPPROTO_TCP, TCP_KEEPIDLE) +
                option(IPPROTO_TCP, TCP_KEEPCNT) * option(IPPROTO_TCP, TCP_KEEPINTVL),
            30);
  EXPECT_LE(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 30'000);
  EXPECT_GT(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST_F(TcpLink, StopsConnectingWhenItIsCancelled) {
  // A full backlog: the next connection attempt gets no answer at all.
  tcp::acceptor full(loop_.context(), tcp::v4());
  full.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  full.listen(0);
  std::vector<tcp::socket> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(loop_.context());
    waiting.back().async_connect(full.local_endpoint(), [](boost::system::error_code) {});
  }
  auto link = make_tcp(loop_.executor(), "127.0.0.1", full.local_endpoint().port(), false);
  asio::cancellation_signal stop;
  std::optional<Result<>> opened;
  asio::co_spawn(
      loop_.context(), link->open(),
      asio::bind_cancellation_slot(
          stop.slot(), [&](std::exception_ptr, Result<> result) { opened = std::move(result); }));
  asio::steady_timer soon(loop_.executor(), Milliseconds(30));
  soon.async_wait([&](boost::system::error_code) { stop.emit(asio::cancellation_type::terminal); });
  loop_.until([&] { return opened.has_value(); });
  ASSERT_FALSE(*opened);
  EXPECT_EQ(opened->error().code(), Errc::cancelled);
}

TEST_F(TcpLink, LeavesTheSpeedToTheGateway) {
  auto link = connected();
  const auto tuned = link->retune(LineSettings());
  ASSERT_FALSE(tuned);
  EXPECT_EQ(tuned.error().code(), Errc::unsupported);
}

TEST_F(TcpLink, DropsItsEcho) {
  auto link = connected("127.0.0.1", true);
  ASSERT_TRUE(loop_.run(link->write(to_bytes("ask"), in(1000))));
  answer("askanswer");
  EXPECT_EQ(read(*link), "answer");
}

TEST_F(TcpLink, ThrowsAwayWhatIsOld) {
  auto link = connected();
  answer("old");
  // Loopback delivers at once, but only a read proves it.
  EXPECT_EQ(read(*link), "old");
  answer("older");
  link->discard_input();
  answer("new");
  const auto got = read(*link);
  EXPECT_TRUE(got == "new") << got;
}

TEST_F(TcpLink, SharesTheLoopDuringAFlood) {
  auto link = connected();
  constexpr std::size_t total = 8U << 20U;
  std::thread meter([this] {
    const std::string block(64 * 1024, 'x');
    boost::system::error_code failure;
    for (std::size_t sent = 0; sent < total && !failure; sent += block.size()) {
      asio::write(peer_, asio::buffer(block), failure);
    }
  });
  std::size_t others = 0;
  bool over = false;
  std::function<void()> other = [&] {
    ++others;
    if (!over) asio::post(loop_.context(), other);
  };
  other();
  std::size_t count = 0;
  std::size_t reads = 0;
  std::array<std::byte, 4096> block{};
  const auto listener = [](Transport& from, std::span<std::byte> into, std::size_t& sum,
                           std::size_t& times) -> asio::awaitable<bool> {
    while (sum < total) {
      const auto got = co_await from.read_some(into, in(2000));
      if (!got) co_return false;
      sum += *got;
      ++times;
    }
    co_return true;
  };
  EXPECT_TRUE(loop_.run(listener(*link, block, count, reads)));
  over = true;
  meter.join();
  EXPECT_EQ(count, total);
  EXPECT_GT(others, reads / 32) << "the other tasks were starved";
}

}  // namespace
}  // namespace meterbridge::io
