// SPDX-License-Identifier: MIT
#ifndef METERBRIDGE_WITHOUT_HTTP  // else: server_absent.cpp
#include "http/pages.hpp"
#include "http/server_state.hpp"

#include <exception>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace meterbridge::http {

namespace beast = boost::beast::http;
using Parser = beast::request_parser<beast::string_body>;

namespace {

constexpr std::uint32_t max_header = 8 * 1024;
constexpr std::size_t block_size = 2048;
constexpr Milliseconds farewell_limit{1000};
constexpr std::size_t farewell_bytes = 2 * longest_body;

Page refusal(unsigned status, std::string words) {
  Page out;
  out.status = status;
  out.body = std::move(words) + "\n";
  return out;
}

Head head_of(const Parser::value_type& request) {
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  Head head;
  head.method = text(request.method_string());
  head.target = text(request.target());
  head.host = text(request[beast::field::host]);
  head.if_match = text(request[beast::field::if_match]);
  std::erase(head.if_match, '"');
  const auto accept = request.find(beast::field::accept_encoding);
  head.accept_encoding = accept == request.end() ? "*" : text(accept->value());
  head.ours = request["X-Meterbridge"] == "1";
  return head;
}

// Of a parser that refuses to go on; empty when it only wants more.
std::string fault_text(const boost::system::error_code& failure) {
  if (!failure || failure == beast::error::need_more) return {};
  if (failure == beast::error::header_limit)
    return answer_text(refusal(431, "the request's head is too long"), false);
  if (failure == beast::error::body_limit)
    return answer_text(meterbridge::http::failure(413, "at most 1 MiB is taken"), false);
  return answer_text(refusal(400, "this is no request in HTTP"), false);
}

}  // namespace

struct Server::State::Intake {
  Parser parser;
  std::string pending;  // read, not parsed yet
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
  const bool known = self->answers(socket);
  if (!known || self->connections.size() - self->streams() >= self->options.most_connections) {
    const Page page = known ? refusal(503, "too many connections at once; come again")
                            : refusal(403, "this page is opened through Home Assistant");
    socket.write_some(asio::buffer(answer_text(page, false)), ignored);
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
  if (peer->stream && !self->ended) co_await stream(self, peer);
  if (text.empty() || self->ended) co_return;
  peer->limit(self->options.answer_limit, peer);
  const auto written = co_await asio::async_write(peer->socket, asio::buffer(text), token);
  if (std::get<0>(written)) co_return;
  // Bytes that nobody read would make the system throw the answer away at the other end.
  boost::system::error_code failure;
  peer->socket.shutdown(tcp::socket::shutdown_send, failure);
  peer->limit(farewell_limit, peer);
  std::array<char, block_size> waste;
  for (std::size_t total = 0; !failure && !peer->late && total < farewell_bytes;) {
    const auto outcome = co_await peer->socket.async_read_some(asio::buffer(waste), token);
    failure = std::get<0>(outcome);
    total += std::get<1>(outcome);
  }
}

// Until the head, or the body, is complete; else what is to be answered.
asio::awaitable<std::string> Server::State::read(Self self, Peer peer, bool body) {
  std::array<char, block_size> block;
  // Else a put takes one chunk only, and the rest waits for bytes that have come already.
  if (body) peer->intake->parser.eager(true);
  for (;;) {
    boost::system::error_code failure;
    if (!peer->intake->pending.empty())
      peer->intake->pending.erase(
          0, peer->intake->parser.put(asio::buffer(peer->intake->pending), failure));
    std::string fault = fault_text(failure);
    if (!fault.empty()) co_return fault;
    // What stays is the head of a chunk.
    if (body && peer->intake->pending.size() > max_header)
      co_return answer_text(refusal(400, "this is no request in HTTP"), false);
    const bool done = body ? peer->intake->parser.is_done() : peer->intake->parser.is_header_done();
    if (done || self->ended) co_return std::string();
    if (peer->late)
      co_return answer_text(refusal(408, "the request did not come to its end in time"), false);
    const auto outcome = co_await peer->socket.async_read_some(asio::buffer(block), token);
    if (peer->late)
      co_return answer_text(refusal(408, "the request did not come to its end in time"), false);
    if (std::get<0>(outcome)) {
      peer->close();
      co_return std::string();
    }
    peer->intake->pending.append(block.data(), std::get<1>(outcome));
  }
}

// Empty: the other end left before it had asked, or it wants a stream.
asio::awaitable<std::string> Server::State::reply(Self self, Peer peer) {
  peer->intake = std::make_shared<Intake>();
  peer->intake->parser.header_limit(max_header);
  peer->intake->parser.body_limit(longest_body);
  std::string fault = co_await read(self, peer, false);
  if (!fault.empty() || !peer->socket.is_open()) co_return fault;
  const Head head = head_of(peer->intake->parser.get());
  const Direction to = direction(head, self->desk, self->options.local_names_only);
  const bool bare = head.method == "HEAD";
  if (to.refusal) co_return answer_text(*to.refusal, bare);
  if (to.route == Route::events) {
    if (bare) co_return stream_head();
    if (self->streams() >= self->options.most_streams)
      co_return answer_text(failure(503, "too many pages are open at once; close one"), false);
    peer->stream = true;
    co_return std::string();
  }
  if (to.route == Route::check || to.route == Route::write) {
    const auto expect = peer->intake->parser.get()[beast::field::expect];
    if (!expect.empty()) {
      static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      (void)co_await asio::async_write(peer->socket, asio::buffer(go_on), token);
    }
    fault = co_await read(self, peer, true);
    if (!fault.empty() || !peer->socket.is_open()) co_return fault;
  }
  if (to.route == Route::write) {
    std::string hash = head.if_match;
    const Page shown = co_await change(self, peer, std::move(hash));
    co_return answer_text(shown, false);
  }
  co_return answer_text(page(to, head, peer->intake->parser.get().body(), self->view, self->desk),
                        bare);
}

// The program may end and begin tasks for it.
asio::awaitable<Page> Server::State::change(Self self, Peer peer, std::string hash) {
  peer->timer.cancel();
  const auto answer = std::make_shared<std::optional<Taken>>();
  self->desk->write(peer->intake->parser.get().body(), hash,
                    [answer, weak = std::weak_ptr(peer)](Taken taken) {
                      *answer = std::move(taken);
                      if (const auto connection = weak.lock()) connection->pulse.cancel();
                    });
  if (!*answer) {
    peer->pulse.expires_after(self->options.change_limit);
    co_await peer->pulse.async_wait(token);
  }
  if (*answer) co_return taken_page(**answer);
  co_return failure(500, "it is written, and not taken over yet: the log will tell");
}

Server::Server(const asio::any_io_executor& executor, ServerOptions options, const StatusView& view,
               Desk* desk)
    : state_(std::make_shared<State>(executor, std::move(options), view, desk)) {
  asio::co_spawn(executor, State::serve(state_), asio::detached);
}

Server::~Server() {
  state_->ended = true;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  // Closing one may end its coroutine, which takes it out of the set.
  const auto open = state_->connections;
  for (const auto& peer : open)
    peer->close();
}

bool Server::listening() const noexcept {
  return state_->acceptor.is_open();
}

std::size_t Server::connections() const noexcept {
  return state_->connections.size() - state_->streams();
}

}  // namespace meterbridge::http

#endif
