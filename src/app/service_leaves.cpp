// SPDX-License-Identifier: MIT
// The service as a leaf, which sends its samples and sends them again, and as a hub, which takes
// them.
#include "app/journal_name.hpp"
#include "app/log.hpp"
#include "app/service.hpp"
#include "app/write_log.hpp"
#include "core/topic.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace meterbridge::app {

using namespace std::chrono_literals;

namespace {

// <here>/<group>/<instance>: what each hub of a group has.
constexpr std::string_view hubs = "meterbridge-hubs/";
constexpr auto share_every = 10s;
constexpr std::size_t most_hubs = 64;

}  // namespace

sink::mqtt::PostOffice Service::office() {
  sink::mqtt::PostOffice office;
  office.base = bridge_->facts().base;
  office.journal = journal_name_;
  office.send = [this](std::string topic, std::string payload, Receipts::Done done) {
    receipts_.send(*broker_, {std::move(topic), std::move(payload), false}, std::move(done));
  };
  office.before = [this](std::string_view meter, journal::Sequence number) {
    return nothing_since(recorder_->journal(), meter, number);
  };
  return office;
}

void Service::send_again(std::string_view meter, const std::string& payload) {
  Result<> asked = Error(Errc::refused, "samples are not published here: there is no sink `mqtt`");
  const MeterState* const state = bridge_->state(meter);
  Sample sample;
  sample.meter = meter;
  sample.parent = state->facts.parent;
  const bool published =
      std::ranges::any_of(house_.settings.sinks, [&](const config::SinkSettings& sink) {
        return sink.type == "mqtt" && is_wanted(sink, sample);
      });
  if (published && resender_) asked = resender_->request(meter, payload);
  if (!asked) bridge_->event(meter, "command_refused", "set/resend: " + asked.error().detail());
}

void Service::load_leaves() {
  if (recorder_) recorder_->commit();
  const auto shared = [this](const std::string& meter) {
    const MeterState* const state = bridge_->state(meter);
    return state != nullptr && state->plan->shared;
  };
  leaf_memory_.load(bridge_->arrivals(), recorder_ ? &recorder_->journal() : nullptr, shared);
}

// After the last commit; the journal is on the disk when it is closed.
void Service::save_leaves() {
  const journal::Sequence at = recorder_ ? recorder_->journal().committed() : 0;
  recorder_.reset();
  if (!bridge_->arrivals().empty()) leaf_memory_.save(bridge_->arrivals(), at);
}

std::set<std::string> Service::share_groups() const {
  std::set<std::string> groups;
  for (const config::LinkSettings& link : house_.settings.links) {
    const std::string_view group = share_group(link.topic);
    const bool of_leaves = unshared(link.topic).ends_with("/sample");
    if (!group.empty() && of_leaves) groups.emplace(group);
  }
  return groups;
}

// Whether all that was heard of leaves is in the journal. Where so many come that something waits
// in every second, a commit is made for it, seldom; where few come, the journal's own are waited
// for, which a user may have made rare.
bool Service::leaves_settled(Steady::time_point now) {
  if (!recorder_) return true;
  const auto waits = [&] { return recorder_->journal().status().waiting > 0; };
  if (waits()) {
    const bool busy = recorder_->journal().committed() != settled_until_;
    if (!busy || now - settled_at_ < share_every) return false;
    recorder_->commit_all();
    if (waits()) return false;
  }
  settled_at_ = now;
  settled_until_ = recorder_->journal().committed();
  return true;
}

// Once a second. What is told or written of the leaves must be in the journal.
void Service::share_leaves() {
  const auto groups = share_groups();
  for (const std::string& group : groups) {
    if (hub_groups_.insert(group).second) broker_->subscribe(std::string(hubs) + group + "/+", 1);
  }
  Arrivals& arrivals = bridge_->arrivals();
  const journal::Journal* journal = recorder_ ? &recorder_->journal() : nullptr;
  const auto now = Steady::now();
  if (arrivals.empty() || !leaves_settled(now)) return;
  leaf_memory_.tick(arrivals, journal, now);
  if (groups.empty() || now - shared_at_ < share_every || !broker_->connected()) return;
  shared_at_ = now;
  std::string text = arrivals.json(true);
  if (text == shared_said_) return;
  shared_said_ = std::move(text);
  // A meter that was not heard here before: what the others said of it counts now.
  for (const auto& [topic, words] : hub_words_)
    std::ignore = arrivals.restore(words, true);
  for (const std::string& group : groups)
    broker_->publish(
        {std::string(hubs) + group + "/" + house_.settings.instance, shared_said_, true});
}

bool Service::hear_hub(const mqtt::Message& message) {
  if (!message.topic.starts_with(hubs)) return false;
  if (message.topic.ends_with("/" + house_.settings.instance)) return true;
  if (message.payload.empty()) {
    hub_words_.erase(message.topic);
    return true;
  }
  const auto taken = bridge_->arrivals().restore(message.payload, true);
  if (!taken) log::warn("{}: {}", message.topic, taken.error().detail());
  if (taken && (hub_words_.size() < most_hubs || hub_words_.contains(message.topic)))
    hub_words_[message.topic] = message.payload;
  return true;
}

}  // namespace meterbridge::app
