// SPDX-License-Identifier: MIT
#include "io/converse.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
namespace step = protocol::step;
using std::chrono::steady_clock;

constexpr std::size_t block_size{16384};
// "Listen for ever" must not overflow the clock.
constexpr auto longest_wait = std::chrono::hours(24 * 365);
// Long enough for any request at 300 Bd (37 ms a byte), and for a gateway that has to wake up.
constexpr auto write_margin = std::chrono::seconds(2);
constexpr auto write_per_byte = Milliseconds(40);
// A line that does not fall silent in that time has a talker that is not ours.
constexpr auto longest_drain = std::chrono::seconds(10);

Deadline after(Milliseconds wait) {
  return steady_clock::now() + std::clamp<Milliseconds>(wait, Milliseconds::zero(), longest_wait);
}

Error ended(const Transport& transport) {
  return {Errc::cancelled, transport.name() + ": the work was ended"};
}

// Where received bytes land: not initialised, and only there when the dialogue listens at all.
class Block {
 public:
  std::span<std::byte> space() {
    if (!bytes_) bytes_.reset(new std::byte[block_size]);
    return {bytes_.get(), block_size};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

// Whatever ends a conversation: it leaves the line as it found it.
class Tuning {
 public:
  Tuning() = default;

  ~Tuning() {
    if (tuned_ != nullptr) tuned_->restore();
  }

  Tuning(const Tuning&) = delete;
  Tuning& operator=(const Tuning&) = delete;

  Result<> change(Transport& transport, const LineSettings& line) {
    tuned_ = &transport;
    return transport.retune(line);
  }

 private:
  Transport* tuned_ = nullptr;
};

asio::awaitable<Result<>> send(Transport& transport, const Bytes& bytes, const Tap& tap) {
  const auto deadline =
      steady_clock::now() + write_margin + write_per_byte * static_cast<std::int64_t>(bytes.size());
  auto written = co_await transport.write(bytes, deadline);
  if (written && tap) tap(true, bytes);
  co_return written;
}

asio::awaitable<Result<>> drain(Transport& transport, Milliseconds quiet, Block& block,
                                protocol::Dialogue& dialogue, const Tap& tap) {
  const auto limit = steady_clock::now() + std::max<Milliseconds>(longest_drain, quiet * 2);
  for (;;) {
    const auto space = block.space();
    auto got = co_await transport.read_some(space, after(quiet));
    if (!got && got.error().code() == Errc::timeout) co_return Result<>();
    if (!got) co_return got.error();
    if (tap) tap(false, space.first(*got));
    dialogue.drained(space.first(*got));
    if (steady_clock::now() > limit) {
      co_return Error(Errc::no_frame,
                      transport.name() + " does not fall silent: is another master talking there?");
    }
  }
}

asio::awaitable<Result<>> pause(Transport& transport, Milliseconds length) {
  asio::steady_timer timer(co_await asio::this_coro::executor, after(length));
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return ended(transport);
  co_return Result<>();
}

}  // namespace

asio::awaitable<Result<protocol::Telegram>> converse(Transport& transport,
                                                     protocol::Dialogue& dialogue, Tap tap) {
  co_await asio::this_coro::throw_if_cancelled(false);
  Block block;
  Tuning tuning;
  for (;;) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return ended(transport);
    auto next = dialogue.next();
    if (!next) co_return next.error();

    if (auto* const finished = std::get_if<step::Finished>(&*next)) {
      co_return std::move(finished->telegram);
    }
    if (const auto* const listen = std::get_if<step::Listen>(&*next)) {
      const auto space = block.space();
      auto got = co_await transport.read_some(space, after(listen->at_most));
      if (got) {
        if (tap) tap(false, space.first(*got));
        if (const auto* envelope = transport.envelope()) dialogue.enclosed(*envelope);
        dialogue.received(space.first(*got));
      } else if (got.error().code() == Errc::timeout) {
        dialogue.silence();
      } else {
        co_return got.error();
      }
      continue;
    }

    Result<> done;
    if (const auto* const out = std::get_if<step::Send>(&*next)) {
      done = co_await send(transport, out->bytes, tap);
    } else if (const auto* const wait = std::get_if<step::Pause>(&*next)) {
      done = co_await pause(transport, wait->length);
    } else if (const auto* const noise = std::get_if<step::Drain>(&*next)) {
      done = co_await drain(transport, noise->quiet, block, dialogue, tap);
    } else if (const auto* const tune = std::get_if<step::Retune>(&*next)) {
      done = tuning.change(transport, tune->line);
    }
    if (!done) co_return done.error();
  }
}

}  // namespace meterbridge::io
