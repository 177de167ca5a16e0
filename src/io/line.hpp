// SPDX-License-Identifier: MIT
// One physical line, shared fairly by the meters on it.
#pragma once

#include "core/time.hpp"
#include "io/transport.hpp"

#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::io {

// Owns the transport and a token. Who holds the token may use the transport; the others wait in the
// order in which they came. The guard gives the token back in its destructor, also when a watchdog
// killed the holder.
class Line {
  struct State;

 public:
  class Hold {
   public:
    Hold() = default;

    explicit Hold(std::shared_ptr<State> line) noexcept : line_(std::move(line)) {}

    Hold(Hold&& other) noexcept : line_(std::exchange(other.line_, nullptr)) {}

    Hold& operator=(Hold&& other) noexcept;
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    ~Hold() { release(); }

    explicit operator bool() const noexcept { return line_ != nullptr; }

    void release() noexcept;

   private:
    std::shared_ptr<State> line_;
  };

  Line(boost::asio::any_io_executor executor, std::unique_ptr<Transport> transport,
       Milliseconds turnaround);
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Waits for the token and for the turnaround pause since the last use. An empty Hold when
  // cancelled.
  boost::asio::awaitable<Hold> acquire();

  [[nodiscard]] Transport& transport() noexcept { return *transport_; }

  [[nodiscard]] const Transport& transport() const noexcept { return *transport_; }

 private:
  std::unique_ptr<Transport> transport_;
  // Shared with the holder and those who wait: coroutines that end with the io_context outlive the
  // Line.
  std::shared_ptr<State> state_;
};

}  // namespace meterbridge::io
