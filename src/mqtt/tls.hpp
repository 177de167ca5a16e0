// SPDX-License-Identifier: MIT
// The TLS side of a broker connection: what is trusted, who we are, and in words why a handshake
// failed.
//
// libmosquitto takes an SSL_CTX of ours instead of making its own. That gives three things it does
// not: the broker is verified by its name while we connect to an address resolved before (the
// library would resolve the name again, blocking the loop), the verdict on the certificate is
// known, and the name is sent as SNI.
#pragma once

#include "core/result.hpp"

#include <memory>
#include <string>

namespace meterbridge::mqtt {

struct TlsFiles {
  std::string ca;           // file or directory; empty = the system's store
  std::string certificate;  // ours, both or none
  std::string key;
};

// For one connection.
class TlsContext {
 public:
  // Errors: invalid, in words, for files that are absent or do not hold what they should.
  static Result<std::unique_ptr<TlsContext>> make(const std::string& host, const TlsFiles& files,
                                                  bool insecure);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] void* native() const noexcept;  // SSL_CTX*
  // The broker asked for a client certificate.
  [[nodiscard]] bool certificate_asked() const noexcept;
  // Why the handshake failed. `library_log`: what OpenSSL said through libmosquitto's log, may
  // be empty.
  [[nodiscard]] std::string failure(const std::string& library_log) const;

 private:
  struct State;
  explicit TlsContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The state of a handshake; `ssl` is what mosquitto_ssl_get returns.
[[nodiscard]] bool handshake_done(const void* ssl) noexcept;
[[nodiscard]] bool handshake_wants_write(const void* ssl) noexcept;

}  // namespace meterbridge::mqtt
