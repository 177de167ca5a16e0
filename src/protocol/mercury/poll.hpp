// SPDX-License-Identifier: MIT
// One poll of a 23x meter: the channel is opened, then one question after the other.
#pragma once

#include "protocol/exchange_list.hpp"
#include "protocol/mercury/answer.hpp"
#include "protocol/mercury/driver.hpp"

#include <map>
#include <string>
#include <vector>

namespace meterbridge::protocol::mercury {

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
    Bytes body;
    bool needed = false;  // without an answer the poll fails
    bool again = false;   // asked once more, after the channel was opened again
  };

  void plan();
  void ask(Question question);
  void ask_energies_again(bool backwards);
  [[nodiscard]] std::optional<Exchange> exchange_of(const Question& question);
  [[nodiscard]] std::optional<Exchange> opening(bool again);

  Result<Verdict> judge(const Question& question, ByteView frame);
  Result<Verdict> opened(ByteView frame, bool again);
  Result<Verdict> refused(const Question& question, std::byte status);
  Result<Verdict> reopen(const Question& question);
  Result<Verdict> take(const Question& question, ByteView data);
  Result<> lost(const Question& question, const Error& why);
  void note_energy(ByteView body, ByteView data);
  void note_master(ByteView bytes, ByteView own);
  void believe_serial(const Bytes& body, ByteView data);
  Result<bool> check_energies();
  [[nodiscard]] Scale scale() const;
  Result<Telegram> finish();

  const Options& options_;
  Memory& memory_;
  ExchangeList list_;
  std::vector<Bytes> order_;        // bodies, in the order of the first asking
  std::map<Bytes, Bytes> answers_;  // data of good answers
  Directions energies_;
  Directions last_energies_;  // of the reading before, which did not fit
  Bytes overheard_;
  int readings_ = 0;  // of the energies
  int lost_in_a_row_ = 0;
  bool slow_ = false;  // everything that is rarely read is due
  bool finished_ = false;
};

}  // namespace meterbridge::protocol::mercury
