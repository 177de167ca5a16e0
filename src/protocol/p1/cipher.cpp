// SPDX-License-Identifier: MIT
#include "protocol/p1/cipher.hpp"

#include <array>
#include <utility>

#include <openssl/evp.h>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::size_t tag_size = 12;
constexpr std::size_t title_size = 8;
constexpr std::size_t key_size = 16;
constexpr std::size_t fixed_part = 5;  // security control and frame counter
constexpr std::size_t longest_content = 8192 + fixed_part + tag_size;
constexpr std::uint8_t authenticated_bit = 0x10;
constexpr std::uint8_t encrypted_bit = 0x20;
constexpr unsigned char glo_ciphering = 0xDB;

using Raw = std::array<unsigned char, title_size + 4>;

std::uint8_t at(std::string_view bytes, std::size_t i) noexcept {
  return static_cast<std::uint8_t>(static_cast<unsigned char>(bytes[i]));
}

// OpenSSL wants unsigned char; these are the two views of the same bytes.
const unsigned char* raw(const char* text) noexcept {
  return static_cast<const unsigned char*>(static_cast<const void*>(text));
}

unsigned char* raw(char* text) noexcept {
  return static_cast<unsigned char*>(static_cast<void*>(text));
}

const unsigned char* raw(const std::byte* bytes) noexcept {
  return static_cast<const unsigned char*>(static_cast<const void*>(bytes));
}

Raw initialisation_vector(std::string_view title, std::uint32_t counter) noexcept {
  Raw iv{};
  for (std::size_t i = 0; i < title_size; ++i) {
    iv[i] = at(title, i);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    iv[title_size + i] = static_cast<unsigned char>(counter >> (24U - 8U * i));
  }
  return iv;
}

Bytes additional_data(std::uint8_t security, const Bytes& authentication) {
  Bytes data;
  data.reserve(1 + authentication.size());
  data.push_back(static_cast<std::byte>(security));
  data.insert(data.end(), authentication.begin(), authentication.end());
  return data;
}

struct Ber {
  FrameLength::Verdict verdict = FrameLength::Verdict::none;
  std::size_t value = 0;
  std::size_t size = 0;
};

Ber ber_length(std::string_view bytes) noexcept {
  using Verdict = FrameLength::Verdict;
  constexpr std::uint8_t long_form = 0x80;
  if (bytes.empty()) return {Verdict::undecided, 0, 0};
  const std::uint8_t first = at(bytes, 0);
  if (first < long_form) return {Verdict::frame, first, 1};
  const std::size_t more = first - long_form;
  if (more == 0 || more > 2) return {};
  if (bytes.size() < 1 + more) return {Verdict::undecided, 0, 0};
  std::size_t value = 0;
  for (std::size_t i = 1; i <= more; ++i) {
    value = value << 8U | at(bytes, i);
  }
  return {Verdict::frame, value, 1 + more};
}

}  // namespace

const Bytes& default_authentication_key() {
  static const Bytes key = [] {
    Bytes made;
    for (unsigned i = 0; i < key_size; ++i) {
      made.push_back(static_cast<std::byte>(i * 0x11U));  // 00112233445566778899AABBCCDDEEFF
    }
    return made;
  }();
  return key;
}

bool EncryptedFrame::authenticated() const noexcept {
  return (security & authenticated_bit) != 0;
}

FrameLength encrypted_length(std::string_view bytes) noexcept {
  using Verdict = FrameLength::Verdict;
  if (bytes.empty()) return {Verdict::undecided, 0};
  if (at(bytes, 0) != glo_ciphering) return {};
  if (bytes.size() < 2) return {Verdict::undecided, 0};
  const std::size_t title = at(bytes, 1);
  if (title != title_size && title != 0) return {};
  if (bytes.size() < 2 + title) return {Verdict::undecided, 0};
  const Ber length = ber_length(bytes.substr(2 + title));
  if (length.verdict != Verdict::frame) return {length.verdict, 0};
  if (length.value <= fixed_part || length.value > longest_content) return {};
  const std::size_t head = 2 + title + length.size;
  if (bytes.size() <= head) return {Verdict::undecided, 0};
  // The low half names the security suite: 0 is AES-128. An empty title is rare, so be strict with
  // it. Another suite is worth a word only where the rest fits a telegram.
  constexpr std::size_t shortest_telegram = 64;
  const std::uint8_t security = at(bytes, head);
  const bool protects = (security & (encrypted_bit | authenticated_bit)) != 0;
  const bool plausible = title == title_size && protects && length.value >= shortest_telegram;
  if ((security & 0x0FU) != 0 && !plausible) return {};
  if (title == 0 && (security & encrypted_bit) == 0) return {};
  return {Verdict::frame, head + length.value};
}

Result<EncryptedFrame> parse_encrypted(std::string_view bytes) {
  EncryptedFrame frame;
  const std::size_t title = at(bytes, 1);
  frame.system_title = bytes.substr(2, title);
  const Ber length = ber_length(bytes.substr(2 + title));
  const std::string_view content = bytes.substr(2 + title + length.size);
  frame.security = at(content, 0);
  if (frame.security != (encrypted_bit | authenticated_bit) && frame.security != encrypted_bit) {
    const std::byte shown{frame.security};
    return Error{Errc::unsupported,
                 "security control " + to_hex_upper(ByteView(&shown, 1)) +
                     " is not supported (30: encrypted and authenticated, 20: encrypted)"};
  }
  for (std::size_t i = 1; i < fixed_part; ++i) {
    frame.counter = frame.counter << 8U | at(content, i);
  }
  frame.ciphertext = content.substr(fixed_part);
  if (frame.authenticated()) {
    if (frame.ciphertext.size() < tag_size) {
      return Error{Errc::malformed, "the encrypted frame is too short for its authentication tag"};
    }
    frame.tag = frame.ciphertext.substr(frame.ciphertext.size() - tag_size);
    frame.ciphertext.remove_suffix(tag_size);
  }
  return frame;
}

void Cipher::Delete::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

Cipher::Cipher(CipherKeys keys) : keys_(std::move(keys)), context_(EVP_CIPHER_CTX_new()) {}

Cipher::~Cipher() = default;

bool Cipher::decrypt(const EncryptedFrame& frame, std::string_view title, const Bytes& additional) {
  EVP_CIPHER_CTX* context = context_.get();
  const Raw iv = initialisation_vector(title, frame.counter);
  plaintext_.resize(frame.ciphertext.size());
  int written = 0;
  if (EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), nullptr, raw(keys_.key.data()), iv.data()) !=
      1)
    return false;
  if (frame.authenticated() && !additional.empty() &&
      EVP_DecryptUpdate(context, nullptr, &written, raw(additional.data()),
                        static_cast<int>(additional.size())) != 1) {
    return false;
  }
  if (EVP_DecryptUpdate(context, raw(plaintext_.data()), &written, raw(frame.ciphertext.data()),
                        static_cast<int>(frame.ciphertext.size())) != 1) {
    return false;
  }
  if (!frame.authenticated()) return true;
  std::array<unsigned char, tag_size> tag{};
  for (std::size_t i = 0; i < tag_size; ++i) {
    tag[i] = at(frame.tag, i);
  }
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_size), tag.data()) !=
      1)
    return false;
  std::array<unsigned char, key_size> rest{};
  return EVP_DecryptFinal_ex(context, rest.data(), &written) == 1;
}

Result<std::string_view> Cipher::open(const EncryptedFrame& frame) {
  if (!has_key()) {
    return Error{Errc::key, "the telegram is encrypted and no key is set"};
  }
  const std::string_view title =
      frame.system_title.empty() ? keys_.system_title : frame.system_title;
  if (title.size() != title_size) {
    return Error{Errc::key, "the encrypted frame carries no system title; set system_title"};
  }
  const Bytes none;
  const Bytes& authentication =
      keys_.authentication ? *keys_.authentication : default_authentication_key();
  const Bytes additional =
      authentication.empty() ? none : additional_data(frame.security, authentication);
  if (decrypt(frame, title, additional)) return std::string_view(plaintext_);
  // Meters whose authentication key was never set encrypt without additional data.
  if (!keys_.authentication && decrypt(frame, title, none)) return std::string_view(plaintext_);
  return Error{Errc::authentication,
               "the authentication tag was refused: the key, or the authentication key, "
               "does not fit"};
}

Result<Bytes> encrypt_frame(std::string_view plaintext, const Bytes& key,
                            const std::optional<Bytes>& authentication, std::string_view title,
                            std::uint32_t counter) {
  const Error bug{Errc::bug, "the telegram could not be encrypted"};
  if (key.size() != key_size || title.size() != title_size || plaintext.size() > longest_content)
    return bug;
  const std::uint8_t security = authentication ? encrypted_bit | authenticated_bit : encrypted_bit;
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  const Raw iv = initialisation_vector(title, counter);
  int written = 0;
  if (EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, raw(key.data()), iv.data()) !=
      1)
    return bug;
  if (authentication && !authentication->empty()) {
    const Bytes additional = additional_data(security, *authentication);
    if (EVP_EncryptUpdate(context.get(), nullptr, &written, raw(additional.data()),
                          static_cast<int>(additional.size())) != 1) {
      return bug;
    }
  }
  std::string ciphertext(plaintext.size(), '\0');
  if (EVP_EncryptUpdate(context.get(), raw(ciphertext.data()), &written, raw(plaintext.data()),
                        static_cast<int>(plaintext.size())) != 1) {
    return bug;
  }
  std::string tag(authentication ? tag_size : 0, '\0');
  std::array<unsigned char, key_size> rest{};
  if (EVP_EncryptFinal_ex(context.get(), rest.data(), &written) != 1) return bug;
  if (authentication && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG,
                                            static_cast<int>(tag_size), raw(tag.data())) != 1) {
    return bug;
  }
  const std::size_t length = fixed_part + ciphertext.size() + tag.size();
  std::string frame;
  frame += static_cast<char>(glo_ciphering);
  frame += static_cast<char>(title_size);
  frame += title;
  if (length >= 0x100) {
    frame += static_cast<char>(0x82);
    frame += static_cast<char>(length >> 8U);
  } else if (length >= 0x80) {
    frame += static_cast<char>(0x81);
  }
  frame += static_cast<char>(length & 0xFFU);
  frame += static_cast<char>(security);
  for (std::size_t i = 0; i < 4; ++i) {
    frame += static_cast<char>(iv[title_size + i]);
  }
  return to_bytes(frame + ciphertext + tag);
}

}  // namespace meterbridge::protocol::p1
