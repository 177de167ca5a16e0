// SPDX-License-Identifier: MIT
// A build without TLS (METERBRIDGE_TLS=OFF): what asks for it is told so.
#ifdef METERBRIDGE_WITHOUT_TLS
#include "mqtt/tls.hpp"

namespace meterbridge::mqtt {

struct TlsContext::State {};

TlsContext::TlsContext(std::unique_ptr<State> state) : state_(std::move(state)) {}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::make(const std::string&, const TlsFiles&, bool) {
  return Error{Errc::unsupported, "this program was built without TLS"};
}

bool TlsContext::certificate_asked() const noexcept {
  return false;
}

void* TlsContext::native() const noexcept {
  return nullptr;
}

std::string TlsContext::failure(const std::string& library_log) const {
  return library_log;
}

bool handshake_done(const void*) noexcept {
  return true;
}

bool handshake_wants_write(const void*) noexcept {
  return false;
}

}  // namespace meterbridge::mqtt
#endif
