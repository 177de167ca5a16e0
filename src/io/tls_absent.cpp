// SPDX-License-Identifier: MIT
// A build without TLS (METERBRIDGE_TLS=OFF): a link that says so whenever it is opened.
#ifdef METERBRIDGE_WITHOUT_TLS
#include "io/links.hpp"

namespace meterbridge::io {
namespace {

class Absent final : public Transport {
 public:
  explicit Absent(std::unique_ptr<Transport> inner) : inner_(std::move(inner)) {}

  boost::asio::awaitable<Result<>> open() override { co_return refusal(); }

  [[nodiscard]] bool is_open() const noexcept override { return false; }

  boost::asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte>, Deadline) override {
    co_return refusal();
  }

  boost::asio::awaitable<Result<>> write(ByteView, Deadline) override { co_return refusal(); }

  Result<> retune(const LineSettings&) override { return refusal(); }

  void discard_input() noexcept override {}

  void close() noexcept override {}

  [[nodiscard]] const std::string& name() const noexcept override { return inner_->name(); }

  [[nodiscard]] bool local() const noexcept override { return false; }

 private:
  [[nodiscard]] Error refusal() const {
    return {Errc::unsupported, name() + ": this program was built without TLS"};
  }

  std::unique_ptr<Transport> inner_;
};

}  // namespace

std::unique_ptr<Transport> make_tls(std::unique_ptr<Transport> inner, std::string, TlsOptions) {
  return std::make_unique<Absent>(std::move(inner));
}

}  // namespace meterbridge::io

#endif
