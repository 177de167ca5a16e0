// SPDX-License-Identifier: MIT
#include "app/sink_plan.hpp"

#include "journal/event.hpp"
#include "meter/meter.hpp"
#include "protocol/registry.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>

namespace meterbridge::app {
namespace {

bool is_meant_for(const config::SinkSettings& sink, std::string_view meter) {
  return sink.meters.empty() || std::ranges::count(sink.meters, meter) != 0;
}

std::string_view layout_of(const config::SinkSettings& settings) {
  const sink::Kind* kind = sink::find_kind(settings.type);
  return kind == nullptr || kind->layout == nullptr ? std::string_view()
                                                    : kind->layout(settings.values);
}

// Empty when they are.
std::string why_not_apart(const config::SinkSettings& sink, const config::SinkSettings& other) {
  if (other.type != sink.type) return {};
  if (other.values == sink.values)
    return "is the same place as " + other.path + ": every sample would be there twice";
  const sink::Kind* kind = sink::find_kind(sink.type);
  if (kind == nullptr || kind->same_files == nullptr ||
      !kind->same_files(sink.values, other.values))
    return {};
  return "would write into the files of " + other.path + ": give it a directory of its own";
}

bool is_faulty(const std::string& path, const config::Problems& problems) {
  return std::ranges::any_of(problems.all(), [&](const config::Problem& problem) {
    return problem.severity == config::Severity::error && problem.path.starts_with(path);
  });
}

// A layout of whole telegrams exists for the telegrams of some protocols only.
void check_layout(const config::SinkSettings& sink, const meter::Configuration& configuration,
                  config::Problems& problems) {
  const std::string_view layout = layout_of(sink);
  if (layout.empty()) return;
  for (const config::MeterSettings& meter : configuration.settings.meters) {
    const meter::Profile* profile = configuration.library.find(meter.profile);
    if (profile == nullptr || !is_meant_for(sink, meter.id)) continue;
    const auto layouts = profile->protocol->layouts;
    if (std::ranges::count(layouts, layout, &protocol::TelegramLayout::name) != 0) continue;
    problems.add(config::Severity::error, sink.place, sink.path,
                 "meter " + meter.id + " has no telegrams of layout " + std::string(layout) +
                     ": name the meters of this sink, meters: [...]");
    return;
  }
}

void try_sinks(const meter::Configuration& configuration, config::Problems& problems) {
  boost::asio::io_context nowhere;
  const auto& sinks = configuration.settings.sinks;
  for (auto sink = sinks.begin(); sink != sinks.end(); ++sink) {
    if (is_faulty(sink->path, problems)) continue;
    sink::Setup setup;
    setup.state_directory = configuration.settings.state_directory;
    if (const auto made = make_sink(nowhere.get_executor(), *sink, std::move(setup)); !made) {
      problems.add(config::Severity::error, sink->place, sink->path, made.error().detail());
      continue;
    }
    for (auto other = sinks.begin(); other != sink; ++other) {
      const std::string reason = why_not_apart(*sink, *other);
      if (reason.empty()) continue;
      problems.add(config::Severity::error, sink->place, sink->path, reason);
      break;
    }
    check_layout(*sink, configuration, problems);
  }
}

}  // namespace

std::vector<config::SinkFacts> sink_facts() {
  std::vector<config::SinkFacts> facts;
  for (const sink::Kind& kind : sink::kinds())
    facts.push_back({kind.name, kind.help, kind.settings});
  return facts;
}

config::Catalogue whole_catalogue(const meter::ProfileLibrary& library) {
  config::Catalogue catalogue = meter::catalogue(library);
  catalogue.sinks = sink_facts();
  return catalogue;
}

meter::Configuration load_configuration(const std::string& file, config::Problems& problems) {
  meter::Configuration configuration = meter::load_configuration(file, problems, sink_facts());
  try_sinks(configuration, problems);
  problems.sort();
  return configuration;
}

meter::Configuration parse_configuration(std::string_view text, const std::string& file,
                                         config::Problems& problems) {
  meter::Configuration configuration =
      meter::parse_configuration(text, file, problems, sink_facts());
  try_sinks(configuration, problems);
  problems.sort();
  return configuration;
}

bool is_wanted(const config::SinkSettings& sink, const Sample& sample) {
  const sink::Kind* kind = sink::find_kind(sink.type);
  if (journal::is_event(sample) && (kind == nullptr || !kind->events)) return false;
  return is_meant_for(sink, sample.parent.empty() ? sample.meter : sample.parent);
}

bool event_is_wanted(const config::Settings& settings, const Sample& event) {
  return std::ranges::any_of(settings.sinks,
                             [&](const auto& sink) { return is_wanted(sink, event); });
}

Sample whole_sample(const config::Settings& settings, const Sample& sample,
                    const protocol::Telegram& telegram) {
  Sample whole = sample;
  const std::string_view layout =
      sample.parent.empty() ? wanted_layout(settings, sample.meter) : std::string_view();
  const protocol::Protocol* protocol = protocol::find_protocol(telegram.protocol);
  if (layout.empty() || protocol == nullptr) return whole;
  const auto found = std::ranges::find(protocol->layouts, layout, &protocol::TelegramLayout::name);
  if (found == protocol->layouts.end()) return whole;
  // Without one it is the sink's to say what it misses.
  if (auto document = found->write(telegram); document) whole.document = *std::move(document);
  return whole;
}

std::string_view wanted_layout(const config::Settings& settings, std::string_view meter) {
  for (const config::SinkSettings& sink : settings.sinks) {
    const std::string_view layout = layout_of(sink);
    if (!layout.empty() && is_meant_for(sink, meter)) return layout;
  }
  return {};
}

Result<std::unique_ptr<sink::Sink>> make_sink(const boost::asio::any_io_executor& executor,
                                              const config::SinkSettings& settings,
                                              sink::Setup setup) {
  const sink::Kind* kind = sink::find_kind(settings.type);
  if (kind == nullptr) return Error(Errc::invalid, "no type of sink: " + settings.type);
  setup.name = settings.name;
  setup.settings = settings.values;
  return kind->make(executor, std::move(setup));
}

}  // namespace meterbridge::app
