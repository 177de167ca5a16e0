// SPDX-License-Identifier: MIT
// One poll of a Modbus meter: its blocks in order, what is done when one is refused or not
// answered, and the telegram in the end.
#pragma once

#include "protocol/exchange_list.hpp"
#include "protocol/modbus/driver.hpp"
#include "protocol/modbus/sunspec.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::protocol::modbus {

class Poll final : public Dialogue {
 public:
  // Options and memory outlive the poll; the table is the kind's.
  Poll(const Options& options, std::shared_ptr<Kind> kind, Memory& memory,
       std::optional<int> first_attempts = std::nullopt);
  ~Poll() override;
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  Result<Step> next() override { return list_.next(); }

  void received(ByteView bytes) override { list_.received(bytes); }

  void silence() override { list_.silence(); }

 private:
  // One question with what follows from its answer; the code is the device's exception.
  struct Question {
    Question() = default;
    std::string what;
    Request request;
    std::function<Result<Verdict>(const Reply& reply)> on_reply;
    std::function<Result<Verdict>(std::uint8_t code)> on_refusal;
    std::function<Result<>(const Error& why)> on_lost;
  };

  // A block as it was planned, and in which parts it had to be asked.
  struct Search {
    Search() = default;
    std::vector<Place> cuts;
    bool guilty = false;  // a value was found that the meter does not have
  };

  void ask(Question question);
  Result<Verdict> judge(const Question& question, const Awaited& awaited, ByteView wire);
  Result<Verdict> refused(const Question& question, std::uint8_t code);
  void search_models();
  void plan_blocks();
  [[nodiscard]] std::vector<bool> wanted() const;
  [[nodiscard]] std::vector<std::shared_ptr<const Block>> blocks();
  void ask_block(std::shared_ptr<const Block> block, std::size_t search);
  Result<Verdict> block_refused(const Block& block, std::size_t search, std::uint8_t code);
  Result<> block_lost(const Block& block, const Error& why);
  void begin_with_another(const Place& place);
  void ask_identity(std::uint8_t first, int part);
  Result<Telegram> finish();
  void put_values(Telegram& telegram);
  [[nodiscard]] Error with_hint(const Error& why) const;

  const Options& options_;
  std::shared_ptr<Kind> kind_;
  Memory& memory_;
  Framing framing_;
  ExchangeList list_;
  SunSpecSearch models_;
  std::vector<Search> searches_;
  Image image_;
  Identity identity_;
  bool heard_ = false;
  bool away_ = false;  // a gateway says that the meter does not answer it
  bool finished_ = false;
};

}  // namespace meterbridge::protocol::modbus
