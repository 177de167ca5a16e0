// SPDX-License-Identifier: MIT
// `ha-statistics`: hours that Home Assistant missed, from the journal into its long-term
// statistics.
#include "app/recorder.hpp"
#include "app/wait.hpp"
#include "cli/house.hpp"
#include "cli/journal_words.hpp"
#include "core/text.hpp"
#include "hastats/client.hpp"
#include "io/links.hpp"
#include "sink/url.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::cli {

namespace asio = boost::asio;

namespace {

using std::chrono::hours;

constexpr std::array options{
    config_option,
    Option{"--url", "", "URL", "where Home Assistant is: http://homeassistant.local:8123"},
    Option{"--token-file", "", "FILE", "holds a long-lived access token of an administrator"},
    Option{"--tls-ca", "", "FILE",
           "authority of Home Assistant's certificate, where the system does not know it"},
    Option{"--meter", "", "ID", "only this meter and its sub-meters; may be given several times",
           true},
    Option{"--key", "", "KEY", "only this counter (energy_import); may be given several times",
           true},
    Option{"--from", "", "TIME", "hours from this time on, those that are there but wrong, too"},
    Option{"--to", "", "TIME", "hours before this time"},
    Option{"--adjust", "", "", "later sums are moved where they do not go on from what is written"},
    Option{"--dry-run", "", "", "shows what it would write"},
    Option{"--database", "", "FILE", "another journal than the configuration's"},
};

constexpr Milliseconds patience{30'000};
constexpr Milliseconds between_looks{500};
constexpr std::chrono::hours look_back{24 * 31};
// Home Assistant makes a row of an hour some seconds after it; until then it is not missing.
constexpr std::chrono::minutes until_compiled{15};

struct Counter {
  Counter() = default;
  std::map<Seconds, std::pair<Instant, Decimal>> hours;  // the last value of each
  Unit unit = Unit::none;
};

using Who = std::pair<std::string, ReadingKey>;

struct Job {
  Job() = default;
  std::string instance;
  std::string target;
  Secret token;
  hastats::Range range;
  bool dry = false;
  bool adjust = false;
  std::map<Who, Counter> counters;
  std::optional<hastats::Client> client;
  std::string failure;  // of all
  bool whole = true;
};

Seconds hour_of(Instant at) {
  return std::chrono::floor<hours>(at);
}

// Every counter that is meant, by hours.
Result<> collect(Job& job, journal::Archive& archive, const Selection& selection,
                 const std::vector<ReadingKey>& keys, Instant now) {
  constexpr std::size_t at_once = 1000;
  for (journal::Sequence sequence = 0;;) {
    const auto entries = archive.after(sequence, selection.span, at_once);
    if (!entries) return entries.error();
    if (entries->empty()) return {};
    for (const journal::Entry& entry : *entries) {
      sequence = entry.sequence;
      const Sample& sample = entry.sample;
      const Seconds hour = hour_of(sample.at);
      if (!selection.holds(sample) || hour + hours(1) + until_compiled > now) continue;
      for (const Reading& reading : sample.readings) {
        const auto* const number = std::get_if<Decimal>(&reading.value);
        const bool meant = keys.empty() ? is_cumulative(reading.key)
                                        : std::ranges::find(keys, reading.key) != keys.end();
        if (number == nullptr || !meant) continue;
        Counter& counter = job.counters[{sample.meter, reading.key}];
        counter.unit = reading.unit;
        auto& last = counter.hours[hour];
        if (sample.at >= last.first) last = {sample.at, *number};
      }
    }
  }
}

Result<hastats::Hours> in_unit(const Counter& counter, const hastats::Statistic& statistic) {
  hastats::Hours found;
  const auto unit = unit_from(statistic.unit);
  const bool same = statistic.unit == symbol(counter.unit);
  if (!same && !unit)
    return Error(Errc::malformed, "Home Assistant counts it in \"" + sanitised(statistic.unit, 20) +
                                      "\", the journal in " + std::string(symbol(counter.unit)));
  for (const auto& [hour, value] : counter.hours) {
    const auto number =
        same ? Result<Decimal>(value.second) : convert(value.second, counter.unit, *unit);
    if (!number)
      return Error(Errc::malformed, "Home Assistant counts it in " + statistic.unit +
                                        ", the journal in " + std::string(symbol(counter.unit)) +
                                        ": " + number.error().detail());
    found.emplace(hour, *number);
  }
  return found;
}

std::string local_text(Seconds at) {
  return iso_local(to_local(at)).substr(0, 16);
}

void show(const hastats::Plan& plan, const std::string& unit) {
  std::vector<std::vector<std::string>> rows{
      {"  hour from", "counter", "used", "sum", "before: counter", "sum"}};
  for (const hastats::Step& step : plan.steps)
    rows.push_back({"  " + local_text(step.row.start), hastats::short_text(step.row.state),
                    step.counted ? hastats::short_text(*step.counted) : "-",
                    hastats::short_text(step.row.sum),
                    step.before ? hastats::short_text(step.before->state) : "-",
                    step.before ? hastats::short_text(step.before->sum) : "-"});
  print(table(rows));
  for (const hastats::Shift& shift : plan.shifts)
    print("  from " + local_text(shift.from) + " on all sums " +
          (shift.by.is_negative() ? "" : "+") + hastats::short_text(shift.by) + " " + unit + "\n");
}

bool same_sum(const Decimal& a, const Decimal& b) {
  constexpr int places = 6;
  const auto difference = a.minus(b);
  if (!difference) return false;
  const auto rounded = difference->rounded(places);
  return rounded && rounded->is_zero();
}

// Its recorder works behind a queue: until what was written is there.
asio::awaitable<Result<>> verify(Job& job, hastats::Statistic statistic,
                                 std::vector<hastats::Step> steps) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  const auto end = app::Steady::now() + patience;
  for (;;) {
    auto rows = co_await job.client->rows(statistic, steps.front().row.start);
    if (!rows) co_return rows.error();
    std::map<Seconds, Decimal> sums;
    for (const hastats::Row& row : *rows)
      sums.insert_or_assign(row.start, row.sum);
    const bool done = std::ranges::all_of(steps, [&](const hastats::Step& step) {
      const auto found = sums.find(step.row.start);
      return found != sums.end() && same_sum(found->second, step.row.sum);
    });
    if (done) co_return Result<>();
    if (app::Steady::now() > end)
      co_return Error(Errc::timeout, "Home Assistant took the hours, but does not show them");
    co_await app::wait_until(timer, app::Steady::now() + between_looks);
  }
}

asio::awaitable<Result<>> write(Job& job, hastats::Statistic statistic, hastats::Plan plan) {
  std::size_t at = 0;
  for (std::size_t i = 0; i <= plan.shifts.size(); ++i) {
    const std::size_t end = i < plan.shifts.size() ? plan.shifts[i].after : plan.steps.size();
    std::vector<hastats::Row> rows;
    for (; at < end; ++at)
      rows.push_back(plan.steps[at].row);
    auto done = co_await job.client->import(statistic, rows);
    if (!done) co_return done.error();
    if (i == plan.shifts.size()) break;
    done = co_await job.client->adjust(statistic, plan.shifts[i].from, plan.shifts[i].by);
    if (!done) co_return done.error();
  }
  auto seen = co_await verify(job, statistic, plan.steps);
  co_return seen;
}

asio::awaitable<Result<>> fill(Job& job, std::string name, const Counter& counter,
                               hastats::Statistic statistic) {
  const auto known = in_unit(counter, statistic);
  if (!known) co_return known.error();
  auto rows = co_await job.client->rows(statistic, known->begin()->first - look_back);
  if (!rows) co_return rows.error();
  if (rows->empty() || rows->front().start >= known->begin()->first) {
    rows = co_await job.client->rows(statistic, Seconds());
    if (!rows) co_return rows.error();
  }
  const auto plan = hastats::make_plan(*rows, *known, job.range);
  if (!plan) co_return plan.error();
  print(name + ": " +
        (plan->steps.empty()
             ? std::string("nothing is missing\n")
             : std::to_string(plan->steps.size()) + " hours, " + statistic.unit + "\n"));
  if (plan->steps.empty()) co_return Result<>();
  show(*plan, statistic.unit);
  if (!plan->shifts.empty() && !job.adjust)
    co_return Error(Errc::refused,
                    "Home Assistant's sum behind these hours does not go on from them; with "
                    "--adjust it is moved as shown");
  if (job.dry) co_return Result<>();
  auto written = co_await write(job, statistic, *plan);
  co_return written;
}

asio::awaitable<void> work(Job& job) {
  auto in = co_await job.client->login(job.target, job.token);
  if (!in) {
    job.failure = in.error().detail();
    co_return;
  }
  const auto entities = co_await job.client->entities();
  const auto statistics = co_await job.client->statistics();
  if (!entities || !statistics) {
    job.failure = entities ? statistics.error().detail() : entities.error().detail();
    co_return;
  }
  for (const auto& [who, counter] : job.counters) {
    const std::string id = job.instance + "_" + who.first + "_" + who.second.text();
    const std::string called = who.first + " " + who.second.text();
    const auto entity = entities->find(id);
    const auto statistic =
        entity == entities->end() ? statistics->end() : statistics->find(entity->second);
    if (statistic == statistics->end()) {
      complain(called + ": " +
               (entity == entities->end()
                    ? "Home Assistant has no entity with the unique id " + id
                    : "Home Assistant keeps no sums of " + sanitised(entity->second)));
      job.whole = false;
      continue;
    }
    const auto done =
        co_await fill(job, entity->second + " (" + called + ")", counter, statistic->second);
    if (done) continue;
    complain(called + ": " + done.error().detail());
    job.whole = false;
  }
}

int usage(const std::string& text) {
  complain("meterbridge ha-statistics: " + text);
  return exit_usage;
}

int failed(const std::string& text) {
  complain("meterbridge ha-statistics: " + text);
  return exit_failed;
}

Result<std::vector<ReadingKey>> keys_of(const Arguments& arguments) {
  std::vector<ReadingKey> keys;
  for (const std::string& text : arguments.values("--key")) {
    const auto key = ReadingKey::parse(text);
    if (!key) return key.error().within("--key");
    if (!is_cumulative(*key))
      return Error(Errc::invalid,
                   "--key: " + text + " is no counter: Home Assistant keeps no sum of it");
    keys.push_back(*key);
  }
  return keys;
}

// Where and with what. Error: invalid or not_found, in words.
Result<> prepare(Job& job, const Arguments& arguments, sink::Url& url) {
  const auto address = arguments.value("--url");
  const auto file = arguments.value("--token-file");
  if (!address || !file)
    return Error(Errc::invalid, "write --url http://HOST:8123 and --token-file FILE");
  const auto parsed = sink::parse_url(*address);
  if (!parsed) return parsed.error().within("--url");
  url = *parsed;
  job.target = url.path.ends_with("websocket") ? url.path : url.path + "/api/websocket";
  const auto text = read_file(*file);
  if (!text) return text.error();
  job.token = Secret(std::string(trimmed(*text)));
  if (job.token.empty()) return Error(Errc::invalid, *file + " is empty: it should hold a token");
  return {};
}

int connect(Job& job, const sink::Url& url, const Arguments& arguments) {
  asio::io_context context(1);
  auto link = io::make_tcp(context.get_executor(), url.host, url.port, false,
                           {"Home Assistant", "Home Assistant"});
  if (url.tls) {
    io::TlsOptions tls;
    tls.ca = arguments.value("--tls-ca").value_or("");
    link = io::make_tls(std::move(link), url.host, std::move(tls));
  }
  job.client.emplace(hastats::WebSocket(std::move(link), url.host_header(), patience));
  asio::co_spawn(context, work(job), [&](std::exception_ptr broken) {
    if (broken) job.failure = "the work broke off";
    job.client->close();
  });
  context.run();
  job.client.reset();
  if (!job.failure.empty()) return failed(job.failure);
  if (job.dry) print("nothing was written (--dry-run)\n");
  return job.whole ? exit_ok : exit_failed;
}

int run(const Arguments& arguments) {
  if (!arguments.words().empty())
    return usage("unexpected word \"" + arguments.words().front() + "\"");
  const Instant now = SystemClock().now();
  Job job;
  sink::Url url;
  const auto selection = selection_of(arguments, now);
  if (!selection) return usage(selection.error().detail());
  const auto keys = keys_of(arguments);
  if (!keys) return usage(keys.error().detail());
  if (const auto ready = prepare(job, arguments, url); !ready) return usage(ready.error().detail());
  const auto house = load_house(arguments);
  if (!house) return exit_usage;
  job.instance = house->settings.instance;
  job.dry = arguments.has("--dry-run");
  job.adjust = arguments.has("--adjust");
  if (selection->span.from) job.range.from = hour_of(*selection->span.from);
  if (selection->span.to) job.range.to = hour_of(*selection->span.to + hours(1) - Milliseconds(1));
  Selection wide = *selection;  // whole hours
  if (job.range.from) wide.span.from = Instant(*job.range.from);
  if (job.range.to) wide.span.to = Instant(*job.range.to);
  const auto archive = journal::open_archive(
      arguments.value("--database").value_or(app::journal_path(house->settings)));
  if (!archive) return failed(archive.error().detail());
  if (const auto done = collect(job, **archive, wide, *keys, now); !done)
    return failed(done.error().detail());
  for (const std::string& meter : selection->meters) {
    const auto unknown = unknown_meter(house->settings, meter, true);
    if (unknown && job.counters.empty()) complain("meterbridge ha-statistics: " + *unknown);
  }
  if (job.counters.empty())
    return failed(
        "the journal has no counter of that in whole hours (meterbridge journal status tells what "
        "it has)");
  return connect(job, url, arguments);
}

}  // namespace

const Command ha_statistics_command{
    "ha-statistics",
    "ha-statistics --url URL --token-file FILE [--meter ID] [--from TIME] [--to TIME] [--dry-run]",
    "fills hours that Home Assistant missed, from the journal into its statistics",
    "After hours in which Home Assistant was away, its Energy dashboard has one bar as high as all "
    "of them. This\n"
    "writes the missing hours into its long-term statistics, each with what was used in it: the "
    "bar becomes as high as\n"
    "its own hour, and no sum before or after changes. Only statistics are written, never states.\n"
    "\n"
    "Without --from hours that are missing, or in which the counter stands still there and went on "
    "here, are "
    "filled, as\nfar as the journal reaches, and the hour in which a gap began is made whole.\n"
    "With it every hour of that time gets the journal's value. Times without a zone "
    "are those of this\n"
    "machine. A token: your profile in Home Assistant, Security, Long-lived access tokens, as an "
    "administrator.\n"
    "\n"
    "  meterbridge ha-statistics --url http://homeassistant.local:8123 --token-file ha.token "
    "--dry-run\n"
    "  meterbridge ha-statistics --url https://ha.example:8123 --token-file ha.token --meter house "
    "--from 2026-11-20T10:00 "
    "--to 2026-11-20T16:00\n"
    "\n"
    "exit code: 0 done or nothing to do, 1 not all was written, 2 wrong words or configuration\n",
    options,
    run};

}  // namespace meterbridge::cli
