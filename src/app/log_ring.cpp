// SPDX-License-Identifier: MIT
#include "app/log_ring.hpp"

#include "core/text.hpp"

#include <memory>
#include <utility>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace meterbridge::app {
namespace {

std::string_view word_for(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return "error";
  return level == spdlog::level::warn ? "warning" : "info";
}

// The ring has its own lock.
class RingSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto time = std::chrono::time_point_cast<Milliseconds>(message.time);
    log_ring().add(time, word_for(message.level), {message.payload.data(), message.payload.size()});
  }

  void flush_() override {}
};

}  // namespace

void LogRing::add(Instant time, std::string_view level, std::string_view text) {
  http::LogLine line;
  line.time = time;
  line.level = level;
  line.text = sanitised(text, longest_line);
  const std::lock_guard lock(mutex_);
  line.number = ++number_;
  bytes_ += line.text.size();
  lines_.push_back(std::move(line));
  while (lines_.size() > most_lines || bytes_ > most_bytes) {
    bytes_ -= lines_.front().text.size();
    lines_.pop_front();
  }
}

std::vector<http::LogLine> LogRing::after(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t gone = number_ - lines_.size();
  const std::uint64_t skip = number > gone ? number - gone : 0;
  if (skip >= lines_.size()) return {};
  return {lines_.begin() + static_cast<std::ptrdiff_t>(skip), lines_.end()};
}

LogRing& log_ring() {
  static LogRing ring;
  return ring;
}

void attach_log_ring() {
  spdlog::default_logger()->sinks().push_back(std::make_shared<RingSink>());
}

}  // namespace meterbridge::app
