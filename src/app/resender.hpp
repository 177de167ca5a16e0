// SPDX-License-Identifier: MIT
// What a hub missed goes out again, from the journal (set/resend).
#pragma once

#include "core/result.hpp"
#include "journal/journal.hpp"
#include "sink/mqtt/message.hpp"
#include "sink/mqtt/mqtt.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

namespace meterbridge::app {

class Resender {
 public:
  // The journal outlives it.
  Resender(const boost::asio::any_io_executor& executor, journal::Journal& journal,
           std::string instance, sink::mqtt::PostOffice office);
  Resender(const Resender&) = delete;
  Resender& operator=(const Resender&) = delete;

  // {"from": NUMBER or TIME, "to": the same, or nothing = the newest, "journal": NAME}. Answers on
  // the meter's topic `sample`: the samples, few at once, and a last word without readings, which
  // says how far they reach. Error: invalid, refused, in words.
  Result<> request(std::string_view meter, std::string_view payload);

 private:
  struct Job {
    Job() = default;
    std::string meter;
    std::string journal;  // that was asked for; empty: ours
    journal::Sequence from = 1;
    journal::Sequence to = 0;
    std::optional<Instant> since;
    std::optional<Instant> before;
    journal::Sequence read = 0;      // the journal up to here
    journal::Sequence previous = 0;  // of this meter, that was sent or passed over
    std::size_t sent = 0;
    std::string missing;
    bool broken = false;  // the journal could not be read
  };

  void pump();
  void go_on();
  bool step(Job& job);
  void send(std::string payload, const Job& job);
  void finish(const Job& job);
  [[nodiscard]] sink::mqtt::Leaf leaf() const;

  boost::asio::any_io_executor executor_;
  journal::Journal& journal_;
  std::string instance_;
  sink::mqtt::PostOffice office_;
  std::deque<Job> jobs_;
  std::deque<journal::Entry> fetched_;  // of the first job
  std::size_t on_the_way_ = 0;
  bool pumping_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace meterbridge::app
