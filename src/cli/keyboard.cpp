// SPDX-License-Identifier: MIT
#include "cli/keyboard.hpp"

#include "app/wait.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace meterbridge::cli {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t longest_line = 4096;

// Only such inputs can be waited for.
bool can_wait(int descriptor) {
  struct stat about {};

  if (fstat(descriptor, &about) != 0) return false;
  return S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || isatty(descriptor) == 1;
}

}  // namespace

Keyboard::Keyboard(const asio::any_io_executor& executor)
    : input_(executor), terminal_(isatty(STDIN_FILENO) == 1), waits_(can_wait(STDIN_FILENO)) {
  if (!waits_) return;
  boost::system::error_code failure;
  input_.assign(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), failure);
  waits_ = !failure;
}

Keyboard::~Keyboard() {
  restore();
}

void Keyboard::read_block() {
  std::array<char, 1024> block{};
  const ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
  if (count > 0) {
    buffer_.append(block.data(), static_cast<std::size_t>(count));
  } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
    ended_ = true;
  }
}

// True when there is more than before, or the input has ended.
asio::awaitable<bool> Keyboard::fill(steady_clock::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;
  co_await asio::this_coro::throw_if_cancelled(false);
  if (ended_) co_return true;
  if (waits_) {
    asio::steady_timer timer(input_.get_executor(), deadline);
    const auto first = co_await (input_.async_wait(asio::posix::stream_descriptor::wait_read,
                                                   asio::as_tuple(asio::use_awaitable)) ||
                                 timer.async_wait(asio::as_tuple(asio::use_awaitable)));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none || first.index() == 1) co_return false;
  }
  read_block();
  co_return true;
}

asio::awaitable<std::optional<std::string>> Keyboard::line() {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos || ended_ || buffer_.size() > longest_line) {
      if (buffer_.empty()) co_return std::nullopt;
      std::string taken = buffer_.substr(0, std::min(end, longest_line));
      buffer_.erase(0, end == std::string::npos ? taken.size() : end + 1);
      if (taken.ends_with('\r')) taken.pop_back();
      co_return taken;
    }
    const bool over = co_await app::stopping();
    if (over) co_return std::nullopt;
    const auto for_ever = steady_clock::time_point::max();
    const bool more = co_await fill(for_ever);
    if (!more) co_return std::nullopt;
  }
}

asio::awaitable<bool> Keyboard::pressed(steady_clock::time_point deadline) {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool any = ended_ || !buffer_.empty();
  if (!any) any = co_await fill(deadline);
  if (any && terminal_) buffer_.clear();
  co_return any;
}

Keyboard::SingleKeys::SingleKeys(Keyboard& keyboard) : keyboard_(keyboard) {
  termios now{};
  if (!keyboard.terminal_ || tcgetattr(STDIN_FILENO, &now) != 0) return;
  keyboard.before_ = now;
  now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

Keyboard::SingleKeys::~SingleKeys() {
  keyboard_.restore();
}

void Keyboard::restore() noexcept {
  const auto before = std::exchange(before_, std::nullopt);
  if (before) tcsetattr(STDIN_FILENO, TCSANOW, &*before);
}

}  // namespace meterbridge::cli
