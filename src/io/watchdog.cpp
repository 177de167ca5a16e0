// SPDX-License-Identifier: MIT
#include "io/converse.hpp"

#include <exception>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
using Outcome = Result<protocol::Telegram>;

Error ended() {
  return {Errc::cancelled, "the work was ended"};
}

// Turns an exception into an Error: `||` would swallow it and wait for the timer.
asio::awaitable<Outcome> contained(asio::awaitable<Outcome> work) {
  co_await asio::this_coro::throw_if_cancelled(false);
  std::string thrown;
  try {
    auto outcome = co_await std::move(work);
    co_return outcome;
  } catch (const std::exception& exception) {
    thrown = exception.what();
  } catch (...) {
    thrown = "an unknown exception";
  }
  // Work that lets itself be cancelled by an exception is fine too.
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return ended();
  co_return Error(Errc::bug, "the poll broke: " + thrown);
}

asio::awaitable<void> elapsed(asio::steady_timer& timer) {
  const auto outcome = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (std::get<0>(outcome)) throw boost::system::system_error(std::get<0>(outcome));
}

}  // namespace

asio::awaitable<Outcome> under_watchdog(asio::awaitable<Outcome> work, Milliseconds limit) {
  using asio::experimental::awaitable_operators::operator||;
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto before = co_await asio::this_coro::cancellation_state;
  if (before.cancelled() != asio::cancellation_type::none) co_return ended();

  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  std::string thrown;
  try {
    auto first = co_await (contained(std::move(work)) || elapsed(timer));
    if (auto* const outcome = std::get_if<0>(&first)) co_return std::move(*outcome);
    co_return Error(Errc::watchdog, "the poll did not end within " + duration_text(limit));
  } catch (const std::exception& exception) {
    thrown = exception.what();  // both sides were cancelled before they began
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return ended();
  co_return Error(Errc::bug, "the watchdog broke: " + thrown);
}

}  // namespace meterbridge::io
