// SPDX-License-Identifier: MIT
#include "simulator/port.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::simulator {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t block_size = 1024;
constexpr int waiting_clients = 8;

class TcpPort final : public Port {
 public:
  TcpPort(asio::any_io_executor executor, std::string host, std::uint16_t port)
      : host_(std::move(host)),
        port_(port),
        acceptor_(executor),
        client_(executor),
        arrival_(executor) {}

  ~TcpPort() override { close(); }

  TcpPort(const TcpPort&) = delete;
  TcpPort& operator=(const TcpPort&) = delete;

  Result<> open() override {
    boost::system::error_code error;
    tcp::resolver resolver(acceptor_.get_executor());
    const auto found =
        resolver.resolve(host_, std::to_string(port_), tcp::resolver::passive, error);
    if (error) return Error(Errc::no_device, name() + ": " + error.message());
    for (const auto& entry : found) {
      error = listen(entry.endpoint());
      if (!error) {
        port_ = acceptor_.local_endpoint(error).port();
        arrival_.expires_at(asio::steady_timer::time_point::max());
        asio::co_spawn(acceptor_.get_executor(), accept(), asio::detached);
        return {};
      }
    }
    return Error(Errc::no_device, "cannot listen on " + name() + ": " + error.message());
  }

  asio::awaitable<Bytes> read() override {
    Bytes block;
    while (acceptor_.is_open()) {
      if (!client_.is_open()) {
        co_await arrival_.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      const std::uint64_t visit = visit_;
      block.resize(block_size);
      const auto [error, count] = co_await client_.async_read_some(
          asio::buffer(block.data(), block.size()), asio::as_tuple(asio::use_awaitable));
      if (!error && count > 0) {
        block.resize(count);
        co_return block;
      }
      if (visit == visit_) drop_client();
    }
    block.clear();
    co_return block;
  }

  std::size_t offer(ByteView bytes) override {
    if (bytes.empty() || !client_.is_open()) return 0;
    boost::system::error_code error;
    const std::size_t count = client_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error && error != asio::error::would_block) drop_client();
    return error ? 0 : count;
  }

  [[nodiscard]] bool attended() override { return client_.is_open(); }

  asio::awaitable<void> hang_up(Milliseconds) override {
    drop_client();
    co_return;
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    drop_client();
    arrival_.cancel(ignored);
  }

  [[nodiscard]] std::string name() const override {
    const bool six = host_.find(':') != std::string::npos;
    return (six ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
  }

 private:
  boost::system::error_code listen(const tcp::endpoint& endpoint) {
    boost::system::error_code error;
    acceptor_.close(error);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(waiting_clients, error);
    return error;
  }

  // The newest client wins: the old one may be a connection whose other end has died without a
  // word.
  asio::awaitable<void> accept() {
    asio::steady_timer breath(acceptor_.get_executor());
    while (acceptor_.is_open()) {
      tcp::socket fresh(acceptor_.get_executor());
      const auto [error] =
          co_await acceptor_.async_accept(fresh, asio::as_tuple(asio::use_awaitable));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {  // for example out of descriptors: try again, not at once
        breath.expires_after(Milliseconds(100));
        co_await breath.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      drop_client();
      boost::system::error_code ignored;
      fresh.non_blocking(true, ignored);
      fresh.set_option(tcp::no_delay(true), ignored);
      client_ = std::move(fresh);
      ++visit_;
      arrival_.cancel();
    }
  }

  void drop_client() noexcept {
    boost::system::error_code ignored;
    client_.shutdown(tcp::socket::shutdown_both, ignored);
    client_.close(ignored);
  }

  std::string host_;
  std::uint16_t port_;
  tcp::acceptor acceptor_;
  tcp::socket client_;
  asio::steady_timer arrival_;
  std::uint64_t visit_ = 0;  // which client this is
};

}  // namespace

std::unique_ptr<Port> make_tcp_port(asio::any_io_executor executor, std::string host,
                                    std::uint16_t port) {
  return std::make_unique<TcpPort>(std::move(executor), std::move(host), port);
}

}  // namespace meterbridge::simulator
