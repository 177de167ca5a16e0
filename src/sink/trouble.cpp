// SPDX-License-Identifier: MIT
#include "sink/trouble.hpp"

#include "core/time.hpp"

#include <algorithm>

namespace meterbridge::sink {
namespace {

std::string span_text(std::chrono::steady_clock::duration span) {
  return duration_text(std::chrono::duration_cast<std::chrono::seconds>(span));
}

std::string attempts(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " attempt" : " attempts");
}

}  // namespace

bool Trouble::may_speak(Time now) {
  if (spoken_ == 0 || now - span_from_ >= span) {
    span_from_ = now;
    spoken_ = 0;
  }
  return spoken_++ < most_lines;
}

std::optional<std::string> Trouble::failed(Time now, const std::string& reason) {
  if (!bad_) {
    bad_ = true;
    announced_ = false;
    since_ = now;
    failures_ = 0;
    summary_ = 0;
    next_summary_ = now + summaries.front();
  }
  ++failures_;
  // What differs in a number only (bytes, milliseconds) is no other trouble.
  const auto words = [](const std::string& text) {
    std::string kept;
    std::ranges::copy_if(text, std::back_inserter(kept), [](char c) { return c < '0' || c > '9'; });
    return kept;
  };
  const bool news = !announced_ || words(reason) != words(reason_);
  reason_ = reason;
  if (!news || !may_speak(now)) return std::nullopt;
  announced_ = true;
  return reason + "; nothing is lost, it is tried again";
}

std::optional<std::string> Trouble::good(Time now) {
  if (!bad_) return std::nullopt;
  bad_ = false;
  if (!announced_) return std::nullopt;
  return "good again after " + span_text(now - since_) + " and " + attempts(failures_);
}

std::optional<std::string> Trouble::tick(Time now) {
  if (!bad_ || now < next_summary_) return std::nullopt;
  const std::chrono::minutes period = summaries[summary_];
  summary_ = std::min(summary_ + 1, summaries.size() - 1);
  next_summary_ = now + std::max(period, summaries[summary_] - period);
  return "in trouble for " + span_text(now - since_) + " (" + attempts(failures_) +
         "), most recently: " + reason_;
}

}  // namespace meterbridge::sink
