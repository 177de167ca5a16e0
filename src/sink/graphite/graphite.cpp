// SPDX-License-Identifier: MIT
// Sends samples to Graphite. Its protocol acknowledges nothing, so what "written" means is in
// docs/graphite.md; repetition is harmless, for Graphite keeps one value for each time.
#include "sink/graphite/graphite.hpp"

#include "sink/graphite/lines.hpp"
#include "sink/graphite/options.hpp"
#include "sink/graphite/peer.hpp"
#include "sink/left_out.hpp"
#include "sink/worker.hpp"

#include <memory>
#include <utility>

namespace meterbridge::sink::graphite {
namespace {

namespace asio = boost::asio;

class Graphite final : public Sink {
 public:
  Graphite(const asio::any_io_executor& executor, const Options& options)
      : paths_(options.paths), peer_(std::make_shared<Peer>(options)), worker_(executor) {}

  asio::awaitable<Result<Written>> write(std::span<const journal::Entry> batch) override {
    std::string text;
    for (const journal::Entry& entry : batch)
      text += lines_of(entry.sample, paths_);
    const auto outcome = std::make_shared<Result<>>();
    auto job = [peer = peer_, outcome, text = std::move(text)] { *outcome = peer->send(text); };
    const bool done = co_await worker_.run(std::move(job));
    if (!done) co_return Error(Errc::cancelled, "the server did not take it in time");
    if (!*outcome) co_return outcome->error();
    Written written;
    written.taken = batch.size();
    co_return written;
  }

  asio::awaitable<Result<std::string>> check() override {
    const auto outcome = std::make_shared<Result<std::string>>(std::string());
    auto job = [peer = peer_, outcome] { *outcome = peer->greet(); };
    const bool done = co_await worker_.run(std::move(job));
    if (!done) co_return Error(Errc::timeout, "the server did not answer in time");
    co_return *outcome;
  }

 private:
  Paths paths_;
  std::shared_ptr<Peer> peer_;  // of the worker's thread
  Worker worker_;
};

Result<std::unique_ptr<Sink>> make(const asio::any_io_executor& executor, Setup setup) {
  const auto options = options_of(setup.settings, setup.instance);
  if (!options) return options.error();
  return std::make_unique<Graphite>(executor, *options);
}

}  // namespace

Kind kind() {
  return {"graphite", "Graphite (carbon), plaintext; see [graphite.md](graphite.md).", specs(),
          unless_left_out(&make)};
}

}  // namespace meterbridge::sink::graphite
