// SPDX-License-Identifier: MIT
// The listener's inside, for its two files.
#pragma once

#include "http/pages.hpp"
#include "http/server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::http {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto token = asio::as_tuple(asio::use_awaitable);

struct Server::State {
  struct Connection;
  struct Intake;
  using Self = std::shared_ptr<State>;
  using Peer = std::shared_ptr<Connection>;

  // One connection; the timer closes it when a step takes too long.
  struct Connection {
    explicit Connection(tcp::socket s)
        : socket(std::move(s)), timer(socket.get_executor()), pulse(socket.get_executor()) {}

    void limit(Milliseconds time, const std::shared_ptr<Connection>& self) {
      late = false;
      timer.expires_after(time);
      timer.async_wait([weak = std::weak_ptr(self)](const boost::system::error_code& failure) {
        const auto connection = weak.lock();
        if (failure || !connection) return;
        connection->late = true;
        boost::system::error_code ignored;
        connection->socket.cancel(ignored);
      });
    }

    void close() {
      boost::system::error_code ignored;
      timer.cancel();
      pulse.cancel();
      socket.close(ignored);
    }

    tcp::socket socket;
    asio::steady_timer timer;
    asio::steady_timer pulse;        // of what is waited for without a socket
    std::shared_ptr<Intake> intake;  // of its request
    bool late = false;
    bool stream = false;
  };

  // What all streams say, made once for them.
  struct News {
    std::chrono::steady_clock::time_point made{};
    std::string fingerprint;
    std::string status;
  };

  State(const asio::any_io_executor& executor, ServerOptions o, const StatusView& v, Desk* d)
      : options(std::move(o)), view(v), desk(d), acceptor(executor), pause(executor) {}

  [[nodiscard]] bool answers(const tcp::socket& socket) const {
    boost::system::error_code failure;
    asio::ip::address peer = socket.remote_endpoint(failure).address();
    if (failure) return false;
    if (peer.is_v6() && peer.to_v6().is_v4_mapped())
      peer = asio::ip::make_address_v4(asio::ip::v4_mapped, peer.to_v6());
    const auto& known = options.peers;
    return known.empty() || peer.is_loopback() ||
           std::find(known.begin(), known.end(), peer.to_string()) != known.end();
  }

  [[nodiscard]] std::size_t streams() const {
    return static_cast<std::size_t>(std::count_if(connections.begin(), connections.end(),
                                                  [](const Peer& one) { return one->stream; }));
  }

  const News& news();

  void say(bool warning, const std::string& text) const {
    if (options.log) options.log(warning, "http: " + text);
  }

  [[nodiscard]] std::string place() const {
    const bool v6 = options.address.find(':') != std::string::npos;
    return (v6 ? "[" + options.address + "]" : options.address) + ":" +
           std::to_string(options.port);
  }

  // In words what is in the way; empty when we listen.
  std::string open() {
    boost::system::error_code failure;
    const auto address = asio::ip::make_address(options.address, failure);
    const tcp::endpoint endpoint(address, options.port);
    if (!failure) acceptor.open(endpoint.protocol(), failure);
    if (!failure) acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure) acceptor.bind(endpoint, failure);
    if (!failure) acceptor.listen(static_cast<int>(options.most_connections), failure);
    if (!failure) return {};
    boost::system::error_code ignored;
    acceptor.close(ignored);
    if (failure == asio::error::address_in_use)
      return place() + " is in use by another program: stop it, or choose another port";
    return "cannot listen on " + place() + ": " + failure.message();
  }

  // Coroutines that share the state: the server may be gone when they go on.
  static asio::awaitable<void> serve(Self self);
  static asio::awaitable<void> accept(Self self);
  static void welcome(const Self& self, tcp::socket socket);
  static asio::awaitable<void> talk(Self self, Peer peer);
  static asio::awaitable<std::string> read(Self self, Peer peer, bool body);
  static asio::awaitable<std::string> reply(Self self, Peer peer);
  static asio::awaitable<Page> change(Self self, Peer peer, std::string hash);
  static asio::awaitable<void> stream(Self self, Peer peer);
  static void watch(const Peer& peer, const std::shared_ptr<std::array<char, 64>>& waste);

  const ServerOptions options;
  const StatusView& view;
  Desk* const desk;
  News news_;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::set<Peer> connections;
  std::string told;  // what is in the way, as the log knows it
  bool ended = false;
};

}  // namespace meterbridge::http
