// SPDX-License-Identifier: MIT
// Where the configuration and the kinds of sinks meet.
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"
#include "journal/journal.hpp"
#include "meter/configuration.hpp"
#include "protocol/telegram.hpp"
#include "sink/sink.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::app {

// What the configuration must know of the kinds of sinks.
[[nodiscard]] std::vector<config::SinkFacts> sink_facts();
// Everything that can be configured: of the profiles, and of the sinks.
[[nodiscard]] config::Catalogue whole_catalogue(const meter::ProfileLibrary& library);

// meter::load_configuration with the sinks: what a sink would refuse at the start is a problem,
// too.
meter::Configuration load_configuration(const std::string& file, config::Problems& problems);
// The same of a text that could become FILE.
meter::Configuration parse_configuration(std::string_view text, const std::string& file,
                                         config::Problems& problems);

// Whether the samples of this meter, or of a sub-meter, are meant for a sink.
[[nodiscard]] bool is_wanted(const config::SinkSettings& sink, const Sample& sample);
// An event of this meter has a place in one of the sinks.
[[nodiscard]] bool event_is_wanted(const config::Settings& settings, const Sample& event);
// The sample as the journal gets it: with the whole telegram where a sink wants that.
[[nodiscard]] Sample whole_sample(const config::Settings& settings, const Sample& sample,
                                  const protocol::Telegram& telegram);

// The layout of whole telegrams that the sinks want of a configured meter; empty = none does.
[[nodiscard]] std::string_view wanted_layout(const config::Settings& settings,
                                             std::string_view meter);

Result<std::unique_ptr<sink::Sink>> make_sink(const boost::asio::any_io_executor& executor,
                                              const config::SinkSettings& settings,
                                              sink::Setup setup);

}  // namespace meterbridge::app
