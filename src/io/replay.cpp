// SPDX-License-Identifier: MIT
#include "io/links.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;

class Replay final : public Transport {
 public:
  Replay(asio::any_io_executor executor, std::string file)
      : executor_(std::move(executor)), name_(std::move(file)) {}

  ~Replay() override { hang_up(); }

  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  asio::awaitable<Result<>> open() override {
    auto opened = open_now();
    co_return opened;
  }

  [[nodiscard]] bool is_open() const noexcept override { return descriptor_ >= 0; }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into, Deadline) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    // A file never makes its reader wait: without this the others on the loop would.
    co_await asio::post(executor_, asio::use_awaitable);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      co_return Error(Errc::cancelled, name_ + ": the work was ended");
    if (!is_open()) co_return Error(Errc::io, name_ + " is not open");
    const auto count = ::read(descriptor_, into.data(), into.size());
    if (count > 0) co_return static_cast<std::size_t>(count);
    if (count < 0) co_return Error(Errc::io, name_ + ": " + std::generic_category().message(errno));
    played_ = true;
    co_return Error(Errc::io, name_ + ": end of the file");
  }

  // The meter of a capture does not hear us.
  asio::awaitable<Result<>> write(ByteView, Deadline) override {
    if (!is_open()) co_return Error(Errc::io, name_ + " is not open");
    co_return Result<>();
  }

  Result<> retune(const LineSettings&) override { return {}; }

  // Every byte of a capture counts.
  void discard_input() noexcept override {}

  void close() noexcept override { hang_up(); }

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

  [[nodiscard]] bool local() const noexcept override { return true; }

 private:
  Result<> open_now() {
    hang_up();
    if (played_) return Error(Errc::no_device, name_ + " was played to its end");
    descriptor_ = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC);

    struct stat about {};

    if (is_open() && fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode)) return {};
    const auto reason = is_open() ? "is not a file" : std::generic_category().message(errno);
    hang_up();
    return Error(Errc::no_device, name_ + " cannot be played: " + reason);
  }

  void hang_up() noexcept {
    if (is_open()) ::close(std::exchange(descriptor_, -1));
  }

  asio::any_io_executor executor_;
  std::string name_;
  int descriptor_ = -1;
  bool played_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_replay(asio::any_io_executor executor, std::string file) {
  return std::make_unique<Replay>(std::move(executor), std::move(file));
}

}  // namespace meterbridge::io
