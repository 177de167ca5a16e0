// SPDX-License-Identifier: MIT
#include "app/once.hpp"

#include "app/claim.hpp"
#include "app/driver_memory.hpp"
#include "app/journal_name.hpp"
#include "app/listener.hpp"
#include "app/log.hpp"
#include "app/poller.hpp"
#include "app/receipts.hpp"
#include "app/recorder.hpp"
#include "app/sinks.hpp"
#include "app/state_store.hpp"
#include "app/write_log.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto broker_patience = 10s;  // to be taken in, and to acknowledge
constexpr auto sink_patience = 30s;

Error only_leftover(const io::Transport& transport) {
  return {Errc::timeout, transport.name() +
                             ": only an old message, kept by the broker, which counts for nothing; "
                             "no new one came in time"};
}

void keep(Bytes& kept, ByteView bytes) {
  const auto room = tapped_bytes - std::min(tapped_bytes, kept.size());
  const auto part = bytes.first(std::min(room, bytes.size()));
  kept.insert(kept.end(), part.begin(), part.end());
}

// One conversation; what came of it is in `result`. True: worth another try within the meter's
// time.
asio::awaitable<bool> try_meter(meter::Meter& meter, Link& link, protocol::Dialogue& dialogue,
                                Milliseconds left, OnceResult& result) {
  io::Tap tap = [&result](bool sent, ByteView bytes) {
    keep(sent ? result.sent : result.heard, bytes);
  };
  auto got = co_await io::under_watchdog(io::converse(link.transport(), dialogue, tap), left);
  if (!got) {
    const Error error = got.error();
    if (is_leftover(link.transport(), nullptr, Instant(), left)) {
      if (!is_transport_error(error.code())) {
        result.error = only_leftover(link.transport());
        co_return true;
      }
    }
    // "No telegram in time" says less than what was wrong with the ones that came.
    if (error.code() != Errc::watchdog || !result.error) result.error = error;
    if (is_transport_error(error.code())) link.transport().close();
    co_return meter.profile().protocol->pushes || is_transport_error(error.code());
  }
  const SystemClock clock;
  if (is_leftover(link.transport(), &*got, clock.now(), longest_conversation(meter))) {
    result.error = only_leftover(link.transport());
    co_return true;
  }
  auto samples = meter.understand(*got, clock.now());
  result.error.reset();
  if (samples) {
    result.samples = std::move(*samples);
  } else {
    result.error = samples.error();
  }
  result.telegram = std::move(*got);
  co_return false;
}

// A disturbance may spoil one telegram; that many in a row are the answer.
constexpr int enough_wrong_keys = 3;

// A pushing meter may be heard in the middle of a telegram, or through a disturbance: it is given
// its whole limit. A gateway may hang up after each conversation: it is opened once more.
asio::awaitable<OnceResult> read_meter(meter::Meter& meter, Link& link) {
  OnceResult result;
  result.meter = meter.settings().id;
  const auto begin = Steady::now();
  const auto end = begin + longest_conversation(meter);
  auto hold = co_await link.line().acquire();
  std::unique_ptr<protocol::Dialogue> dialogue;
  int openings = 0;
  int wrong_keys = 0;
  bool again = true;
  while (again && Steady::now() < end) {
    if (!link.transport().is_open()) {
      if (++openings > 2) break;
      auto opened = co_await link.ensure_open();
      if (!opened) {
        result.error = opened.error();
        break;
      }
      dialogue.reset();
    }
    if (!dialogue) dialogue = meter.driver().begin();
    const auto left =
        std::chrono::duration_cast<Milliseconds>(end - Steady::now()) + Milliseconds(1);
    again = co_await try_meter(meter, link, *dialogue, left, result);
    const bool wrong_key = result.error && fault_of(result.error->code()) == Fault::wrong_key;
    if (wrong_key && ++wrong_keys == enough_wrong_keys) break;
  }
  result.took = std::chrono::duration_cast<Milliseconds>(Steady::now() - begin);
  result.remark = meter.driver().remark();
  co_return result;
}

struct Job {
  Job() = default;
  std::unique_ptr<Link> link;
  std::vector<meter::Meter*> meters;
};

asio::awaitable<void> read_line(Job& job, const OnceSink& sink, const OnceVeto& veto,
                                std::size_t& left, asio::steady_timer& done) {
  for (meter::Meter* meter : job.meters) {
    OnceResult result;
    result.meter = meter->settings().id;
    if (veto) result.error = veto(result.meter);
    if (!result.error) result = co_await read_meter(*meter, *job.link);
    sink(result);
  }
  if (--left == 0) done.cancel();
}

}  // namespace

namespace {

bool is_wanted(const std::vector<std::string>& wanted, const meter::Meter& meter) {
  if (wanted.empty()) return !meter.settings().paused;
  return std::ranges::count(wanted, meter.settings().id) != 0;
}

bool needs_broker(const House& house, const std::vector<std::string>& wanted) {
  return std::ranges::any_of(house.meters, [&](const auto& meter) {
    return is_wanted(wanted, *meter) &&
           find_link(house.settings, meter->settings().link)->kind == config::LinkKind::mqtt;
  });
}

}  // namespace

asio::awaitable<void> read_once(House& house, const std::vector<std::string>& wanted, OnceSink sink,
                                OnceVeto veto, io::Topics* topics) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto executor = co_await asio::this_coro::executor;
  std::unique_ptr<Listener> listener;
  io::Topics deaf(nullptr, nullptr);
  if (topics == nullptr && needs_broker(house, wanted)) {
    listener = std::make_unique<Listener>(executor, house.settings);
    topics = &listener->topics();
  }
  if (topics == nullptr) topics = &deaf;
  std::map<std::string, Job> jobs;
  for (const auto& meter : house.meters) {
    if (!is_wanted(wanted, *meter)) continue;
    const config::LinkSettings* settings = find_link(house.settings, meter->settings().link);
    Job& job = jobs[settings->name];
    if (!job.link) {
      job.link = make_link(executor, *settings,
                           make_way(executor, house, *settings, meter->profile().line, *topics));
    }
    job.meters.push_back(meter.get());
  }
  std::size_t left = jobs.size();
  asio::steady_timer done(executor);
  for (auto& [name, job] : jobs)
    asio::co_spawn(executor, read_line(job, sink, veto, left, done), asio::detached);
  // NOLINTNEXTLINE(bugprone-infinite-loop): the coroutines above count it down.
  while (left > 0)
    co_await wait_until(done, Steady::time_point::max());
  jobs.clear();
  if (listener) co_await listener->leave();
}

namespace {

struct OnceRun {
  explicit OnceRun(House h) : house(std::move(h)) {}

  House house;
  asio::io_context context{1};
  std::unique_ptr<Bridge> bridge;
  Receipts receipts;
  std::unique_ptr<mqtt::Broker> broker;
  io::Topics topics{[this](const std::string& filter) { broker->subscribe(filter, 1); }, nullptr};
  std::unique_ptr<asio::steady_timer> connected;
  SystemClock clock;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<Sinks> sinks;
  bool read = false;  // all meters were tried; only then anything is announced
  bool failed = false;
  bool failed_broker = false;
};

void begin_sinks(OnceRun& run) {
  if (!journal_is_wanted(run.house.settings)) return;
  run.recorder = std::make_unique<Recorder>(run.house.settings, run.clock, write_log);
  run.sinks = std::make_unique<Sinks>(run.context.get_executor(), run.recorder->journal(),
                                      run.clock, write_log);
  journal::Journal& journal = run.recorder->journal();
  sink::mqtt::PostOffice office;
  office.base = run.bridge->facts().base;
  office.journal = journal_name(run.house.settings, journal.given(), write_log);
  office.send = [&run](std::string topic, std::string payload, Receipts::Done done) {
    run.receipts.send(*run.broker, {std::move(topic), std::move(payload), false}, std::move(done));
  };
  office.before = [&journal](std::string_view meter, journal::Sequence number) {
    return nothing_since(journal, meter, number);
  };
  run.sinks->set_office(std::move(office));
  run.sinks->apply(run.house.settings);
  run.bridge->on_sample = [&run](const Sample& sample, const protocol::Telegram& telegram) {
    run.recorder->record(whole_sample(run.house.settings, sample, telegram));
  };
  run.bridge->on_event = [&run](const Sample& event) {
    if (event_is_wanted(run.house.settings, event)) run.recorder->record(event);
  };
}

asio::awaitable<void> deliver_to_sinks(OnceRun& run) {
  if (!run.sinks) co_return;
  run.recorder->commit();
  co_await run.sinks->finish(Steady::now() + sink_patience);
  for (const Sinks::Health& sink : run.sinks->health()) {
    if (sink.status.lag == 0 && sink.status.refused == 0) continue;
    log::error("sink {}: did not take everything", sink.name);
    run.failed = true;
  }
}

asio::awaitable<void> deliver_once(OnceRun& run) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto patience = Steady::now() + broker_patience;
  while (!run.broker->connected() && Steady::now() < patience)
    co_await wait_until(*run.connected, patience);
  if (!run.broker->connected()) {
    log::error("broker: not connected within 10 s, nothing can be delivered{}",
               run.sinks ? " to it" : "");
    run.failed_broker = true;
    run.failed = true;
  }
  if (run.broker->connected() || run.sinks) {
    OnceSink sink = [&run](const OnceResult& result) {
      if (result.error) {
        run.failed = true;
        run.bridge->report(result.meter, *result.error);
        return;
      }
      // Nobody can put it right afterwards: this run does not last until the clock is set.
      if (!clock_is_set(run.clock.now())) {
        run.failed = true;
        run.bridge->report(result.meter,
                           Error(Errc::mismatch, "the clock of this machine is not set (it shows " +
                                                     iso_utc(run.clock.now()) + ")"));
        return;
      }
      run.bridge->deliver(result.meter, result.samples, result.telegram, result.took);
    };
    OnceVeto veto = [&run](const std::string& meter) { return run.bridge->refusal(meter); };
    for (const auto& meter : run.house.meters) {
      if (meter->settings().paused)
        log::info("{}: is paused in the configuration, and was not asked", meter->settings().id);
    }
    co_await read_once(run.house, {}, sink, veto, &run.topics);
    run.read = true;
    co_await deliver_to_sinks(run);
    const auto again = Steady::now() + (run.failed_broker ? 0s : broker_patience);
    while (!run.broker->connected() && Steady::now() < again)
      co_await wait_until(*run.connected, again);
    bool confirmed = run.broker->connected();
    if (confirmed) {
      run.bridge->connected();
      confirmed = co_await run.broker->flush(broker_patience);
    }
    if (!confirmed || run.broker->denials() > 0) {
      log::error("broker: did not acknowledge everything");
      run.failed = true;
    }
  }
  run.broker->leave();
  run.context.stop();
}

}  // namespace

int run_once(House house) {
  // What it said of the meters would stand against what the service says, until that is restarted.
  const auto claim = claim_instance(house.settings);
  if (!claim) {
    log::error("{}; its meters are read by it. Nothing was done", claim.error().detail());
    return 1;
  }
  if (!house.settings.bridges.empty())
    log::warn(
        "`bridges` need a program that stays: nothing crosses them in this run. What is retained "
        "waits at our own broker; let Mosquitto carry it (`meterbridge mosquitto-conf`)");
  OnceRun run(std::move(house));
  StateStore store = known_store(run.house.settings, write_log);
  StateStore values = memory_store(run.house.settings, write_log);
  Known known = store.load_as<Known>();
  if (known.client_id.empty()) known.client_id = new_client_id(run.house.settings.instance);
  run.connected = std::make_unique<asio::steady_timer>(run.context);
  run.bridge = std::make_unique<Bridge>(
      run.house.settings, plans_of(run.house), run.clock, known,
      [&run](mqtt::Message message) { run.broker->publish(std::move(message)); }, write_log);
  const auto memory = values.load_as<Memory>();
  run.bridge->restore(memory);
  for (const auto& meter : run.house.meters)
    remind_driver(*meter, run.house.settings, memory);
  mqtt::BrokerEvents events;
  // Announcing before the meters were read would show them unavailable for a moment, at every run
  // of cron.
  events.connected = [&run] {
    if (run.read) run.bridge->connected();
    run.connected->cancel();
  };
  events.notice = [](const std::string& line) { log::warn("broker: {}", line); };
  events.disconnected = [&run](const Error& error) {
    run.bridge->disconnected();
    log::warn("broker: {}", error.detail());
  };
  events.received = [&run](const mqtt::Message& message) { run.topics.received(message); };
  // No will: what this run says stays valid until the next one, and there is nobody to be "offline"
  // in between.
  auto settings = broker_settings(run.house.settings.mqtt, known.client_id, run.bridge->will());
  settings.will.reset();
  settings.outbox.keeper = &run.receipts;
  run.broker = std::make_unique<mqtt::Broker>(run.context.get_executor(), std::move(settings),
                                              std::move(events));
  begin_sinks(run);
  asio::co_spawn(run.context, run.broker->run(), asio::detached);
  asio::co_spawn(run.context, deliver_once(run), asio::detached);
  run.context.run();
  store.save(known.json());
  Memory kept = run.bridge->memory();
  for (const auto& meter : run.house.meters)
    note_driver(*meter, kept);
  values.save(kept.json());
  return run.failed ? 1 : 0;
}

}  // namespace meterbridge::app
