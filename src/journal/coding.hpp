// SPDX-License-Identifier: MIT
// A sample as few bytes. What repeats (who speaks, which readings) is a word with a small number;
// a sample is its words' numbers and the digits of its values. Pure.
#pragma once

#include "core/bytes.hpp"
#include "core/reading.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace meterbridge::journal {

// Who speaks. Changes with firmware and serial number only.
struct Source {
  Source() = default;
  std::string meter;
  std::string parent;
  MeterIdentity identity;
};

// One reading of a shape. The exponent is the usual one: a sample whose differ says them itself.
struct Slot {
  Slot() = default;
  ReadingKey key;
  Unit unit = Unit::none;
  std::uint8_t kind = 0;  // of the value: its index in the variant
  bool timed = false;     // has a time of its own
  bool known = true;      // false: of a later version of the program; its values are passed over
  std::int8_t exponent = 0;
};

using Shape = std::vector<Slot>;

// A word that a later version of the program wrote, and that cannot even be passed over.
struct Foreign {
  std::string bytes;
};

// The words of one database, numbered from 1. Bounded: what does not fit any more is written out in
// each sample.
class Dictionary {
 public:
  static constexpr std::size_t most = 10000;

  // The number of a word; 0 when there is no room.
  std::uint32_t number_of(const Source& source);
  std::uint32_t number_of(const Shape& shape);
  [[nodiscard]] bool knows(const Shape& shape) const;

  [[nodiscard]] const Source* source(std::uint64_t number) const noexcept;
  [[nodiscard]] const Shape* shape(std::uint64_t number) const noexcept;

  // For the database: words as bytes, and back in the order of their numbers. Bytes that this
  // version does not understand are a word all the same.
  [[nodiscard]] std::size_t size() const noexcept { return words_.size(); }

  [[nodiscard]] std::string bytes(std::uint32_t number) const;
  void add(std::string_view bytes);

  // Names of what is not understood, for a person; at most a few.
  [[nodiscard]] const std::vector<std::string>& foreign() const noexcept { return foreign_; }

 private:
  using Word = std::variant<Source, Shape, Foreign>;

  std::uint32_t keep(std::string match, Word word);
  void note_foreign(std::string name);

  std::vector<Word> words_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  // by what a word is known by
  std::vector<std::string> foreign_;
};

// Everything of a sample but `at`, relative to it where times are concerned. Error: bug, for a key
// that has no name, because it could not be read again.
Result<std::string> encode(const Sample& sample, Dictionary& words);
// Error: malformed, for anything that encode() does not write.
Result<Sample> decode(std::string_view bytes, Instant at, const Dictionary& words);

// Of an entry, so that a changed bit on the disk is no value.
[[nodiscard]] std::uint32_t check_sum(std::uint64_t sequence, std::int64_t at,
                                      std::string_view bytes) noexcept;

}  // namespace meterbridge::journal
