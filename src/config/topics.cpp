// SPDX-License-Identifier: MIT
// What links from MQTT topics owe the messages that we publish ourselves, and their meters.
#include "config/reader.hpp"
#include "core/text.hpp"
#include "core/topic.hpp"

#include <algorithm>

namespace meterbridge::config {

void MeterReader::check_topics(const Settings& settings) {
  const std::string own =
      settings.mqtt.base_topic.empty() ? settings.instance : settings.mqtt.base_topic;
  for (const LinkDraft& link : links_) {
    if (link.settings.kind != LinkKind::mqtt || !link.usable) continue;
    const std::string_view filter = unshared(link.settings.topic);
    const auto complain_about = [&](std::string text) {
      problems_.add(Severity::error, link.settings.place, link.path, std::move(text));
    };
    // What other instances say of their samples; our own are passed over.
    const bool of_leaves = filter.ends_with("/sample") && !link.meters.empty() &&
                           std::ranges::all_of(link.meters, [this](std::size_t position) {
                             return facts_[position] != nullptr &&
                                    facts_[position]->protocol == "json" &&
                                    meters_[position].protocol.text("sender") == "meterbridge";
                           });
    if (!of_leaves && filters_overlap(filter, own + "/#"))
      complain_about("the topic \"" + sanitised(filter, 80) +
                     "\" would hear what we publish ourselves below \"" + own +
                     "/\": name the meter's topic more exactly");
    for (const MeterSettings& meter : meters_) {
      if (!meter.telegram.enabled || meter.telegram.topic.empty() ||
          !topic_matches(filter, meter.telegram.topic))
        continue;
      complain_about("the topic \"" + sanitised(filter, 80) + "\" would hear the telegrams of " +
                     meter.path + ", which we publish ourselves");
    }
    for (const std::size_t position : link.meters) {
      if (facts_[position] == nullptr || facts_[position]->pushes) continue;
      complain_about_meter(position, "a meter of profile " + facts_[position]->id +
                                         " must be asked; over MQTT come only meters that send by "
                                         "themselves");
    }
  }
}

}  // namespace meterbridge::config
