// SPDX-License-Identifier: MIT
// The meters that `simulate` plays: what they call themselves and what their readouts look like.
// Reading knows nothing of them.
#pragma once

#include "protocol/iec62056_21/frame.hpp"
#include "protocol/responder.hpp"

#include <span>
#include <string>
#include <string_view>

namespace meterbridge::protocol::iec62056_21 {

struct Model {
  std::string_view name;
  std::string_view identification;
  // Lines with {key,unit,digits.decimals}, or {serial}, {date}, {time} in them; empty for meters
  // that are read code by code.
  std::string_view readout = {};
  Check check = Check::exclusive_or;
  bool only_slow = false;  // announces a speed, and sends at its first one only
  bool comma = false;      // instead of the decimal point
  int values = 3;          // of a code that has several forms: 1 phase, 2 phase and neutral, 3
                           // phases, 4 phases and their sum
};

// Readouts, and meters that are read code by code.
[[nodiscard]] const Model& model_of(std::string_view name);
// Meters that send by themselves.
[[nodiscard]] const Model& push_model_of(std::string_view name);
[[nodiscard]] std::span<const std::string_view> model_names() noexcept;
[[nodiscard]] std::span<const std::string_view> push_model_names() noexcept;

// The readout with the values of this moment, up to and with its "!" and line end.
[[nodiscard]] std::string readout_of(const Model& model, const MeterFace& face,
                                     std::string_view serial);
// One value: cut to so many decimals, never more than was counted, with zeros in front up to
// `width` characters; width 0: as many as it needs.
[[nodiscard]] std::string digits_of(const Decimal& value, std::size_t width, int decimals);
[[nodiscard]] std::string date_text(const MeterFace& face, std::string_view separator,
                                    bool year_first);
[[nodiscard]] std::string time_text(const MeterFace& face, std::string_view separator);
[[nodiscard]] unsigned weekday_of(const MeterFace& face);

}  // namespace meterbridge::protocol::iec62056_21
