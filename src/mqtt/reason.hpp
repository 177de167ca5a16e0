// SPDX-License-Identifier: MIT
// Why a broker said no, in words. Codes of MQTT 3.1.1 (CONNACK 1 ... 5) and MQTT 5 (128 and above).
#pragma once

#include "core/result.hpp"

#include <string>

namespace meterbridge::mqtt {

inline constexpr int unsupported_protocol_version = 132;  // MQTT 5; 3.1.1 brokers say 1

// Why there is no TCP connection, from errno.
[[nodiscard]] Error connection_failed(int system_error);
// The other side hung up in the handshake.
[[nodiscard]] Error handshake_cut();
// Why the connection was refused. `has_credentials`: whether we sent a user name.
[[nodiscard]] Error connection_refused(int code, bool has_credentials);
// Why the broker ended the connection (DISCONNECT, MQTT 5 only).
[[nodiscard]] Error connection_ended(int code);
// "not authorised", "quota exceeded"; for PUBACK and SUBACK too. 128 has no meaning but "failed".
[[nodiscard]] std::string reason_text(int code);

}  // namespace meterbridge::mqtt
