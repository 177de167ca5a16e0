// SPDX-License-Identifier: MIT
// Which of the profiles is the meter that answered? Every candidate reads it as it would later,
// first a glance and then all; what was asked once is not asked again for the next candidate.
#pragma once

#include "scan/badge.hpp"
#include "scan/finding.hpp"
#include "scan/question.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace meterbridge::scan {

class Identify {
 public:
  // `found` has protocol, line and address. The catalogue must outlive it.
  Identify(const Catalogue& catalogue, const Question& question, Finding found);

  // Nothing when it is known, as well as it can be: then result().
  std::optional<protocol::Step> next();
  void received(ByteView bytes);
  void silence();

  [[nodiscard]] Finding result() &&;
  // "12 of 89 profiles"
  [[nodiscard]] std::string progress() const;

 private:
  struct Trial {
    Trial() = default;
    const Candidate* candidate = nullptr;
    bool whole = false;
    const Badge* badge = nullptr;  // only this is read
  };

  bool begin_next();
  void choose();
  void look_at_badges();
  void decide();
  void settle(const Trial& trial, const Result<protocol::Telegram>& result);
  std::optional<protocol::Step> send(const Bytes& request);
  void remember();
  [[nodiscard]] SettingValues settings_for(const Trial& trial) const;

  Question question_;
  Finding finding_;
  std::vector<Trial> trials_;
  std::size_t at_ = 0;  // of trials_, the next one
  std::vector<std::pair<int, const Candidate*>> glanced_;
  bool chosen_ = false;
  bool badges_ = false;            // they are asked
  std::set<std::string> refuted_;  // profiles whose badge says another name
  bool refused_ = false;           // a password: nothing more is sent
  int best_said_ = 0;

  Trial trial_;
  std::unique_ptr<protocol::Driver> driver_;
  std::unique_ptr<protocol::Dialogue> dialogue_;

  // Requests (without the number of Modbus TCP) and all that was heard of each.
  std::map<std::string, Bytes> answers_;
  std::optional<std::string> asked_;
  Bytes heard_;
  std::optional<Bytes> replay_;         // of a request that was asked before
  std::vector<protocol::Step> before_;  // pauses that count only if something is sent
  std::deque<protocol::Step> ready_;
};

}  // namespace meterbridge::scan
