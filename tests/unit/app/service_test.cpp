// SPDX-License-Identifier: MIT
// The supervisor: what the program does with a task that nobody can end.
#include "app/service.hpp"

#include "fakes/mosquitto_server.hpp"
#include "fakes/scratch.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace meterbridge::app {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A line whose driver hangs: what is begun on it never ends, and is deaf to every cancellation.
class HangingLine final : public io::Transport {
 public:
  explicit HangingLine(asio::any_io_executor executor) : never_(std::move(executor)) {}

  asio::awaitable<Result<>> open() override {
    open_ = true;
    co_return Result<>();
  }

  [[nodiscard]] bool is_open() const noexcept override { return open_; }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte>, io::Deadline) override {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    never_.expires_at(std::chrono::steady_clock::time_point::max());
    co_await never_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return Error(Errc::io, "never");
  }

  asio::awaitable<Result<>> write(ByteView, io::Deadline) override { co_return Result<>(); }

  Result<> retune(const LineSettings&) override { return {}; }

  void discard_input() noexcept override {}

  void close() noexcept override { open_ = false; }

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

  [[nodiscard]] bool local() const noexcept override { return true; }

 private:
  asio::steady_timer never_;
  std::string name_ = "hanging line";
  bool open_ = false;
};

House hanging_house(const std::string& folder, std::uint16_t broker) {
  House house;
  house.library = std::make_shared<const meter::ProfileLibrary>(*meter::ProfileLibrary::embedded());
  house.settings.state_directory = folder;
  house.settings.mqtt.host = "127.0.0.1";
  house.settings.mqtt.port = broker;
  config::LinkSettings link;
  link.name = "line";
  house.settings.links.push_back(link);
  config::MeterSettings meter;
  meter.id = "house";
  meter.link = "line";
  meter.profile = "p1";
  meter.interval = 1s;
  house.settings.links.front().silence = 1s;
  house.settings.meters.push_back(meter);
  auto made = meter::Meter::make(meter, *house.library->find("p1"));
  house.meters.push_back(std::make_unique<meter::Meter>(*std::move(made)));
  house.transport = [](const asio::any_io_executor& executor, const config::LinkSettings&,
                       const LineSettings&) -> std::unique_ptr<io::Transport> {
    return std::make_unique<HangingLine>(executor);
  };
  return house;
}

// P04: overdue a second after its limit of silence; 15 looks later, one a second, it is given up.
TEST(ServiceDeathTest, P04ATaskThatIgnoresItsCancellationEndsTheProgramWith70) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        spdlog::set_default_logger(spdlog::stderr_logger_st("test"));
        const fakes::Scratch scratch;
        const fakes::HeldPort nobody;
        Service service(hanging_house(scratch.path().string(), nobody.number()), "");
        std::_Exit(service.run());
      },
      testing::ExitedWithCode(70), "house: the task has been overdue for 15 s and cannot be ended");
}

// Many meters that are polled each second may keep step with the look each second: their timers
// have run out, the loop has not come to them yet.
TEST(Overdue, WhoPromisesAnewIsAliveHoweverLateAtEachLook_P04) {
  Overdue late;
  Overdue stuck;
  const Steady::time_point begin{1h};
  for (unsigned second = 1; second <= 100; ++second) {
    const auto look = begin + second * 1s;
    EXPECT_LE(late.look(look - 1us, look), 1U);
    EXPECT_EQ(stuck.look(begin, look), second);
    if (second % 10 == 0) {
      EXPECT_EQ(late.look(look + 1s, look), 0U);
    }
  }
  EXPECT_EQ(stuck.look(begin + 200s, begin + 101s), 0U);
  EXPECT_EQ(stuck.look(begin + 200s, begin + 201s), 1U);
}

}  // namespace
}  // namespace meterbridge::app
