// SPDX-License-Identifier: MIT
// A WebSocket (RFC 6455) as one who asks: whole texts, one after the other, over any transport.
#pragma once

#include "core/time.hpp"
#include "io/transport.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace meterbridge::hastats {

inline constexpr std::size_t longest_message = std::size_t{64} * 1024 * 1024;

class WebSocket {
 public:
  // Each step may take as long as `patience`.
  WebSocket(std::unique_ptr<io::Transport> link, std::string host, Milliseconds patience)
      : link_(std::move(link)), host_(std::move(host)), patience_(patience) {}

  // Errors: as of the transport; malformed when no WebSocket is there.
  boost::asio::awaitable<Result<>> open(std::string target);
  boost::asio::awaitable<Result<>> send(std::string text);
  boost::asio::awaitable<Result<std::string>> receive();

  void close() noexcept { link_->close(); }

 private:
  struct Frame {
    Frame() = default;
    bool last = false;
    unsigned kind = 0;
    std::string body;
  };

  boost::asio::awaitable<Result<>> need(std::size_t count);
  boost::asio::awaitable<Result<Frame>> frame();
  boost::asio::awaitable<Result<>> put(unsigned kind, std::string body);

  std::unique_ptr<io::Transport> link_;
  std::string host_;
  Milliseconds patience_;
  std::string pending_;
};

}  // namespace meterbridge::hastats
