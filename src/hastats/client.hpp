// SPDX-License-Identifier: MIT
// What we ask of Home Assistant's WebSocket API.
#pragma once

#include "core/decimal.hpp"
#include "core/secret.hpp"
#include "hastats/plan.hpp"
#include "hastats/websocket.hpp"

#include <map>
#include <string>
#include <vector>

namespace meterbridge::hastats {

// A statistic as Home Assistant lists it.
struct Statistic {
  Statistic() = default;
  std::string id;
  std::string name;
  std::string source;
  std::string unit;        // that it is stored in
  std::string unit_class;  // "energy"; empty when it has none
  bool has_mean = false;
  int mean_type = 0;
};

class Client {
 public:
  explicit Client(WebSocket socket) : socket_(std::move(socket)) {}

  // Errors: as of the socket; access when the token is refused.
  boost::asio::awaitable<Result<>> login(std::string target, Secret token);
  // Entity ids of MQTT by their unique id.
  boost::asio::awaitable<Result<std::map<std::string, std::string>>> entities();
  // Those with a sum, by their id.
  boost::asio::awaitable<Result<std::map<std::string, Statistic>>> statistics();
  // Hours from a time on, oldest first.
  boost::asio::awaitable<Result<std::vector<Row>>> rows(Statistic statistic, Seconds from);
  boost::asio::awaitable<Result<>> import(Statistic statistic, std::vector<Row> rows);
  // Moves all sums from a time on.
  boost::asio::awaitable<Result<>> adjust(Statistic statistic, Seconds from, Decimal by);

  [[nodiscard]] const std::string& version() const noexcept { return version_; }

  void close() noexcept { socket_.close(); }

 private:
  boost::asio::awaitable<Result<std::string>> ask(std::string kind, std::string members);

  WebSocket socket_;
  std::string version_;
  int last_ = 0;
};

}  // namespace meterbridge::hastats
