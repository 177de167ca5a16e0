// SPDX-License-Identifier: MIT
// A scan is a dialogue: it listens, asks, and finds out who answered. Whoever carries it out (a
// port, a test) need not know what it looks for.
#pragma once

#include "scan/ears.hpp"
#include "scan/identify.hpp"
#include "scan/plan.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::scan {

class Scan final : public protocol::Dialogue {
 public:
  // The catalogue must outlive it.
  Scan(Catalogue& catalogue, const Wishes& wishes);
  ~Scan() override;

  // Finished with an empty telegram when all is done.
  Result<protocol::Step> next() override;
  void received(ByteView bytes) override;
  void silence() override;
  void drained(ByteView bytes) override;

  // The connection broke: what was in work was not answered, and the scan goes on.
  void broken();

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }

  [[nodiscard]] const std::vector<Finding>& findings() const noexcept { return findings_; }

  // Why it did not ask, or stopped asking; empty: it did.
  [[nodiscard]] const std::string& stopped() const noexcept { return stopped_; }

  [[nodiscard]] std::size_t heard() const noexcept { return heard_; }  // bytes

  [[nodiscard]] std::string progress() const;

 private:
  std::optional<protocol::Step> listen();
  std::optional<protocol::Step> ask();
  std::optional<protocol::Step> tune(const LineSettings& line);
  void end_stretch();
  void end_question();
  void found(const Presence& presence);
  void found_by_version(const Question& question, Finding finding);
  void found_by_identification(Finding finding);
  void check_numbers();
  void leave_out_rest();
  void add(Finding finding);
  void note_request(const Bytes& request);
  // `more`: what was heard may be the beginning of an answer.
  void notice_master(ByteView bytes, bool more);
  bool master_in_answer(bool more);

  Catalogue& catalogue_;
  Wishes wishes_;
  Plan plan_;
  std::vector<Finding> findings_;
  std::string stopped_;
  std::size_t heard_ = 0;

  std::optional<LineSettings> line_;  // as it was tuned last
  std::size_t stretch_ = 0;
  std::unique_ptr<Ears> ears_;
  Milliseconds listened_{};

  std::size_t round_ = 0;
  std::size_t question_ = 0;  // of the round
  enum class Asking { ready, sent, listening, calming } asking_ = Asking::ready;
  bool quiet_ = false;  // the line was quiet before the question
  Bytes answer_;
  Bytes request_;
  Bytes last_request_;      // the one before
  Milliseconds babble_{};   // bytes after an answer
  bool everybody_ = false;  // the question to a number that nobody has was added
  std::unique_ptr<Identify> identify_;
};

}  // namespace meterbridge::scan
