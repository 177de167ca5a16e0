// SPDX-License-Identifier: MIT
// TLS as a transport over a transport: OpenSSL works on two buffers in memory, and this file
// carries their bytes. So deadlines, cancellation and words of the inner link stay as they are.
#include "io/links.hpp"

#ifndef METERBRIDGE_WITHOUT_TLS
#include "mqtt/tls.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace meterbridge::io {
namespace {

namespace asio = boost::asio;

constexpr auto handshake_limit = std::chrono::seconds(10);
constexpr std::size_t block_size = 4096;

// The verdicts are those of the broker's connection; who stands at this end is called a server, and
// its settings have no section of their own.
std::string retold(std::string text) {
  const auto replace = [&text](std::string_view old, std::string_view fresh) {
    for (auto at = text.find(old); at != std::string::npos; at = text.find(old, at + fresh.size()))
      text.replace(at, old.size(), fresh);
  };
  replace("broker", "server");
  replace("tls.", "tls_");
  return text;
}

std::string library_words() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  std::array<char, 256> text{};
  if (code != 0) ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

struct Free {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

class Tls final : public Transport {
 public:
  Tls(std::unique_ptr<Transport> inner, std::string host, TlsOptions options)
      : inner_(std::move(inner)), host_(std::move(host)), options_(std::move(options)) {}

  asio::awaitable<Result<>> open() override {
    close();
    // Anew for each connection: certificates are replaced while the program runs.
    auto begun = begin();
    if (!begun) co_return begun;
    auto opened = co_await inner_->open();
    if (!opened) co_return opened;
    const Deadline deadline = std::chrono::steady_clock::now() + handshake_limit;
    auto shaken = co_await shake_hands(deadline);
    if (!shaken) close();
    co_return shaken;
  }

  [[nodiscard]] bool is_open() const noexcept override {
    return ssl_ != nullptr && inner_->is_open();
  }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into,
                                                 Deadline deadline) override {
    while (is_open()) {
      ERR_clear_error();
      std::size_t count = 0;
      if (SSL_read_ex(ssl_.get(), into.data(), into.size(), &count) == 1) co_return count;
      const int reason = SSL_get_error(ssl_.get(), 0);
      if (reason == SSL_ERROR_ZERO_RETURN)
        co_return Error(Errc::io, name() + " closed the connection");
      if (reason != SSL_ERROR_WANT_READ) co_return broken();
      auto moved = co_await exchange(deadline);
      if (!moved) co_return moved.error();
    }
    co_return Error(Errc::io, name() + " is not open");
  }

  asio::awaitable<Result<>> write(ByteView bytes, Deadline deadline) override {
    if (!is_open()) co_return Error(Errc::io, name() + " is not open");
    ERR_clear_error();
    std::size_t taken = 0;
    // The buffer behind it grows as needed: all is taken, or the connection is broken.
    if (!bytes.empty() && SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &taken) != 1)
      co_return broken();
    auto sent = co_await flush(deadline);
    co_return sent;
  }

  Result<> retune(const LineSettings& line) override { return inner_->retune(line); }

  void discard_input() noexcept override {}  // a cipher stream has no byte to spare

  void close() noexcept override {
    ssl_.reset();
    context_.reset();
    inner_->close();
  }

  [[nodiscard]] const std::string& name() const noexcept override { return inner_->name(); }

  [[nodiscard]] bool local() const noexcept override { return false; }

 private:
  Result<> begin() {
    const mqtt::TlsFiles files{options_.ca, options_.certificate, options_.key};
    auto made = mqtt::TlsContext::make(host_, files, options_.insecure);
    if (!made) return Error(made.error().code(), name() + ": " + retold(made.error().detail()));
    context_ = std::move(*made);
    ssl_.reset(SSL_new(static_cast<SSL_CTX*>(context_->native())));
    BIO* const received = BIO_new(BIO_s_mem());
    BIO* const waiting = BIO_new(BIO_s_mem());
    if (ssl_ == nullptr || received == nullptr || waiting == nullptr) {
      BIO_free(received);
      BIO_free(waiting);
      return Error(Errc::bug, name() + ": TLS: " + library_words());
    }
    SSL_set_bio(ssl_.get(), received, waiting);  // owns them from here on
    SSL_set_connect_state(ssl_.get());
    return {};
  }

  asio::awaitable<Result<>> shake_hands(Deadline deadline) {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_.get());
      if (done == 1) {
        auto sent = co_await flush(deadline);
        co_return sent;
      }
      if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) {
        auto failure = Error(Errc::io, name() + ": " + retold(context_->failure(library_words())));
        // The alert tells the other side why; whether it arrives is not our business.
        auto told = co_await flush(deadline);
        static_cast<void>(told);
        co_return failure;
      }
      auto moved = co_await exchange(deadline);
      if (moved) continue;
      if (moved.error().code() != Errc::io) co_return moved;
      co_return Error(
          Errc::io, moved.error().detail() + " during the TLS handshake: is this a port with TLS?");
    }
  }

  // What waits goes out, then at least one byte comes in.
  asio::awaitable<Result<>> exchange(Deadline deadline) {
    auto sent = co_await flush(deadline);
    if (!sent) co_return sent;
    auto count = co_await inner_->read_some(block_, deadline);
    if (!count) co_return count.error();
    BIO_write(SSL_get_rbio(ssl_.get()), block_.data(), static_cast<int>(*count));
    co_return Result<>();
  }

  asio::awaitable<Result<>> flush(Deadline deadline) {
    std::array<std::byte, block_size> out;
    for (;;) {
      const int count =
          BIO_read(SSL_get_wbio(ssl_.get()), out.data(), static_cast<int>(out.size()));
      if (count <= 0) co_return Result<>();
      const ByteView bytes(out.data(), static_cast<std::size_t>(count));
      auto sent = co_await inner_->write(bytes, deadline);
      if (!sent) co_return sent;
    }
  }

  [[nodiscard]] Error broken() const {
    return {Errc::io, name() + ": " + retold(context_->failure(library_words()))};
  }

  std::unique_ptr<Transport> inner_;
  std::string host_;
  TlsOptions options_;
  std::unique_ptr<mqtt::TlsContext> context_;
  std::unique_ptr<SSL, Free> ssl_;  // before the context that it points to
  std::array<std::byte, block_size> block_;
};

}  // namespace

std::unique_ptr<Transport> make_tls(std::unique_ptr<Transport> inner, std::string host,
                                    TlsOptions options) {
  return std::make_unique<Tls>(std::move(inner), std::move(host), std::move(options));
}

}  // namespace meterbridge::io

#endif
