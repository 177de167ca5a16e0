// SPDX-License-Identifier: MIT
// One poll of a 200/206 meter.
#pragma once

#include "protocol/exchange_list.hpp"
#include "protocol/mercury200/driver.hpp"
#include "protocol/telegram.hpp"

namespace meterbridge::protocol::mercury200 {

class Poll final : public Dialogue {
 public:
  // Both outlive the poll. Without `first_attempts` each question has as many attempts as the
  // options say.
  Poll(const Options& options, Memory& memory, std::optional<int> first_attempts = std::nullopt);
  ~Poll() override;
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  Result<Step> next() override { return list_.next(); }

  void received(ByteView bytes) override { list_.received(bytes); }

  void silence() override { list_.silence(); }

 private:
  struct Question {
    Command command;
    const char* what;
    bool slow;  // hardly ever changes
  };

  void ask(const Question& question);
  Result<Verdict> judge(Command command, ByteView wire);
  Result<> lost(Command command, const Error& why);
  Result<Telegram> finish();

  const Options& options_;
  Memory& memory_;
  ExchangeList list_;
  std::map<Command, Bytes> answers_;
  int lost_in_a_row_ = 0;
  bool slow_ = false;  // everything that is rarely read is due
  bool finished_ = false;
};

}  // namespace meterbridge::protocol::mercury200
