// SPDX-License-Identifier: MIT
// What Home Assistant's users read, as one table a language (languages/*.cpp). Identities never
// come from here: they are the same in every language.
#pragma once

#include "core/reading_key.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace meterbridge::homeassistant {

// Names of entities that belong to no reading.
enum class Word : std::uint8_t {
  breaker,
  connectivity,
  last_reading,
  fault,
  error,
  error_rate,
  recoveries,
  poll_time,
  poll,
  interval,
  pause,
  uptime,
  memory,
  queue,
  version,
  alarms,
};
inline constexpr Word last_word = Word::alarms;

template <class Key>
struct Term {
  Key key;
  std::string_view text;
};

// Where a quantity and its direction are one expression: "Bezug" instead of "Energie Bezug".
struct Phrase {
  Quantity quantity;
  Direction direction;
  std::string_view text;
};

// A name is put together from left to right: scope, quantity or phrase, direction, aspect, phase,
// tariff; each brings its own separator. {} stands for a number. The first letter becomes a capital
// one, so that terms are written as inside a sentence.
struct Language {
  std::string_view code;
  std::span<const Term<Scope>> scopes;
  std::span<const Term<Quantity>> quantities;
  std::span<const Phrase> phrases;  // may be empty
  std::span<const Term<Direction>> directions;
  std::span<const Term<Aspect>> aspects;
  std::span<const Term<Phase>> phases;
  std::string_view tariff;
  std::span<const Term<Word>> words;
  std::span<const Term<std::string_view>> media;      // devices of sub-meters: "gas" -> "Gas meter"
  std::span<const Term<std::string_view>> anomalies;  // by the kind of alarm, which is its name
};

[[nodiscard]] std::span<const Language* const> languages() noexcept;
// English where the code is unknown.
[[nodiscard]] const Language& language(std::string_view code) noexcept;

// Empty when the table has no such term (a test forbids it).
template <class Key>
[[nodiscard]] std::string_view find_term(std::span<const Term<Key>> terms, const Key& key) {
  for (const auto& term : terms) {
    if (term.key == key) return term.text;
  }
  return {};
}

[[nodiscard]] std::string word(const Language& language, Word word);
// Entity name without the device's name: "Energy import tariff 1", "Wirkleistung L1".
[[nodiscard]] std::string entity_name(const ReadingKey& key, const Language& language);
// With a capital first letter, of the alphabets of our languages.
[[nodiscard]] std::string capitalised(std::string_view text);

namespace languages_of_the_house {
extern const Language english, german, hungarian, russian;
}

}  // namespace meterbridge::homeassistant
