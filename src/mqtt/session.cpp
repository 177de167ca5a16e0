// SPDX-License-Identifier: MIT
// The life of a connection as coroutines: connect, serve, back off, repeat.
#include "mqtt/lookup.hpp"
#include "mqtt/reason.hpp"
#include "mqtt/state.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <sys/socket.h>

namespace meterbridge::mqtt {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::experimental::awaitable_operators::operator||;
using std::chrono::steady_clock;

constexpr auto answer = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds first_pause = 500ms;
constexpr std::chrono::milliseconds longest_pause = 60s;
// A connection that lasted so long was a success; a shorter one leaves the back-off where it is,
// else two clients with the same id would throw each other out twice a second.
constexpr auto proven = 5s;
constexpr auto farewell_limit = 1s;
constexpr int hang_ups_that_speak = 3;
constexpr int reads_per_turn = 64;

// Doubles from 0.5 s to 60 s; each pause is 75 to 100 % of its step, so that many clients of one
// broker do not come back in the same moment.
class Backoff {
 public:
  std::chrono::milliseconds next() {
    step_ = std::clamp(step_ * 2, first_pause, longest_pause);
    std::uniform_int_distribution<std::chrono::milliseconds::rep> part(step_.count() * 3 / 4,
                                                                       step_.count());
    return std::chrono::milliseconds(part(random_));
  }

  void reset() { step_ = 0ms; }

 private:
  std::chrono::milliseconds step_{};
  std::minstd_rand random_{std::random_device{}()};
};

std::string seconds_text(std::chrono::milliseconds time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
  return whole == time ? std::to_string(whole.count()) + " s"
                       : std::to_string(time.count()) + " ms";
}

// Looks whether the peer has hung up, without taking bytes away.
bool hung_up(int descriptor) {
  char byte = 0;
  const ssize_t got = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace

asio::awaitable<bool> Broker::State::stopping() {
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  co_return leaving || cancellation.cancelled() != asio::cancellation_type::none;
}

asio::awaitable<bool> Broker::State::interrupted() {
  const bool stop = co_await stopping();
  co_return stop || next_settings.has_value();
}

// What was found out about the broker before says nothing of another one.
void Broker::State::take_settings() {
  settings = std::move(*next_settings);
  next_settings.reset();
  mqtt5 = settings.version == 5;
  early_hang_ups = 0;
  told = false;
  told_version = false;
  lookup.reset();
  contest = Contest();
}

asio::awaitable<void> Broker::State::run() {
  const bool throwing = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  Backoff backoff;
  for (;;) {
    bool stop = co_await stopping();
    if (stop) break;
    if (next_settings) take_settings();
    ended.reset();
    end_reason.reset();
    const Error why = co_await attempt();
    if (leaving || next_settings) co_await farewell();
    const bool proved = connected && steady_clock::now() - connected_at >= proven;
    judge_end(why);
    drop_connection();
    stop = co_await stopping();
    if (stop) break;
    if (next_settings) {
      backoff.reset();
      continue;
    }
    report(why);
    // Who is thrown out again and again must not become faster by staying in for a while.
    if (proved && !contest.suspected()) backoff.reset();
    co_await pause(backoff.next());
  }
  co_await asio::this_coro::throw_if_cancelled(throwing);
}

asio::awaitable<void> Broker::State::pause(std::chrono::milliseconds delay) {
  const auto until = steady_clock::now() + delay;
  while (steady_clock::now() < until) {
    co_await wake.wait(until);
    const bool stop = co_await interrupted();
    if (stop) co_return;
  }
}

asio::awaitable<Error> Broker::State::attempt() {
  const auto addresses = co_await resolve();
  if (!addresses) co_return addresses.error();
  Error why(Errc::no_device, "the name has no address");
  for (const std::string& address : *addresses) {
    const bool before = mqtt5;
    const auto opened = co_await open(address);
    if (opened) {
      co_await serve();
      why = ended.value_or(Error(Errc::cancelled, "the connection was given up"));
      // The only failure that is answered at once, and only once: the same broker in the older
      // language.
      if (why.code() != Errc::unsupported || !before) co_return why;
      mqtt5 = false;
      drop_connection();
      ended.reset();
      const auto reopened = co_await open(address);
      if (!reopened) co_return reopened.error();
      co_await serve();
      co_return ended.value_or(Error(Errc::cancelled, "the connection was given up"));
    }
    why = opened.error();
    drop_connection();
    const bool stop = co_await interrupted();
    if (stop) break;
  }
  co_return why;
}

asio::awaitable<Result<std::vector<std::string>>> Broker::State::resolve() {
  boost::system::error_code no_number;
  asio::ip::make_address(settings.host, no_number);
  if (!no_number) co_return std::vector<std::string>{settings.host};
  if (!lookup) lookup = Lookup::start(executor, settings.host);
  const auto deadline = steady_clock::now() + settings.connect_timeout;
  while (!lookup->done && steady_clock::now() < deadline) {
    co_await lookup->finished.wait(deadline);
    const bool stop = co_await interrupted();
    if (stop) co_return Error(Errc::cancelled, "the look-up was given up");
  }
  // One that is still running is waited for again by the next attempt, instead of queueing one
  // behind it.
  if (!lookup->done) {
    co_return Error(Errc::timeout, "the look-up of the name did not end within " +
                                       seconds_text(settings.connect_timeout));
  }
  const auto finished = std::exchange(lookup, nullptr);
  if (finished->error) {
    co_return Error(Errc::no_device,
                    "the name \"" + settings.host + "\" is unknown: " + finished->error.message());
  }
  co_return finished->addresses;
}

asio::awaitable<Result<>> Broker::State::open(std::string address) {
  if (settings.tls) {
    const TlsFiles files{settings.ca, settings.certificate, settings.key};
    auto made = TlsContext::make(settings.host, files, settings.insecure);
    if (!made) co_return made.error();
    tls = std::move(*made);
  }
  auto made = Client::make(settings, mqtt5, tls.get());
  if (!made) co_return made.error();
  client = std::move(*made);
  const auto begun = client->begin(address);
  if (!begun) co_return begun.error();

  boost::system::error_code error;
  const int copy = ::fcntl(client->descriptor(), F_DUPFD_CLOEXEC, 0);
  socket.assign(copy, error);
  if (error) co_return Error(Errc::io, "no descriptor for the connection: " + error.message());

  const bool in_time =
      co_await socket_ready(Wait::wait_write, steady_clock::now() + settings.connect_timeout);
  if (!in_time) {
    co_return Error(Errc::timeout, "nobody answers at this address within " +
                                       seconds_text(settings.connect_timeout));
  }
  int failure = 0;
  socklen_t size = sizeof failure;
  ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) co_return client->connect_failed(failure);
  answer_by = steady_clock::now() + settings.connect_timeout;
  co_return Result<>();
}

asio::awaitable<bool> Broker::State::socket_ready(Wait direction, TimePoint deadline) {
  if ((leaving || next_settings) && !accepted) co_return false;
  patience.expires_at(deadline);
  const auto first = co_await (socket.async_wait(direction, answer) || patience.async_wait(answer));
  co_return first.index() == 0 && !std::get<0>(std::get<0>(first));
}

asio::awaitable<void> Broker::State::serve() {
  if (tls) co_await handshake();
  if (!ended) co_await (readable() || writable() || housekeeping());
}

// libmosquitto goes on with a handshake only when told to read, and all the while says that it
// wants to write; so this part is not left to the three coroutines below, which would spin.
asio::awaitable<void> Broker::State::handshake() {
  for (;;) {
    step(client->read());
    if (ended || handshake_done(client->ssl())) co_return;
    // After a reset the library waits for more instead of giving up.
    if (hung_up(socket.native_handle())) {
      fail(client->handshake_lost());
      co_return;
    }
    const Wait direction =
        handshake_wants_write(client->ssl()) ? Wait::wait_write : Wait::wait_read;
    const bool in_time = co_await socket_ready(direction, answer_by);
    const bool stop = co_await interrupted();
    if (stop) co_return;
    if (!in_time) {
      fail({Errc::timeout, "no TLS handshake within " + seconds_text(settings.connect_timeout)});
      co_return;
    }
  }
}

asio::awaitable<void> Broker::State::readable() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!ended) {
    const auto [error] = co_await socket.async_wait(Wait::wait_read, answer);
    if (error || ended) co_return;
    // The library reads one packet a call when nothing of ours is in flight; the loop need not turn
    // for each.
    for (int calls = 0; calls < reads_per_turn; ++calls) {
      step(client->read());
      if (ended || leaving || client->exhausted()) break;
    }
    // Some servers that do not know MQTT 5 only hang up. One that was restarted does it once or
    // twice.
    if (ended && !accepted && ended->code() == Errc::io && settings.version == 5 &&
        ++early_hang_ups % hang_ups_that_speak == 0) {
      mqtt5 = !mqtt5;
    }
  }
}

asio::awaitable<void> Broker::State::writable() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!ended) {
    const bool more = send_waiting();
    if (ended) co_return;
    if (client->wants_write()) {
      const auto [error] = co_await socket.async_wait(Wait::wait_write, answer);
      if (error || ended) co_return;
      step(client->write());
    } else if (more) {
      co_await asio::post(asio::use_awaitable);
    } else {
      co_await wake.wait();
    }
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) co_return;
    if (leaving || next_settings) co_return;
  }
}

asio::awaitable<void> Broker::State::housekeeping() {
  co_await asio::this_coro::throw_if_cancelled(false);
  asio::steady_timer timer(executor);
  while (!ended) {
    const auto next = steady_clock::now() + 1s;
    timer.expires_at(connected ? next : std::min(next, answer_by));
    const auto [error] = co_await timer.async_wait(answer);
    if (error || ended) co_return;
    if (!connected && steady_clock::now() >= answer_by) {
      fail({Errc::timeout, std::string("the broker took the connection, but did not answer the ") +
                               (accepted ? "subscriptions" : "greeting") + " within " +
                               seconds_text(settings.connect_timeout)});
      co_return;
    }
    step(client->keep_alive());
    if (connected) judge_duration();
  }
}

// Hanging up with unread bytes in the socket makes the kernel send a reset, which may overtake
// DISCONNECT; then the broker would publish the will. So: write the rest, say that nothing follows,
// read until the end.
asio::awaitable<void> Broker::State::farewell() {
  if (!accepted || !client || !socket.is_open()) co_return;
  const auto deadline = steady_clock::now() + farewell_limit;
  while (client->descriptor() >= 0 && client->wants_write()) {
    const bool in_time = co_await socket_ready(Wait::wait_write, deadline);
    if (!in_time || !client->write()) co_return;
  }
  ::shutdown(socket.native_handle(), SHUT_WR);
  std::array<char, 4096> rest{};
  for (;;) {
    const ssize_t got = ::recv(socket.native_handle(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) co_return;
    if (got > 0) continue;
    const bool in_time = co_await socket_ready(Wait::wait_read, deadline);
    if (!in_time) co_return;
  }
}

}  // namespace meterbridge::mqtt
