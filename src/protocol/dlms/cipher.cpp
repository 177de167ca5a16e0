// SPDX-License-Identifier: MIT
#include "protocol/dlms/cipher.hpp"

#include "core/text.hpp"
#include "protocol/dlms/axdr.hpp"

#include <span>
#include <utility>

namespace meterbridge::protocol::dlms {
namespace {

constexpr std::uint8_t notification = 0x0F;
constexpr std::uint8_t glo_ciphering = 0xDB;
constexpr std::uint8_t ded_ciphering = 0xDC;
constexpr std::size_t longest_apdu = 8192;
constexpr std::size_t fixed_part = 5;  // security control and frame counter
constexpr std::size_t longest_length = 4;

std::string hex_byte(std::uint8_t byte) {
  const std::byte shown{byte};
  return to_hex_upper(ByteView(&shown, 1));
}

std::string_view as_text(ByteView bytes) noexcept {
  return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

Opened failed(Opened opened, Status status, std::string error) {
  opened.status = status;
  opened.error = std::move(error);
  return opened;
}

ApduLength ciphered_length(ByteView bytes) {
  using Verdict = ApduLength::Verdict;
  constexpr std::size_t letters = 3;
  if (bytes.size() < 2) return {Verdict::undecided, 0, false};
  if (u8(bytes[1]) != system_title_size) return {};
  for (std::size_t i = 2; i < 2 + letters; ++i) {
    if (i >= bytes.size()) return {Verdict::undecided, 0, false};
    if (u8(bytes[i]) < 'A' || u8(bytes[i]) > 'Z') return {};
  }
  constexpr std::size_t head = 2 + system_title_size;
  if (bytes.size() < head) return {Verdict::undecided, 0, false};
  const BerLength length = ber_length(bytes.subspan(head), longest_length);
  if (length.verdict == BerLength::Verdict::undecided) return {Verdict::undecided, 0, false};
  if (length.verdict != BerLength::Verdict::good) return {};
  if (length.value < fixed_part || length.value > longest_apdu) return {};
  return {Verdict::good, head + length.size + length.value, true};
}

ApduLength plain_length(ByteView bytes) {
  using Verdict = ApduLength::Verdict;
  const Head head = notification_head(bytes);
  if (head.verdict == Head::Verdict::none) return {};
  if (head.verdict == Head::Verdict::undecided) return {Verdict::undecided, 0, false};
  Tree tree;
  const Tree::Outcome parsed = tree.parse(bytes.subspan(head.body));
  if (parsed == Tree::Outcome::truncated) {
    // Too long for a telegram: whatever it is, its end is not waited for.
    if (bytes.size() > longest_apdu) return {};
    return {Verdict::undecided, 0, true};
  }
  // What cannot be taken apart is taken as far as it goes, and refused with its reason.
  return {Verdict::good, head.body + tree.consumed(), true};
}

}  // namespace

ApduLength apdu_length(ByteView bytes) {
  if (bytes.empty()) return {ApduLength::Verdict::undecided, 0, false};
  const std::uint8_t tag = u8(bytes[0]);
  if (tag == glo_ciphering || tag == ded_ciphering) return ciphered_length(bytes);
  if (tag == notification) return plain_length(bytes);
  return {};
}

bool looks_plain(ByteView plain) noexcept {
  return notification_head(plain).verdict == Head::Verdict::good;
}

Opened Decipher::open(ByteView apdu) {
  Opened opened;
  ByteReader reader(apdu);
  const auto tag = reader.u8();
  if (!tag) return failed(opened, Status::malformed, "the telegram is empty");
  if (*tag == notification) {
    opened.plain = apdu;
    return opened;
  }
  if (*tag != glo_ciphering && *tag != ded_ciphering) {
    return failed(opened, Status::unsupported,
                  "an APDU with tag " + hex_byte(*tag) +
                      " is not read (0F: plain list, DB and DC: ciphered list)");
  }
  opened.ciphered = true;
  const auto title_size = reader.u8();
  const auto title = title_size ? reader.take(*title_size) : std::nullopt;
  if (!title)
    return failed(opened, Status::malformed,
                  "the system title goes beyond the end of the telegram");
  if (title->size() != system_title_size && !title->empty()) {
    return failed(opened, Status::unsupported,
                  "a system title of " + std::to_string(title->size()) +
                      " bytes is not supported (8, or none)");
  }
  opened.system_title = as_text(*title);
  const BerLength length = ber_length(apdu.subspan(reader.position()), longest_length);
  if (length.verdict != BerLength::Verdict::good)
    return failed(opened, Status::malformed, "the ciphered telegram has no length");
  const ByteView content = apdu.subspan(reader.position() + length.size);
  if (content.size() != length.value) {
    return failed(opened, Status::malformed,
                  "the ciphered telegram says that " + std::to_string(length.value) +
                      " bytes follow, and there are " + std::to_string(content.size()));
  }
  if (content.size() < fixed_part)
    return failed(opened, Status::malformed, "the ciphered telegram is too short");
  ByteReader fixed(content);
  const std::uint8_t security = *fixed.u8();
  opened.counter = static_cast<std::uint32_t>(*fixed.big(4));
  return decrypt(std::move(opened), security, content.subspan(fixed_part));
}

Opened Decipher::decrypt(Opened opened, std::uint8_t security, ByteView content) {
  constexpr std::uint8_t last_suite = 1;  // 0 and 1 are AES-128, 2 is AES-256
  const bool tagged = (security & security_control::authenticated) != 0;
  if ((security & security_control::encrypted) == 0 ||
      (security & security_control::compressed) != 0 ||
      (security & security_control::suite) > last_suite) {
    return failed(std::move(opened), Status::unsupported,
                  "security control " + hex_byte(security) +
                      " is not supported (20 or 21: encrypted, 30 or 31: with authentication tag)");
  }
  Gcm::Message message;
  if (tagged) {
    if (content.size() < gcm_tag_size)
      return failed(std::move(opened), Status::malformed,
                    "the ciphered telegram is too short for its authentication tag");
    message.tag = content.last(gcm_tag_size);
    content = content.first(content.size() - gcm_tag_size);
  }
  opened.ciphertext = as_text(content);
  if (opened.system_title.empty()) opened.system_title = keys_.system_title;
  if (!gcm_.has_key())
    return failed(std::move(opened), Status::key, "the telegram is encrypted and no key is set");
  if (opened.system_title.empty())
    return failed(std::move(opened), Status::key,
                  "the telegram carries no system title; set system_title");
  message.title = std::as_bytes(std::span(opened.system_title));
  message.counter = opened.counter;
  message.content = content;
  // Many operators send a tag and give nobody the key for it: then it is not compared.
  const Bytes additional = additional_data(security, keys_.authentication);
  if (keys_.authentication.empty()) message.tag = {};
  message.additional = additional;
  plain_.resize(content.size());
  if (!gcm_.open(message, plain_)) {
    return failed(std::move(opened), Status::authentication,
                  "the authentication tag was refused: key or auth_key does not fit "
                  "(auth_key: none switches the comparison off)");
  }
  opened.plain = plain_;
  opened.verified = !message.tag.empty();
  if (looks_plain(plain_)) return opened;
  const bool p1 = !plain_.empty() && u8(plain_[0]) == '/';
  if (p1) {
    return failed(std::move(opened), Status::unsupported,
                  "decrypted: the content is a P1 telegram, which the protocol p1 reads");
  }
  if (opened.verified) {
    return failed(std::move(opened), Status::unsupported,
                  "decrypted and authentic, but the content is no list of values");
  }
  return failed(std::move(opened), Status::key,
                "decrypted, but the result is no telegram: wrong key?");
}

}  // namespace meterbridge::protocol::dlms
