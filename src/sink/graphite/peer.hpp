// SPDX-License-Identifier: MIT
// The server at the other end. Everything here blocks, up to a limit: it is for a worker's thread.
#pragma once

#include "core/result.hpp"
#include "io/descriptor.hpp"
#include "sink/graphite/options.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <string>

namespace meterbridge::sink::graphite {

using Socket = std::unique_ptr<io::Descriptor>;  // null = none

class Peer {
 public:
  explicit Peer(Options options);

  // Whole lines. Errors: no_device (nobody there), timeout, io; in words, with the place.
  Result<> send(const std::string& text);
  // Whether somebody is there, in words; nothing is written.
  [[nodiscard]] Result<std::string> greet() const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct Sent {
    Time at;
    std::string text;
  };

  [[nodiscard]] Result<Socket> connect(Time deadline) const;
  Result<> deliver(const std::string& text, Time deadline) const;
  Result<> taken(int socket, Time deadline) const;
  Result<> datagrams(const std::string& text, Time deadline) const;
  void remember(Time now, const std::string& text);
  void look_after(Time now);

  Options options_;
  std::string name_;
  // Carries nothing. It breaks when the server goes away, which no other sign would tell.
  Socket watch_;
  std::deque<Sent> recent_;
  std::size_t remembered_ = 0;  // bytes of them
  bool owed_ = false;           // the server went away: what is recent goes out again
};

}  // namespace meterbridge::sink::graphite
