// SPDX-License-Identifier: MIT
// Encrypted P1 frames (Luxembourg, Austria, Poland, Lithuania):
//
//   DB | 08 | system title (8) | length | security control | frame counter (4) | ciphertext | tag
//   (12)
//
// AES-128-GCM, initialisation vector = system title, frame counter. `length` counts from the
// security control to the end, in BER form: one byte below 80, else 81 xx or 82 xx xx. The tag is
// there only when the security control says "authenticated" (30); 20 is encrypted only.
#pragma once

#include "protocol/gcm.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace meterbridge::protocol::p1 {

// The frame's fields as views into the frame.
struct EncryptedFrame {
  std::string_view system_title;  // 8 bytes, or empty
  std::uint8_t security = 0;
  std::uint32_t counter = 0;
  std::string_view ciphertext;
  std::string_view tag;  // empty when the security control promises none

  [[nodiscard]] bool authenticated() const noexcept;
};

// What can be said of bytes that begin with DB.
struct FrameLength {
  enum class Verdict : std::uint8_t { none, undecided, frame };
  Verdict verdict = Verdict::none;
  std::size_t total = 0;  // of the whole frame
};

[[nodiscard]] FrameLength encrypted_length(std::string_view bytes) noexcept;
// `frame` is a whole frame as encrypted_length() measured it. Error: unsupported (security control,
// in words).
Result<EncryptedFrame> parse_encrypted(std::string_view frame);

struct CipherKeys {
  Bytes key;  // 16 bytes
  // What stands behind the security control in the additional data. Nothing: not configured, then
  // the usual default key is tried, and after it none at all. Empty: no additional data.
  std::optional<Bytes> authentication;
  std::string system_title;  // for frames that carry none
};

class Cipher {
 public:
  explicit Cipher(CipherKeys keys) : keys_(std::move(keys)), gcm_(keys_.key) {}

  [[nodiscard]] bool has_key() const noexcept { return gcm_.has_key(); }

  // The plaintext; valid until the next call. Errors: key (none configured, no system title),
  // authentication.
  Result<std::string_view> open(const EncryptedFrame& frame);

 private:
  bool decrypt(const EncryptedFrame& frame, std::string_view title, const Bytes& additional);

  CipherKeys keys_;
  Gcm gcm_;
  std::string plaintext_;
};

// The other direction, for the responder: a whole frame. `title` has 8 bytes; authentication
// nothing = encrypted only (20), empty = a tag without additional data.
Result<Bytes> encrypt_frame(std::string_view plaintext, const Bytes& key,
                            const std::optional<Bytes>& authentication, std::string_view title,
                            std::uint32_t counter);

[[nodiscard]] const Bytes& default_authentication_key();

}  // namespace meterbridge::protocol::p1
