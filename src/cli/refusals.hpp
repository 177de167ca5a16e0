// SPDX-License-Identifier: MIT
#pragma once

#include "app/bridge.hpp"
#include "app/known.hpp"
#include "app/plan.hpp"
#include "app/state_store.hpp"
#include "cli/command.hpp"
#include "core/time.hpp"

#include <optional>
#include <string>

namespace meterbridge::cli {

// A password that a meter refused is not tried again by hand either: what the service remembers
// counts here.
class Refusals {
 public:
  explicit Refusals(const app::House& house)
      : store_(app::known_store(house.settings,
                                [](bool, const std::string& line) { complain(line); })),
        known_(store_.load_as<app::Known>()),
        bridge_(
            house.settings, app::plans_of(house), clock_, known_, [](mqtt::Message) {},
            [](bool, const std::string&) {}) {}

  [[nodiscard]] std::optional<Error> veto(const std::string& meter) {
    return bridge_.refusal(meter);
  }

  void failed(const std::string& meter, const Error& error) {
    if (error.code() != Errc::access) return;
    bridge_.report(meter, error);
    store_.save(known_.json());
  }

 private:
  SystemClock clock_;
  app::StateStore store_;
  app::Known known_;
  app::Bridge bridge_;
};

}  // namespace meterbridge::cli
