// SPDX-License-Identifier: MIT
// A link that plays a script, without a port and without waiting: silence ends at once, whatever
// its deadline.
//
//   ScriptedTransport line(io.get_executor());
//   line.expect("2f3f210d0a").answer("2f...").silence().retuned("9600 7E1").breaks("unplugged");
//   ... EXPECT_EQ(line.complaint(), "");   // the script was followed, and to its end
#pragma once

#include "io/transport.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace meterbridge::fakes {

class ScriptedTransport final : public io::Transport {
 public:
  explicit ScriptedTransport(boost::asio::any_io_executor executor, bool local = true)
      : executor_(std::move(executor)), local_(local) {}

  // The script. Bytes are given as hex.
  ScriptedTransport& expect(std::string_view hex) { return add(Expect(bytes_of(hex))); }

  ScriptedTransport& answer(std::string_view hex) { return add(Answer(bytes_of(hex))); }

  ScriptedTransport& answer(Bytes bytes) { return add(Answer(std::move(bytes))); }

  ScriptedTransport& silence() { return add(Silence()); }

  ScriptedTransport& retuned(std::string line) { return add(Tuned(std::move(line))); }

  // The next read or write fails with Errc::io; reads go on failing until open().
  ScriptedTransport& breaks(std::string reason) { return add(Broken(std::move(reason))); }

  // The next read waits until it is cancelled.
  ScriptedTransport& hangs() { return add(Hang()); }

  // So many calls of open() fail with no_device.
  ScriptedTransport& absent(int times) {
    absent_ = times;
    return *this;
  }

  // Empty when the script was followed to its end.
  [[nodiscard]] std::string complaint() const {
    if (!complaint_.empty()) return complaint_;
    return script_.empty()
               ? ""
               : std::to_string(script_.size()) + " steps of the script were not played";
  }

  [[nodiscard]] int opened() const noexcept { return opened_; }

  [[nodiscard]] int closed() const noexcept { return closed_; }

  [[nodiscard]] int discarded() const noexcept { return discarded_; }

  [[nodiscard]] int restored() const noexcept { return restored_; }

  // How long each read was willing to wait.
  [[nodiscard]] const std::vector<std::chrono::milliseconds>& waits() const noexcept {
    return waits_;
  }

  boost::asio::awaitable<Result<>> open() override {
    co_await boost::asio::post(executor_, boost::asio::use_awaitable);
    ++opened_;
    if (absent_ > 0) {
      --absent_;
      co_return Error(Errc::no_device, "script is absent");
    }
    open_ = true;
    broken_.clear();
    co_return Result<>();
  }

  [[nodiscard]] bool is_open() const noexcept override { return open_; }

  boost::asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into,
                                                        io::Deadline deadline) override {
    namespace asio = boost::asio;
    co_await asio::this_coro::throw_if_cancelled(false);
    waits_.push_back(
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()));
    co_await asio::post(executor_, asio::use_awaitable);
    if (next_is<Hang>()) {
      script_.pop_front();
      asio::steady_timer never(executor_, io::Deadline::max());
      co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      co_return Error(Errc::cancelled, "script: ended");
    co_return read_now(into);
  }

  boost::asio::awaitable<Result<>> write(ByteView bytes, io::Deadline) override {
    auto written = write_now(bytes);
    co_return written;
  }

  Result<> retune(const LineSettings& line) override {
    if (!next_is<Tuned>()) return complain("retune to " + line.text() + " is not in the script");
    const auto wanted = std::get<Tuned>(script_.front()).line;
    script_.pop_front();
    if (line.text() != wanted)
      return complain("retune to " + line.text() + " instead of " + wanted);
    return {};
  }

  void restore() noexcept override { ++restored_; }

  void discard_input() noexcept override { ++discarded_; }

  void close() noexcept override {
    if (open_) ++closed_;
    open_ = false;
  }

  [[nodiscard]] const std::string& name() const noexcept override { return name_; }

  [[nodiscard]] bool local() const noexcept override { return local_; }

 private:
  struct Expect {
    explicit Expect(Bytes b) : bytes(std::move(b)) {}

    Bytes bytes;
  };

  struct Answer {
    explicit Answer(Bytes b) : bytes(std::move(b)) {}

    Bytes bytes;
  };

  struct Tuned {
    explicit Tuned(std::string l) : line(std::move(l)) {}

    std::string line;
  };

  struct Broken {
    explicit Broken(std::string r) : reason(std::move(r)) {}

    std::string reason;
  };

  struct Silence {};

  struct Hang {};

  using Step = std::variant<Expect, Answer, Silence, Tuned, Broken, Hang>;

  static Bytes bytes_of(std::string_view hex) {
    auto bytes = from_hex(hex);
    return bytes ? *bytes : Bytes();
  }

  ScriptedTransport& add(Step step) {
    script_.push_back(std::move(step));
    return *this;
  }

  template <class T>
  [[nodiscard]] bool next_is() const noexcept {
    return !script_.empty() && std::holds_alternative<T>(script_.front());
  }

  Error complain(std::string text) {
    if (complaint_.empty()) complaint_ = text;
    return {Errc::io, "script: " + std::move(text)};
  }

  Result<std::size_t> read_now(std::span<std::byte> into) {
    if (!open_) return complain("read while closed");
    if (!fails().empty()) return Error(Errc::io, broken_);
    if (next_is<Silence>()) {
      script_.pop_front();
      return Error(Errc::timeout, "script: silence");
    }
    if (!next_is<Answer>()) {
      // A meter that was not asked says nothing; a listener at the end of the script hears nothing
      // more.
      return Error(Errc::timeout, "script: nothing to say");
    }
    auto& bytes = std::get<Answer>(script_.front()).bytes;
    const auto count = std::min(bytes.size(), into.size());
    std::copy_n(bytes.begin(), count, into.begin());
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    if (bytes.empty()) script_.pop_front();
    return count;
  }

  Result<> write_now(ByteView bytes) {
    if (!open_) return complain("write while closed");
    if (!fails().empty()) return Error(Errc::io, broken_);
    if (!next_is<Expect>())
      return complain("sent " + to_hex(bytes) + ", which is not in the script");
    const auto wanted = std::get<Expect>(script_.front()).bytes;
    script_.pop_front();
    if (!std::equal(bytes.begin(), bytes.end(), wanted.begin(), wanted.end())) {
      return complain("sent " + to_hex(bytes) + " instead of " + to_hex(wanted));
    }
    return {};
  }

  const std::string& fails() {
    if (next_is<Broken>()) {
      broken_ = std::get<Broken>(script_.front()).reason;
      script_.pop_front();
    }
    return broken_;
  }

  boost::asio::any_io_executor executor_;
  std::string name_ = "script";
  std::deque<Step> script_;
  std::string complaint_;
  std::string broken_;
  std::vector<std::chrono::milliseconds> waits_;
  int absent_ = 0;
  int opened_ = 0;
  int closed_ = 0;
  int discarded_ = 0;
  int restored_ = 0;
  bool open_ = false;
  bool local_;
};

}  // namespace meterbridge::fakes
