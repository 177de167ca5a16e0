// SPDX-License-Identifier: MIT
// One poll of a CE102 meter: its questions in order, and the judge of each answer.
#pragma once

#include "protocol/ce102/driver.hpp"
#include "protocol/exchange_list.hpp"

#include <functional>
#include <string>

namespace meterbridge::protocol::ce102 {

class Poll final : public Dialogue {
 public:
  // Both outlive the poll. Without `first_attempts` each question has as many attempts as the
  // options say.
  Poll(const Options& options, Memory& memory, std::optional<int> first_attempts = std::nullopt);
  ~Poll() override;
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  Result<Step> next() override;

  void received(ByteView bytes) override { list_.received(bytes); }

  void silence() override { list_.silence(); }

  void drained(ByteView bytes) override;

 private:
  struct Question {
    Question() = default;
    std::string what;
    Query query = Query::ping;
    Bytes data;
    std::uint8_t tariff = 0;
    bool needed = false;   // its refusal ends the poll
    bool patient = false;  // its silence does not: the poll ends with what was read until then
    std::function<Result<>(ByteView data)> on_data;
  };

  void plan();
  void ask(Question question);
  void ask_family();
  void ask_decimals();
  void ask_energy(int tariff);
  void ask_energies(bool backwards);
  void ask_clock();
  void ask_status();
  void ask_version();
  void ask_serial_part(bool second);
  void ask_instant(Query query, std::string what);

  Result<Verdict> judge(const Question& question, ByteView wire, bool& repeated);
  Result<Verdict> refused(const Question& question, const Refusal& why, bool& repeated);
  Result<> lost(const Question& question, const Error& why);
  Result<> believe(const std::string& serial);
  Result<> note_version(ByteView data);
  void note_master(const Frame& request);
  Result<bool> check_energies();
  Result<Telegram> finish();

  const Options& options_;
  Memory& memory_;
  ExchangeList list_;
  Telegram telegram_;
  Registers energies_;
  Registers last_energies_;  // of the reading before, which did not fit
  int readings_ = 0;         // of the energies
  Bytes overheard_;
  Bytes serial_part_;
  bool version_due_ = false;
  bool serial_due_ = false;
  bool slow_ = false;  // everything that is rarely read is due
  bool finished_ = false;
};

}  // namespace meterbridge::protocol::ce102
