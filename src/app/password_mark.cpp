// SPDX-License-Identifier: MIT
#include "app/password_mark.hpp"

#include "core/bytes.hpp"

#include <array>

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace meterbridge::app {
namespace {

constexpr std::size_t salt_digits = 32;
constexpr int rounds = 20'000;  // some milliseconds; a quarter of a second on a small router

std::string slow_hash(std::string_view salt, const Secret& password) {
  const std::string& text = password.reveal();
  std::array<unsigned char, 16> hash{};
  if (::PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()),
                          reinterpret_cast<const unsigned char*>(salt.data()),
                          static_cast<int>(salt.size()), rounds, ::EVP_sha256(),
                          static_cast<int>(hash.size()), hash.data()) != 1)
    return {};
  return to_hex(std::as_bytes(std::span(hash)));
}

}  // namespace

std::string password_mark(const Secret& password) {
  std::array<unsigned char, salt_digits / 2> random{};
  if (::RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return {};
  const std::string salt = to_hex(std::as_bytes(std::span(random)));
  return salt + slow_hash(salt, password);
}

bool is_mark_of(std::string_view mark, const Secret& password) {
  if (mark.size() <= salt_digits) return false;
  return slow_hash(mark.substr(0, salt_digits), password) == mark.substr(salt_digits);
}

}  // namespace meterbridge::app
