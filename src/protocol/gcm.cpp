// SPDX-License-Identifier: MIT
#include "protocol/gcm.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

namespace meterbridge::protocol {
namespace {

constexpr unsigned char glo_ciphering = 0xDB;
constexpr std::size_t fixed_part = 5;  // security control and frame counter
constexpr std::size_t longest_plaintext = 16384;
constexpr std::uint8_t long_form = 0x80;

using Vector = std::array<unsigned char, system_title_size + 4>;

// OpenSSL wants unsigned char; these are the two views of the same bytes.
const unsigned char* raw(ByteView bytes) noexcept {
  return static_cast<const unsigned char*>(static_cast<const void*>(bytes.data()));
}

unsigned char* raw(std::span<std::byte> bytes) noexcept {
  return static_cast<unsigned char*>(static_cast<void*>(bytes.data()));
}

Vector initialisation_vector(ByteView title, std::uint32_t counter) noexcept {
  Vector iv{};
  for (std::size_t i = 0; i < system_title_size; ++i) {
    iv[i] = u8(title[i]);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    iv[system_title_size + i] = static_cast<unsigned char>(counter >> (24U - 8U * i));
  }
  return iv;
}

int size_of(ByteView bytes) noexcept {
  return static_cast<int>(bytes.size());
}

bool seal(const Sealing& sealing, ByteView plaintext, std::span<std::byte> ciphertext,
          std::span<std::byte> tag) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> owner(EVP_CIPHER_CTX_new(),
                                                                              &EVP_CIPHER_CTX_free);
  EVP_CIPHER_CTX* context = owner.get();
  const Vector iv = initialisation_vector(sealing.title, sealing.counter);
  int written = 0;
  if (EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, raw(sealing.key), iv.data()) != 1)
    return false;
  if (!tag.empty() && !sealing.additional.empty() &&
      EVP_EncryptUpdate(context, nullptr, &written, raw(sealing.additional),
                        size_of(sealing.additional)) != 1) {
    return false;
  }
  if (EVP_EncryptUpdate(context, raw(ciphertext), &written, raw(plaintext), size_of(plaintext)) !=
      1)
    return false;
  std::array<unsigned char, gcm_key_size> rest{};
  if (EVP_EncryptFinal_ex(context, rest.data(), &written) != 1) return false;
  return tag.empty() || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG,
                                            static_cast<int>(tag.size()), raw(tag)) == 1;
}

}  // namespace

void Gcm::Delete::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

// The key is expanded once, not for every telegram.
Gcm::Gcm(const Bytes& key) : context_(EVP_CIPHER_CTX_new()) {
  if (key.size() != gcm_key_size) return;
  has_key_ = EVP_DecryptInit_ex(context_.get(), EVP_aes_128_gcm(), nullptr, raw(ByteView(key)),
                                nullptr) == 1;
}

bool Gcm::open(const Message& message, std::span<std::byte> plaintext) {
  if (!has_key_ || message.title.size() != system_title_size ||
      plaintext.size() != message.content.size()) {
    return false;
  }
  EVP_CIPHER_CTX* context = context_.get();
  const Vector iv = initialisation_vector(message.title, message.counter);
  int written = 0;
  if (EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, iv.data()) != 1) return false;
  if (!message.tag.empty() && !message.additional.empty() &&
      EVP_DecryptUpdate(context, nullptr, &written, raw(message.additional),
                        size_of(message.additional)) != 1) {
    return false;
  }
  if (EVP_DecryptUpdate(context, raw(plaintext), &written, raw(message.content),
                        size_of(message.content)) != 1) {
    return false;
  }
  // Without a tag that is all: GCM is then plain counter mode.
  if (message.tag.empty()) return true;
  if (message.tag.size() != gcm_tag_size) return false;
  std::array<std::byte, gcm_tag_size> tag{};
  std::copy(message.tag.begin(), message.tag.end(), tag.begin());
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                          raw(std::span<std::byte>(tag))) != 1) {
    return false;
  }
  std::array<unsigned char, gcm_key_size> rest{};
  return EVP_DecryptFinal_ex(context, rest.data(), &written) == 1;
}

Bytes additional_data(std::uint8_t security, ByteView authentication_key) {
  Bytes data;
  data.reserve(1 + authentication_key.size());
  data.push_back(static_cast<std::byte>(security));
  data.insert(data.end(), authentication_key.begin(), authentication_key.end());
  return data;
}

BerLength ber_length(ByteView bytes, std::size_t longest) noexcept {
  using Verdict = BerLength::Verdict;
  if (bytes.empty()) return {Verdict::undecided, 0, 0};
  const std::uint8_t first = u8(bytes[0]);
  if (first < long_form) return {Verdict::good, first, 1};
  const std::size_t more = first - long_form;
  if (more == 0 || more > longest) return {};
  if (bytes.size() < 1 + more) return {Verdict::undecided, 0, 0};
  std::size_t value = 0;
  for (std::size_t i = 1; i <= more; ++i) {
    value = value << 8U | u8(bytes[i]);
  }
  return {Verdict::good, value, 1 + more};
}

void put_ber_length(Bytes& out, std::size_t length) {
  if (length >= 0x100) {
    out.push_back(std::byte{0x82});
    out.push_back(static_cast<std::byte>(length >> 8U));
  } else if (length >= long_form) {
    out.push_back(std::byte{0x81});
  }
  out.push_back(static_cast<std::byte>(length & 0xFFU));
}

Result<Bytes> seal_apdu(ByteView plaintext, const Sealing& sealing) {
  const Error bug{Errc::bug, "the telegram could not be encrypted"};
  if (sealing.key.size() != gcm_key_size || sealing.title.size() != system_title_size ||
      plaintext.size() > longest_plaintext) {
    return bug;
  }
  const std::size_t tag_size =
      (sealing.security & security_control::authenticated) != 0 ? gcm_tag_size : 0;
  Bytes apdu;
  apdu.push_back(std::byte{glo_ciphering});
  apdu.push_back(static_cast<std::byte>(system_title_size));
  apdu.insert(apdu.end(), sealing.title.begin(), sealing.title.end());
  put_ber_length(apdu, fixed_part + plaintext.size() + tag_size);
  apdu.push_back(static_cast<std::byte>(sealing.security));
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    apdu.push_back(static_cast<std::byte>(sealing.counter >> shift));
  }
  const std::size_t head = apdu.size();
  apdu.resize(head + plaintext.size() + tag_size);
  const auto content = std::span(apdu).subspan(head);
  if (!seal(sealing, plaintext, content.first(plaintext.size()), content.last(tag_size))) {
    return bug;
  }
  return apdu;
}

}  // namespace meterbridge::protocol
