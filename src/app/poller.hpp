// SPDX-License-Identifier: MIT
// The task of one meter: decides when it is read, talks to it under a watchdog, and climbs the
// recovery ladder when it answers nonsense or nothing. It ends only when it is cancelled, or when
// it asks to be started anew.
#pragma once

#include "app/bridge.hpp"
#include "app/link.hpp"
#include "app/unstamped.hpp"
#include "app/wait.hpp"
#include "io/converse.hpp"
#include "meter/meter.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::app {

// Longest time one poll may take when the configuration says nothing: three tries of a handful of
// questions.
inline constexpr Milliseconds default_poll_limit{30000};
// A pushing meter is silent after three periods, but not before ten seconds.
inline constexpr Milliseconds least_push_limit{10000};

// How long one poll may take; for a pushing meter, how long it may be silent.
[[nodiscard]] Milliseconds longest_conversation(const meter::Meter& meter);

// The link itself failed: nothing is to be had from it before it is opened anew.
[[nodiscard]] constexpr bool is_transport_error(Errc code) noexcept {
  return code == Errc::io || code == Errc::no_device;
}

// A message that the broker had kept from before we listened: nobody says how old it is, so it
// counts only when its telegram has a stamp of its own that is young enough.
[[nodiscard]] bool is_leftover(const io::Transport& transport, const protocol::Telegram* telegram,
                               Instant now, Milliseconds limit);

class Poller {
 public:
  enum class End { cancelled, restart };

  // All references outlive the poller.
  Poller(boost::asio::any_io_executor executor, meter::Meter& meter, Link& link, Bridge& bridge,
         const Clock& clock, std::optional<Milliseconds> silence);

  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  boost::asio::awaitable<End> run();

  void poke();     // poll now, also when paused
  void due_now();  // poll now, unless paused
  void set_interval(Milliseconds interval);
  void set_paused(bool paused);

  // True while the broker is behind: a pushing meter that sends faster than that is read slower, so
  // that no telegram is dropped.
  std::function<bool()> crowded;

  [[nodiscard]] const meter::Meter& meter() const noexcept { return meter_; }

  [[nodiscard]] bool paused() const noexcept { return paused_; }

  [[nodiscard]] const Link& link() const noexcept { return link_; }

  // By then the task does something again: there is no state without a next attempt. Who keeps the
  // task says so, too.
  void promise(Steady::time_point moment) noexcept { promised_ = moment; }

  [[nodiscard]] Steady::time_point promised() const noexcept { return promised_; }

 private:
  boost::asio::awaitable<End> poll_forever();
  boost::asio::awaitable<End> listen_forever();
  boost::asio::awaitable<bool> poll();
  boost::asio::awaitable<std::optional<Error>> listen(protocol::Dialogue& dialogue);
  boost::asio::awaitable<std::optional<Error>> listen_contained(protocol::Dialogue& dialogue);
  boost::asio::awaitable<void> give_way();
  boost::asio::awaitable<void> guard_progress();
  boost::asio::awaitable<bool> wait_for_link();
  boost::asio::awaitable<io::Line::Hold> acquire();
  boost::asio::awaitable<void> leave_line();
  [[nodiscard]] bool expected(const Error& error) const;
  void delivered(const protocol::Telegram& telegram, std::optional<Milliseconds> took);
  void hand_over(const protocol::Telegram& telegram, Instant at, std::optional<Milliseconds> took);
  void release_unstamped();
  void schedule_next(bool good);
  void give_up_poke(const Error& why);
  boost::asio::awaitable<void> sleep_until(Steady::time_point moment);
  // poller_ladder.cpp
  void report(const Error& error);
  [[nodiscard]] io::Tap tap();
  void frames_seen();
  boost::asio::awaitable<bool> climb(Error error);
  boost::asio::awaitable<void> reset_or_reopen(Steady::time_point last_failure);
  void reopen();
  [[nodiscard]] bool vanished(const Error& error) const;
  Error silence_over();

  [[nodiscard]] bool pushes() const noexcept { return meter_.profile().protocol->pushes; }

  [[nodiscard]] const std::string& id() const noexcept { return meter_.settings().id; }

  meter::Meter& meter_;
  Link& link_;
  Bridge& bridge_;
  const Clock& clock_;
  boost::asio::steady_timer wake_;
  boost::asio::steady_timer guard_;
  Milliseconds interval_;
  Milliseconds limit_;    // polled: of one poll; pushed: of silence
  Milliseconds silence_;  // of a network peer, after which it is connected anew
  bool paused_ = false;
  bool poked_ = false;   // until the meter was asked once more
  bool urgent_ = false;  // the next poll does not wait for its share of the line
  bool told_ = false;    // what is wrong was reported since the last telegram of a pushing meter
  Unstamped unstamped_;
  Steady::time_point due_{};
  Steady::time_point promised_ = Steady::now();
  Steady::time_point progress_{};
  Steady::time_point round_since_{};  // first failure of this round of the ladder
  Steady::time_point failed_{};       // last one
  unsigned failures_ = 0;             // in a row, without a valid frame
  std::uint64_t bytes_ = 0;           // since the last telegram of a pushing meter
  bool leftover_ = false;             // an old message was all that came
};

}  // namespace meterbridge::app
