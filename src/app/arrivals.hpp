// SPDX-License-Identifier: MIT
// A hub's view of its leaves: which samples it has, which are missing, whom to ask. Pure: times are
// handed in. Every message says its number and one before it behind which the meter has no other
// sample: so a gap is seen whatever was lost, and what comes twice or late is known.
#pragma once

#include "app/numbered.hpp"
#include "app/spans.hpp"
#include "core/reading.hpp"
#include "core/result.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::app {

inline constexpr std::size_t most_chains = 4;    // journals of one leaf that are remembered
inline constexpr std::size_t most_spans = 5000;  // of one journal, with what others have between

class Arrivals {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Now {
    Instant wall;
    Time steady;
  };

  // A question to a leaf.
  struct Ask {
    std::string topic;
    std::string payload;
  };

  struct Outcome {
    Outcome() = default;
    std::vector<NumberedSample> samples;  // to be kept, in this order, each once
    std::optional<NumberedSample> show;   // the newest that is known, where that changed
    std::vector<Ask> asks;
    std::vector<std::string> words;  // for the log
  };

  // `shared`: other hubs get a part of the messages (a shared subscription).
  Outcome take(NumberedSample sample, bool shared, Now now);
  // Once a second. What is asked is asked again, later and later, until it came or the leaf says
  // that it is gone; who speaks and does not answer is given up, in words.
  Outcome tick(Now now);
  // There was no connection: each leaf is asked for what came meanwhile.
  void connected();

  // What is known, as JSON: the memory of a hub, and what it tells those that share with it.
  // `shared_only`: with the names that all of them use.
  [[nodiscard]] std::string json(bool shared_only) const;
  // The memory of an earlier run, or (shared) the word of another hub. Error: malformed.
  Result<> restore(std::string_view json, bool shared);
  // A sample that the own journal holds; in the order in which they were kept.
  void recall(const NumberedSample& sample, bool shared);

  [[nodiscard]] bool empty() const noexcept { return sources_.empty(); }

  [[nodiscard]] std::uint64_t given_up() const noexcept { return given_up_; }

 private:
  struct Question {
    Question() = default;
    std::optional<Time> asked;
    int tries = 0;
    int unheard = 0;          // how often, since the leaf was heard
    bool alive = false;       // the leaf was heard after it
    std::uint64_t about = 0;  // the end of the gap
    std::uint64_t had = 0;    // how far we were when it was asked
  };

  // The numbers of one journal of a leaf.
  struct Chain {
    Chain() = default;
    std::string journal;
    std::optional<Time> heard;
    Spans have;               // in order: one span from 0 on, but for what is shared
    std::uint64_t floor = 0;  // shared: where we began; what was before it is not missed
    Instant latest;           // of all times that its samples have
    std::map<std::uint64_t, NumberedSample> held;  // they wait for those before them
    // Shared: the ends of gaps, and when our patience with the other hubs began.
    std::map<std::uint64_t, Time> mine;
    // Of a new journal: what it had before we heard of it may be a copy of what we have.
    std::uint64_t begun = 0;
    Instant known_before{};
    Question question;
    bool open = false;         // there may be more than we know of,
    std::uint64_t newest = 0;  // up to here, as far as the leaf said
  };

  // A meter of a leaf.
  struct Source {
    Source() = default;
    std::string topic;
    std::optional<Time> heard;  // there
    bool told = false;          // that somebody else uses its name
    std::string shared_name;    // empty: not shared
    std::vector<Chain> chains;  // the newest journal last
    std::uint64_t shown = 0;    // number of what was shown, in the newest journal
    std::optional<NumberedSample> unseen;
  };

  // Null: it is not taken, and why is in the outcome.
  Source* source_of(const NumberedSample& sample, Time now, Outcome& outcome);
  Chain& chain_of(Source& source, const NumberedSample& sample, bool shared, Outcome& outcome);
  void hold(Chain& chain, const NumberedSample& sample);
  static void accept(Chain& chain, const NumberedSample& sample, Outcome& outcome);
  static void hear_end(Chain& chain, const Numbered& numbered);
  void take_in_order(Chain& chain, const NumberedSample& sample, Outcome& outcome);
  static void take_shared(Chain& chain, const NumberedSample& sample, Outcome& outcome, Time now);
  static bool leaves_gap(const Chain& chain, const Numbered& numbered);
  static void watch_gaps(Chain& chain, Time now);
  void bound(const std::string& meter, Chain& chain, Outcome& outcome);
  void drain(Chain& chain, Outcome& outcome);
  static bool takes_over(Source& source, Chain& chain, const NumberedSample& sample, Now now);
  static void show(Source& source, const NumberedSample* fresh, Now now, Outcome& outcome);
  void ask_all(Time now, Outcome& outcome);
  void ask(const std::string& meter, Source& source, Chain& chain, Time now, Outcome& outcome);
  void give_up(const std::string& meter, Chain& chain, std::optional<Span> gap, Outcome& outcome);

  std::map<std::string, Source, std::less<>> sources_;  // by our id of the meter
  std::string asked_last_;                              // who comes next has its turn
  std::size_t waiting_ = 0;                             // for answers
  std::size_t in_silence_ = 0;  // of them, for those of whom nothing is heard
  std::size_t held_ = 0;        // readings
  bool full_ = false;           // said once
  std::uint64_t given_up_ = 0;
};

}  // namespace meterbridge::app
