// SPDX-License-Identifier: MIT
#include "io/descriptor.hpp"
#include "io/links.hpp"
#include "io/port_owner.hpp"
#include "io/stream_transport.hpp"
#include "io/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;

class Serial final : public StreamTransport<asio::posix::stream_descriptor> {
 public:
  Serial(const asio::any_io_executor& executor, SerialOptions options)
      : StreamTransport(executor, options.port, options.echo), options_(std::move(options)) {}

  ~Serial() override { hang_up(); }

  asio::awaitable<Result<>> open() override {
    auto opened = open_now();
    co_return opened;
  }

  Result<> retune(const LineSettings& line) override {
    if (!is_open()) return Error(Errc::io, name_ + " is not open");
    if (auto applied = apply(stream_.native_handle(), line, name_); !applied)
      return applied.error();
    use(line);
    tuned_ = line != options_.line;
    return {};
  }

  void restore() noexcept override {
    if (!tuned_) return;
    tuned_ = false;
    // A port that refuses is gone, and the next read tells so.
    if (is_open()) (void)retune(options_.line);
  }

  void discard_input() noexcept override {
    if (is_open()) tcflush(stream_.native_handle(), TCIFLUSH);
    StreamTransport::discard_input();
  }

  void close() noexcept override { hang_up(); }

  [[nodiscard]] bool local() const noexcept override { return true; }

 private:
  Result<> open_now() {
    close();
    auto device = resolve_port(options_.port);
    if (!device) return device.error();
    name_ = *device == options_.port ? *device : *device + " (" + options_.port + ")";

    Descriptor port(::open(device->c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    if (port.get() < 0) return open_failure(*device, errno);
    if (isatty(port.get()) == 0) return open_failure(*device, errno == EIO ? ENODEV : ENOTTY);
    if (flock(port.get(), LOCK_EX | LOCK_NB) != 0) return open_failure(*device, errno);
    pseudo_ = is_pseudo_terminal(port.get());
    // A pseudo-terminal keeps this mark when its user is killed, and refuses the next one for ever.
    if (!pseudo_ && ioctl(port.get(), TIOCEXCL) != 0) return open_failure(*device, errno);
    if (auto applied = apply(port.get(), options_.line, *device); !applied) return applied.error();
    // What a driver kept from before is old. A pseudo-terminal has no before: its bytes were meant
    // for us.
    if (!pseudo_) tcflush(port.get(), TCIOFLUSH);

    boost::system::error_code failure;
    stream_.assign(port.get(), failure);
    if (failure) return open_failure(*device, failure.value());
    port.release();
    stream_.non_blocking(true, failure);
    use(options_.line);
    tuned_ = false;
    return {};
  }

  void use(const LineSettings& line) noexcept {
    mask_ = line.data_bits == 7 ? std::byte{0x7f} : std::byte{0xff};
    const auto bits =
        1U + line.data_bits + (line.parity == Parity::none ? 0U : 1U) + line.stop_bits;
    per_byte_ = std::chrono::nanoseconds(std::chrono::seconds(bits)) / std::max(line.baud, 1U);
  }

  // At 300 Bd a request takes a second to leave. The silence after it begins only then, and the
  // speed must not change before; tcdrain() would tell, but it blocks the loop.
  asio::awaitable<Result<>> transmitted(std::size_t count,
                                        std::chrono::steady_clock::time_point begun,
                                        Deadline deadline) override {
    if (pseudo_) co_return Result<>();
    const auto soonest = begun + per_byte_ * static_cast<std::int64_t>(count);
    asio::steady_timer timer(stream_.get_executor());
    for (;;) {
      const auto now = std::chrono::steady_clock::now();
      const auto queue = is_open() ? unsent(stream_.native_handle()) : 0;
      const auto until = std::max(soonest, now + per_byte_ * static_cast<std::int64_t>(queue));
      if (until <= now) co_return Result<>();
      if (until > deadline) co_return Error(Errc::io, name_ + " does not send");
      timer.expires_at(until);
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none) co_return cancelled();
    }
  }

  [[nodiscard]] Error lost(const boost::system::error_code& failure) const override {
    if (failure == asio::error::eof || failure.value() == EIO || failure.value() == ENODEV ||
        failure.value() == ENXIO) {
      return {Errc::io, name_ + " is gone: unplugged, or its other end was closed"};
    }
    return {Errc::io, name_ + " failed: " + failure.message()};
  }

  void hang_up() noexcept {
    if (is_open()) {
      // The kernel waits up to 30 s in close() for bytes that nobody takes.
      tcflush(stream_.native_handle(), TCIOFLUSH);
      if (!pseudo_) ioctl(stream_.native_handle(), TIOCNXCL);
    }
    StreamTransport::close();
  }

  SerialOptions options_;
  bool pseudo_ = false;
  bool tuned_ = false;  // to something else than the options say
  std::chrono::nanoseconds per_byte_{};
};

}  // namespace

std::unique_ptr<Transport> make_serial(asio::any_io_executor executor, SerialOptions options) {
  return std::make_unique<Serial>(executor, std::move(options));
}

}  // namespace meterbridge::io
