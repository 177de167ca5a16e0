// SPDX-License-Identifier: MIT
// One physical line, shared fairly by the meters on it.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "core/time.hpp"
#include "io/transport.hpp"

namespace meterbridge::io {

// Owns the transport and a token. Who holds the token may use the transport; the others wait in the order in which
// they came. The guard gives the token back in its destructor, also when a watchdog killed the holder.
class Line {
 public:
  class Hold {
   public:
    Hold() = default;
    explicit Hold(Line* line) : line_(line) {}
    Hold(Hold&& other) noexcept : line_(std::exchange(other.line_, nullptr)) {}
    Hold& operator=(Hold&& other) noexcept;
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() { release(); }
    explicit operator bool() const noexcept { return line_ != nullptr; }
    void release() noexcept;

   private:
    Line* line_ = nullptr;
  };

  Line(boost::asio::any_io_executor executor, std::unique_ptr<Transport> transport, Milliseconds turnaround);
  ~Line();
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Waits for the token and for the turnaround pause since the last use. An empty Hold when cancelled.
  boost::asio::awaitable<Hold> acquire();
  [[nodiscard]] Transport& transport() noexcept { return *transport_; }

 private:
  struct State;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<State> state_;
};

}  // namespace meterbridge::io
