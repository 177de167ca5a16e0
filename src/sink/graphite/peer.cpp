// SPDX-License-Identifier: MIT
#include "sink/graphite/peer.hpp"

#include "sink/socket_wait.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace meterbridge::sink::graphite {
namespace {

using Time = std::chrono::steady_clock::time_point;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What one packet of a common network holds; a datagram in two parts is lost with either.
constexpr std::size_t largest_datagram = 1400;
// A receiver with the usual buffer of 200 kB keeps up with so many, and a moment's rest.
constexpr int datagrams_at_once = 32;
constexpr milliseconds datagram_rest{5};
constexpr milliseconds refusal_time{20};  // within it a machine says that nobody listens
constexpr std::size_t most_remembered = std::size_t{1024} * 1024;
constexpr milliseconds look_again{5};

Error cause(Errc code, const std::string& what) {
  std::array<char, 128> buffer{};
  return {code, what + " (" + ::strerror_r(errno, buffer.data(), buffer.size()) + ")"};
}

void rest(milliseconds pause) {
  (void)::poll(nullptr, 0, static_cast<int>(pause.count()));
}

int failure_of(int socket) {
  int failure = 0;
  socklen_t length = sizeof failure;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &length) != 0) failure = errno;
  return failure;
}

// Error: io and timeout, without a place.
Result<> write_all(int socket, std::string_view text, Time deadline) {
  while (!text.empty()) {
    const auto count = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return cause(Errc::io, "broke off");
    if (!wait_for(socket, POLLOUT, deadline)) return Error(Errc::timeout, "takes no more");
  }
  return {};
}

struct Found {
  addrinfo* list = nullptr;
  Found() = default;
  Found(const Found&) = delete;
  Found& operator=(const Found&) = delete;

  ~Found() {
    if (list != nullptr) ::freeaddrinfo(list);
  }
};

}  // namespace

Peer::Peer(Options options)
    : options_(std::move(options)),
      name_((options_.host.find(':') == std::string::npos ? options_.host
                                                          : "[" + options_.host + "]") +
            ":" + std::to_string(options_.port)) {}

Result<Socket> Peer::connect(Time deadline) const {
  addrinfo hints{};
  hints.ai_socktype = options_.udp ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  Found found;
  const int unknown = ::getaddrinfo(options_.host.c_str(), std::to_string(options_.port).c_str(),
                                    &hints, &found.list);
  if (unknown != 0) {
    return Error(Errc::no_device, name_ + ": the name " + options_.host + " is not known (" +
                                      ::gai_strerror(unknown) + ")");
  }
  errno = EHOSTUNREACH;
  for (const addrinfo* one = found.list; one != nullptr; one = one->ai_next) {
    auto socket = std::make_unique<io::Descriptor>(
        ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket->get() < 0) continue;
    if (::connect(socket->get(), one->ai_addr, one->ai_addrlen) == 0) return socket;
    if (errno != EINPROGRESS) continue;
    if (!wait_for(socket->get(), POLLOUT, deadline)) {
      return Error(Errc::timeout,
                   name_ + " did not answer within " + duration_text(options_.timeout));
    }
    errno = failure_of(socket->get());
    if (errno == 0) return socket;
  }
  return cause(Errc::no_device, name_ + ": no connection to the server");
}

Result<std::string> Peer::greet() const {
  const auto socket = connect(SteadyClock::now() + options_.timeout);
  if (!socket) return socket.error();
  if (options_.udp) return name_ + " has an address; over UDP nobody says whether it listens";
  return name_ + " answers; the protocol has no login and no answer";
}

// A closed connection says more than the kernel's acknowledgement: a server that hangs has all in
// its buffer, and loses it when it is killed.
Result<> Peer::taken(int socket, Time deadline) const {
  const std::string time = " within " + duration_text(options_.timeout);
  if (!options_.confirm) {
    for (;;) {
      int unsent = 0;
      if (::ioctl(socket, SIOCOUTQ, &unsent) != 0)
        return cause(Errc::io, name_ + " cannot be asked how much was sent");
      if (unsent == 0) return {};
      if (SteadyClock::now() >= deadline)
        return Error(Errc::timeout, name_ + " did not take everything" + time);
      rest(look_again);
    }
  }
  if (::shutdown(socket, SHUT_WR) != 0) return cause(Errc::io, name_ + " broke off");
  std::array<char, 512> waste;
  for (;;) {
    const auto count = ::recv(socket, waste.data(), waste.size(), MSG_DONTWAIT);
    if (count == 0) return {};
    if (count > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return cause(Errc::io, name_ + " broke off");
    if (wait_for(socket, POLLIN, deadline)) continue;
    return Error(Errc::timeout, name_ + " did not read everything and close the connection" + time +
                                    "; for a server that keeps it open: confirm: false");
  }
}

Result<> Peer::deliver(const std::string& text, Time deadline) const {
  const auto socket = connect(deadline);
  if (!socket) return socket.error();
  if (const auto sent = write_all((*socket)->get(), text, deadline); !sent)
    return Error(sent.error().code(), name_ + " " + sent.error().detail());
  return taken((*socket)->get(), deadline);
}

// Whole lines in each. Only the absence of a listener on a machine that is there can be noticed.
Result<> Peer::datagrams(const std::string& text, Time deadline) const {
  const auto socket = connect(deadline);
  if (!socket) return socket.error();
  const int number = (*socket)->get();
  std::string_view left = text;
  for (int count = 1; !left.empty(); ++count) {
    std::size_t end = left.size();
    if (end > largest_datagram) end = left.substr(0, largest_datagram).rfind('\n') + 1;
    // A line that is longer than a packet goes in parts of the network's choice.
    if (end == 0) end = left.find('\n') + 1;
    const auto sent = ::send(number, left.data(), end, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN && wait_for(number, POLLOUT, deadline)) continue;
    if (sent < 0) return cause(Errc::io, name_ + ": nobody takes datagrams there");
    left.remove_prefix(end);
    if (count % datagrams_at_once == 0) rest(datagram_rest);
  }
  rest(refusal_time);
  errno = failure_of(number);
  if (errno != 0) return cause(Errc::io, name_ + ": nobody takes datagrams there");
  return {};
}

void Peer::look_after(Time now) {
  if (watch_) {
    char byte = 0;
    const auto count = ::recv(watch_->get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    const bool alive = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
    if (!alive) {
      owed_ = true;
      watch_.reset();
    }
  }
  // What was owed when the server went away stays owed, however long it is away.
  if (owed_) return;
  while (!recent_.empty() && recent_.front().at + options_.repeat < now) {
    remembered_ -= recent_.front().text.size();
    recent_.pop_front();
  }
}

void Peer::remember(Time now, const std::string& text) {
  if (options_.repeat == Milliseconds::zero()) return;
  recent_.push_back({now, text});
  remembered_ += text.size();
  while (remembered_ > most_remembered && !recent_.empty()) {
    remembered_ -= recent_.front().text.size();
    recent_.pop_front();
  }
}

Result<> Peer::send(const std::string& text) {
  if (text.empty()) return {};
  const Time now = SteadyClock::now();
  const Time deadline = now + options_.timeout;
  if (options_.udp) return datagrams(text, deadline);
  look_after(now);
  std::string whole;
  if (owed_) {
    for (const Sent& sent : recent_)
      whole += sent.text;
  }
  whole += text;
  const auto delivered = deliver(whole, deadline);
  if (!delivered) {
    if (delivered.error().code() != Errc::timeout) owed_ = true;
    return delivered;
  }
  owed_ = false;
  remember(now, text);
  if (!watch_) {
    auto socket = connect(deadline);
    if (socket) {
      watch_ = std::move(*socket);
    } else {
      owed_ = true;
    }
  }
  return {};
}

}  // namespace meterbridge::sink::graphite
