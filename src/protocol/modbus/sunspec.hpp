// SPDX-License-Identifier: MIT
// SunSpec: where the information models of a device lie. At one of the known bases stands "SunS",
// behind it blocks of model id, length, data, up to the id FFFF.
#pragma once

#include "protocol/modbus/pdu.hpp"
#include "protocol/modbus/register.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace meterbridge::protocol::modbus {

class SunSpecSearch {
 public:
  SunSpecSearch() = default;

  explicit SunSpecSearch(std::vector<std::uint16_t> bases) : bases_(std::move(bases)) {}

  // What to read next; nothing when the search is over.
  [[nodiscard]] std::optional<ReadRequest> question() const;
  void answered(std::span<const std::uint16_t> words);  // the two that were asked for
  void refused();                                       // no such registers

  // Model id -> address of that id; of several of the same id the first.
  [[nodiscard]] const std::map<std::uint16_t, std::uint16_t>& models() const { return models_; }

  [[nodiscard]] bool found() const noexcept { return found_; }

 private:
  std::vector<std::uint16_t> bases_;
  std::size_t base_ = 0;
  bool found_ = false;
  std::optional<std::uint32_t> at_;  // the next model
  std::size_t visited_ = 0;
  std::map<std::uint16_t, std::uint16_t> models_;
};

// Registers of models that the device has, with its addresses; the others are left out.
[[nodiscard]] std::vector<Register> located(std::span<const Register> registers,
                                            const std::map<std::uint16_t, std::uint16_t>& models);
[[nodiscard]] bool needs_sunspec(std::span<const Register> registers) noexcept;
// "101, 160"
[[nodiscard]] std::string model_list(const std::map<std::uint16_t, std::uint16_t>& models);

}  // namespace meterbridge::protocol::modbus
