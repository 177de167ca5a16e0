// SPDX-License-Identifier: MIT
// AES-128-GCM as DLMS uses it, in P1 telegrams and in pushed lists: the initialisation vector is
// the system title of the meter and its frame counter, the tag has 12 bytes.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <span>

struct evp_cipher_ctx_st;

namespace meterbridge::protocol {

inline constexpr std::size_t gcm_key_size = 16;
inline constexpr std::size_t gcm_tag_size = 12;
inline constexpr std::size_t system_title_size = 8;

// Bits of the security control byte.
namespace security_control {
inline constexpr std::uint8_t suite = 0x0F;
inline constexpr std::uint8_t authenticated = 0x10;
inline constexpr std::uint8_t encrypted = 0x20;
inline constexpr std::uint8_t compressed = 0x80;
}  // namespace security_control

class Gcm {
 public:
  struct Message {
    Message() = default;
    ByteView title;  // 8 bytes
    std::uint32_t counter = 0;
    ByteView additional;
    ByteView content;
    ByteView tag;  // of open(): 12 bytes, or none when nothing shall be verified
  };

  // Without a key (empty) nothing can be opened.
  explicit Gcm(const Bytes& key);

  [[nodiscard]] bool has_key() const noexcept { return has_key_; }

  // `plaintext` is as long as the content. False: the tag was refused, or there is no key.
  [[nodiscard]] bool open(const Message& message, std::span<std::byte> plaintext);

 private:
  struct Delete {
    void operator()(evp_cipher_ctx_st* context) const noexcept;
  };

  std::unique_ptr<evp_cipher_ctx_st, Delete> context_;
  bool has_key_ = false;
};

// "Security control byte, authentication key": what the tag covers beside the content.
[[nodiscard]] Bytes additional_data(std::uint8_t security, ByteView authentication_key);

// A BER length at the front of `bytes`: below 80 in one byte, else 81 xx, 82 xx xx and so on.
struct BerLength {
  enum class Verdict : std::uint8_t { none, undecided, good };
  Verdict verdict = Verdict::none;
  std::size_t value = 0;
  std::size_t size = 0;  // of the length itself
};

// `longest`: of the bytes behind the first.
[[nodiscard]] BerLength ber_length(ByteView bytes, std::size_t longest = 2) noexcept;
void put_ber_length(Bytes& out, std::size_t length);

// The meter's side: a whole general-glo-ciphering APDU (DB).
struct Sealing {
  Sealing() = default;
  ByteView key;
  ByteView title;
  std::uint32_t counter = 0;
  std::uint8_t security = security_control::encrypted;
  ByteView additional;  // only when `security` says authenticated
};

// Error: bug (sizes that cannot be).
Result<Bytes> seal_apdu(ByteView plaintext, const Sealing& sealing);

}  // namespace meterbridge::protocol
