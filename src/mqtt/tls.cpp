// SPDX-License-Identifier: MIT
#ifndef METERBRIDGE_WITHOUT_TLS  // else: tls_absent.cpp
#include "mqtt/tls.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace meterbridge::mqtt {
namespace {

constexpr std::string_view certificate_demand =
    "the broker wants a client certificate (tls.certificate and tls.key)";

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const noexcept {
    release(object);
  }
};

using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;

// The newest entry of OpenSSL's queue in its own words; empties the queue.
std::string take_library_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const text = ERR_reason_error_string(code);
  return text == nullptr ? "unknown reason" : text;
}

Error unusable(std::string_view what, const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    ERR_clear_error();
    return {Errc::invalid, std::string(what) + " " + path + " does not exist"};
  }
  return {Errc::invalid,
          std::string(what) + " " + path + " cannot be used: " + take_library_error()};
}

Error locked(const std::string& key) {
  ERR_clear_error();
  return {Errc::invalid, "the client key (tls.key) " + key +
                             " is protected by a password, which nobody can type in here: store it "
                             "without one (openssl pkey -in FILE -out NEW), readable for this "
                             "service only"};
}

std::string common_name(const X509_NAME* name) {
  std::array<char, 256> buffer{};
  if (X509_NAME_get_text_by_NID(const_cast<X509_NAME*>(name), NID_commonName, buffer.data(),
                                static_cast<int>(buffer.size())) < 0) {
    return "(no name)";
  }
  return std::string(buffer.data());
}

std::string time_text(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, Release<BIO_free_all>> out(BIO_new(BIO_s_mem()));
  if (out == nullptr || ASN1_TIME_print(out.get(), time) != 1) return "an unknown date";
  std::array<char, 64> buffer{};
  const int length = BIO_read(out.get(), buffer.data(), static_cast<int>(buffer.size()));
  return length > 0 ? std::string(buffer.data(), static_cast<std::size_t>(length)) : "";
}

// What is wrong with the certificate that was just looked at.
std::string verdict_on(int error, X509_STORE_CTX* store, const std::string& host) {
  const X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  if (certificate == nullptr) return X509_verify_cert_error_string(error);
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the broker's certificate comes from an unknown authority, \"" +
             common_name(X509_get_issuer_name(certificate)) +
             "\" (name the file of that authority as tls.ca)";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the certificate \"" + common_name(X509_get_subject_name(certificate)) +
             "\" of the broker has expired on " + time_text(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the certificate \"" + common_name(X509_get_subject_name(certificate)) +
             "\" of the broker is not valid before " + time_text(X509_get0_notBefore(certificate)) +
             " (is the clock of this machine right?)";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the broker's certificate is for another name, \"" +
             common_name(X509_get_subject_name(certificate)) + "\", not for \"" + host + "\"";
    default:
      return std::string("the broker's certificate is refused: ") +
             X509_verify_cert_error_string(error);
  }
}

// libmosquitto logs "OpenSSL Error[0]: error:0A00045C:SSL routines::..."; the number tells the
// reason.
int logged_reason(const std::string& log) {
  constexpr std::string_view mark = "error:";
  const std::size_t at = log.find(mark);
  if (at == std::string::npos) return 0;
  unsigned long code = 0;
  const char* const begin = log.data() + at + mark.size();
  if (std::from_chars(begin, log.data() + log.size(), code, 16).ec != std::errc{}) return 0;
  return ERR_GET_REASON(code);
}

}  // namespace

struct TlsContext::State {
  std::string host;
  bool numeric = false;
  bool own_certificate = false;
  bool asked_for_certificate = false;
  bool asked_for_password = false;
  std::string verdict;
  Context context;

  static State& of(const SSL* ssl) {
    return *static_cast<State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }

  static int verify(int passed, X509_STORE_CTX* store) {
    if (passed == 1) return 1;
    const auto* const ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    State& state = of(ssl);
    if (state.verdict.empty()) {
      state.verdict = verdict_on(X509_STORE_CTX_get_error(store), store, state.host);
    }
    return 0;
  }

  // Runs before the first message is made: libmosquitto has set the address as server name, we want
  // the name.
  static void progress(const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
    State& state = of(ssl);
    // RFC 6066: an address is no server name.
    SSL_ctrl(const_cast<SSL*>(ssl), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             state.numeric ? nullptr : state.host.data());
  }

  // Called when the broker asks for a certificate: it may insist on one it knows, or go on without.
  static int certificate_wanted(SSL*, void* state) {
    static_cast<State*>(state)->asked_for_certificate = true;
    return 1;
  }

  // OpenSSL's own way is to ask on the terminal, and to wait.
  static int no_password(char*, int, int, void* state) {
    static_cast<State*>(state)->asked_for_password = true;
    return -1;
  }

  Result<> trust(const std::string& ca) {
    if (ca.empty()) {
      SSL_CTX_set_default_verify_paths(context.get());
      return {};
    }
    std::error_code ignored;
    const bool loaded = std::filesystem::is_directory(ca, ignored)
                            ? SSL_CTX_load_verify_dir(context.get(), ca.c_str()) == 1
                            : SSL_CTX_load_verify_file(context.get(), ca.c_str()) == 1;
    if (!loaded) return unusable("the file of certificate authorities (tls.ca)", ca);
    return {};
  }

  Result<> identify(const TlsFiles& files) {
    SSL_CTX_set_cert_cb(context.get(), &certificate_wanted, this);
    SSL_CTX_set_default_passwd_cb(context.get(), &no_password);
    SSL_CTX_set_default_passwd_cb_userdata(context.get(), this);
    if (files.certificate.empty() && files.key.empty()) return {};
    if (files.certificate.empty() || files.key.empty()) {
      return Error{Errc::invalid, "tls.certificate and tls.key belong together: one is missing"};
    }
    if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
      return unusable("the client certificate (tls.certificate)", files.certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      if (asked_for_password) return locked(files.key);
      return unusable("the client key (tls.key)", files.key);
    }
    own_certificate = true;
    return {};
  }

  void demand_name() {
    X509_VERIFY_PARAM* const rules = SSL_CTX_get0_param(context.get());
    // Succeeds for addresses only; names are then compared with the certificate's names.
    numeric = X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
    if (!numeric) {
      ERR_clear_error();
      X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      X509_VERIFY_PARAM_set1_host(rules, host.c_str(), 0);
    }
  }
};

TlsContext::TlsContext(std::unique_ptr<State> state) : state_(std::move(state)) {}

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::make(const std::string& host, const TlsFiles& files,
                                                     bool insecure) {
  auto state = std::make_unique<State>();
  state->host = host;
  state->context.reset(SSL_CTX_new(TLS_client_method()));
  if (state->context == nullptr) return Error{Errc::bug, "TLS: " + take_library_error()};
  SSL_CTX* const context = state->context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_app_data(context, state.get());
  SSL_CTX_set_info_callback(context, &State::progress);
  state->demand_name();
  if (insecure) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, &State::verify);
    if (const auto trusted = state->trust(files.ca); !trusted) return trusted.error();
  }
  if (const auto identified = state->identify(files); !identified) return identified.error();
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(state)));
}

bool TlsContext::certificate_asked() const noexcept {
  return state_->asked_for_certificate;
}

void* TlsContext::native() const noexcept {
  return state_->context.get();
}

std::string TlsContext::failure(const std::string& library_log) const {
  if (!state_->verdict.empty()) return state_->verdict;
  switch (logged_reason(library_log)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return std::string(certificate_demand);
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return state_->own_certificate
                 ? "the broker refuses the handshake: no common cipher, or our certificate"
                 : "the broker refuses the handshake: no common cipher, or it wants a client "
                   "certificate (tls.certificate and tls.key)";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the broker does not know the authority of our client certificate";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "the broker says that our client certificate has expired";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return "the broker refuses our client certificate";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return "what answers does not speak TLS (a port without TLS?)";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return "the broker speaks only versions of TLS older than 1.2";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "the broker closed the connection during the handshake (a port without TLS?)";
    default:
      // A broker may hang up so fast that its alert is lost.
      if (state_->asked_for_certificate) {
        return state_->own_certificate
                   ? "the broker hung up after it had seen our client certificate"
                   : std::string(certificate_demand);
      }
      return library_log.empty() ? "the handshake failed (a port without TLS?)" : library_log;
  }
}

bool handshake_done(const void* ssl) noexcept {
  return ssl == nullptr || SSL_is_init_finished(static_cast<const SSL*>(ssl)) == 1;
}

bool handshake_wants_write(const void* ssl) noexcept {
  return ssl != nullptr && SSL_want_write(static_cast<const SSL*>(ssl));
}

}  // namespace meterbridge::mqtt

#endif
