// SPDX-License-Identifier: MIT
// What the parts of `doctor` share: each looks at one kind of thing, and adds what it found. None
// writes anything to a meter, a broker or a sink.
#pragma once

#include "app/diagnosis.hpp"
#include "app/plan.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace meterbridge::cli {

using Findings = std::vector<app::Finding>;

// Evidence from the configuration alone.
[[nodiscard]] app::MeterEvidence evidence_of(const app::House& house, const meter::Meter& meter);

// What takes long, on a terminal only.
void tell_progress(const std::string& words);

// Links and meters, by reading each meter once. `trials`: other speeds are tried where none
// answers.
void look_at_lines(app::House& house, bool trials, Findings& findings);

// What a running service of this configuration knows of its meters, links and sinks.
struct ServiceView {
  ServiceView() = default;
  std::string source;  // "its page http://127.0.0.1:8080", "the broker"
  Findings findings;
};

// By its page, else by what it keeps at the broker. Error: neither, in words.
Result<ServiceView> ask_service(const app::House& house);

void look_at_broker(const app::House& house, Findings& findings);
void look_at_bridges(const app::House& house, Findings& findings);
void look_at_sinks(const app::House& house, Findings& findings);
void look_at_journal(const app::House& house, bool service, Findings& findings);
// Clock and state directory.
void look_at_machine(const app::House& house, bool service, Findings& findings);

}  // namespace meterbridge::cli
