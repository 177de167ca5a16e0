// SPDX-License-Identifier: MIT
#include "protocol/modbus/planner.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::modbus {
namespace {

constexpr int bits_per_register = 16;

struct Limits {
  std::uint32_t length = 0;
  std::uint32_t gap = 0;
};

// Sixteen bits take the line time of one register.
Limits limits_of(Function function, const Reach& reach) {
  const int unit = of_bits(function) ? bits_per_register : 1;
  const int most = of_bits(function) ? most_bits : most_registers;
  Limits limits;
  limits.length = static_cast<std::uint32_t>(std::clamp(reach.registers * unit, 1, most));
  limits.gap = static_cast<std::uint32_t>(std::max(reach.gap * unit, 0));
  return limits;
}

Atom atom_of(const Register& value, std::size_t index) {
  Atom atom;
  atom.begin = Place(function_from(value.function).value_or(Function::holding), value.address);
  atom.end = value.end();
  atom.alone = value.alone;
  atom.values.push_back(index);
  if (value.scale_register) {
    atom.begin.address = std::min<std::uint32_t>(atom.begin.address, *value.scale_register);
    atom.end = std::max(atom.end, std::uint32_t{*value.scale_register} + 1);
  }
  return atom;
}

bool overlaps_refused(Function function, std::uint32_t begin, std::uint32_t end,
                      const Lessons& lessons) {
  for (const auto& [place, refused_end] : lessons.refused) {
    if (place.function == function && place.address < end && begin < refused_end) return true;
  }
  return false;
}

bool may_join(const Block& block, const Atom& atom, const Reach& reach, const Lessons& lessons) {
  const Atom& first = block.atoms.front();
  std::uint32_t block_end = 0;
  for (const Atom& one : block.atoms)
    block_end = std::max(block_end, one.end);
  const Limits limits = limits_of(atom.begin.function, reach);
  if (first.begin.function != atom.begin.function || first.alone || atom.alone) return false;
  if (lessons.cuts.contains(atom.begin)) return false;
  if (std::max(block_end, atom.end) - first.begin.address > limits.length) return false;
  if (atom.begin.address <= block_end) return true;
  return atom.begin.address - block_end <= limits.gap &&
         !overlaps_refused(atom.begin.function, block_end, atom.begin.address, lessons);
}

}  // namespace

ReadRequest Block::request() const noexcept {
  std::uint32_t end = 0;
  for (const Atom& atom : atoms)
    end = std::max(end, atom.end);
  const Place begin = atoms.front().begin;
  return {begin.function, static_cast<std::uint16_t>(begin.address),
          static_cast<std::uint16_t>(end - begin.address)};
}

std::vector<Atom> atoms_of(std::span<const Register> registers, const std::vector<bool>& wanted,
                           const Reach& reach) {
  std::vector<Atom> all;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    if (i < wanted.size() && wanted[i]) all.push_back(atom_of(registers[i], i));
  }
  // In the order of the table where they lie alike: each has one value still.
  std::ranges::sort(all, [](const Atom& a, const Atom& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    return a.end != b.end ? a.end < b.end : a.values < b.values;
  });
  std::vector<Atom> joined;
  for (Atom& atom : all) {
    Atom* last = joined.empty() ? nullptr : &joined.back();
    const bool shares = last != nullptr && last->begin.function == atom.begin.function &&
                        atom.begin.address < last->end && last->alone == atom.alone;
    const std::uint32_t end = shares ? std::max(last->end, atom.end) : 0;
    if (shares && end - last->begin.address <= limits_of(atom.begin.function, reach).length) {
      last->end = end;
      last->values.push_back(atom.values.front());
    } else {
      joined.push_back(std::move(atom));
    }
  }
  return joined;
}

std::vector<Block> plan(std::span<const Atom> atoms, const Reach& reach, const Lessons& lessons) {
  std::vector<Block> blocks;
  for (const Atom& atom : atoms) {
    const auto refused = lessons.refused.find(atom.begin);
    if (refused != lessons.refused.end() && refused->second == atom.end) continue;
    if (blocks.empty() || !may_join(blocks.back(), atom, reach, lessons)) blocks.emplace_back();
    blocks.back().atoms.push_back(atom);
  }
  return blocks;
}

std::vector<std::shared_ptr<const Block>> shared_blocks(std::vector<Block> blocks) {
  std::vector<std::shared_ptr<const Block>> shared;
  shared.reserve(blocks.size());
  for (Block& block : blocks)
    shared.push_back(std::make_shared<const Block>(std::move(block)));
  return shared;
}

ReadPlan::ReadPlan(std::span<const Register> registers, std::vector<bool> these, const Reach& reach)
    : wanted(std::move(these)),
      atoms(atoms_of(registers, wanted, reach)),
      blocks(shared_blocks(plan(atoms, reach, Lessons()))) {}

std::pair<Block, Block> split(const Block& block) {
  std::size_t at = block.atoms.size() / 2;
  std::int64_t widest = 0;
  for (std::size_t i = 1; i < block.atoms.size(); ++i) {
    const std::int64_t gap =
        std::int64_t{block.atoms[i].begin.address} - std::int64_t{block.atoms[i - 1].end};
    if (gap <= widest) continue;
    widest = gap;
    at = i;
  }
  const auto middle = block.atoms.begin() + static_cast<std::ptrdiff_t>(at);
  std::pair<Block, Block> parts;
  parts.first.atoms.assign(block.atoms.begin(), middle);
  parts.second.atoms.assign(middle, block.atoms.end());
  return parts;
}

}  // namespace meterbridge::protocol::modbus
