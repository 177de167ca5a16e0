// SPDX-License-Identifier: MIT
#include "cli/console_words.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::cli {
namespace {

constexpr std::string_view help =
    R"(  m [METER or PROFILE [KEY=VALUE...]]   pick a meter; without a name: what there is
  r                                     read all values
  g [GROUP]                             read one group: energy, power, network, volume, device
  w [ROUNDS]                            watch live until a key is pressed (or so many rounds)
  l SPEED MODE                          speed and parity of this end of the line, e.g. l 9600 8N1
  b                                     show the bytes of each reading and what they mean, or not
  t FILE                                record what crosses the line, for `decode`; t alone ends it
  s                                     show meter, line and recording
  h                                     this list
  q                                     quit
Nothing is ever written to a meter, nor is its own speed changed.
)";

constexpr std::array<std::string_view, 5> groups = {"energy", "power", "network", "volume",
                                                    "device"};

// "l", "line" and "speed" are the same.
struct Word {
  char letter;
  std::array<std::string_view, 2> words;
};

constexpr std::array<Word, 10> vocabulary{{{'m', {"meter", "pick"}},
                                           {'r', {"read", "all"}},
                                           {'g', {"group", "groups"}},
                                           {'w', {"watch", "live"}},
                                           {'l', {"line", "speed"}},
                                           {'b', {"bytes", "raw"}},
                                           {'t', {"transcript", "record"}},
                                           {'s', {"show", "status"}},
                                           {'h', {"help", "?"}},
                                           {'q', {"quit", "exit"}}}};

}  // namespace

std::string_view console_help() noexcept {
  return help;
}

std::span<const std::string_view> reading_groups() noexcept {
  return groups;
}

std::string_view group_of(Quantity quantity) noexcept {
  switch (quantity) {
    case Quantity::energy:
    case Quantity::reactive_energy:
    case Quantity::apparent_energy:
    case Quantity::heat:
    case Quantity::counter:
      return groups[0];
    case Quantity::power:
    case Quantity::reactive_power:
    case Quantity::apparent_power:
    case Quantity::dc_power:
      return groups[1];
    case Quantity::gas:
    case Quantity::water:
    case Quantity::volume:
    case Quantity::flow:
    case Quantity::temperature:
    case Quantity::temperature_flow:
    case Quantity::temperature_return:
      return groups[3];
    case Quantity::tariff:
    case Quantity::serial:
    case Quantity::firmware:
    case Quantity::clock:
    case Quantity::status:
    case Quantity::message:
    case Quantity::input:
    case Quantity::value:
      return groups[4];
    default:
      return groups[2];
  }
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::string joined(const std::vector<std::string>& words, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < words.size(); ++i)
    text += (i == from ? "" : " ") + words[i];
  return text;
}

char letter_of(std::string_view word) noexcept {
  for (const Word& known : vocabulary) {
    if (word.size() == 1 && word.front() == known.letter) return known.letter;
    if (word == known.words[0] || word == known.words[1]) return known.letter;
  }
  return '\0';
}

}  // namespace meterbridge::cli
