// SPDX-License-Identifier: MIT
#include "scan/plan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace meterbridge::scan {
namespace {

constexpr Milliseconds gap{50};  // between two questions, about
constexpr std::uint32_t most_units = 247;
constexpr std::uint32_t everybody_mercury = 0;
constexpr std::uint32_t everybody_ce102 = 0xFFFF;
constexpr std::uint32_t everybody_dlt645 = 0;
const std::string session_end = "0142300371";

LineSettings line_of(std::uint32_t baud, Parity parity) {
  LineSettings line;
  line.baud = baud;
  line.parity = parity;
  return line;
}

// The order that finds most meters soonest, in front of what the catalogue adds.
std::vector<LineSettings> modbus_lines(const Catalogue& catalogue) {
  std::vector<LineSettings> lines{line_of(9600, Parity::none),  line_of(9600, Parity::even),
                                  line_of(19200, Parity::even), line_of(2400, Parity::none),
                                  line_of(19200, Parity::none), line_of(38400, Parity::none),
                                  line_of(115200, Parity::none)};
  for (const LineSettings& line : catalogue.lines("modbus")) {
    // Two stop bits differ from one only for who sends to us.
    LineSettings one = line;
    one.stop_bits = 1;
    if (std::ranges::find(lines, one) == lines.end()) lines.push_back(one);
  }
  return lines;
}

std::vector<LineSettings> lines_of(const Catalogue& catalogue, Family family) {
  if (family == Family::modbus_rtu || family == Family::modbus_tcp) return modbus_lines(catalogue);
  return catalogue.lines(protocol_of(family));
}

// 1 to 32, where people put their meters, then the fixed numbers of some makers.
std::vector<std::uint32_t> units(const Wishes& wishes, Family family) {
  if (!wishes.addresses.empty()) return wishes.addresses;
  std::vector<std::uint32_t> all;
  const std::uint32_t last = wishes.depth == Depth::quick   ? 4
                             : wishes.depth == Depth::usual ? 32
                                                            : most_units;
  if (family == Family::modbus_tcp) all.push_back(255);
  for (std::uint32_t unit = 1; unit <= last; ++unit)
    all.push_back(unit);
  if (wishes.depth != Depth::usual) return all;
  for (const std::uint32_t unit : {71U, 85U, 100U, 126U, 200U, 240U, 247U})
    all.push_back(unit);
  return all;
}

std::vector<std::uint32_t> addresses(const Wishes& wishes, Family family) {
  switch (family) {
    case Family::modbus_rtu:
    case Family::modbus_tcp:
      return units(wishes, family);
    case Family::mercury:
      if (!wishes.addresses.empty()) return wishes.addresses;
      return {everybody_mercury};
    case Family::ce102:
      if (!wishes.addresses.empty()) return wishes.addresses;
      return {everybody_ce102};
    case Family::dlt645:
      if (!wishes.addresses.empty()) return wishes.addresses;
      return {everybody_dlt645};
    case Family::mercury200:
      return wishes.addresses;
    case Family::iec62056:
      return {0};
  }
  return {};
}

bool fits(Family family, std::uint32_t address) {
  switch (family) {
    case Family::modbus_rtu:
      return address >= 1 && address <= most_units;
    case Family::modbus_tcp:
      return address <= 255;
    case Family::mercury:
      return address <= 240;
    case Family::ce102:
      return address <= everybody_ce102;
    default:
      return true;
  }
}

// What wakes the meters up that want it, and nothing for the others.
std::set<std::string> prefixes(const Catalogue& catalogue, const LineSettings& line, bool network) {
  std::set<std::string> all;
  for (const Candidate& candidate : catalogue.candidates(protocol_of(Family::iec62056))) {
    if (network || candidate.profile->line == line) all.insert(candidate.whole.text("prefix"));
  }
  return all;
}

void add_questions(const Catalogue& catalogue, const Wishes& wishes, Family family,
                   std::uint8_t function, Round& round) {
  Question question;
  question.family = family;
  question.function = function;
  question.wait = usual_wait(family, round.line, wishes.network);
  for (const std::uint32_t address : addresses(wishes, family)) {
    if (!fits(family, address)) continue;
    question.address = address;
    if (family != Family::iec62056) {
      round.questions.push_back(question);
      continue;
    }
    for (const std::string& prefix : prefixes(catalogue, round.line, wishes.network)) {
      // Behind a gateway questions of other protocols came before: what a meter made of them ends
      // with the command that ends a session.
      const auto bytes = from_hex((wishes.network ? session_end : std::string()) + prefix);
      question.prefix = bytes ? *bytes : Bytes();
      round.questions.push_back(question);
    }
  }
}

// Mercury before function 3 of Modbus, which is code 03 of a Mercury meter; it would refuse, as the
// question opens no channel, but need not be asked.
struct Turn {
  Family family;
  std::uint8_t function;
};

constexpr std::array turns{Turn{Family::modbus_tcp, 4}, Turn{Family::modbus_tcp, 3},
                           Turn{Family::mercury, 0},    Turn{Family::mercury200, 0},
                           Turn{Family::ce102, 0},      Turn{Family::dlt645, 0x11},
                           Turn{Family::dlt645, 0x01},  Turn{Family::modbus_rtu, 4},
                           Turn{Family::modbus_rtu, 3}, Turn{Family::iec62056, 0}};

void plan_round(const Catalogue& catalogue, const Wishes& wishes, const LineSettings& line,
                Plan& plan) {
  Round round;
  round.line = line;
  for (const Turn& turn : turns) {
    if (!wishes.wants(protocol_of(turn.family))) continue;
    if (!wishes.network && turn.family == Family::modbus_tcp) continue;
    const auto usual = lines_of(catalogue, turn.family);
    const bool asked = wishes.network || !wishes.lines.empty() || wishes.depth == Depth::deep ||
                       std::ranges::find(usual, line) != usual.end();
    // Seven bits would cut bytes, and eight are no sign-on.
    const bool seven = line.data_bits == 7;
    if (!asked || (!wishes.network && seven != (turn.family == Family::iec62056))) continue;
    add_questions(catalogue, wishes, turn.family, turn.function, round);
  }
  if (!round.questions.empty()) plan.rounds.push_back(std::move(round));
}

// By how many profiles have it, so that the likely ones come first.
std::vector<LineSettings> asking_lines(const Catalogue& catalogue, const Wishes& wishes) {
  if (wishes.network) return {LineSettings()};
  if (!wishes.lines.empty()) return wishes.lines;
  std::vector<LineSettings> all;
  const auto add = [&all](const std::vector<LineSettings>& some, std::size_t most) {
    for (std::size_t i = 0; i < std::min(some.size(), most); ++i) {
      if (std::ranges::find(all, some[i]) == all.end()) all.push_back(some[i]);
    }
  };
  const std::size_t most = wishes.depth == Depth::quick ? 2 : SIZE_MAX;
  for (const Family family : {Family::modbus_rtu, Family::mercury, Family::mercury200,
                              Family::ce102, Family::dlt645, Family::iec62056}) {
    if (wishes.wants(protocol_of(family))) add(lines_of(catalogue, family), most);
  }
  return all;
}

std::vector<Stretch> listening(const Catalogue& catalogue, const Wishes& wishes) {
  const bool quick = wishes.depth == Depth::quick;
  // Longer than the pause between two telegrams of most meters.
  const Milliseconds length = quick ? Milliseconds(4000) : Milliseconds(11'000);
  std::vector<LineSettings> lines = wishes.lines;
  if (wishes.network) {
    lines = {LineSettings()};
  } else if (lines.empty()) {
    lines = catalogue.lines({});
    LineSettings seven = line_of(9600, Parity::even);
    seven.data_bits = 7;
    for (const std::uint32_t baud : {9600U, 2400U}) {  // mode D, DSMR 2.2
      seven.baud = baud;
      if (std::ranges::find(lines, seven) == lines.end()) lines.push_back(seven);
    }
    const LineSettings norway = line_of(2400, Parity::none);
    if (std::ranges::find(lines, norway) == lines.end()) lines.push_back(norway);
  }
  std::vector<Stretch> all;
  for (const LineSettings& line : lines) {
    Stretch& one = all.emplace_back();
    one.line = line;
    one.length = length;
  }
  return all;
}

std::string seconds(Milliseconds time) {
  const auto whole = (time.count() + 999) / 1000;
  return whole < 120 ? std::to_string(whole) + " s" : std::to_string((whole + 59) / 60) + " min";
}

std::string numbers(const std::set<std::uint32_t>& all) {
  std::string text;
  for (auto at = all.begin(); at != all.end();) {
    auto last = at;
    for (auto next = std::next(at); next != all.end() && *next == *last + 1; ++next)
      last = next;
    text += (text.empty() ? "" : ", ") + std::to_string(*at);
    if (*last != *at) text += " to " + std::to_string(*last);
    at = std::next(last);
  }
  return text;
}

std::string target(Family family, const std::set<std::uint32_t>& all) {
  switch (family) {
    case Family::iec62056:
      return "sign-on without address (/?!), the answer is not followed up";
    case Family::mercury:
      return all.contains(everybody_mercury)
                 ? "its own address (08 05) of whoever is there; no channel is opened, no password "
                   "is sent"
                 : "its own address (08 05) at " + numbers(all) +
                       "; no channel is opened, no password is sent";
    case Family::mercury200:
      return "serial number (2F) at " + numbers(all);
    case Family::ce102:
      return "version (0100), as the user who may only read, at " +
             (all.contains(everybody_ce102) ? "65535 (everybody; only the CE307 answers to it)"
                                            : numbers(all));
    case Family::dlt645:
      return "energy, after 2007 and after 1997, at " +
             (all.contains(everybody_dlt645)
                  ? "AAAAAAAAAAAA (whoever is there; of several on a line none is understood)"
                  : numbers(all));
    case Family::modbus_rtu:
    case Family::modbus_tcp:
      return "two input registers or one holding register at 0, units " + numbers(all);
  }
  return {};
}

}  // namespace

bool Wishes::wants(std::string_view protocol) const {
  return protocols.empty() || std::ranges::find(protocols, protocol) != protocols.end();
}

Milliseconds Plan::longest() const {
  Milliseconds all{};
  for (const Stretch& stretch : listening)
    all += stretch.length;
  for (const Round& round : rounds) {
    for (const Question& question : round.questions)
      all += question.wait + gap;
  }
  return all;
}

std::size_t Plan::questions() const {
  std::size_t count = 0;
  for (const Round& round : rounds)
    count += round.questions.size();
  return count;
}

Plan make_plan(const Catalogue& catalogue, const Wishes& wishes) {
  Plan plan;
  plan.listening = listening(catalogue, wishes);
  for (const LineSettings& line : asking_lines(catalogue, wishes))
    plan_round(catalogue, wishes, line, plan);
  return plan;
}

std::vector<std::string> words(const Plan& plan, const Wishes& wishes) {
  std::vector<std::string> lines;
  std::string at;
  for (const Stretch& stretch : plan.listening)
    at += (at.empty() ? "" : ", ") + stretch.line.text();
  if (!plan.listening.empty())
    lines.push_back("listens first, " + seconds(plan.listening.front().length) +
                    (wishes.network ? "" : " each at " + at + "; a silent line is left sooner"));
  std::map<Family, std::pair<std::string, std::set<std::uint32_t>>> families;
  for (const Round& round : plan.rounds) {
    std::set<Family> here;
    for (const Question& question : round.questions) {
      auto& [where, who] = families[question.family];
      if (here.insert(question.family).second)
        where += (where.empty() ? "" : ", ") + round.line.text();
      who.insert(question.address);
    }
  }
  for (const auto& [family, asked] : families)
    lines.push_back("asks " + std::string(title_of(family)) +
                    (wishes.network ? "" : " at " + asked.first) + ": " +
                    target(family, asked.second));
  if (!plan.rounds.empty())
    lines.push_back("only requests that read; at most " + std::to_string(plan.questions()) +
                    " until somebody answers, then what his registers hold; at most " +
                    seconds(plan.longest()) + " if nobody does");
  return lines;
}

}  // namespace meterbridge::scan
