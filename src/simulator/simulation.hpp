// SPDX-License-Identifier: MIT
// A whole configuration, or one profile, played on links of this machine.
#pragma once

#include "config/settings.hpp"
#include "core/line_settings.hpp"
#include "core/result.hpp"
#include "core/setting.hpp"
#include "core/time.hpp"
#include "meter/profile_library.hpp"
#include "simulator/faults.hpp"
#include "simulator/station.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::simulator {

struct MeterPlan {
  MeterPlan() = default;
  std::string id;
  const meter::Profile* profile = nullptr;
  SettingValues settings;
  Milliseconds period{};  // of a pushing meter
};

// A link: pty when it has a path, MQTT when it has a topic filter, else TCP.
struct LinkPlan {
  LinkPlan() = default;
  std::string pty;
  std::string topic;
  std::string host;
  std::uint16_t port = 0;
  LineSettings line;
  std::vector<MeterPlan> meters;
};

struct Options {
  Options() = default;
  std::uint64_t seed = 1;
  FaultRates faults;
  std::map<std::string, FaultRates> meter_faults;  // instead of them, by the meter's id
  std::optional<std::uint64_t> count;              // transmissions of each meter
  std::optional<Milliseconds> period;              // instead of each meter's own
  std::int64_t speed = 1;  // the simulated house lives that many times faster
  Publisher publisher;     // of meters that come over MQTT
};

// Settings are KEY=VALUE texts over the profile's preset. Error: invalid, in words.
Result<MeterPlan> plan_meter(const meter::Profile& profile, std::span<const std::string> settings);
// Every meter of a configuration, each on its own link. Links that play a file need no simulator
// and are left out. Error: invalid (a link that nobody can simulate).
Result<std::vector<LinkPlan>> plan_all(const config::Settings& settings,
                                       const meter::ProfileLibrary& library);
// "127.0.0.1:8899", "[::1]:8899", ":8899" (loopback). Error: invalid, in words.
Result<LinkPlan> tcp_link(std::string_view address);
// Who is called, not where one listens: host and port are both needed.
Result<LinkPlan> tcp_peer(std::string_view address);

class Simulation {
 public:
  // Error: invalid, when a meter cannot be simulated with its settings.
  static Result<std::unique_ptr<Simulation>> make(boost::asio::any_io_executor executor,
                                                  const std::vector<LinkPlan>& links,
                                                  const Options& options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Opens every link, or none. Error: no_device, in words.
  Result<> open();
  // `finished` is called when a count was given and every meter has sent as many.
  void start(std::function<void()> finished);
  // Gives up all names. The executor then runs out of work; only after that may the simulation be
  // destroyed.
  void stop();

  // "house: energomera-ce307 on /tmp/ttyA", one line for each meter.
  [[nodiscard]] std::vector<std::string> places() const;
  // "house: 120 sent, faults: flip 12, cut 3", one line for each meter.
  [[nodiscard]] std::vector<std::string> summary() const;

 private:
  Simulation(boost::asio::any_io_executor executor, std::int64_t speed);
  Result<> add(const LinkPlan& link, const Options& options);
  [[nodiscard]] std::unique_ptr<Port> make_port(const LinkPlan& link,
                                                const Publisher& publisher) const;
  [[nodiscard]] Seconds now() const;

  boost::asio::any_io_executor executor_;
  std::int64_t speed_;
  Instant begun_at_;
  std::chrono::steady_clock::time_point begun_;
  Street street_;
  std::vector<std::unique_ptr<Station>> stations_;
  std::vector<std::vector<std::string>> profiles_;  // of each station's seats
  std::size_t running_ = 0;
  std::function<void()> finished_;
  boost::asio::steady_timer farewell_;
};

}  // namespace meterbridge::simulator
