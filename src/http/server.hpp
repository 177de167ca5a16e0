// SPDX-License-Identifier: MIT
// A listener for the pages: few connections, one request each, a limit on every step. Whatever
// happens to it, the meters go on being read.
#pragma once

#include "http/status.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

namespace meterbridge::http {

struct ServerOptions {
  ServerOptions() = default;
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t port = 0;
  std::size_t most_connections = 16;
  Milliseconds request_limit{5000};  // until a request is complete
  Milliseconds answer_limit{10000};  // until its answer is taken
  Milliseconds retry{5000};          // of an address that is in use
  std::function<void(bool warning, const std::string&)> log;
};

class Server {
 public:
  // Listens from the loop's next turn on; what is in the way is said to `log` once, and tried again
  // for ever. The view outlives the server.
  Server(const boost::asio::any_io_executor& executor, ServerOptions options,
         const StatusView& view);
  ~Server();  // closes everything
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] bool listening() const noexcept;
  [[nodiscard]] std::size_t connections() const noexcept;  // that are open

 private:
  struct State;
  // Shared with its connections: they may be on their way when it ends.
  std::shared_ptr<State> state_;
};

// False in builds without pages (METERBRIDGE_HTTP=OFF); a Server does nothing there.
[[nodiscard]] bool available() noexcept;

}  // namespace meterbridge::http
