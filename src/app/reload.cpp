// SPDX-License-Identifier: MIT
#include "app/reload.hpp"

#include <algorithm>

namespace meterbridge::app {
namespace {

const config::MeterSettings* find_meter(const House& house, const std::string& id) {
  const auto& all = house.settings.meters;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.id == id; });
  return found == all.end() ? nullptr : &*found;
}

// Where something stands in the file is no difference.
bool same(config::MeterSettings a, config::MeterSettings b) {
  a.place = b.place;
  a.path = b.path;
  return a == b;
}

bool same(config::SinkSettings a, const config::SinkSettings& b) {
  a.place = b.place;
  a.path = b.path;
  return a == b;
}

bool same(config::LinkSettings a, const config::LinkSettings& b) {
  a.place = b.place;
  return a == b;
}

bool same(const meter::Profile* a, const meter::Profile* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->id == b->id && a->vendor == b->vendor && a->model == b->model &&
         a->protocol == b->protocol && a->line == b->line && a->interval == b->interval &&
         a->preset == b->preset && a->rows == b->rows;
}

// The first meter of a link gives it the line that it does not name itself.
const meter::Profile* profile_of_link(const House& house, const std::string& link) {
  for (const config::MeterSettings& meter : house.settings.meters) {
    if (meter.link == link) return house.library->find(meter.profile);
  }
  return nullptr;
}

bool same_link(const House& now, const House& fresh, const std::string& name) {
  const config::LinkSettings* a = find_link(now.settings, name);
  const config::LinkSettings* b = find_link(fresh.settings, name);
  if (a == nullptr || b == nullptr || !same(*a, *b)) return false;
  if (a->line) return true;
  const meter::Profile* was = profile_of_link(now, name);
  const meter::Profile* is = profile_of_link(fresh, name);
  return was != nullptr && is != nullptr && was->line == is->line;
}

// A base topic that nobody chose follows the instance, which stays.
std::string base_of(const config::Settings& settings, const std::string& instance) {
  const std::string& base = settings.mqtt.base_topic;
  return base.empty() || base == settings.instance ? instance : base;
}

void find_fixed(const config::Settings& now, const config::Settings& fresh, Changes& changes) {
  const auto check = [&](std::string_view name, const std::string& old, const std::string& wanted) {
    if (old == wanted) return;
    changes.fixed.push_back(std::string(name) + " cannot be changed while running: it stays \"" +
                            old + "\" until meterbridge is restarted");
  };
  check("instance", now.instance, fresh.instance);
  check("state_directory", now.state_directory, fresh.state_directory);
  if (now.journal != fresh.journal)
    changes.fixed.emplace_back(
        "the settings of the journal cannot be changed while running: they stay until meterbridge "
        "is restarted");
  if (now.black_box != fresh.black_box)
    changes.fixed.emplace_back(
        "the settings of the black box cannot be changed while running: they stay until "
        "meterbridge is restarted");
  check("mqtt.base_topic", base_of(now, now.instance), base_of(fresh, now.instance));
}

void append(std::string& text, std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!text.empty()) text += "; ";
  text += what;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? " " : ", ") + names[i];
}

}  // namespace

bool Changes::any() const noexcept {
  return broker || announcement || sinks || pages || !removed.empty() || !changed.empty() ||
         !added.empty();
}

std::string Changes::text() const {
  std::string text;
  append(text, "removed", removed);
  append(text, "changed", changed);
  append(text, "new", added);
  if (broker) text += text.empty() ? "the broker's settings" : "; the broker's settings";
  if (announcement)
    text += text.empty() ? "what Home Assistant is told" : "; what Home Assistant is told";
  if (sinks) text += text.empty() ? "the sinks" : "; the sinks";
  if (bridges) text += text.empty() ? "bridges to further brokers" : "; bridges to further brokers";
  if (pages) text += text.empty() ? "the pages for monitoring" : "; the pages for monitoring";
  if (text.empty()) text = "nothing has changed";
  return text + " (" + std::to_string(unchanged) + " meters go on undisturbed)";
}

Changes compare(const House& now, const House& fresh) {
  Changes changes;
  find_fixed(now.settings, fresh.settings, changes);
  for (const config::LinkSettings& link : now.settings.links) {
    if (!same_link(now, fresh, link.name)) changes.links.push_back(link.name);
  }
  const auto link_changed = [&](const std::string& name) {
    return std::find(changes.links.begin(), changes.links.end(), name) != changes.links.end();
  };
  for (const config::MeterSettings& old : now.settings.meters) {
    const config::MeterSettings* meter = find_meter(fresh, old.id);
    if (meter == nullptr) {
      changes.removed.push_back(old.id);
    } else if (!same(old, *meter) || link_changed(old.link) ||
               !same(now.library->find(old.profile), fresh.library->find(meter->profile))) {
      changes.changed.push_back(old.id);
    } else {
      ++changes.unchanged;
    }
  }
  for (const config::MeterSettings& meter : fresh.settings.meters) {
    if (find_meter(now, meter.id) == nullptr) changes.added.push_back(meter.id);
  }
  const auto same_sink = [](const auto& a, const auto& b) { return same(a, b); };
  changes.sinks = !std::ranges::equal(now.settings.sinks, fresh.settings.sinks, same_sink);
  config::Settings wanted;
  wanted.mqtt = fresh.settings.mqtt;
  wanted.mqtt.base_topic = now.settings.mqtt.base_topic;
  wanted.mqtt.qos = now.settings.mqtt.qos;
  changes.broker = wanted.mqtt != now.settings.mqtt;
  changes.pages = fresh.settings.http != now.settings.http;
  changes.announcement = fresh.settings.homeassistant != now.settings.homeassistant ||
                         fresh.settings.mqtt.qos != now.settings.mqtt.qos;
  return changes;
}

void keep_fixed(config::Settings& fresh, const config::Settings& now) {
  fresh.instance = now.instance;
  fresh.state_directory = now.state_directory;
  fresh.journal = now.journal;
  fresh.black_box = now.black_box;
  fresh.mqtt.base_topic = now.mqtt.base_topic;
}

}  // namespace meterbridge::app
