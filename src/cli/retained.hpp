// SPDX-License-Identifier: MIT
#pragma once

#include "config/settings.hpp"
#include "core/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace meterbridge::cli {

using Retained = std::map<std::string, std::string>;  // topic -> payload

// The retained messages that the filters match at the configured broker, collected until none
// has come for half a second, 5 s at most. What is published meanwhile does not count. Error: not
// connected within 5 s, in words.
Result<Retained> collect_retained(const config::Settings& settings,
                                  const std::vector<std::string>& filters);
// The same of any broker; `instance` is part of the client's name. Does not wait for a second
// attempt: what the broker says first is the Error. `notices`: what it said besides (a subscription
// that was refused).
Result<Retained> visit_broker(const config::ConnectionSettings& connection,
                              const std::string& instance, const std::vector<std::string>& filters,
                              std::vector<std::string>& notices);
// States of a service that is up: an Error when its status is not "online".
Result<Retained> retained_of_service(const config::Settings& settings);
// Publishes empty retained payloads and waits for the acknowledgement.
Result<> clear_retained(const config::Settings& settings, const std::vector<std::string>& topics);

}  // namespace meterbridge::cli
