// SPDX-License-Identifier: MIT
#include "protocol/p1/cipher.hpp"

#include <span>

namespace meterbridge::protocol::p1 {
namespace {

constexpr std::size_t fixed_part = 5;  // security control and frame counter
constexpr std::size_t longest_content = 8192 + fixed_part + gcm_tag_size;
constexpr unsigned char glo_ciphering = 0xDB;

std::uint8_t at(std::string_view bytes, std::size_t i) noexcept {
  return static_cast<std::uint8_t>(static_cast<unsigned char>(bytes[i]));
}

ByteView bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text));
}

}  // namespace

const Bytes& default_authentication_key() {
  static const Bytes key = [] {
    Bytes made;
    for (unsigned i = 0; i < gcm_key_size; ++i) {
      made.push_back(static_cast<std::byte>(i * 0x11U));  // 00112233445566778899AABBCCDDEEFF
    }
    return made;
  }();
  return key;
}

bool EncryptedFrame::authenticated() const noexcept {
  return (security & security_control::authenticated) != 0;
}

FrameLength encrypted_length(std::string_view bytes) noexcept {
  using Verdict = FrameLength::Verdict;
  if (bytes.empty()) return {Verdict::undecided, 0};
  if (at(bytes, 0) != glo_ciphering) return {};
  if (bytes.size() < 2) return {Verdict::undecided, 0};
  const std::size_t title = at(bytes, 1);
  if (title != system_title_size && title != 0) return {};
  if (bytes.size() < 2 + title) return {Verdict::undecided, 0};
  const BerLength length = ber_length(bytes_of(bytes.substr(2 + title)));
  if (length.verdict == BerLength::Verdict::undecided) return {Verdict::undecided, 0};
  if (length.verdict != BerLength::Verdict::good) return {};
  if (length.value <= fixed_part || length.value > longest_content) return {};
  const std::size_t head = 2 + title + length.size;
  if (bytes.size() <= head) return {Verdict::undecided, 0};
  // The low half names the security suite: 0 is AES-128. An empty title is rare, so be strict with
  // it. Another suite is worth a word only where the rest fits a telegram.
  constexpr std::size_t shortest_telegram = 64;
  const std::uint8_t security = at(bytes, head);
  const bool protects =
      (security & (security_control::encrypted | security_control::authenticated)) != 0;
  const bool plausible =
      title == system_title_size && protects && length.value >= shortest_telegram;
  if ((security & security_control::suite) != 0 && !plausible) return {};
  if (title == 0 && (security & security_control::encrypted) == 0) return {};
  return {Verdict::frame, head + length.value};
}

Result<EncryptedFrame> parse_encrypted(std::string_view bytes) {
  EncryptedFrame frame;
  const std::size_t title = at(bytes, 1);
  frame.system_title = bytes.substr(2, title);
  const BerLength length = ber_length(bytes_of(bytes.substr(2 + title)));
  const std::string_view content = bytes.substr(2 + title + length.size);
  frame.security = at(content, 0);
  if (frame.security != (security_control::encrypted | security_control::authenticated) &&
      frame.security != security_control::encrypted) {
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
    if (frame.ciphertext.size() < gcm_tag_size) {
      return Error{Errc::malformed, "the encrypted frame is too short for its authentication tag"};
    }
    frame.tag = frame.ciphertext.substr(frame.ciphertext.size() - gcm_tag_size);
    frame.ciphertext.remove_suffix(gcm_tag_size);
  }
  return frame;
}

bool Cipher::decrypt(const EncryptedFrame& frame, std::string_view title, const Bytes& additional) {
  plaintext_.resize(frame.ciphertext.size());
  Gcm::Message message;
  message.title = bytes_of(title);
  message.counter = frame.counter;
  message.additional = additional;
  message.content = bytes_of(frame.ciphertext);
  message.tag = bytes_of(frame.tag);
  return gcm_.open(message, std::as_writable_bytes(std::span(plaintext_)));
}

Result<std::string_view> Cipher::open(const EncryptedFrame& frame) {
  if (!has_key()) {
    return Error{Errc::key, "the telegram is encrypted and no key is set"};
  }
  const std::string_view title =
      frame.system_title.empty() ? keys_.system_title : frame.system_title;
  if (title.size() != system_title_size) {
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
  Sealing sealing;
  sealing.key = key;
  sealing.title = bytes_of(title);
  sealing.counter = counter;
  Bytes additional;
  if (authentication) sealing.security |= security_control::authenticated;
  if (authentication && !authentication->empty()) {
    additional = additional_data(sealing.security, *authentication);
    sealing.additional = additional;
  }
  return seal_apdu(bytes_of(plaintext), sealing);
}

}  // namespace meterbridge::protocol::p1
