// SPDX-License-Identifier: MIT
// What a person types, or a script writes into a pipe: lines, and single keys.
#pragma once

#include "core/time.hpp"

#include <chrono>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <termios.h>

namespace meterbridge::cli {

// Standard input, without changing anything that the shell shares with us: the descriptor stays
// blocking, and a terminal is as before when a SingleKeys ends.
class Keyboard {
 public:
  explicit Keyboard(const boost::asio::any_io_executor& executor);
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  [[nodiscard]] bool is_terminal() const noexcept { return terminal_; }

  // The next line without its end; nothing at the end of the input.
  boost::asio::awaitable<std::optional<std::string>> line();
  // True when something was typed (or the input ended) before the deadline. On a terminal the key
  // is taken away; a line of a script stays for line().
  boost::asio::awaitable<bool> pressed(std::chrono::steady_clock::time_point deadline);

  // Keys count without Enter, and are not shown, while it lives.
  class SingleKeys {
   public:
    explicit SingleKeys(Keyboard& keyboard);
    ~SingleKeys();
    SingleKeys(const SingleKeys&) = delete;
    SingleKeys& operator=(const SingleKeys&) = delete;

   private:
    Keyboard& keyboard_;
  };

  // The terminal as it was found.
  void restore() noexcept;

 private:
  boost::asio::awaitable<bool> fill(std::chrono::steady_clock::time_point deadline);
  void read_block();

  boost::asio::posix::stream_descriptor input_;  // a copy of standard input
  std::string buffer_;
  std::optional<termios> before_;
  bool terminal_ = false;
  bool waits_ = true;  // not of a file, which is always ready
  bool ended_ = false;
};

}  // namespace meterbridge::cli
