// SPDX-License-Identifier: MIT
// One line in the hands of a person: polls, the bytes of the last one, and what is recorded.
#pragma once

#include "core/reading.hpp"
#include "io/converse.hpp"
#include "io/transport.hpp"
#include "meter/meter.hpp"
#include "protocol/registry.hpp"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

namespace meterbridge::cli {

// What was heard and said, for `decode`: a transcript of a meter that is asked, the bytes as
// captured of one that sends by itself.
class Recording {
 public:
  Recording() = default;
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Error: io, in words. An existing file is not overwritten.
  Result<> begin(const std::string& file, const std::string& title, bool bytes_only);
  void add(bool sent, ByteView bytes);
  // In place of an exchange that nobody else shall read.
  void leave_out(const std::string& what);
  // How many bytes are in the file; 0 when nothing was recorded.
  std::size_t end();

  [[nodiscard]] bool running() const noexcept { return file_ != nullptr; }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  void flush_answer();

  std::FILE* file_ = nullptr;
  std::string name_;
  bool bytes_only_ = false;
  Bytes answer_;  // blocks belong together until we speak again
  std::size_t written_ = 0;
};

struct Exchange {
  Exchange() = default;
  bool sent = false;
  bool secret = false;    // the password was sent: no bytes, and its answer is not here either
  std::string topic;      // of a message
  bool complete = false;  // what follows is another message
  Bytes bytes;
};

class ConsoleLine {
 public:
  // `settled`: the speed was chosen by a person or by the configuration; else it is the profile's.
  ConsoleLine(std::unique_ptr<io::Transport> transport, std::optional<LineSettings> settled);

  boost::asio::awaitable<Result<>> open();

  [[nodiscard]] io::Transport& transport() noexcept { return *transport_; }

  // Of our end of the line only. Error: unsupported, when the link has no speed of its own.
  Result<> retune(const LineSettings& line);

  [[nodiscard]] const std::optional<LineSettings>& speed() const noexcept { return speed_; }

  Result<> choose(const config::MeterSettings& settings, const meter::Profile& profile);

  [[nodiscard]] meter::Meter* meter() noexcept { return meter_ ? &*meter_ : nullptr; }

  // One poll, or the next telegram of a meter that sends by itself.
  boost::asio::awaitable<Result<std::vector<Sample>>> poll();

  // What crossed the line during the last poll, and what it means.
  [[nodiscard]] const std::vector<Exchange>& bytes() const noexcept { return exchanges_; }

  [[nodiscard]] std::vector<protocol::Decoded> meaning() const;

  Recording recording;

 private:
  boost::asio::awaitable<Result<protocol::Telegram>> talk();
  boost::asio::awaitable<Result<protocol::Telegram>> listen(protocol::Dialogue& dialogue);
  void heard(bool sent, ByteView bytes);
  [[nodiscard]] bool carries_password(ByteView sent) const;

  std::unique_ptr<io::Transport> transport_;
  std::optional<LineSettings> speed_;  // as far as it is known
  bool settled_ = false;
  std::optional<meter::Meter> meter_;
  std::unique_ptr<protocol::Dialogue> dialogue_;  // of a meter that sends by itself
  std::vector<Exchange> exchanges_;
  std::size_t exchanged_ = 0;
};

}  // namespace meterbridge::cli
