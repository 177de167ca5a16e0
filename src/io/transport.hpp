// SPDX-License-Identifier: MIT
// A link: bytes in, bytes out, with deadlines.
#pragma once

#include "core/bytes.hpp"
#include "core/line_settings.hpp"
#include "core/result.hpp"
#include "protocol/dialogue.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::io {

using Deadline = std::chrono::steady_clock::time_point;

// Errors: no_device (open), permission and busy ports are no_device with the reason in words; io
// (must be reopened); timeout (read: no byte until the deadline). After an io error only close()
// and open() are allowed.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual boost::asio::awaitable<Result<>> open() = 0;
  [[nodiscard]] virtual bool is_open() const noexcept = 0;
  // At least one byte, or an Error; end of file is Errc::io. Returns whole blocks, never byte by
  // byte.
  virtual boost::asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into,
                                                                Deadline deadline) = 0;

  // What the block read last came in, on links that carry messages; null on all others.
  [[nodiscard]] virtual const protocol::Envelope* envelope() const noexcept { return nullptr; }

  virtual boost::asio::awaitable<Result<>> write(ByteView bytes, Deadline deadline) = 0;
  virtual Result<> retune(const LineSettings& line) = 0;

  // Back to the speed and parity that the link was opened with: the next meter expects them.
  virtual void restore() noexcept {}

  virtual void discard_input() noexcept = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual const std::string& name()
      const noexcept = 0;  // for messages: "/dev/ttyUSB0", "10.0.0.5:8899"
  // A device on this machine (retry every few seconds) or a network peer (back off to 45-60 s).
  [[nodiscard]] virtual bool local() const noexcept = 0;
};

}  // namespace meterbridge::io
