// SPDX-License-Identifier: MIT
#include "protocol/modbus/sunspec.hpp"

#include <algorithm>

namespace meterbridge::protocol::modbus {
namespace {

constexpr std::uint16_t mark_high = 0x5375;  // "SunS"
constexpr std::uint16_t mark_low = 0x6E53;
constexpr std::uint16_t last_model = 0xFFFF;
constexpr std::size_t most_models = 64;
constexpr std::uint32_t last_register = 0xFFFF;
constexpr std::uint16_t head = 2;  // registers of the mark, and of id and length

}  // namespace

std::optional<ReadRequest> SunSpecSearch::question() const {
  if (at_) return ReadRequest(Function::holding, static_cast<std::uint16_t>(*at_), head);
  if (found_ || base_ >= bases_.size()) return std::nullopt;
  return ReadRequest(Function::holding, std::min<std::uint16_t>(bases_[base_], last_register - 1),
                     head);
}

void SunSpecSearch::answered(std::span<const std::uint16_t> words) {
  if (words.size() != head) return refused();
  if (!at_) {
    if (words[0] != mark_high || words[1] != mark_low) return refused();
    found_ = true;
    at_ = std::uint32_t{bases_[base_]} + head;
  } else {
    if (words[0] == last_model || ++visited_ > most_models) {
      at_.reset();
      return;
    }
    models_.emplace(words[0], static_cast<std::uint16_t>(*at_));
    at_ = *at_ + head + words[1];
  }
  if (*at_ >= last_register) at_.reset();
}

void SunSpecSearch::refused() {
  if (at_) {
    at_.reset();  // a chain without its end: what was found holds
  } else {
    ++base_;
  }
}

std::vector<Register> located(std::span<const Register> registers,
                              const std::map<std::uint16_t, std::uint16_t>& models) {
  std::vector<Register> all;
  for (const Register& one : registers) {
    Register moved = one;
    if (one.model) {
      const auto model = models.find(*one.model);
      if (model == models.end()) continue;
      const std::uint32_t by = model->second;
      if (by + one.end() > last_register + 1) continue;
      if (one.scale_register && by + *one.scale_register > last_register) continue;
      moved.address = static_cast<std::uint16_t>(by + one.address);
      if (one.scale_register)
        moved.scale_register = static_cast<std::uint16_t>(by + *one.scale_register);
    }
    all.push_back(std::move(moved));
  }
  return all;
}

bool needs_sunspec(std::span<const Register> registers) noexcept {
  return std::ranges::any_of(registers, [](const Register& one) { return one.model.has_value(); });
}

std::string model_list(const std::map<std::uint16_t, std::uint16_t>& models) {
  std::string text;
  for (const auto& [id, place] : models)
    text += (text.empty() ? "" : ", ") + std::to_string(id);
  return text;
}

}  // namespace meterbridge::protocol::modbus
