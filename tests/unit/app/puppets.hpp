// SPDX-License-Identifier: MIT
// Meters that fail as a test wants it, and a line on which nobody says anything.
#pragma once

#include "io/transport.hpp"
#include "protocol/registry.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::app {

// What the meters of these tests say, by their address: the error of each poll; nothing = good.
inline std::map<std::int64_t, std::function<std::optional<Errc>()>>& says() {
  static std::map<std::int64_t, std::function<std::optional<Errc>()>> answers;
  return answers;
}

class Puppet final : public protocol::Dialogue {
 public:
  explicit Puppet(std::int64_t address) : address_(address) {}

  Result<protocol::Step> next() override {
    if (const auto error = says()[address_]()) return Error(*error, "as the test wants it");
    return protocol::Step(protocol::step::Finished(protocol::Telegram()));
  }

  void received(ByteView) override {}

  void silence() override {}

 private:
  std::int64_t address_;
};

// Listens for ever.
class Listener final : public protocol::Dialogue {
 public:
  Result<protocol::Step> next() override {
    return protocol::Step(protocol::step::Listen(std::chrono::hours(1)));
  }

  void received(ByteView) override {}

  void silence() override {}
};

// Says that nothing came, each time after a moment.
class Impatient final : public protocol::Dialogue {
 public:
  Result<protocol::Step> next() override {
    if (std::exchange(silent_, false)) return Error(Errc::timeout, "nothing came");
    return protocol::Step(protocol::step::Listen(Milliseconds(1)));
  }

  void received(ByteView) override {}

  void silence() override {
    silent_ = true;
    (void)says()[0]();
  }

 private:
  bool silent_ = false;
};

class PuppetDriver final : public protocol::Driver {
 public:
  explicit PuppetDriver(std::int64_t address) : address_(address) {}

  std::unique_ptr<protocol::Dialogue> begin() override {
    return std::make_unique<Puppet>(address_);
  }

 private:
  std::int64_t address_;
};

template <class Kind>
class ListeningDriver final : public protocol::Driver {
 public:
  std::unique_ptr<protocol::Dialogue> begin() override { return std::make_unique<Kind>(); }
};

inline const std::array puppet_settings{
    SettingSpec{.name = "address", .type = SettingType::integer, .help = {}}};

inline protocol::Protocol polled_protocol() {
  protocol::Protocol protocol;
  protocol.name = "puppet";
  protocol.settings = puppet_settings;
  protocol.driver = [](const SettingValues& values) -> Result<std::unique_ptr<protocol::Driver>> {
    return std::unique_ptr<protocol::Driver>(
        std::make_unique<PuppetDriver>(values.integer("address")));
  };
  return protocol;
}

template <class Kind = Listener>
protocol::Protocol pushing_protocol() {
  protocol::Protocol protocol;
  protocol.name = "listener";
  protocol.pushes = true;
  protocol.driver = [](const SettingValues&) -> Result<std::unique_ptr<protocol::Driver>> {
    return std::unique_ptr<protocol::Driver>(std::make_unique<ListeningDriver<Kind>>());
  };
  return protocol;
}

// A line that can be opened, and on which nobody says anything.
class QuietLine final : public io::Transport {
 public:
  QuietLine(boost::asio::any_io_executor executor, bool local)
      : executor_(std::move(executor)), local_(local) {}

  boost::asio::awaitable<Result<>> open() override {
    co_await boost::asio::post(executor_, boost::asio::use_awaitable);
    ++attempts;
    if (absent) co_return Error(Errc::no_device, "the line is absent");
    ++opened;
    open_ = true;
    co_return Result<>();
  }

  [[nodiscard]] bool is_open() const noexcept override { return open_; }

  boost::asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte>,
                                                        io::Deadline deadline) override {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    boost::asio::steady_timer timer(executor_, deadline);
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    co_return Error(Errc::timeout, "quiet");
  }

  boost::asio::awaitable<Result<>> write(ByteView, io::Deadline) override { co_return Result<>(); }

  Result<> retune(const LineSettings&) override { return {}; }

  void discard_input() noexcept override { ++discarded; }

  void close() noexcept override { open_ = false; }

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

  [[nodiscard]] bool local() const noexcept override { return local_; }

  bool absent = false;
  int attempts = 0;
  int opened = 0;
  int discarded = 0;

 private:
  boost::asio::any_io_executor executor_;
  std::string name_ = "quiet line";
  bool local_;
  bool open_ = false;
};

}  // namespace meterbridge::app
