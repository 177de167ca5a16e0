// SPDX-License-Identifier: MIT
// What a poller does when its meter is not understood: the climb, rung by rung (ladder.hpp).
#include "app/poller.hpp"

#include <utility>

namespace meterbridge::app {

namespace asio = boost::asio;

// To the bridge, and to the line's black box.
void Poller::report(const Error& error) {
  link_.box().outcome(id(), clock_.now(), outcome_text(error));
  bridge_.report(id(), error);
}

io::Tap Poller::tap() {
  if (!link_.box().on()) return {};
  return [this](bool sent, ByteView bytes) {
    link_.box().crossed(sent, bytes, id(), clock_.now(), link_.transport().envelope());
  };
}

// Whatever is wrong with their content, valid frames prove line and adapter.
void Poller::frames_seen() {
  progress_ = Steady::now();
  link_.frames_seen(progress_);
  failures_ = 0;
}

// False: start the task anew.
asio::awaitable<bool> Poller::climb(Error error) {
  if (proves_frames(error.code())) {
    frames_seen();
    co_return true;
  }
  const auto now = Steady::now();
  const auto last_failure = std::exchange(failed_, now);
  if (failures_++ % rungs_in_a_round == 0) round_since_ = now;
  const Rung rung = rung_at(failures_, pushes());
  promise(now + facts_of(rung).deadline);
  if (!facts_of(rung).line) {
    // A restart is counted by who restarts.
    if (rung != Rung::restart) bridge_.recovered(id(), rung);
    if (rung == Rung::flush) link_.transport().discard_input();
  } else if (!link_.share().suspects(id()) && !link_.heard_since(round_since_)) {
    if (rung == Rung::usb_reset) {
      co_await reset_or_reopen(last_failure);
    } else if (link_.opened() < last_failure) {
      reopen();  // unless another meter of the line has just done it
    }
  }
  if (vanished(error)) reopen();
  if (is_transport_error(error.code())) due_ = link_.next_attempt();
  co_return rung != Rung::restart;
}

asio::awaitable<void> Poller::reset_or_reopen(Steady::time_point last_failure) {
  const bool was_open = link_.transport().is_open();
  const bool reset = co_await link_.reset_usb();
  if (reset) {
    bridge_.recovered(id(), Rung::usb_reset);
  } else if (was_open && !link_.transport().is_open()) {
    bridge_.recovered(id(), Rung::reopen);  // it was closed for the attempt
  } else if (link_.opened() < last_failure) {
    reopen();
  }
}

void Poller::reopen() {
  if (!link_.transport().is_open()) return;
  bridge_.recovered(id(), Rung::reopen);
  link_.close();
}

// A network peer that vanished without a word looks like silence: only a new connection tells
// (P02).
bool Poller::vanished(const Error& error) const {
  if (is_transport_error(error.code())) return true;
  if (link_.transport().local()) return false;
  return pushes() || Steady::now() - link_.silent_since() >= silence_;
}

// A pushing meter made no progress for its limit; what that means for the reader.
Error Poller::silence_over() {
  const std::string span = duration_text(limit_);
  const std::string& place = link_.transport().name();
  if (bytes_ == 0) {
    return {
        Errc::timeout,
        place + ": not one byte for " + span +
            (leftover_ ? "; the broker had kept an old message, which counts for nothing" : "")};
  }
  return {Errc::no_frame, place + ": " + std::to_string(bytes_) + " bytes in " + span +
                              ", but no telegram among them"};
}

}  // namespace meterbridge::app
