// SPDX-License-Identifier: MIT
// What the registers of a simulated meter hold.
#pragma once

#include "protocol/face.hpp"
#include "protocol/modbus/register.hpp"
#include "protocol/responder.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace meterbridge::protocol::modbus {

[[nodiscard]] std::string shown_text(const ReadingKey& key, int unit);
// The power of ten in the scale register of such a value.
[[nodiscard]] int shown_power(Quantity quantity) noexcept;

// The raw number of a value: what the table says, backwards. Numbers that are too large for the
// type become the largest.
[[nodiscard]] std::uint64_t raw_of(const Register& value, const Decimal& number);

}  // namespace meterbridge::protocol::modbus
