// SPDX-License-Identifier: MIT
// A listener for the pages: few connections, one request each, a limit on every step; and few
// streams of events. Whatever happens to it, the meters go on being read.
#pragma once

#include "http/desk.hpp"
#include "http/status.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace meterbridge::http {

struct ServerOptions {
  ServerOptions() = default;
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t port = 0;
  std::vector<std::string> peers;  // who is answered beside this machine; empty = everybody
  bool local_names_only = false;   // changes only for who asks for an address of this machine
  std::size_t most_connections = 16;
  std::size_t most_streams = 8;      // beside them
  Milliseconds request_limit{5000};  // until a request is complete
  Milliseconds answer_limit{10000};  // until its answer is taken
  Milliseconds change_limit{20000};  // until a new configuration is taken over
  Milliseconds beat{1000};           // between two looks for news
  Milliseconds sign_of_life{10000};  // a stream without news says something then
  Milliseconds retry{5000};          // of an address that is in use
  std::function<void(bool warning, const std::string&)> log;
};

class Server {
 public:
  // Listens from the loop's next turn on; what is in the way is said to `log` once, and tried again
  // for ever. View and desk outlive the server; without a desk nothing can be changed.
  Server(const boost::asio::any_io_executor& executor, ServerOptions options,
         const StatusView& view, Desk* desk = nullptr);
  ~Server();  // closes everything
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] bool listening() const noexcept;
  [[nodiscard]] std::size_t connections() const noexcept;  // that are open, without streams

 private:
  struct State;
  // Shared with its connections: they may be on their way when it ends.
  std::shared_ptr<State> state_;
};

// False in builds without pages (METERBRIDGE_HTTP=OFF); a Server does nothing there. Known while
// compiling: what only pages need is named nowhere then, and leaves the program.
#ifdef METERBRIDGE_WITHOUT_HTTP
inline constexpr bool available = false;
#else
inline constexpr bool available = true;
#endif

}  // namespace meterbridge::http
