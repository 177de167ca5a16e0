// SPDX-License-Identifier: MIT
#ifndef METERBRIDGE_WITHOUT_HTTP  // else: server_absent.cpp
#include "http/server.hpp"

#include "http/pages.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <set>
#include <string_view>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace meterbridge::http {

namespace asio = boost::asio;
namespace beast = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t max_header = 8 * 1024;
constexpr std::size_t block_size = 2048;
constexpr Milliseconds farewell_limit{1000};
constexpr std::size_t farewell_bytes = std::size_t{256} * 1024;
constexpr auto token = asio::as_tuple(asio::use_awaitable);

Page refusal(unsigned status, std::string words) {
  Page out;
  out.status = status;
  out.body = std::move(words) + "\n";
  return out;
}

}  // namespace

struct Server::State {
  // One connection; the timer closes it when a step takes too long.
  struct Connection {
    explicit Connection(tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}

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
      socket.close(ignored);
    }

    tcp::socket socket;
    asio::steady_timer timer;
    bool late = false;
  };

  State(const asio::any_io_executor& executor, ServerOptions o, const StatusView& v)
      : options(std::move(o)), view(v), acceptor(executor), pause(executor) {}

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

  using Self = std::shared_ptr<State>;
  using Peer = std::shared_ptr<Connection>;

  // Coroutines that share the state: the server may be gone when they go on.
  static asio::awaitable<void> serve(Self self);
  static asio::awaitable<void> accept(Self self);
  static void welcome(const Self& self, tcp::socket socket);
  static asio::awaitable<void> talk(Self self, Peer peer);
  static asio::awaitable<std::string> reply(Self self, Peer peer);

  const ServerOptions options;
  const StatusView& view;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::set<Peer> connections;
  std::string told;  // what is in the way, as the log knows it
  bool ended = false;
};

asio::awaitable<void> Server::State::serve(Self self) {
  while (!self->ended) {
    std::string words = self->open();
    if (words.empty()) {
      self->say(false, "listens on " + self->place());
      co_await accept(self);
      words = "was closed by the system";
    }
    if (self->ended) co_return;
    if (words != self->told) self->say(true, words + "; tried again and again");
    self->told = std::move(words);
    self->pause.expires_after(self->options.retry);
    co_await self->pause.async_wait(token);
  }
}

asio::awaitable<void> Server::State::accept(Self self) {
  self->told.clear();
  while (self->acceptor.is_open()) {
    auto [failure, socket] = co_await self->acceptor.async_accept(token);
    if (self->ended) co_return;
    if (!failure) {
      welcome(self, std::move(socket));
      continue;
    }
    // Out of descriptors, mostly: they come back.
    self->pause.expires_after(farewell_limit);
    co_await self->pause.async_wait(token);
  }
}

void Server::State::welcome(const Self& self, tcp::socket socket) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  if (self->connections.size() >= self->options.most_connections) {
    const std::string text =
        answer_text(refusal(503, "too many connections at once; come again"), false);
    socket.write_some(asio::buffer(text), ignored);
    return;
  }
  const auto peer = std::make_shared<Connection>(std::move(socket));
  self->connections.insert(peer);
  asio::co_spawn(peer->socket.get_executor(), talk(self, peer), [self, peer](std::exception_ptr) {
    peer->close();
    self->connections.erase(peer);
  });
}

asio::awaitable<void> Server::State::talk(Self self, Peer peer) {
  peer->limit(self->options.request_limit, peer);
  const std::string text = co_await reply(self, peer);
  if (text.empty() || self->ended) co_return;
  peer->limit(self->options.answer_limit, peer);
  const auto written = co_await asio::async_write(peer->socket, asio::buffer(text), token);
  if (std::get<0>(written)) co_return;
  // Bytes that nobody read would make the system throw the answer away at the other end.
  boost::system::error_code failure;
  peer->socket.shutdown(tcp::socket::shutdown_send, failure);
  peer->limit(farewell_limit, peer);
  std::array<char, block_size> waste;
  for (std::size_t total = 0; !failure && total < farewell_bytes;) {
    const auto outcome = co_await peer->socket.async_read_some(asio::buffer(waste), token);
    failure = std::get<0>(outcome);
    total += std::get<1>(outcome);
  }
}

// Empty: the other end left before it had asked.
asio::awaitable<std::string> Server::State::reply(Self self, Peer peer) {
  beast::request_parser<beast::empty_body> parser;
  parser.header_limit(max_header);
  std::string pending;
  std::array<char, block_size> block;
  while (!parser.is_header_done()) {
    const auto outcome = co_await peer->socket.async_read_some(asio::buffer(block), token);
    if (peer->late)
      co_return answer_text(refusal(408, "the request did not come to its end in time"), false);
    if (std::get<0>(outcome)) co_return std::string();
    pending.append(block.data(), std::get<1>(outcome));
    boost::system::error_code failure;
    pending.erase(0, parser.put(asio::buffer(pending), failure));
    if (failure == beast::error::header_limit)
      co_return answer_text(refusal(431, "the request's head is too long"), false);
    if (failure && failure != beast::error::need_more)
      co_return answer_text(refusal(400, "this is no request in HTTP"), false);
  }
  const auto method = parser.get().method_string();
  const auto target = parser.get().target();
  const Page shown =
      page({method.data(), method.size()}, {target.data(), target.size()}, self->view);
  co_return answer_text(shown, method == "HEAD");
}

Server::Server(const asio::any_io_executor& executor, ServerOptions options, const StatusView& view)
    : state_(std::make_shared<State>(executor, std::move(options), view)) {
  asio::co_spawn(executor, State::serve(state_), asio::detached);
}

Server::~Server() {
  state_->ended = true;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  for (const auto& peer : state_->connections)
    peer->close();
}

bool Server::listening() const noexcept {
  return state_->acceptor.is_open();
}

std::size_t Server::connections() const noexcept {
  return state_->connections.size();
}

bool available() noexcept {
  return true;
}

}  // namespace meterbridge::http

#endif
