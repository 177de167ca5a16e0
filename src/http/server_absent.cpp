// SPDX-License-Identifier: MIT
// A build without pages (METERBRIDGE_HTTP=OFF). The configuration refuses the setting.
#ifdef METERBRIDGE_WITHOUT_HTTP
#include "http/server.hpp"

namespace meterbridge::http {

struct Server::State {};

Server::Server(const boost::asio::any_io_executor&, ServerOptions, const StatusView&, Desk*) {}

Server::~Server() = default;

bool Server::listening() const noexcept {
  return false;
}

std::size_t Server::connections() const noexcept {
  return 0;
}

}  // namespace meterbridge::http
#endif
