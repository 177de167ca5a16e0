// SPDX-License-Identifier: MIT
// What a serial port and a TCP connection have in common: reads and writes with deadlines, echo
// suppression.
#pragma once

#include "io/alarm.hpp"
#include "io/echo.hpp"
#include "io/transport.hpp"

#include <array>
#include <string>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::io {

template <class Stream>
class StreamTransport : public Transport {
 public:
  [[nodiscard]] bool is_open() const noexcept final { return stream_.is_open(); }

  [[nodiscard]] const std::string& name() const noexcept final { return name_; }

  boost::asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into,
                                                        Deadline deadline) final {
    namespace asio = boost::asio;
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      if (const auto kept = echo_.take(into); kept > 0) co_return kept;
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
      if (!is_open()) co_return Error(Errc::io, name_ + " is not open");

      boost::system::error_code failure;
      std::size_t count = 0;
      bool late = false;  // our deadline; the kernel's own time-out of a dead peer is a loss
      // After a short read nothing more is there: then the loop's own attempt is the first one.
      if (more_ && ++at_once_ < reads_at_once) {
        count = stream_.read_some(asio::buffer(into.data(), into.size()), failure);
      }
      if (count == 0 && (!failure || failure == asio::error::would_block)) {
        at_once_ = 0;
        alarm_.set(deadline);
        const auto outcome = co_await stream_.async_read_some(
            asio::buffer(into.data(), into.size()), asio::as_tuple(asio::use_awaitable));
        failure = std::get<0>(outcome);
        count = std::get<1>(outcome);
        late = alarm_.clear() && count == 0;
      }
      more_ = count >= full_read || count == into.size();
      if (count == 0) {
        const auto now = co_await asio::this_coro::cancellation_state;
        if (now.cancelled() != asio::cancellation_type::none) co_return cancelled();
        if (late) co_return Error(Errc::timeout, name_ + ": no byte arrived in time");
        co_return lost(failure);
      }
      const auto block = into.first(count);
      if (mask_ != std::byte{0xff}) {
        for (auto& byte : block)
          byte &= mask_;
      }
      if (echo_.idle()) co_return count;
      echo_.received(block);
    }
  }

  boost::asio::awaitable<Result<>> write(ByteView bytes, Deadline deadline) final {
    namespace asio = boost::asio;
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto begun = std::chrono::steady_clock::now();
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
      if (!is_open()) co_return Error(Errc::io, name_ + " is not open");
      boost::system::error_code failure;
      done += stream_.write_some(asio::buffer(bytes.data() + done, bytes.size() - done), failure);
      if (!failure) continue;
      if (failure != asio::error::would_block) co_return lost(failure);
      alarm_.set(deadline);
      const auto outcome =
          co_await stream_.async_wait(Stream::wait_write, asio::as_tuple(asio::use_awaitable));
      if (alarm_.clear()) co_return Error(Errc::io, name_ + " takes no more bytes");
      const auto now = co_await asio::this_coro::cancellation_state;
      if (now.cancelled() != asio::cancellation_type::none) co_return cancelled();
      if (std::get<0>(outcome)) co_return lost(std::get<0>(outcome));
    }
    expect_echo(bytes);
    auto flushed = co_await transmitted(bytes.size(), begun, deadline);
    co_return flushed;
  }

  void discard_input() noexcept override {
    echo_.clear();
    std::array<std::byte, 4096> waste;
    boost::system::error_code failure;
    // Bounded, because a flood must not hold the loop.
    for (int round = 0; is_open() && !failure && round < 64; ++round) {
      if (stream_.read_some(boost::asio::buffer(waste), failure) == 0) break;
    }
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    stream_.close(ignored);
    echo_.clear();
    more_ = true;
  }

 protected:
  StreamTransport(const boost::asio::any_io_executor& executor, std::string name, bool echo)
      : stream_(executor), name_(std::move(name)), echo_(echo), alarm_(executor, [this] {
          boost::system::error_code ignored;
          stream_.cancel(ignored);
        }) {}

  // Returns when the last bit has left the machine, as far as that can be known.
  virtual boost::asio::awaitable<Result<>> transmitted(std::size_t,
                                                       std::chrono::steady_clock::time_point,
                                                       Deadline) {
    co_return Result<>();
  }

  // What "the link failed" means for this kind of link.
  [[nodiscard]] virtual Error lost(const boost::system::error_code& failure) const = 0;

  [[nodiscard]] Error cancelled() const {
    return {Errc::cancelled, name_ + ": the work was ended"};
  }

  Stream stream_;
  std::string name_;
  std::byte mask_{0xff};  // 0x7f where the eighth bit is a parity bit

 private:
  static constexpr std::size_t full_read =
      2048;                                 // a terminal hands out at most 4095 bytes at a time
  static constexpr int reads_at_once = 16;  // then the other tasks of the loop get their turn

  void expect_echo(ByteView bytes) {
    if (mask_ == std::byte{0xff}) {
      echo_.sent(bytes);
      return;
    }
    Bytes masked(bytes.begin(), bytes.end());
    for (auto& byte : masked)
      byte &= mask_;
    echo_.sent(masked);
  }

  EchoFilter echo_;
  bool more_ = true;
  int at_once_ = 0;
  Alarm alarm_;  // after the stream that it cancels
};

}  // namespace meterbridge::io
