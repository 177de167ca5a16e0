// SPDX-License-Identifier: MIT
#include "io/serial_speed.hpp"
#include "simulator/port.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

namespace meterbridge::simulator {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

// Linux tells the master when the last client has gone (EIO), but not when one comes: then we look.
constexpr Milliseconds look_again{20};
constexpr std::size_t block_size = 1024;

bool leads_to_a_pty(const fs::path& target) {
  return target.string().starts_with("/dev/pts/");
}

class PtyPort final : public Port {
 public:
  PtyPort(asio::any_io_executor executor, std::string path)
      : path_(std::move(path)), master_(executor), timer_(executor) {}

  ~PtyPort() override { close(); }

  PtyPort(const PtyPort&) = delete;
  PtyPort& operator=(const PtyPort&) = delete;

  Result<> open() override {
    if (auto free = path_is_free(); !free) return free;
    return plug_in();
  }

  asio::awaitable<Bytes> read() override {
    Bytes block;
    while (!closed_) {
      if (master_.is_open()) {
        block.resize(block_size);
        const auto [error, count] = co_await master_.async_read_some(
            asio::buffer(block.data(), block.size()), asio::as_tuple(asio::use_awaitable));
        if (!error && count > 0) {
          block.resize(count);
          co_return block;
        }
        if (closed_) break;
      }
      timer_.expires_after(look_again);
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    block.clear();
    co_return block;
  }

  std::size_t offer(ByteView bytes) override {
    if (bytes.empty() || !attended()) return 0;
    const ssize_t count = ::write(master_.native_handle(), bytes.data(), bytes.size());
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

  [[nodiscard]] bool attended() override {
    if (!master_.is_open()) return false;
    pollfd state{master_.native_handle(), POLLOUT, 0};
    return ::poll(&state, 1, 0) >= 0 && (state.revents & (POLLHUP | POLLERR)) == 0;
  }

  [[nodiscard]] std::optional<std::uint32_t> baud() const override {
    const std::uint32_t speed = master_.is_open() ? io::present_speed(handle_) : 0;
    return speed == 0 ? std::nullopt : std::optional(speed);
  }

  asio::awaitable<void> hang_up(Milliseconds away) override {
    pull_out();
    away_.expires_after(away);
    co_await away_.async_wait(asio::as_tuple(asio::use_awaitable));
    // Whoever has put something else at our place meanwhile keeps it; we then stay away.
    if (!closed_ && path_is_free()) std::ignore = plug_in();
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    closed_ = true;
    pull_out();
    timer_.cancel(ignored);
    away_.cancel(ignored);
  }

  [[nodiscard]] std::string name() const override { return path_; }

 private:
  [[nodiscard]] Result<> path_is_free() const {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path_, error);
    if (!fs::exists(status)) return {};
    if (!fs::is_symlink(status)) {
      return Error(Errc::no_device,
                   path_ + " exists and is not a pseudo-terminal of a simulator; it is left alone");
    }
    const fs::path target = fs::read_symlink(path_, error);
    if (leads_to_a_pty(target) || !fs::exists(path_, error)) return {};
    return Error(Errc::no_device, path_ + " leads to " + target.string() +
                                      ", which is no pseudo-terminal; it is left alone");
  }

  Result<> failed(const std::string& what) {
    const std::string reason = std::strerror(errno);
    return Error(Errc::no_device, what + ": " + reason);
  }

  Result<> plug_in() {
    int master = -1;
    int slave = -1;
    termios raw{};
    ::cfmakeraw(&raw);
    ::cfsetspeed(&raw, B9600);
    raw.c_cflag |= CREAD | CLOCAL;
    if (::openpty(&master, &slave, nullptr, &raw, nullptr) != 0) {
      return failed("no pseudo-terminal to be had");
    }
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    ::fcntl(master, F_SETFL, ::fcntl(master, F_GETFL) | O_NONBLOCK);
    std::array<char, 128> slave_name{};
    const bool named = ::ttyname_r(slave, slave_name.data(), slave_name.size()) == 0;
    // Opened and closed once, so that "nobody is there" can be told from "somebody is silent".
    ::close(slave);
    master_.assign(master);
    handle_ = master;
    if (!named) return failed("the pseudo-terminal has no name");
    pts_ = slave_name.data();
    // Made aside and moved there, so that a client finds the old one or the new one, never nothing
    // in between.
    const std::string aside = path_ + ".new-" + std::to_string(::getpid());
    std::error_code error;
    fs::create_symlink(pts_, aside, error);
    if (!error) fs::rename(aside, path_, error);
    if (error) {
      pull_out();
      return Error(Errc::no_device, path_ + ": " + error.message());
    }
    return {};
  }

  // Without std::filesystem: it may throw, and a destructor ends here.
  void pull_out() noexcept {
    std::array<char, 128> target{};
    const ssize_t length = ::readlink(path_.c_str(), target.data(), target.size());
    const std::string_view found(target.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    if (!pts_.empty() && found == pts_) ::unlink(path_.c_str());
    pts_.clear();
    boost::system::error_code ignored;
    master_.close(ignored);
  }

  std::string path_;
  std::string pts_;
  asio::posix::stream_descriptor master_;
  int handle_ = -1;  // of master_
  asio::steady_timer timer_;
  asio::steady_timer away_{timer_.get_executor()};
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Port> make_pty_port(asio::any_io_executor executor, std::string path) {
  return std::make_unique<PtyPort>(std::move(executor), std::move(path));
}

}  // namespace meterbridge::simulator
