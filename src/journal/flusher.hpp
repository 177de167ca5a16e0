// SPDX-License-Identifier: MIT
// Waits for the disk, so that nobody else has to: one thread that forces what was committed onto
// it, and moves it from the write-ahead log into the database.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace meterbridge::journal {

class Flusher {
 public:
  explicit Flusher(std::string path);
  ~Flusher();
  Flusher(const Flusher&) = delete;
  Flusher& operator=(const Flusher&) = delete;

  // Soon. What was asked for meanwhile is done once.
  void flush();
  void checkpoint();
  // Until nothing is left to do: before the file is moved, or closed for good.
  void settle();
  [[nodiscard]] bool busy();

 private:
  void work();
  void ask(bool Flusher::*what);

  std::string path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool flush_ = false;
  bool checkpoint_ = false;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace meterbridge::journal
