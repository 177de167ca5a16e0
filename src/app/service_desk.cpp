// SPDX-License-Identifier: MIT
// What the page changes: the configuration file, and when a meter is asked.
#include "app/log.hpp"
#include "app/service.hpp"

#include <utility>

namespace meterbridge::app {

// In the app there is nobody who could send a signal. A file that is still being written changes
// from one second to the next.
void Service::watch_file() {
  if (!around_.app) return;
  const std::string now = file_.stamp();
  const bool calm = now == std::exchange(stamp_seen_, now);
  if (!calm || now == stamp_taken_) return;
  stamp_taken_ = now;
  log::info("{} was changed: it is read again", file_.path());
  begin_reload();
}

void Service::write_configuration(const std::string& text, const std::string& hash,
                                  std::function<void(http::Taken)> done) {
  if (stopping_) return done({http::Outcome::failed, "the program ends"});
  http::Taken taken = file_.write(text, hash);
  if (taken.outcome != http::Outcome::done) return done(std::move(taken));
  log::info("{} was written through the page", file_.path());
  writers_.push_back(std::move(done));
  written_.push_back(std::move(taken));
  begin_reload();
}

Result<> Service::poll_now(std::string_view meter) {
  Task* task = find_task(meter);
  if (task == nullptr) {
    const MeterState* const state = bridge_->state(meter);
    if (state != nullptr && state->is_submeter())
      return Error(Errc::unsupported,
                   "it is read by the meter \"" + state->facts.parent + "\": ask that one");
    return Error(Errc::not_found, "there is no such meter");
  }
  if (task->meter->profile().protocol->pushes)
    return Error(Errc::unsupported, "the meter sends by itself, it cannot be asked");
  bridge_->show_next(meter);
  task->poller->poke();
  return {};
}

}  // namespace meterbridge::app
