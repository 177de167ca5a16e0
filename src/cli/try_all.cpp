// SPDX-License-Identifier: MIT
#include "cli/try_all.hpp"

#include "cli/command.hpp"
#include "protocol/modbus/meanings.hpp"
#include "protocol/modbus/pdu.hpp"
#include "protocol/modbus/values.hpp"

#include <charconv>
#include <optional>
#include <vector>

namespace meterbridge::cli {
namespace {

namespace modbus = protocol::modbus;

// Registers as an answer has them; the first one's place where the request is known.
struct Registers {
  Registers() = default;
  int function = 0;
  std::optional<std::uint32_t> address;
  std::vector<std::uint16_t> words;
};

std::optional<std::uint32_t> hex_number(std::string_view digits) {
  std::uint32_t number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stop, fault] = std::from_chars(digits.data(), end, number, 16);
  return fault == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

// Items of registers: "3:0x000C" with its number, or a function with the words of an answer that
// nobody is known to have asked for.
Registers registers_of(const protocol::Telegram& telegram) {
  Registers found;
  for (const protocol::Item& item : telegram.items) {
    const char function = item.address.empty() ? '\0' : item.address.front();
    if (function != '3' && function != '4') return {};
    found.function = function - '0';
    for (const std::string& group : item.groups) {
      const auto word = hex_number(group);
      if (word) found.words.push_back(static_cast<std::uint16_t>(*word));
    }
    if (!item.value) continue;
    if (!found.address) found.address = hex_number(std::string_view(item.address).substr(4));
    found.words.push_back(static_cast<std::uint16_t>(item.value->digits()));
  }
  return found;
}

std::string place_of(const Registers& registers, const modbus::Meaning& meaning) {
  if (registers.address)
    return modbus::address_text(registers.function,
                                *registers.address + static_cast<std::uint32_t>(meaning.first));
  return "register " + std::to_string(meaning.first + 1);
}

std::string table_of(const Registers& registers) {
  std::vector<std::vector<std::string>> rows{{"FROM", "TYPE", "ABCD", "CDAB", "BADC", "DCBA"}};
  for (const modbus::Meaning& meaning : modbus::meanings(registers.words)) {
    std::vector<std::string> row{place_of(registers, meaning), std::string(meaning.type)};
    row.insert(row.end(), meaning.texts.begin(), meaning.texts.end());
    rows.push_back(std::move(row));
  }
  return rows.size() > 1 ? table(rows) : std::string();
}

}  // namespace

std::string meanings_text(const protocol::Decoded& decoded) {
  return decoded.ok() ? table_of(registers_of(decoded.telegram)) : std::string();
}

Result<std::string> meanings_text(ByteView registers) {
  constexpr std::size_t most = 2 * std::size_t{modbus::most_registers};
  if (registers.empty() || registers.size() % 2 != 0 || registers.size() > most) {
    return Error(Errc::malformed,
                 "neither a Modbus answer nor 1 to 125 registers of two bytes each");
  }
  Registers found;
  for (std::size_t i = 0; i < registers.size(); i += 2)
    found.words.push_back(
        static_cast<std::uint16_t>((unsigned{u8(registers[i])} << 8U) | u8(registers[i + 1])));
  return table_of(found);
}

}  // namespace meterbridge::cli
