// SPDX-License-Identifier: MIT
#include "app/waiting.hpp"

#include "app/log.hpp"
#include "app/log_ring.hpp"
#include "app/version.hpp"
#include "io/footprint.hpp"
#include "io/loop_guard.hpp"

#include <csignal>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace meterbridge::app {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;
constexpr auto loop_limit = 30s;
constexpr auto last_answers = 1s;  // who wrote the file through the page hears of it

bool usable(const Loaded& loaded) {
  return loaded.house && loaded.verdict.state == http::Validity::valid;
}

class Waiting final : public http::StatusView, public http::Desk {
 public:
  Waiting(const ConfigurationFile& file, const http::ServerOptions& pages, Loaded first)
      : file_(file), loaded_(std::move(first)), seen_(loaded_.stamp) {
    say();
    server_ = std::make_unique<http::Server>(context_.get_executor(), pages, *this, this);
  }

  std::optional<Loaded> run() {
    const io::LoopGuard guard(context_.get_executor(), loop_limit);
    hear_signals();
    wait();
    context_.run();
    server_.reset();
    if (!usable(loaded_) || stopped_) return std::nullopt;
    return std::move(loaded_);
  }

  [[nodiscard]] std::vector<std::string> ailments() const override { return {}; }

  [[nodiscard]] std::vector<std::string> missing() const override {
    return {"the configuration " + file_.path() + " is " +
            std::string(http::name(loaded_.verdict.state))};
  }

  [[nodiscard]] http::Status status() const override {
    http::Status out;
    out.app = true;
    out.version = version;
    out.instance = config::Settings().instance;
    out.time = clock_.now();
    out.uptime = std::chrono::duration_cast<Milliseconds>(Steady::now() - started_);
    out.memory = io::resident_memory();
    out.configuration.path = file_.path();
    out.configuration.state = loaded_.verdict.state;
    out.configuration.editable = true;
    out.configuration.problems = loaded_.verdict.problems;
    out.configuration.since = since_;
    return out;
  }

  [[nodiscard]] std::vector<http::LogLine> log_after(std::uint64_t number) const override {
    return log_ring().after(number);
  }

  [[nodiscard]] std::string locked() const override { return {}; }

  [[nodiscard]] Result<http::Document> document() const override { return file_.document(); }

  [[nodiscard]] http::Verdict check(const std::string& text) const override {
    return file_.check(text);
  }

  void write(const std::string& text, const std::string& hash,
             std::function<void(http::Taken)> done) override {
    http::Taken taken = file_.write(text, hash);
    if (taken.outcome == http::Outcome::done) {
      log::info("{} was written through the page", file_.path());
      look();
      if (!usable(loaded_)) taken.outcome = http::Outcome::kept;
      taken.text = usable(loaded_) ? "the configuration is valid: reading begins"
                                   : "written; there is no meter in it yet";
    }
    done(std::move(taken));
  }

  Result<> poll(std::string_view) override {
    return Error(Errc::not_found, "there is no valid configuration, and so no meter");
  }

 private:
  void say() const {
    if (usable(loaded_)) return;
    log::warn("{} is {}: nothing is read until it is valid and has a meter", file_.path(),
              http::name(loaded_.verdict.state));
  }

  void look() {
    loaded_ = file_.load();
    since_ = clock_.now();
    say();
    if (!usable(loaded_)) return;
    until_ = Steady::now() + last_answers;
    timer_.cancel();
  }

  void hear_signals() {
    boost::system::error_code ignored;
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
      signals_.add(number, ignored);
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      if (number == SIGHUP) {
        look();
        return hear_signals();
      }
      stopped_ = true;
      log::info("meterbridge ends");
      context_.stop();
    });
  }

  // Once a second, or until the last answers are on their way.
  void wait() {
    const bool ending = usable(loaded_);
    if (ending && (server_->connections() == 0 || Steady::now() >= until_)) return context_.stop();
    timer_.expires_after(ending ? std::chrono::milliseconds(20) : look_every);
    timer_.async_wait([this](const boost::system::error_code&) {
      const std::string now = file_.stamp();
      const bool calm = now == std::exchange(seen_, now);
      if (calm && now != loaded_.stamp && !usable(loaded_)) look();
      wait();
    });
  }

  const ConfigurationFile& file_;
  Loaded loaded_;
  std::string seen_;
  SystemClock clock_;
  Instant since_ = clock_.now();
  Steady::time_point started_ = Steady::now();
  Steady::time_point until_{};
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_{context_};
  boost::asio::steady_timer timer_{context_};
  std::unique_ptr<http::Server> server_;
  bool stopped_ = false;
};

}  // namespace

std::optional<Loaded> wait_for_configuration(const ConfigurationFile& file,
                                             const http::ServerOptions& pages, Loaded first) {
  if (usable(first)) return first;
  Waiting waiting(file, pages, std::move(first));
  return waiting.run();
}

}  // namespace meterbridge::app
