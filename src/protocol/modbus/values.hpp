// SPDX-License-Identifier: MIT
// From the words of answers to items and readings, as the register table says.
#pragma once

#include "protocol/modbus/pdu.hpp"
#include "protocol/modbus/register.hpp"
#include "protocol/telegram.hpp"

#include <optional>
#include <span>
#include <vector>

namespace meterbridge::protocol::modbus {

// What one poll brought. A value is taken from one answer, never put together from two: a counter
// may have carried between them.
class Image {
 public:
  void add(const ReadRequest& request, std::vector<std::uint16_t> words);

  [[nodiscard]] bool empty() const noexcept { return answers_.empty(); }

  // Null unless one answer has all registers of the value, its scale register too.
  struct Answer {
    Answer() = default;
    ReadRequest request;
    std::vector<std::uint16_t> words;

    [[nodiscard]] std::span<const std::uint16_t> words_at(std::uint32_t address,
                                                          std::uint32_t count) const noexcept;
  };

  [[nodiscard]] const Answer* find(const Register& value) const noexcept;

  [[nodiscard]] const std::vector<Answer>& answers() const noexcept { return answers_; }

 private:
  std::vector<Answer> answers_;
};

struct Understood {
  Understood() = default;
  Item item;
  std::optional<Reading> reading;
};

// Nothing when it was not read, or when the device says that it has no value. Error: malformed, for
// a number that does not fit (a wrong type or word order in the table shows like this).
Result<std::optional<Understood>> understand(const Register& value, const Image& image);

// Puts it into the telegram's own meter. Of two registers for the same reading the first counts.
void put(Telegram& telegram, Understood found);
// The exact sum of the tariffs, for tables that have tariffs and no total; only when all were read.
void put_totals(Telegram& telegram, std::span<const Register> registers);

// The raw number, high word first after `order`. At most four words.
[[nodiscard]] std::uint64_t raw_number(std::span<const std::uint16_t> words, const Order& order);
// The inverse, for the meter's side.
[[nodiscard]] std::vector<std::uint16_t> raw_words(std::uint64_t raw, int count,
                                                   const Order& order);

// "3:0x000C", a bit of a register "3:0x000C.5".
[[nodiscard]] std::string address_text(int function, std::uint32_t address);

}  // namespace meterbridge::protocol::modbus
