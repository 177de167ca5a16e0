// SPDX-License-Identifier: MIT
// Step 3 of 5: from the APDU to the plain data-notification.
//
//   DB or DC | 08 | system title (8) | length (BER) | security control | frame counter (4) |
//   ciphertext | tag (12)
//
// DB general-glo-ciphering, DC general-ded-ciphering. The bits of the security control decide,
// never the maker: 20 encrypted, 21 the same with suite 1 (still AES-128), 30 with a tag.
#pragma once

#include "protocol/gcm.hpp"
#include "protocol/telegram.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::protocol::dlms {

// Where an APDU without link layer ends.
struct ApduLength {
  enum class Verdict : std::uint8_t { none, undecided, good };
  Verdict verdict = Verdict::none;
  std::size_t total = 0;
  bool credible = false;  // enough of it is there to say that it is one
};

[[nodiscard]] ApduLength apdu_length(ByteView bytes);

struct CipherKeys {
  Bytes key;                 // 16 bytes, or empty
  Bytes authentication;      // 16 bytes; empty: tags are not verified
  std::string system_title;  // of telegrams that carry none
};

// The plain data-notification, or why there is none.
struct Opened {
  Opened() = default;
  Status status = Status::ok;
  std::string error;
  ByteView plain;  // valid until the next open()
  bool ciphered = false;
  bool verified = false;  // a tag was compared
  std::string_view system_title;
  std::uint32_t counter = 0;
  std::string_view ciphertext;
};

class Decipher {
 public:
  explicit Decipher(CipherKeys keys) : keys_(std::move(keys)), gcm_(keys_.key) {}

  Opened open(ByteView apdu);

 private:
  Opened decrypt(Opened opened, std::uint8_t security, ByteView content);

  CipherKeys keys_;
  Gcm gcm_;
  Bytes plain_;
};

// A data-notification: byte 0 is 0F, then date-time and a body that is a list. Without a tag this
// is what tells a wrong key.
[[nodiscard]] bool looks_plain(ByteView plain) noexcept;

}  // namespace meterbridge::protocol::dlms
