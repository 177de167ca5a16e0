// SPDX-License-Identifier: MIT
#include "app/black_box_files.hpp"
#include "app/capture_line.hpp"
#include "app/claim.hpp"
#include "app/listener.hpp"
#include "cli/capture.hpp"
#include "cli/refusals.hpp"
#include "io/state_file.hpp"

#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::cli {
namespace {

namespace asio = boost::asio;

constexpr Milliseconds service_patience{5000};
// Of one capture; the oldest bytes leave.
constexpr std::size_t most_bytes = 4'000'000;

struct Job {
  Job() = default;
  app::House* house = nullptr;
  meter::Meter* meter = nullptr;
  Milliseconds length{};
  std::optional<Error> error;
  std::vector<protocol::CaptureEntry> entries;
};

asio::awaitable<void> run_job(Job& job) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  const config::LinkSettings& settings =
      *app::find_link(job.house->settings, job.meter->settings().link);
  std::unique_ptr<app::Listener> listener;
  io::Topics deaf(nullptr, nullptr);
  if (settings.kind == config::LinkKind::mqtt)
    listener = std::make_unique<app::Listener>(executor, job.house->settings);
  io::Topics& topics = listener ? listener->topics() : deaf;
  {
    auto link = app::make_link(
        executor, settings,
        app::make_way(executor, *job.house, settings, job.meter->profile().line, topics));
    link->box().resize(most_bytes);
    const auto done = co_await app::capture_line(*link, job.meter, job.length);
    if (!done) job.error = done.error();
    job.entries = link->box().entries();
  }
  if (listener) co_await listener->leave();
}

Result<protocol::Capture> from_line(app::House& house, meter::Meter& meter, Milliseconds length) {
  Refusals refusals(house);
  if (const auto veto = refusals.veto(meter.settings().id)) return *veto;
  Job job;
  job.house = &house;
  job.meter = &meter;
  job.length = length;
  asio::io_context context(1);
  run_until_signal(context, run_job(job));
  if (job.error) refusals.failed(meter.settings().id, *job.error);
  if (job.error && job.entries.empty()) return *job.error;
  return app::capture_of(house.settings, meter, std::move(job.entries));
}

Result<protocol::Capture> parsed(const std::string& text) {
  // What is no capture is the service's reason.
  if (!protocol::is_capture(text)) return Error(Errc::unsupported, text);
  return protocol::parse_capture(text);
}

Result<protocol::Capture> newest_case(const app::House& house, const std::string& id) {
  const std::string folder = app::black_box_folder(house.settings);
  const auto cases = app::cases_of(folder, id);
  if (cases.empty())
    return Error(Errc::not_found, "no case of the meter \"" + id + "\" is kept in " + folder);
  const auto text = io::read_whole(cases.back());
  if (!text) return text.error();
  return parsed(*text);
}

}  // namespace

void run_until_signal(asio::io_context& context, asio::awaitable<void> task) {
  asio::signal_set signals(context, SIGINT, SIGTERM, SIGHUP);
  asio::cancellation_signal stop;
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    complain("meterbridge capture: ended early; what came so far is kept");
    stop.emit(asio::cancellation_type::terminal);
  });
  asio::co_spawn(context, std::move(task),
                 asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) {
                   boost::system::error_code ignored;
                   signals.cancel(ignored);
                 }));
  context.run();
}

Result<meter::Meter*> chosen_meter(app::House& house, const std::string& name) {
  std::string known;
  meter::Meter* on_link = nullptr;
  for (const auto& meter : house.meters) {
    if (meter->settings().id == name || (name.empty() && house.meters.size() == 1))
      return meter.get();
    if (meter->settings().link == name && on_link == nullptr) on_link = meter.get();
    known += (known.empty() ? "" : ", ") + meter->settings().id;
  }
  if (on_link != nullptr) return on_link;
  if (name.empty()) return Error(Errc::invalid, "name one of the meters: " + known);
  return Error(Errc::not_found,
               "no meter \"" + name + "\" in the configuration; there are " + known);
}

Result<protocol::Capture> capture_meter(app::House& house, meter::Meter& meter,
                                        const CaptureWish& wish) {
  const std::string& id = meter.settings().id;
  if (wish.kept) return newest_case(house, id);
  bool running = false;
  {
    const auto claim = app::claim_instance(house.settings);
    running = !claim;
  }
  if (!running) return from_line(house, meter, wish.length);
  const auto text = app::ask_service(app::black_box_folder(house.settings), id, service_patience);
  if (!text) return text.error().within("the service holds the line");
  auto capture = parsed(*text);
  // Somebody else asked in the same moment, for another meter.
  if (capture && capture->fact("meter") != id)
    return Error(Errc::unsupported, "the service answered another command; try again");
  return capture;
}

Result<> deliver_text(const std::optional<std::string>& file, const std::string& text) {
  if (!file || *file == "-") {
    print(text);
    return {};
  }
  std::error_code failed;
  const auto kind = std::filesystem::status(*file, failed).type();
  using std::filesystem::file_type;
  // A device or a pipe is written to; only a file is replaced.
  if (kind == file_type::none || kind == file_type::not_found || kind == file_type::regular)
    return io::write_atomically(*file, text);
  return io::append_whole(*file, text);
}

}  // namespace meterbridge::cli
