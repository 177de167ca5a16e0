// SPDX-License-Identifier: MIT
#include "io/links.hpp"
#include "io/stream_transport.hpp"

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/tcp.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Endpoints = std::vector<tcp::endpoint>;

constexpr auto connect_limit = std::chrono::seconds(10);
// A peer that vanished without a word is noticed within half a minute, whatever the poll interval
// is.
constexpr int keepalive_idle = 10;     // seconds
constexpr int keepalive_interval = 5;  // seconds
constexpr int keepalive_probes = 3;
constexpr int unacknowledged = 20'000;  // milliseconds that sent bytes may stay without an answer

template <int Level, int Name>
using Option = asio::detail::socket_option::integer<Level, Name>;

// A look-up cannot be broken off while the system's resolver waits for a name server. Whoever asked
// may leave; then the answer arrives here and is forgotten.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), answered(executor) {}

  tcp::resolver resolver;
  asio::steady_timer answered;
  bool done = false;
  boost::system::error_code failure;
  Endpoints endpoints;
};

class Tcp final : public StreamTransport<tcp::socket> {
 public:
  Tcp(const asio::any_io_executor& executor, std::string host, std::uint16_t port, bool echo,
      PeerWords peer)
      : StreamTransport(executor, place(host, port), echo),
        host_(std::move(host)),
        port_(port),
        peer_(peer),
        connecting_(executor, [this] { close(); }) {}

  asio::awaitable<Result<>> open() override {
    co_await asio::this_coro::throw_if_cancelled(false);
    close();
    const Deadline deadline = std::chrono::steady_clock::now() + connect_limit;
    auto endpoints = co_await resolve(deadline);
    if (!endpoints) co_return endpoints.error();

    auto failure = Error(Errc::no_device, name_ + ": the name " + host_ + " has no address");
    std::size_t left = endpoints->size();
    for (const auto& endpoint : *endpoints) {
      const auto now = std::chrono::steady_clock::now();
      // Every address gets its share, or the first dead one would use up the time of all.
      auto connected =
          co_await connect(endpoint, now + (deadline - now) / static_cast<int>(left--));
      if (connected) co_return connected;
      failure = connected.error();
      if (failure.code() == Errc::cancelled) break;
    }
    co_return failure;
  }

  Result<> retune(const LineSettings& line) override {
    return Error(Errc::unsupported,
                 name_ + ": speed and parity of a network link are set at the gateway (wanted: " +
                     line.text() + ")");
  }

  [[nodiscard]] bool local() const noexcept override { return false; }

 private:
  static std::string place(const std::string& host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }

  asio::awaitable<Result<Endpoints>> resolve(Deadline deadline) {
    boost::system::error_code failure;
    const auto address = asio::ip::make_address(host_, failure);
    if (!failure) co_return Endpoints(1, tcp::endpoint(address, port_));

    // One that is still running is waited for again: all look-ups of the program stand in one
    // queue, and a silent name server must not make it longer with every attempt.
    if (!lookup_) lookup_ = start_lookup();
    // Shared with the handler of the look-up, which may outlive this coroutine and this object.
    const auto lookup = lookup_;
    if (!lookup->done) {
      lookup->answered.expires_at(deadline);
      co_await lookup->answered.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
    if (!lookup->done)
      co_return Error(Errc::no_device, name_ + ": the name server does not answer");
    lookup_.reset();
    if (lookup->failure) {
      co_return Error(Errc::no_device, name_ + ": the name " + host_ + " is unknown (" +
                                           lookup->failure.message() + ")");
    }
    co_return std::move(lookup->endpoints);
  }

  std::shared_ptr<Lookup> start_lookup() {
    auto lookup = std::make_shared<Lookup>(stream_.get_executor());
    lookup->resolver.async_resolve(host_, std::to_string(port_), tcp::resolver::numeric_service,
                                   [lookup](const boost::system::error_code& refused,
                                            const tcp::resolver::results_type& found) {
                                     lookup->done = true;
                                     lookup->failure = refused;
                                     for (const auto& entry : found)
                                       lookup->endpoints.push_back(entry.endpoint());
                                     lookup->answered.cancel();
                                   });
    return lookup;
  }

  asio::awaitable<Result<>> connect(tcp::endpoint endpoint, Deadline deadline) {
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none) co_return cancelled();
    boost::system::error_code failure;
    close();
    stream_.open(endpoint.protocol(), failure);
    if (failure) co_return refusal(failure);
    connecting_.set(deadline);
    const auto outcome =
        co_await stream_.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    failure = std::get<0>(outcome);
    if (connecting_.clear()) failure = asio::error::timed_out;
    const auto state = co_await asio::this_coro::cancellation_state;
    if (!failure && state.cancelled() == asio::cancellation_type::none) {
      set_options();
      co_return Result<>();
    }
    close();
    if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
    co_return refusal(failure);
  }

  void set_options() {
    // A kernel without one of these still gives a usable link.
    boost::system::error_code ignored;
    stream_.set_option(tcp::no_delay(true), ignored);
    stream_.set_option(tcp::socket::keep_alive(true), ignored);
    stream_.set_option(Option<IPPROTO_TCP, TCP_KEEPIDLE>(keepalive_idle), ignored);
    stream_.set_option(Option<IPPROTO_TCP, TCP_KEEPINTVL>(keepalive_interval), ignored);
    stream_.set_option(Option<IPPROTO_TCP, TCP_KEEPCNT>(keepalive_probes), ignored);
    stream_.set_option(Option<IPPROTO_TCP, TCP_USER_TIMEOUT>(unacknowledged), ignored);
    stream_.non_blocking(true, ignored);
  }

  [[nodiscard]] Error refusal(const boost::system::error_code& failure) const {
    if (failure == asio::error::connection_refused) {
      return {Errc::no_device, name_ + " refuses the connection: is the " +
                                   std::string(peer_.listener) + " on, is the port right?"};
    }
    if (failure == asio::error::timed_out) {
      return {Errc::no_device, name_ + " does not answer: is the " + std::string(peer_.machine) +
                                   " switched on and in this network?"};
    }
    if (failure == asio::error::host_unreachable || failure == asio::error::network_unreachable) {
      return {Errc::no_device, name_ + " cannot be reached from this network"};
    }
    return {Errc::no_device, name_ + " cannot be connected: " + failure.message()};
  }

  [[nodiscard]] Error lost(const boost::system::error_code& failure) const override {
    if (failure == asio::error::eof) return {Errc::io, name_ + " closed the connection"};
    if (failure == asio::error::timed_out)
      return {Errc::io, name_ + " vanished: it no longer confirms what it receives"};
    return {Errc::io, name_ + ": the connection broke (" + failure.message() + ")"};
  }

  std::string host_;
  std::uint16_t port_;
  PeerWords peer_;
  std::shared_ptr<Lookup> lookup_;  // not yet answered
  Alarm connecting_;
};

}  // namespace

std::unique_ptr<Transport> make_tcp(asio::any_io_executor executor, std::string host,
                                    std::uint16_t port, bool echo, PeerWords peer) {
  return std::make_unique<Tcp>(executor, std::move(host), port, echo, peer);
}

}  // namespace meterbridge::io
