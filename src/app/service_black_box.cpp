// SPDX-License-Identifier: MIT
// The black boxes of a running service: who may have one, and which are kept.
#include "app/black_box_files.hpp"
#include "app/log.hpp"
#include "app/service.hpp"

namespace meterbridge::app {

using namespace std::chrono_literals;

namespace {

// A meter that comes and goes writes no more often: flash memory wears out.
constexpr auto case_pause = 10min;

// What Home Assistant shows as well: a value that the guard holds is no fault of the line.
bool is_trouble(Fault fault) {
  return fault != Fault::ok && fault != Fault::starting && fault != Fault::refused;
}

}  // namespace

Result<std::string> Service::capture(std::string_view meter) {
  const Task* const task = find_task(meter);
  if (task == nullptr) return Error(Errc::not_found, "there is no such meter");
  const BlackBox& box = task->poller->link().box();
  if (!box.on()) return Error(Errc::unsupported, "black_box is off in the configuration");
  auto capture = capture_of(house_.settings, *task->meter, box.entries(meter));
  if (const MeterState* const state = bridge_->state(meter)) {
    std::string words(name(state->health.fault));
    if (!state->health.error.empty()) words += ": " + state->health.error;
    capture.facts.emplace_back("fault", std::move(words));
  }
  return protocol::capture_text(capture);
}

// A meter that was read and now fails: what led to it is still in the box.
void Service::keep_cases() {
  const config::BlackBoxSettings& settings = house_.settings.black_box;
  if (settings.size == 0 || settings.cases == 0) return;
  // A gateway that goes takes all its meters along: as many as stay are enough to be written.
  std::size_t room = settings.cases;
  for (const auto& task : tasks_) {
    const std::string& id = task->meter->settings().id;
    const MeterState* const state = bridge_->state(id);
    if (state == nullptr) continue;
    const Fault fault = state->health.fault;
    const Fault before = std::exchange(task->fault, fault);
    if (before != Fault::ok || !is_trouble(fault)) continue;
    const auto now = Steady::now();
    if (room == 0 || (task->kept && now - *task->kept < case_pause)) continue;
    --room;
    task->kept = now;
    const auto text = capture(id);
    if (!text) continue;
    const auto kept =
        keep_case(black_box_folder(house_.settings), id, clock_.now(), *text, settings.cases);
    if (kept) {
      log::info("{}: what crossed its line last is kept in {}", id, *kept);
    } else if (!std::exchange(case_failed_, true)) {
      log::warn("black box: {}", kept.error().detail());
    }
  }
}

void Service::tend_black_boxes() {
  keep_cases();
  const std::string folder = black_box_folder(house_.settings);
  const std::string wanted = wanted_meter(folder);
  if (wanted.empty()) return;
  const auto text = capture(wanted);
  // A sentence is no capture: the command tells it.
  const auto answered = answer_wanted(folder, text ? *text : text.error().detail() + "\n");
  if (!answered) log::warn("black box: {}", answered.error().detail());
}

}  // namespace meterbridge::app
