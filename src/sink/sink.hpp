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

// No batch is longer.
inline constexpr std::size_t longest_batch = 500;

struct Written {
  // Entries from the front of the batch that are done, refused ones included. Fewer than all, or
  // none, is no error: the rest comes again, with what is new behind it. A sink may write early and
  // take late, when what it wrote is safe; a full batch should be taken at once.
  std::size_t taken = 0;
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

  // The end is near: from now on nothing is held back, what is written is taken at once.
  virtual void hurry() {}

  // The service ends, or the configuration removes the sink: whatever is kept open is closed.
  virtual void close() {}

  // For `doctor`: whether the place is there and would take samples from us. Writes none. What was
  // found, in words; Error: what is wrong and what to do. Errc::unsupported: it was not tried.
  virtual boost::asio::awaitable<Result<std::string>> check();
};

// What a sink is made of. `settings` passed the specs of its kind.
struct Setup {
  std::string name;  // in the configuration: "csv", "archive"
  SettingValues settings;
  std::string state_directory;
  std::string instance;  // several of them may share the directory
  // Journal::given() when the sink is made: a sink that remembers a higher sequence remembers
  // another journal. (committed() may be lower after a power cut, for the same journal.)
  journal::Sequence newest = 0;
  std::size_t batch = longest_batch;  // entries of a full batch
  // `journal replay`: old entries come once more, with the same sequences, to fill gaps.
  bool replay = false;
  std::function<void(bool warning, const std::string&)> log;
};

// One line of the registry (sink/registry.cpp).
struct Kind {
  std::string_view name;  // `type` in the configuration
  std::string_view help;
  std::span<const SettingSpec> settings;
  // Error: invalid, in words, when settings contradict one another. Nothing is opened yet.
  Result<std::unique_ptr<Sink>> (*make)(const boost::asio::any_io_executor& executor, Setup setup);
  // The layout of whole telegrams that it wants as Sample::document ("okosmero"), or nothing; null
  // for kinds that never do.
  std::string_view (*layout)(const SettingValues& settings) = nullptr;
  // Whether two sinks of this kind would write into the same files; null = settings that differ are
  // places that differ.
  bool (*same_files)(const SettingValues& a, const SettingValues& b) = nullptr;
  // It has a place for events, too (journal/event.hpp).
  bool events = false;
};

[[nodiscard]] std::span<const Kind> kinds();
[[nodiscard]] const Kind* find_kind(std::string_view name);

}  // namespace meterbridge::sink
