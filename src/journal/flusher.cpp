// SPDX-License-Identifier: MIT
#include "journal/flusher.hpp"

#include "journal/front.hpp"
#include "journal/hold.hpp"
#include "journal/sqlite.hpp"

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace meterbridge::journal {
namespace {

// The log and the front alone: SQLite holds no locks on them that closing them here would break. Of
// a failure the next commit will know.
void flush_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  (void)::fdatasync(file);
  (void)::close(file);
}

// Beside the connection that writes, which goes on meanwhile. What cannot be moved now, because
// somebody reads it or copies the files, is moved next time.
void move_log(const std::string& path) {
  if (held(path)) return;
  auto database = Database::open(path, Database::Mode::existing);
  // Opening may take its time on a slow card.
  if (database && !held(path)) (void)database->run("PRAGMA wal_checkpoint(PASSIVE)");
}

}  // namespace

Flusher::Flusher(std::string path) : path_(std::move(path)), thread_([this] { work(); }) {}

Flusher::~Flusher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Flusher::ask(bool Flusher::*what) {
  {
    const std::lock_guard lock(mutex_);
    this->*what = true;
  }
  changed_.notify_all();
}

void Flusher::flush() {
  ask(&Flusher::flush_);
}

void Flusher::checkpoint() {
  ask(&Flusher::checkpoint_);
}

bool Flusher::busy() {
  const std::lock_guard lock(mutex_);
  return flush_ || checkpoint_ || busy_;
}

void Flusher::settle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !flush_ && !checkpoint_ && !busy_; });
}

void Flusher::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return flush_ || checkpoint_ || ending_; });
    const bool flush = std::exchange(flush_, false);
    const bool checkpoint = std::exchange(checkpoint_, false);
    if (!flush && !checkpoint) return;
    busy_ = true;
    lock.unlock();
    if (flush) {
      flush_file(Front::path_for(path_));
      flush_file(path_ + "-wal");
    }
    if (checkpoint) move_log(path_);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace meterbridge::journal
