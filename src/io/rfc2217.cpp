// SPDX-License-Identifier: MIT
#include "io/rfc2217.hpp"

#include "io/echo.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr auto negotiation_limit = std::chrono::seconds(5);
constexpr std::size_t block_size = 1024;
constexpr std::size_t most_option = 64;  // bytes of one sub-negotiation; none of ours is longer
constexpr std::size_t most_kept = 4096;  // bytes that nobody fetched while we negotiate
constexpr int most_discarded = 64;       // blocks: a flood must not hold the line

// Telnet
constexpr std::uint8_t se = 240;
constexpr std::uint8_t sb = 250;
constexpr std::uint8_t will = 251;
constexpr std::uint8_t wont = 252;
constexpr std::uint8_t do_it = 253;
constexpr std::uint8_t dont = 254;
constexpr std::uint8_t iac = 255;
constexpr std::uint8_t binary = 0;
constexpr std::uint8_t no_go_ahead = 3;
constexpr std::uint8_t com_port = 44;
// COM-PORT: the server confirms each with its number plus 100.
constexpr std::uint8_t set_baud = 1;
constexpr std::uint8_t set_control = 5;
constexpr std::uint8_t no_flow_control = 1;
constexpr std::uint8_t confirmed = 100;

void append(Bytes& bytes, std::initializer_list<std::uint8_t> values) {
  for (const std::uint8_t value : values)
    bytes.push_back(static_cast<std::byte>(value));
}

// Speed, data bits, parity and stop bits, as the option counts them.
std::array<std::uint32_t, 4> values_of(const LineSettings& line) {
  constexpr std::array<std::uint32_t, 3> parities{1, 3, 2};  // none, even, odd
  return {line.baud, line.data_bits, parities[static_cast<std::size_t>(line.parity)],
          line.stop_bits};
}

void append_escaped(Bytes& bytes, ByteView data) {
  for (const std::byte one : data) {
    bytes.push_back(one);
    if (u8(one) == iac) bytes.push_back(one);
  }
}

void append_option(Bytes& bytes, std::uint8_t what, std::uint32_t value, std::size_t width) {
  append(bytes, {iac, sb, com_port, what});
  Bytes number;
  for (std::size_t i = width; i-- > 0;)
    number.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xFFU));
  append_escaped(bytes, number);
  append(bytes, {iac, se});
}

Bytes settings_request(const LineSettings& line) {
  Bytes bytes;
  const auto values = values_of(line);
  for (std::size_t i = 0; i < values.size(); ++i)
    append_option(bytes, static_cast<std::uint8_t>(set_baud + i), values[i], i == 0 ? 4 : 1);
  return bytes;
}

// Takes the negotiation out of what arrives, in any cut.
class Telnet {
 public:
  void reset() { *this = Telnet(); }

  void received(ByteView bytes, Bytes& data) {
    for (const std::byte one : bytes)
      take(u8(one), one, data);
  }

  // What we owe the other side.
  [[nodiscard]] Bytes replies() { return std::exchange(replies_, {}); }

  [[nodiscard]] std::optional<bool> agreed() const noexcept { return agreed_; }

  std::array<std::optional<std::uint32_t>, 4> confirmations;  // in the order of values_of()

 private:
  enum class State : std::uint8_t { data, command, option, inside, inside_command };

  void take(std::uint8_t value, std::byte one, Bytes& data) {
    switch (state_) {
      case State::data:
        if (value == iac) {
          state_ = State::command;
        } else {
          data.push_back(one);
        }
        break;
      case State::command:
        begin(value, data);
        break;
      case State::option:
        negotiate(value);
        state_ = State::data;
        break;
      case State::inside:
        if (value == iac) {
          state_ = State::inside_command;
        } else if (option_.size() < most_option) {
          option_.push_back(value);
        }
        break;
      case State::inside_command:
        state_ = value == iac ? State::inside : State::data;
        if (value == iac && option_.size() < most_option) option_.push_back(iac);
        if (value != iac) understand();
        break;
    }
  }

  void begin(std::uint8_t value, Bytes& data) {
    state_ = State::data;
    if (value == iac) {
      data.push_back(std::byte{iac});
    } else if (value == sb) {
      state_ = State::inside;
      option_.clear();
    } else if (value >= will) {
      verb_ = value;
      state_ = State::option;
    }
  }

  // What we asked for needs no answer; all else is refused.
  void negotiate(std::uint8_t option) {
    if (option == com_port && (verb_ == do_it || verb_ == dont)) agreed_ = verb_ == do_it;
    if (option == binary || option == no_go_ahead || option == com_port) return;
    if (verb_ == do_it) append(replies_, {iac, wont, option});
    if (verb_ == will) append(replies_, {iac, dont, option});
  }

  void understand() {
    if (option_.size() < 3 || option_[0] != com_port || option_[1] <= confirmed) return;
    const std::size_t which = option_[1] - confirmed - set_baud;
    if (which >= confirmations.size()) return;
    std::uint32_t value = 0;
    for (std::size_t i = 2; i < option_.size(); ++i)
      value = (value << 8U) | option_[i];
    confirmations[which] = value;
  }

  State state_ = State::data;
  std::uint8_t verb_ = 0;
  std::vector<std::uint8_t> option_;
  std::optional<bool> agreed_;
  Bytes replies_;
};

class Rfc2217 final : public Transport {
 public:
  Rfc2217(const asio::any_io_executor& executor, std::unique_ptr<Transport> inner,
          LineSettings line, bool echo)
      : inner_(std::move(inner)), line_(line), timer_(executor), echo_(echo) {}

  asio::awaitable<Result<>> open() override {
    co_await asio::this_coro::throw_if_cancelled(false);
    close();
    auto opened = co_await inner_->open();
    if (!opened) co_return opened;
    auto agreed = co_await agree();
    if (!agreed) close();
    co_return agreed;
  }

  [[nodiscard]] bool is_open() const noexcept override { return ready_ && inner_->is_open(); }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into,
                                                 Deadline deadline) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto prepared = co_await prepare();
    if (!prepared) co_return prepared.error();
    for (;;) {
      if (const auto kept = echo_.take(into); kept > 0) co_return kept;
      if (!data_.empty()) {
        const std::size_t count = std::min(into.size(), data_.size());
        const auto end = data_.begin() + static_cast<std::ptrdiff_t>(count);
        std::copy(data_.begin(), end, into.begin());
        data_.erase(data_.begin(), end);
        if (echo_.idle()) co_return count;
        echo_.received(into.first(count));
        continue;
      }
      auto taken = co_await take_in_time(deadline);
      if (!taken && data_.empty()) co_return taken.error();
    }
  }

  // Returns when the last bit has left the server, as far as that can be reckoned.
  asio::awaitable<Result<>> write(ByteView bytes, Deadline deadline) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    auto prepared = co_await prepare();
    if (!prepared) co_return prepared.error();
    Bytes escaped;
    append_escaped(escaped, bytes);
    auto sent = co_await inner_->write(escaped, deadline);
    if (!sent) co_return sent;
    echo_.sent(bytes);
    constexpr std::int64_t bits = 11'000;  // of a byte, in thousandths
    timer_.expires_after(Milliseconds(static_cast<std::int64_t>(bytes.size()) * bits /
                                      static_cast<std::int64_t>(tuned_.value_or(line_).baud)));
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      co_return Error(Errc::cancelled, name() + ": the work was ended");
    co_return Result<>();
  }

  // Carried out before the next byte goes out or comes in.
  Result<> retune(const LineSettings& line) override {
    wanted_ = line;
    return {};
  }

  void restore() noexcept override {
    if ((wanted_ ? wanted_ : tuned_) != line_) wanted_ = line_;
  }

  void discard_input() noexcept override {
    data_.clear();
    echo_.clear();
    discarding_ = is_open();
  }

  void close() noexcept override {
    inner_->close();
    ready_ = false;
    discarding_ = false;
    tuned_.reset();
    data_.clear();
    echo_.clear();
    telnet_.reset();
  }

  [[nodiscard]] const std::string& name() const noexcept override { return inner_->name(); }

  [[nodiscard]] bool local() const noexcept override { return false; }

 private:
  asio::awaitable<Result<>> agree() {
    const Deadline deadline = steady_clock::now() + negotiation_limit;
    Bytes hello;
    append(hello, {iac, will, binary, iac, do_it, binary, iac, will, no_go_ahead});
    append(hello, {iac, do_it, no_go_ahead, iac, will, com_port});
    auto sent = co_await inner_->write(hello, deadline);
    if (!sent) co_return sent;
    while (!telnet_.agreed()) {
      auto taken = co_await take_in_time(deadline);
      if (!taken && taken.error().code() != Errc::timeout) co_return taken;
      if (!taken) break;
      data_.clear();
    }
    if (!telnet_.agreed().value_or(false))
      co_return Error(Errc::no_device,
                      name() +
                          " does not speak RFC 2217: set it to that, or write tcp: HOST:PORT "
                          "and set speed and parity there");
    Bytes control;
    append_option(control, set_control, no_flow_control, 1);
    sent = co_await inner_->write(control, deadline);
    if (!sent) co_return sent;
    ready_ = true;
    wanted_ = line_;
    data_.clear();  // a greeting of the server
    auto tuned = co_await tune();
    if (!tuned && tuned.error().code() == Errc::io)
      co_return Error(Errc::no_device, tuned.error().detail());
    co_return tuned;
  }

  asio::awaitable<Result<>> prepare() {
    if (!is_open()) co_return Error(Errc::io, name() + " is not open");
    for (int i = 0; std::exchange(discarding_, false) && i < most_discarded; ++i) {
      auto taken = co_await take(steady_clock::now());
      data_.clear();
      if (!taken && taken.error().code() != Errc::timeout) co_return taken;
      discarding_ = static_cast<bool>(taken);
    }
    auto tuned = co_await tune();
    co_return tuned;
  }

  asio::awaitable<Result<>> tune() {
    if (!wanted_) co_return Result<>();
    const LineSettings line = *std::exchange(wanted_, std::nullopt);
    if (line == tuned_) co_return Result<>();
    tuned_.reset();
    const Deadline deadline = steady_clock::now() + negotiation_limit;
    telnet_.confirmations = {};
    auto sent = co_await inner_->write(settings_request(line), deadline);
    if (!sent) co_return sent;
    const auto asked = values_of(line);
    const auto confirmed_all = [this] {
      return std::ranges::all_of(telnet_.confirmations,
                                 [](const auto& value) { return value.has_value(); });
    };
    while (!confirmed_all()) {
      auto taken = co_await take_in_time(deadline);
      if (data_.size() > most_kept) data_.clear();
      if (!taken && taken.error().code() == Errc::timeout)
        co_return Error(Errc::io, name() + ": the serial server does not confirm " + line.text());
      if (!taken) co_return taken;
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (telnet_.confirmations[i] != asked[i])
        co_return Error(Errc::io, name() + ": the serial server does not set " + line.text());
    }
    tuned_ = line;
    co_return Result<>();
  }

  // A server that never ceases, and says nothing that counts, must not hold the line.
  asio::awaitable<Result<>> take_in_time(Deadline deadline) {
    auto taken = co_await take(deadline);
    if (taken && steady_clock::now() > deadline)
      co_return Error(Errc::timeout, name() + ": no byte arrived in time");
    co_return taken;
  }

  // One block of the connection: data to data_, and the answers that we owe.
  asio::awaitable<Result<>> take(Deadline deadline) {
    std::array<std::byte, block_size> block{};
    auto got = co_await inner_->read_some(block, deadline);
    if (!got) co_return got.error();
    telnet_.received(std::span(block).first(*got), data_);
    const Bytes replies = telnet_.replies();
    if (replies.empty()) co_return Result<>();
    auto sent = co_await inner_->write(replies, steady_clock::now() + negotiation_limit);
    co_return sent;
  }

  std::unique_ptr<Transport> inner_;
  LineSettings line_;
  std::optional<LineSettings> tuned_;   // that the server confirmed
  std::optional<LineSettings> wanted_;  // not asked for yet
  asio::steady_timer timer_;
  Telnet telnet_;
  Bytes data_;
  EchoFilter echo_;
  bool ready_ = false;
  bool discarding_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_rfc2217(asio::any_io_executor executor,
                                        std::unique_ptr<Transport> inner, LineSettings line,
                                        bool echo) {
  return std::make_unique<Rfc2217>(executor, std::move(inner), line, echo);
}

}  // namespace meterbridge::io
