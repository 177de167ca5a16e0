// SPDX-License-Identifier: MIT
// Messages on a disk until they have arrived: a file that only grows, written anew when most of it
// is past. What was kept survives the end of the process, whichever way it ended; it is not forced
// to the disk, so a power cut takes what the kernel had not written yet (with Linux's own settings
// the last 30 s).
#pragma once

#include "core/result.hpp"
#include "mqtt/message.hpp"
#include "mqtt/outbox.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace meterbridge::mqtt {

// Never throws; what cannot be written is said once and lives in memory only.
class Spool : public Keeper {
 public:
  using Notice = std::function<void(const std::string&)>;

  Spool(std::string path, Notice notice);
  ~Spool() override;
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // What an earlier process left, oldest first, with its ids. A damaged end is cut off and said.
  [[nodiscard]] std::map<std::uint64_t, Message> load();

  std::uint64_t keep(const Message& message) override;
  void forget(std::uint64_t id) override;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  struct Kept {
    std::uint64_t offset;
    std::uint64_t length;
  };

  bool open();
  bool append(const std::string& record);
  void shorten();
  Result<> rewrite();
  void complain(const std::string& what);

  std::string path_;
  Notice notice_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t alive_ = 0;  // bytes of messages that are still kept
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Kept> kept_;
  bool complained_ = false;
};

}  // namespace meterbridge::mqtt
