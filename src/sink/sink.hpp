// SPDX-License-Identifier: MIT
// A place that gets every sample: files, a database. A sink is naive: it writes one batch, and says
// what became of it. Batching, cursors, retry, back-off and counters are the runner's.
#pragma once

#include "core/result.hpp"
#include "core/setting.hpp"
#include "journal/journal.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meterbridge::sink {

// A sample that the place will never take: set aside and named, never tried again (P48).
struct Refusal {
  journal::Sequence sequence = 0;
  std::string reason;
};

struct Written {
  std::size_t taken =
      0;  // entries from the front of the batch that are done, refused ones included
  std::vector<Refusal> refused;
  // The place asks us to wait (Retry-After); zero = as the runner likes.
  Milliseconds pause{};
};

class Sink {
 public:
  virtual ~Sink() = default;

  // Entries in order of their sequence. An Error means that nothing is known to be done: the same
  // batch, or a part of it, comes again, so every sink makes repetition harmless. Must not block
  // the loop; may be cancelled.
  virtual boost::asio::awaitable<Result<Written>> write(std::span<const journal::Entry> batch) = 0;

  // The service ends, or the configuration removes the sink: whatever is kept open is closed.
  virtual void close() {}
};

// What a sink is made of. `settings` passed the specs of its kind.
struct Setup {
  std::string name;  // in the configuration: "csv", "archive"
  SettingValues settings;
  std::string state_directory;
  std::function<void(bool warning, const std::string&)> log;
};

// One line of the registry (sink/registry.cpp).
struct Kind {
  std::string_view name;  // `type` in the configuration
  std::string_view help;
  std::span<const SettingSpec> settings;
  // Error: invalid, in words, when settings contradict one another. Nothing is opened yet.
  Result<std::unique_ptr<Sink>> (*make)(const boost::asio::any_io_executor& executor, Setup setup);
};

[[nodiscard]] std::span<const Kind> kinds();
[[nodiscard]] const Kind* find_kind(std::string_view name);

}  // namespace meterbridge::sink
