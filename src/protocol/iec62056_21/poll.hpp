// SPDX-License-Identifier: MIT
// One poll: sign-on, then a readout, or codes one by one in programming mode. Read-only.
#pragma once

#include "protocol/exchange_list.hpp"
#include "protocol/iec62056_21/driver.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::iec62056_21 {

class Poll final : public Dialogue {
 public:
  // Both outlive the poll. Without `first_attempts` every request is repeated as the options say.
  Poll(const Options& options, Memory& memory, std::optional<int> first_attempts = std::nullopt);
  ~Poll() override;
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  Result<Step> next() override;
  void received(ByteView bytes) override;

  void silence() override { list_.silence(); }

 private:
  static constexpr int sessions_allowed = 3;  // in one poll

  // What an answer holds: a block of data, or none and what that means.
  struct Data {
    Data() = default;
    std::optional<Block> block;
    Verdict verdict = Verdict::taken();
  };

  void begin_session();
  void follow(const Identification& identification);
  void ask_readout(const Identification& identification, Mode mode);
  void select(char mode);
  void ask_password(const Block& operand);
  void ask_codes();
  void ask_code(const std::string& code);
  void ask_instead(const std::string& code);
  void ask_group(std::vector<std::string> codes);
  void plan_codes();

  Result<Verdict> on_operand(ByteView frame);
  Result<Verdict> on_password(ByteView frame);
  Result<Verdict> on_readout(ByteView frame);
  Result<Verdict> on_code(const std::string& code, ByteView frame, bool& doubted);
  Result<Verdict> on_group(const std::vector<std::string>& codes, ByteView frame);
  Data data_block(ByteView frame);
  Result<Verdict> refused_password(const std::string& how);
  Result<Block> checked(ByteView frame);
  Result<> lost(const Error& why);
  Result<> lost_code(const std::string& code, const Error& why);
  Result<> lost_group(const Error& why);
  void leave_out(const std::string& code, std::string why);
  void settle(const Entry& entry);
  void take(const Entry& entry);
  Result<Telegram> finish();

  [[nodiscard]] Exchange exchange(std::string what, const Bytes& request) const;
  [[nodiscard]] Exchange read_exchange(const std::string& what, const Bytes& request) const;
  [[nodiscard]] Bytes read_bytes(std::string_view code, std::string_view arguments) const;
  [[nodiscard]] Bytes group_request(const std::vector<std::string>& codes) const;
  [[nodiscard]] bool fits_group(const std::string& code) const;
  [[nodiscard]] Check rule() const;
  [[nodiscard]] std::optional<LineSettings> data_line() const;
  [[nodiscard]] Step wire(Step step) const;

  const Options& options_;
  Memory& memory_;
  ExchangeList list_;
  Telegram telegram_;
  std::optional<Identification> identification_;
  CodeTable table_;
  std::deque<std::string> wanted_;  // codes that were not read yet
  std::string date_;
  std::string time_;
  int sessions_ = 0;
  bool open_ = false;  // the meter waits for commands: it must be told that we leave
  bool planned_ = false;
  bool slow_ = false;  // everything that is rarely read is due
  bool finished_ = false;
  std::optional<Result<Step>> last_;  // comes after the farewell
};

}  // namespace meterbridge::protocol::iec62056_21
