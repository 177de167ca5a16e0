// SPDX-License-Identifier: MIT
// Names of entities. Tariffs are numbered, never "low" or "high": which is which differs from
// country to country.
#include "homeassistant/documents.hpp"
#include "homeassistant/language.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::homeassistant {
namespace {

constexpr std::array all_languages = {
    &languages_of_the_house::english, &languages_of_the_house::german,
    &languages_of_the_house::hungarian, &languages_of_the_house::russian};

// "tariff {}" -> "tariff 2"
std::string numbered(std::string_view text, int number) {
  std::string out(text);
  if (const std::size_t place = out.find("{}"); place != std::string::npos)
    out.replace(place, 2, std::to_string(number));
  return out;
}

std::string quantity_and_direction(const ReadingKey& key, const Language& language) {
  for (const Phrase& phrase : language.phrases) {
    if (phrase.quantity == key.quantity && phrase.direction == key.direction)
      return std::string(phrase.text);
  }
  std::string text = numbered(find_term(language.quantities, key.quantity), key.number);
  return text.append(find_term(language.directions, key.direction));
}

// A letter of two bytes, as number; 0 where there is none.
unsigned pair_at(std::string_view text) {
  if (text.size() < 2) return 0;
  return static_cast<unsigned char>(text[0]) * 256U + static_cast<unsigned char>(text[1]);
}

unsigned capital_of(unsigned pair) {
  if (pair >= 0xc3a0 && pair <= 0xc3be && pair != 0xc3b7) return pair - 0x20;  // à .. þ
  if (pair == 0xc591 || pair == 0xc5b1) return pair - 1;                       // ő, ű
  if (pair >= 0xd0b0 && pair <= 0xd0bf) return pair - 0x20;                    // а .. п
  if (pair >= 0xd180 && pair <= 0xd18f) return pair - 0xe0;                    // р .. я
  if (pair == 0xd191) return 0xd081;                                           // ё
  return pair;
}

}  // namespace

std::span<const Language* const> languages() noexcept {
  return all_languages;
}

const Language& language(std::string_view code) noexcept {
  const auto* const found = std::find_if(all_languages.begin(), all_languages.end(),
                                         [&](const Language* one) { return one->code == code; });
  return found == all_languages.end() ? languages_of_the_house::english : **found;
}

std::string capitalised(std::string_view text) {
  std::string out(text);
  if (out.empty()) return out;
  if (out[0] >= 'a' && out[0] <= 'z') {
    out[0] = static_cast<char>(out[0] - 'a' + 'A');
  } else if (const unsigned pair = pair_at(text); pair != 0) {
    const unsigned capital = capital_of(pair);
    out[0] = static_cast<char>(capital / 256U);
    out[1] = static_cast<char>(capital % 256U);
  }
  return out;
}

std::string word(const Language& language, Word word) {
  return std::string(find_term(language.words, word));
}

std::string entity_name(const ReadingKey& key, const Language& language) {
  std::string name = numbered(find_term(language.scopes, key.scope), key.channel);
  name += quantity_and_direction(key, language);
  name += find_term(language.aspects, key.aspect);
  name += find_term(language.phases, key.phase);
  if (key.tariff != 0) name += numbered(language.tariff, key.tariff);
  return capitalised(name);
}

std::string entity_name(const ReadingKey& key) {
  return entity_name(key, languages_of_the_house::english);
}

}  // namespace meterbridge::homeassistant
