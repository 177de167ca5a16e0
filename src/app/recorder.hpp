// SPDX-License-Identifier: MIT
// Every accepted sample goes into the journal, and the journal onto the disk in good time.
#pragma once

#include "config/settings.hpp"
#include "core/reading.hpp"
#include "homeassistant/documents.hpp"
#include "journal/journal.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace meterbridge::app {

// Where the journal of this instance lies.
[[nodiscard]] std::string journal_path(const config::Settings& settings);
// Whether samples are kept at all: without anybody who reads them, a router's flash is not written.
[[nodiscard]] bool journal_is_wanted(const config::Settings& settings);

class Recorder {
 public:
  using Log = std::function<void(bool warning, const std::string& line)>;

  // A journal must be wanted. The clock outlives the recorder.
  Recorder(const config::Settings& settings, const Clock& clock, Log log);

  [[nodiscard]] journal::Journal& journal() noexcept { return *journal_; }

  void record(const Sample& sample);
  void tick();  // once a second
  // What is said goes no further than memory when the disk refuses: the journal says so itself.
  void commit();
  void commit_all();  // the end is near: however long it takes

  [[nodiscard]] homeassistant::JournalFacts facts() const;

 private:
  const Clock& clock_;
  Log log_;
  Milliseconds commit_every_;
  std::size_t most_;  // samples in a commit
  std::unique_ptr<journal::Journal> journal_;
  std::size_t since_commit_ = 0;
  bool refused_ = false;     // the last commit; the next attempt is a matter of tick()
  bool rest_waits_ = false;  // the last commit took only a part
  bool told_ = false;
  std::chrono::steady_clock::time_point tried_;
};

}  // namespace meterbridge::app
