// SPDX-License-Identifier: MIT
// One poll of a DL/T 645 meter: a question for each code.
#pragma once

#include "protocol/dlt645/driver.hpp"
#include "protocol/exchange_list.hpp"
#include "protocol/telegram.hpp"

namespace meterbridge::protocol::dlt645 {

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
  void plan();
  void ask(std::uint32_t code);
  Result<Verdict> judge(std::uint32_t code, ByteView wire);
  Result<> lost(std::uint32_t code, const Error& why);
  Result<Telegram> finish();
  void remember();

  const Options& options_;
  Memory& memory_;
  ExchangeList list_;
  bool all_ = false;  // also what was left alone
  std::map<std::uint32_t, Bytes> payloads_;
  std::map<std::uint32_t, Error> failed_;
  bool heard_ = false;
  int lost_in_a_row_ = 0;
};

}  // namespace meterbridge::protocol::dlt645
