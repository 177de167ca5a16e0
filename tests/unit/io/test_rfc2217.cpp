// SPDX-License-Identifier: MIT
// RFC 2217 with a server that is played here; pyserial's is in tests/integration/test_peers.py.
#include "core/serial_server.hpp"
#include "fakes/loop.hpp"
#include "io/rfc2217.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;

// The connection, and the server at its end.
struct Server {
  std::deque<std::byte> to_us;
  Bytes data;                // that it would put on the line
  std::vector<Bytes> asked;  // what it was set to, as the option has it: number, value
  bool agrees = true;
  bool answers = true;
  std::uint8_t wrong = 0;  // the setting that it confirms with another value
  unsigned seed = 0;
  bool endless = false;  // one sub-negotiation

  void say(ByteView bytes) { to_us.insert(to_us.end(), bytes.begin(), bytes.end()); }

  // Each write of ours is whole: no sub-negotiation is cut.
  void hear(ByteView bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      if (u8(bytes[at]) != 0xFF) {
        data.push_back(bytes[at]);
        continue;
      }
      const unsigned verb = u8(bytes[++at]);
      if (verb == 0xFF) data.push_back(std::byte{0xFF});
      if (verb >= 251 && verb <= 254) {
        const unsigned option = u8(bytes[++at]);
        if (verb == 251 && option == 44 && answers) say(*from_hex(agrees ? "fffd2c" : "fffe2c"));
      }
      if (verb != 250) continue;
      Bytes option;
      for (++at; u8(bytes[at]) != 0xFF || u8(bytes[at + 1]) == 0xFF; ++at) {
        option.push_back(bytes[at]);
        if (u8(bytes[at]) == 0xFF) ++at;
      }
      ++at;
      confirm(option);
    }
  }

  void confirm(const Bytes& option) {
    asked.emplace_back(option.begin() + 1, option.end());
    Bytes reply = *from_hex("fffa");
    for (std::size_t i = 0; i < option.size(); ++i) {
      std::byte value = option[i];
      if (i == 1) value = static_cast<std::byte>(u8(value) + 100);
      if (i + 1 == option.size() && u8(option[1]) == wrong) value ^= std::byte{1};
      reply.push_back(value);
      if (u8(value) == 0xFF) reply.push_back(value);
    }
    const Bytes end = *from_hex("fff0");
    reply.insert(reply.end(), end.begin(), end.end());
    say(reply);
  }
};

class Connection final : public Transport {
 public:
  explicit Connection(Server& server) : server_(server), dice_(server.seed) {}

  asio::awaitable<Result<>> open() override {
    open_ = true;
    co_return Result<>();
  }

  [[nodiscard]] bool is_open() const noexcept override { return open_; }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, Deadline) override {
    if (server_.to_us.empty() && server_.endless) server_.say(*from_hex("00112233"));
    if (server_.to_us.empty()) co_return Error(Errc::timeout, "no byte");
    const std::size_t most = std::min({into.size(), server_.to_us.size(), 1 + dice_() % 7UL});
    const auto end = server_.to_us.begin() + static_cast<std::ptrdiff_t>(most);
    std::copy(server_.to_us.begin(), end, into.begin());
    server_.to_us.erase(server_.to_us.begin(), end);
    co_return most;
  }

  asio::awaitable<Result<>> write(ByteView bytes, Deadline) override {
    server_.hear(bytes);
    co_return Result<>();
  }

  Result<> retune(const LineSettings&) override { return {}; }

  void discard_input() noexcept override {}

  void close() noexcept override { open_ = false; }

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

  [[nodiscard]] bool local() const noexcept override { return false; }

 private:
  Server& server_;
  std::mt19937 dice_;
  std::string name_ = "box:2217";
  bool open_ = false;
};

class Rfc2217Test : public testing::Test {
 protected:
  std::unique_ptr<Transport> link(Server& server, const LineSettings& line) {
    return make_rfc2217(loop_.executor(), std::make_unique<Connection>(server), line, false);
  }

  Bytes read_all(Transport& link) {
    Bytes all;
    std::array<std::byte, 16> block{};
    for (;;) {
      const auto got = loop_.run(link.read_some(block, soon()));
      if (!got) return all;
      all.insert(all.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*got));
    }
  }

  static Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(1); }

  const LineSettings optical = *LineSettings::parse(300, "7E1");
  fakes::Loop loop_;
};

TEST_F(Rfc2217Test, SetsTheLineAndEveryByteComesThroughInAnyCut) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<std::byte>(i);
  Bytes escaped = all;
  escaped.push_back(std::byte{0xFF});
  for (unsigned seed = 0; seed < 50; ++seed) {
    Server server;
    server.seed = seed;
    const auto port = link(server, *LineSettings::parse(115200, "8N1"));
    ASSERT_TRUE(loop_.run(port->open()));
    server.say(*from_hex("fffa2c6b10fff0fffb01"));  // the modem's lines, and an echo that we refuse
    server.say(escaped);
    EXPECT_EQ(read_all(*port), all);
    ASSERT_TRUE(loop_.run(port->write(all, soon())));
    EXPECT_EQ(server.data, all);
  }
}

TEST_F(Rfc2217Test, SpeedAndParityFollowTheMeterAndComeBack) {
  Server server;
  const auto port = link(server, optical);
  ASSERT_TRUE(loop_.run(port->open()));
  const std::vector<Bytes> first{*from_hex("0501"), *from_hex("010000012c"), *from_hex("0207"),
                                 *from_hex("0303"), *from_hex("0401")};
  EXPECT_EQ(server.asked, first);
  server.asked.clear();
  ASSERT_TRUE(port->retune(*LineSettings::parse(9600, "8O2")));
  ASSERT_TRUE(loop_.run(port->write(to_bytes("x"), soon())));
  const std::vector<Bytes> second{*from_hex("0100002580"), *from_hex("0208"), *from_hex("0302"),
                                  *from_hex("0402")};
  EXPECT_EQ(server.asked, second);
  port->restore();
  server.asked.clear();
  EXPECT_TRUE(read_all(*port).empty());
  ASSERT_EQ(server.asked.size(), 4U);
  EXPECT_EQ(server.asked.front(), *from_hex("010000012c"));
  // What is set already is not asked for again.
  server.asked.clear();
  ASSERT_TRUE(port->retune(optical));
  ASSERT_TRUE(loop_.run(port->write(to_bytes("x"), soon())));
  EXPECT_TRUE(server.asked.empty());
}

TEST_F(Rfc2217Test, WhatAServerDoesNotDoIsNamed) {
  for (const bool answers : {true, false}) {
    Server silent;
    silent.agrees = false;
    silent.answers = answers;
    const auto opened = loop_.run(link(silent, optical)->open());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), Errc::no_device);
    EXPECT_NE(opened.error().detail().find("does not speak RFC 2217"), std::string::npos);
  }
  for (std::uint8_t setting = 1; setting <= 4; ++setting) {
    Server stubborn;
    stubborn.wrong = setting;
    const auto opened = loop_.run(link(stubborn, optical)->open());
    ASSERT_FALSE(opened) << int{setting};
    EXPECT_NE(opened.error().detail().find("does not set 300 7E1"), std::string::npos);
  }
}

TEST_F(Rfc2217Test, OldBytesAreForgottenAndTheNegotiationAmongThemIsNot) {
  Server server;
  const auto port = link(server, optical);
  ASSERT_TRUE(loop_.run(port->open()));
  server.say(*from_hex("313233fffd18"));
  port->discard_input();
  server.data.clear();
  ASSERT_TRUE(loop_.run(port->write(to_bytes("?"), soon())));
  server.say(to_bytes("new"));
  EXPECT_EQ(to_text(read_all(*port)), "new");
}

TEST_F(Rfc2217Test, AServerWithoutEndDoesNotHoldTheLine) {
  Server server;
  const auto port = link(server, optical);
  ASSERT_TRUE(loop_.run(port->open()));
  server.say(*from_hex("fffa2c65"));
  server.endless = true;
  std::array<std::byte, 16> block{};
  const auto got = loop_.run(port->read_some(block, std::chrono::steady_clock::now()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Errc::timeout);
}

TEST_F(Rfc2217Test, AnyBytesOfAServerAreHarmless) {
  std::mt19937 dice(7);
  for (int round = 0; round < 300; ++round) {
    Server server;
    server.seed = static_cast<unsigned>(round);
    const auto port = link(server, optical);
    ASSERT_TRUE(loop_.run(port->open()));
    Bytes noise(200);
    for (std::byte& one : noise) {
      constexpr std::array telling{0xFF, 0xFA, 0xF0, 0x2C, 0xFB, 0xFD, 0x65, 0x41};
      one = static_cast<std::byte>(telling[dice() % telling.size()]);
    }
    server.say(noise);
    EXPECT_LE(read_all(*port).size(), noise.size());
  }
}

}  // namespace
}  // namespace meterbridge::io
