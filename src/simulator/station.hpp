// SPDX-License-Identifier: MIT
// One simulated line: a port, and the meters on it.
#pragma once

#include "core/time.hpp"
#include "simulator/player.hpp"
#include "simulator/port.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::simulator {

// A meter at its place. period = how often it sends by itself; nothing = it waits to be asked.
struct Seat {
  Seat(Player p, std::optional<Milliseconds> every) : player(std::move(p)), period(every) {}

  Player player;
  std::optional<Milliseconds> period;
};

struct StationOptions {
  StationOptions() = default;
  std::uint32_t baud = 9600;       // bytes leave no faster than this; 0 = a network
  Milliseconds away{1000};         // how long `hangup` lasts
  Milliseconds patience{2000};     // bytes that nobody takes for so long are lost
  std::function<Seconds()> now;    // the time in the simulated house
  std::function<void()> finished;  // called once, when every meter has sent all it was to send
};

class Station {
 public:
  Station(boost::asio::any_io_executor executor, std::unique_ptr<Port> port,
          std::vector<Seat> seats, Faults line_faults, StationOptions options);
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;

  // Error: no_device, in words.
  Result<> open() { return port_->open(); }

  // Call once, after open(). The station must live until the executor has run out of its work after
  // stop().
  void start();
  void stop();

  [[nodiscard]] std::span<const Seat> seats() const noexcept { return seats_; }

  [[nodiscard]] std::string name() const { return port_->name(); }

  [[nodiscard]] std::uint64_t echoes() const { return line_faults_.count(FaultKind::echo); }

 private:
  boost::asio::awaitable<void> listen();
  boost::asio::awaitable<void> push(Seat& seat);
  boost::asio::awaitable<void> send();
  boost::asio::awaitable<void> transmit(const Bytes& bytes);
  void enqueue(Emission emission);
  [[nodiscard]] std::uint32_t baud() const;
  void tell_if_finished();

  boost::asio::any_io_executor executor_;
  std::unique_ptr<Port> port_;
  std::vector<Seat> seats_;
  Faults line_faults_;
  StationOptions options_;
  // What waits to be sent, by the time it is due; equal times keep their order.
  std::multimap<std::chrono::steady_clock::time_point, Emission> queue_;
  bool sending_ = false;
  bool follows_ = false;            // a meter here changes its speed, and with it the line
  boost::asio::steady_timer wake_;  // of send(): something new is in the queue
  boost::asio::steady_timer pace_;  // of transmit()
  std::vector<std::unique_ptr<boost::asio::steady_timer>> beats_;  // of push(), one each
  bool stopping_ = false;
  bool told_ = false;
};

}  // namespace meterbridge::simulator
