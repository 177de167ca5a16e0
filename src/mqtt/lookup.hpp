// SPDX-License-Identifier: MIT
// A name look-up that outlives the coroutine which asked: getaddrinfo cannot be interrupted, but
// shutdown and the next attempt must not wait for it.
#pragma once

#include "mqtt/signal.hpp"

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace meterbridge::mqtt {

struct Lookup {
  explicit Lookup(const boost::asio::any_io_executor& executor)
      : resolver(executor), finished(executor) {}

  static std::shared_ptr<Lookup> start(const boost::asio::any_io_executor& executor,
                                       const std::string& host);

  boost::asio::ip::tcp::resolver resolver;
  Signal finished;
  bool done = false;
  boost::system::error_code error;
  std::vector<std::string> addresses;  // numeric, in the order of preference, each once
};

}  // namespace meterbridge::mqtt
