// SPDX-License-Identifier: MIT
#include "app/fault_log.hpp"

#include "core/time.hpp"

#include <algorithm>

namespace meterbridge::app {
namespace {

std::string span_text(std::chrono::steady_clock::duration span) {
  return duration_text(std::chrono::duration_cast<std::chrono::seconds>(span));
}

}  // namespace

std::optional<std::string> FaultLog::failed(Time now, const Error& error) {
  const Fault fault = fault_of(error.code());
  if (!summary_due_) {
    summary_due_ = true;
    summary_from_ = now;
    failures_ = 0;
    successes_ = 0;
  }
  ++failures_;
  worst_ = fault;
  if (!bad_) {
    bad_ = true;
    since_ = now;
    in_trouble_ = 0;
    announced_ = false;
    fault_ = Fault::ok;
  }
  ++in_trouble_;
  if (fault == fault_) return std::nullopt;
  TokenBucket& budget = in_trouble_ < lasting ? brief_trouble_ : lasting_trouble_;
  if (!budget.take(now)) return std::nullopt;
  fault_ = fault;
  announced_ = true;
  return std::string(name(fault)) + ": " + error.detail();
}

std::optional<std::string> FaultLog::good(Time now) {
  ++successes_;
  if (!bad_) return std::nullopt;
  bad_ = false;
  if (!announced_) return std::nullopt;
  return "good again after " + span_text(now - since_) + " and " + std::to_string(in_trouble_) +
         (in_trouble_ == 1 ? " failure" : " failures");
}

std::string FaultLog::hint() const {
  switch (worst_) {
    case Fault::bad_checksum:
    case Fault::no_frame:
      return successes_ == 0
                 ? "; every one fails: check speed, parity, an inverted signal, the profile"
                 : "; now and then: check the cable, the load of this machine, a second program on "
                   "the port";
    case Fault::no_bytes:
      return "; check power, wiring (A and B swapped), address and speed";
    case Fault::wrong_key:
      return "; check the key with the grid operator";
    default:
      return {};
  }
}

std::optional<std::string> FaultLog::tick(Time now) {
  const std::chrono::minutes period = summaries[summary_];
  if (now - summary_from_ < period) return std::nullopt;
  if (!summary_due_) {
    summary_ = 0;  // quiet for so long: what comes next is news
    return std::nullopt;
  }
  std::string line = std::to_string(failures_) + " of " + std::to_string(failures_ + successes_) +
                     " failed in the last " + span_text(period) + ", most recently with " +
                     std::string(name(worst_)) + hint();
  summary_due_ = false;
  summary_from_ = now;
  summary_ = std::min(summary_ + 1, summaries.size() - 1);
  return line;
}

}  // namespace meterbridge::app
