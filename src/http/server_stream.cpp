// SPDX-License-Identifier: MIT
// Streams of events: the status when it changes, and new lines of the log.
#ifndef METERBRIDGE_WITHOUT_HTTP
#include "http/server_state.hpp"
#include "http/status_json.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace meterbridge::http {

const Server::State::News& Server::State::news() {
  const auto now = std::chrono::steady_clock::now();
  if (news_.status.empty() || now - news_.made >= options.beat * 9 / 10) {
    const Status status = view.status();
    news_.made = now;
    news_.fingerprint = fingerprint(status);
    news_.status = status_json(status);
  }
  return news_;
}

// Nothing is expected from who listens; that it leaves is seen at once.
void Server::State::watch(const Peer& peer, const std::shared_ptr<std::array<char, 64>>& waste) {
  peer->socket.async_read_some(
      asio::buffer(*waste), [peer, waste](const boost::system::error_code& failure, std::size_t) {
        if (failure) {
          peer->close();
        } else {
          watch(peer, waste);
        }
      });
}

asio::awaitable<void> Server::State::stream(Self self, Peer peer) {
  peer->timer.cancel();
  watch(peer, std::make_shared<std::array<char, 64>>());
  const auto before = self->view.log_after(0);
  std::uint64_t line = before.empty() ? 0 : before.back().number;
  std::string out = stream_head();
  std::string told;
  std::chrono::steady_clock::time_point said{};
  while (!self->ended && peer->socket.is_open()) {
    const auto now = std::chrono::steady_clock::now();
    const News& news = self->news();
    if (news.fingerprint != told || now - said >= self->options.sign_of_life) {
      told = news.fingerprint;
      said = now;
      out += "event: status\ndata: " + news.status + "\n\n";
    }
    for (const LogLine& fresh : self->view.log_after(line)) {
      line = fresh.number;
      out += "event: log\ndata: " + line_json(fresh) + "\n\n";
    }
    if (!out.empty()) {
      peer->limit(self->options.answer_limit, peer);
      const auto written = co_await asio::async_write(peer->socket, asio::buffer(out), token);
      if (std::get<0>(written)) break;
      peer->timer.cancel();
      out.clear();
    }
    if (self->ended || !peer->socket.is_open()) break;
    peer->pulse.expires_after(self->options.beat);
    co_await peer->pulse.async_wait(token);
  }
  peer->close();
}

}  // namespace meterbridge::http

#endif
