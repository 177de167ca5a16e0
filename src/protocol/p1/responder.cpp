// SPDX-License-Identifier: MIT
#include "protocol/p1/responder.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::string_view system_title{"MBR\0\0\0\0\1", 8};
constexpr std::string_view other_title{"MBR\0\0\0\0\2", 8};

Country country_for(Country wanted, bool encrypts) noexcept {
  if (wanted != Country::automatic) return wanted;
  return encrypts ? Country::lu : Country::hu;
}

}  // namespace

P1Responder::P1Responder(Country country, CipherKeys keys)
    : country_(country_for(country, !keys.key.empty())), keys_(std::move(keys)) {}

Bytes P1Responder::push() {
  const std::string text = telegram_text(country_, face_, mischief_.foreign ? 2 : 1);
  if (keys_.key.empty()) return to_bytes(text);
  // Counted on from the time shown, so that a simulation that is started again does not repeat
  // itself.
  const auto seconds =
      static_cast<std::uint32_t>(std::max<std::int64_t>(face_.now.time_since_epoch().count(), 0));
  counter_ = std::max(counter_ + 1, seconds);
  Bytes key = keys_.key;
  if (mischief_.wrong_key) key.front() ^= std::byte{0xFF};
  auto frame = encrypt_frame(text, key, keys_.authentication.value_or(default_authentication_key()),
                             mischief_.foreign ? other_title : system_title, counter_);
  if (!frame) return {};
  return *std::move(frame);
}

}  // namespace meterbridge::protocol::p1
