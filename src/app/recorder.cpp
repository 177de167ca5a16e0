// SPDX-License-Identifier: MIT
#include "app/recorder.hpp"

#include "journal/disk.hpp"
#include "journal/memory.hpp"

#include <utility>

namespace meterbridge::app {
namespace {

// Or as many as forty a second make, where the user wants to wait longer.
constexpr std::size_t most_in_a_commit = 200;
constexpr std::int64_t many_a_second = 40;
// The clockwork's seconds are not exact ones.
constexpr Milliseconds slack{100};
constexpr Milliseconds between_attempts{1000};
constexpr Milliseconds refused_pause{10000};  // at most, whatever the user's commit is

std::unique_ptr<journal::Journal> make_journal(const config::Settings& settings, const Clock& clock,
                                               const Recorder::Log& log) {
  if (settings.journal.store != config::JournalStore::memory) {
    journal::DiskOptions options;
    options.path = journal_path(settings);
    options.quick = journal::quick_folder(options.path);
    options.keep = settings.journal.keep;
    options.size = settings.journal.size;
    options.sync = settings.journal.sync;
    options.log = log;
    return journal::on_disk(std::move(options), clock);
  }
  return journal::in_memory(settings.journal.samples, &clock);
}

}  // namespace

std::string journal_path(const config::Settings& settings) {
  return settings.state_directory + "/" + settings.instance + ".journal.db";
}

bool journal_is_wanted(const config::Settings& settings) {
  switch (settings.journal.store) {
    case config::JournalStore::off:
      return false;
    case config::JournalStore::automatic:
      return !settings.sinks.empty();
    case config::JournalStore::memory:
    case config::JournalStore::disk:
      break;
  }
  return true;
}

Recorder::Recorder(const config::Settings& settings, const Clock& clock, Log log)
    : clock_(clock),
      log_(std::move(log)),
      commit_every_(settings.journal.commit),
      most_(std::max(
          most_in_a_commit,
          static_cast<std::size_t>(many_a_second * settings.journal.commit.count() / 1000))),
      journal_(make_journal(settings, clock, log_)),
      tried_(clock.steady()) {}

void Recorder::record(const Sample& sample) {
  // All that it said was refused.
  if (sample.readings.empty() && sample.document.empty()) return;
  if (const auto added = journal_->append(sample); !added) {
    if (!std::exchange(told_, true))
      log_(true,
           "journal: a sample of " + sample.meter + " is left out: " + added.error().detail());
    return;
  }
  ++since_commit_;
  if (refused_) return;
  if (commit_every_ == Milliseconds::zero() || since_commit_ >= most_) commit();
}

void Recorder::commit() {
  tried_ = clock_.steady();
  refused_ = !journal_->commit();
  since_commit_ = 0;
  // One commit takes a bounded number of them, so that it stays short.
  rest_waits_ = !refused_ && journal_->status().waiting > 0;
}

void Recorder::commit_all() {
  do {
    commit();
  } while (rest_waits_);
}

void Recorder::tick() {
  Milliseconds pause = commit_every_;
  if (refused_) pause = std::min(pause, refused_pause);
  if (rest_waits_) pause = Milliseconds::zero();
  if (clock_.steady() - tried_ >= std::max(pause, between_attempts) - slack) commit();
}

homeassistant::JournalFacts Recorder::facts() const {
  const journal::Status status = journal_->status();
  homeassistant::JournalFacts facts;
  facts.entries = status.entries;
  facts.waiting = status.waiting;
  facts.bytes = status.bytes;
  facts.dropped = status.dropped;
  facts.damaged = status.damaged;
  facts.last_commit = status.last_commit;
  facts.trouble = status.trouble;
  return facts;
}

}  // namespace meterbridge::app
