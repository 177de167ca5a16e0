// SPDX-License-Identifier: MIT
// A sink under test, and who answers it: a scripted HTTP server on the test's own loop, or a real
// database.
#pragma once

#include "fakes/loop.hpp"
#include "fakes/program.hpp"
#include "fakes/scratch.hpp"
#include "sink/influxdb/influxdb.hpp"
#include "unit/sink/influxdb_samples.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

namespace meterbridge::sink {

using boost::asio::ip::tcp;

// Answers each request with what the script returns; an empty answer closes the connection, and
// "silence" leaves the client waiting.
class Peer {
 public:
  using Script = std::function<std::string(const std::string& request)>;

  Peer(fakes::Loop& loop, Script script)
      : script_(std::move(script)),
        acceptor_(loop.context(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    boost::asio::co_spawn(loop.context(), accept(), boost::asio::detached);
  }

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }

  std::vector<std::string> requests;
  int connections = 0;

 private:
  boost::asio::awaitable<void> accept() {
    for (;;) {
      auto [failure, socket] =
          co_await acceptor_.async_accept(boost::asio::as_tuple(boost::asio::use_awaitable));
      if (failure) co_return;
      ++connections;
      boost::asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)),
                            boost::asio::detached);
    }
  }

  static bool complete(const std::string& text) {
    const auto head = text.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    constexpr std::string_view name = "Content-Length: ";
    std::size_t length = 0;
    if (const auto at = text.find(name); at < head)
      std::from_chars(text.data() + at + name.size(), text.data() + head, length);
    return text.size() >= head + 4 + length;
  }

  boost::asio::awaitable<void> serve(tcp::socket socket) {
    std::array<char, 8192> block{};
    std::string text;
    for (;;) {
      auto [failure, count] = co_await socket.async_read_some(
          boost::asio::buffer(block), boost::asio::as_tuple(boost::asio::use_awaitable));
      if (failure) co_return;
      text.append(block.data(), count);
      if (!complete(text)) continue;
      requests.push_back(std::exchange(text, {}));
      const std::string answer = script_(requests.back());
      if (answer == "silence") continue;
      if (answer.empty()) co_return;
      auto written = co_await boost::asio::async_write(
          socket, boost::asio::buffer(answer), boost::asio::as_tuple(boost::asio::use_awaitable));
      if (std::get<0>(written)) co_return;
    }
  }

  Script script_;
  tcp::acceptor acceptor_;
};

inline std::string http(const std::string& status, const std::string& body = {},
                        const std::string& headers = {}) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

using fakes::ask;
using fakes::eventually;
using fakes::free_port;
using fakes::Program;

}  // namespace meterbridge::sink

namespace meterbridge::sink::influxdb {

class Writing : public testing::Test {
 protected:
  std::unique_ptr<Sink> sink(Given given) {
    sink::Setup setup;
    setup.name = "influxdb";
    setup.settings = settings(given);
    setup.log = [this](bool, const std::string& text) { log.push_back(text); };
    auto made = kind().make(loop.executor(), std::move(setup));
    EXPECT_TRUE(made) << made.error().detail();
    return std::move(*made);
  }

  std::unique_ptr<Sink> sink_at(const Peer& peer, const std::string& gzip = "false") {
    return sink({{"url", peer.url()},
                 {"bucket", "energy"},
                 {"token", "t0ken"},
                 {"gzip", gzip},
                 {"timeout", "500ms"}});
  }

  // Samples of one value each, one second apart, with sequences from `first` on.
  static std::vector<journal::Entry> entries(std::size_t count, journal::Sequence first = 1) {
    std::vector<journal::Entry> made;
    for (journal::Sequence i = first; i < first + count; ++i) {
      const auto at = noon + std::chrono::seconds(i);
      made.push_back({i, sample({number("power", std::to_string(i) + ".5")}, at)});
    }
    return made;
  }

  Result<Written> write(Sink& sink, const std::vector<journal::Entry>& batch) {
    return loop.run(sink.write(batch), std::chrono::seconds(60));
  }

  // Call after call until everything is taken, as the runner does; all refusals.
  std::vector<Refusal> write_all(Sink& sink, std::vector<journal::Entry> batch) {
    std::vector<Refusal> refused;
    while (!batch.empty()) {
      auto written = write(sink, batch);
      EXPECT_TRUE(written) << written.error().detail();
      if (!written || written->taken == 0) break;
      refused.insert(refused.end(), written->refused.begin(), written->refused.end());
      batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(written->taken));
    }
    EXPECT_TRUE(batch.empty());
    return refused;
  }

  fakes::Loop loop;
  std::vector<std::string> log;
};

}  // namespace meterbridge::sink::influxdb
