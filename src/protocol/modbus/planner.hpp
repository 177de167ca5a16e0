// SPDX-License-Identifier: MIT
// Which values are read with which requests: as few as the device's limits and manners allow.
#pragma once

#include "protocol/modbus/pdu.hpp"
#include "protocol/modbus/register.hpp"

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace meterbridge::protocol::modbus {

// A register of one of the four tables of a device.
struct Place {
  Place() = default;

  Place(Function f, std::uint32_t a) : function(f), address(a) {}

  Function function = Function::holding;
  std::uint32_t address = 0;
  friend std::strong_ordering operator<=>(const Place&, const Place&) = default;
};

// Values that must come from one answer: a value and its scale register, or values that share
// registers.
struct Atom {
  Atom() = default;
  Place begin;
  std::uint32_t end = 0;  // one past the last register
  bool alone = false;
  std::vector<std::size_t> values;  // of the table

  [[nodiscard]] std::uint32_t length() const noexcept { return end - begin.address; }
};

// One request and what it brings.
struct Block {
  Block() = default;
  std::vector<Atom> atoms;

  [[nodiscard]] ReadRequest request() const noexcept;
};

struct Reach {
  Reach() = default;
  int registers = 60;  // longest read
  int gap = 10;        // registers that are read along to join two values
};

// What the device taught.
struct Lessons {
  Lessons() = default;
  std::map<Place, std::uint32_t> refused;  // no such registers: begin and end
  std::set<Place> cuts;                    // here a block begins: it refused to be read in one
};

// Sorted by function and address. Of registers whose `model` is set, the address is the device's.
[[nodiscard]] std::vector<Atom> atoms_of(std::span<const Register> registers,
                                         const std::vector<bool>& wanted, const Reach& reach);
// What was refused is not in any block, nor read along.
[[nodiscard]] std::vector<Block> plan(std::span<const Atom> atoms, const Reach& reach,
                                      const Lessons& lessons);

// Which values are asked for, and how when the device has taught nothing.
struct ReadPlan {
  ReadPlan(std::span<const Register> registers, std::vector<bool> these, const Reach& reach);
  std::vector<bool> wanted;
  std::vector<Atom> atoms;
  std::vector<std::shared_ptr<const Block>> blocks;  // shared with the polls that ask for them
};

[[nodiscard]] std::vector<std::shared_ptr<const Block>> shared_blocks(std::vector<Block> blocks);

// Two parts of a block of several atoms: at its widest gap, else in the middle.
[[nodiscard]] std::pair<Block, Block> split(const Block& block);

}  // namespace meterbridge::protocol::modbus
