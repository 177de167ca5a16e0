// SPDX-License-Identifier: MIT
#include "simulator/faults.hpp"

#include "core/decimal.hpp"
#include "core/text.hpp"

#include <iterator>

namespace meterbridge::simulator {
namespace {

constexpr std::array<std::string_view, fault_kinds> names{
    "noise", "flip", "cut",  "silence",   "late",   "echo",  "foreign",
    "swap",  "zero", "jump", "wrong-key", "hangup", "master"};
constexpr std::size_t longest_noise = 12;
// Far more than any house uses between two polls, and still within the digits of every meter.
constexpr std::int64_t jump_wh = 100'000'000;
constexpr std::int64_t jump_m3 = 10'000;

void raise(Decimal& register_value, std::int64_t by) {
  if (auto sum = register_value.plus(Decimal(by)); sum) register_value = *sum;
}

}  // namespace

std::string_view name(FaultKind kind) noexcept {
  return names[static_cast<std::size_t>(kind)];
}

std::span<const std::string_view> fault_names() noexcept {
  return names;
}

Result<> add_fault(FaultRates& rates, std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view kind = text.substr(0, equals);
  std::size_t index = 0;
  while (index < names.size() && names[index] != kind)
    ++index;
  if (index == names.size()) {
    std::string words = "\"" + std::string(kind) + "\" is no fault";
    const std::string_view near = nearest(kind, names);
    if (!near.empty()) words += ", did you mean \"" + std::string(near) + "\"?";
    words += " (known:";
    for (std::string_view known : names)
      words += " " + std::string(known);
    return Error(Errc::invalid, words + ")");
  }
  double rate = default_fault_rate;
  if (equals != std::string_view::npos) {
    const auto number = Decimal::parse(text.substr(equals + 1));
    if (!number || number->is_negative() || *number > Decimal(1)) {
      return Error(Errc::invalid, "the rate of fault \"" + std::string(kind) +
                                      "\" must be a number from 0 to 1, for example 0.1");
    }
    rate = number->approximate();
  }
  rates.rate[index] = rate;
  return {};
}

bool Faults::draw(FaultKind kind) {
  const double rate = rates_.of(kind);
  if (rate <= 0) return false;
  return static_cast<double>(random_() >> 11U) * 0x1p-53 < rate;
}

bool Faults::strikes(FaultKind kind) {
  const bool yes = draw(kind);
  if (yes) ++counts_[static_cast<std::size_t>(kind)];
  return yes;
}

std::size_t Faults::below(std::size_t limit) {
  return static_cast<std::size_t>(random_() % limit);
}

Faults::Mood Faults::mood() {
  Mood mood;
  mood.zero = draw(FaultKind::zero);
  mood.jump = draw(FaultKind::jump);
  mood.mischief.foreign = draw(FaultKind::foreign);
  mood.mischief.wrong_key = draw(FaultKind::wrong_key);
  mood.mischief.other_master = draw(FaultKind::master);
  return mood;
}

void Faults::spoken(const Mood& mood) {
  const auto tell = [&](FaultKind kind, bool happened) {
    if (happened) ++counts_[static_cast<std::size_t>(kind)];
  };
  tell(FaultKind::zero, mood.zero);
  tell(FaultKind::jump, mood.jump);
  tell(FaultKind::foreign, mood.mischief.foreign);
  tell(FaultKind::wrong_key, mood.mischief.wrong_key);
  tell(FaultKind::master, mood.mischief.other_master);
}

void Faults::alter(const Mood& mood, protocol::MeterFace& face) {
  if (mood.zero) {
    face.energy_import.fill(Decimal(0, -3));
    face.energy_export.fill(Decimal(0, -3));
    face.gas = Decimal(0, -3);
    face.water = Decimal(0, -3);
  }
  if (mood.jump) {
    raise(face.energy_import[static_cast<std::size_t>(face.tariff - 1)], jump_wh);
    raise(face.energy_export[static_cast<std::size_t>(face.tariff - 1)], jump_wh);
    raise(face.gas, jump_m3);
    raise(face.water, jump_m3);
  }
}

void Faults::disturb(Bytes& bytes) {
  Bytes rubbish(1 + below(longest_noise));
  for (std::byte& b : rubbish)
    b = static_cast<std::byte>(random_() & 0xFFU);
  const auto where = std::next(bytes.begin(), static_cast<std::ptrdiff_t>(below(bytes.size() + 1)));
  bytes.insert(where, rubbish.begin(), rubbish.end());
}

Emission Faults::distort(Bytes transmission) {
  Bytes before = std::exchange(previous_, transmission);
  Emission out(std::move(transmission));
  if (!before.empty() && strikes(FaultKind::swap)) out.bytes = std::move(before);
  if (!out.bytes.empty() && strikes(FaultKind::flip)) {
    out.bytes[below(out.bytes.size())] ^= static_cast<std::byte>(1U << below(8));
  }
  if (out.bytes.size() > 1 && strikes(FaultKind::cut)) {
    out.bytes.resize(1 + below(out.bytes.size() - 1));
  }
  if (strikes(FaultKind::noise)) disturb(out.bytes);
  if (strikes(FaultKind::silence)) out.bytes.clear();
  if (rates_.most_delay > Milliseconds::zero()) {
    const auto spread = static_cast<std::size_t>((rates_.most_delay - rates_.least_delay).count());
    out.delay = rates_.least_delay + Milliseconds(below(spread + 1));
  }
  if (strikes(FaultKind::late)) out.delay += lateness;
  if (strikes(FaultKind::hangup)) {
    out.bytes.resize(out.bytes.size() / 2);
    out.hang_up = true;
  }
  return out;
}

bool Faults::echoes() {
  return strikes(FaultKind::echo);
}

}  // namespace meterbridge::simulator
