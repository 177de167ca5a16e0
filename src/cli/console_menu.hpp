// SPDX-License-Identifier: MIT
// The menu of `console`: one line of input, one action.
#pragma once

#include "cli/console_line.hpp"
#include "cli/keyboard.hpp"
#include "config/settings.hpp"
#include "meter/profile_library.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace meterbridge::cli {

// What may be asked, and who must not be: a refused password is never sent again.
struct ConsoleHouse {
  ConsoleHouse() = default;
  const meter::ProfileLibrary* library = nullptr;
  std::vector<const config::MeterSettings*> meters;  // configured ones of this line
  std::function<std::optional<Error>(const std::string& meter)> veto;
  std::function<void(const std::string& meter, const Error& error)> failed;
};

class ConsoleMenu {
 public:
  ConsoleMenu(ConsoleLine& line, Keyboard& keyboard, ConsoleHouse house)
      : line_(line), keyboard_(keyboard), house_(std::move(house)) {}

  // Until the person quits or the input ends.
  boost::asio::awaitable<void> run();
  // Picks a configured meter by its id, or says in words why not.
  Result<> pick_configured(std::string_view id);

 private:
  boost::asio::awaitable<bool> carry_out(std::string line);
  boost::asio::awaitable<std::optional<std::string>> ask(std::string question);
  boost::asio::awaitable<void> pick(std::string words);
  boost::asio::awaitable<void> pick_profile(std::string name, std::vector<std::string> settings);
  boost::asio::awaitable<Result<std::vector<Sample>>> poll();
  boost::asio::awaitable<void> read(std::string group);
  boost::asio::awaitable<void> watch(std::string words);
  boost::asio::awaitable<void> wait_for_key(bool& pressed);
  void tune(std::string_view words);
  void record(std::string_view words);
  void show_bytes();
  void show_state();
  void show(const std::vector<Sample>& samples, std::string_view group);
  void prompt();

  ConsoleLine& line_;
  Keyboard& keyboard_;
  ConsoleHouse house_;
  std::string id_;                              // of the meter that was picked
  bool configured_ = false;                     // it is one of the configuration
  bool bytes_ = false;                          // shown after each poll
  std::vector<config::MeterSettings> refused_;  // whose password a meter refused in this session
};

}  // namespace meterbridge::cli
