// SPDX-License-Identifier: MIT
#include "app/resender.hpp"

#include "app/numbered.hpp"
#include "core/text.hpp"
#include "journal/event.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

namespace meterbridge::app {
namespace {

constexpr std::size_t most_jobs = 100;
constexpr std::size_t most_sent = 2000;       // samples of one answer; who wants more asks on
constexpr std::size_t most_on_the_way = 100;  // the queue is that of the states, too
constexpr std::size_t entries_of_a_step = 500;

struct Bound {
  std::optional<journal::Sequence> number;
  std::optional<Instant> time;
};

// A number of the journal, or a time: 2026-11-20T18:30:00Z.
Result<Bound> bound_of(const nlohmann::json& json, const char* name) {
  Bound bound;
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return bound;
  if (found->is_number_unsigned()) {
    bound.number = found->get<journal::Sequence>();
    return bound;
  }
  const std::string text = found->is_string() ? found->get<std::string>() : found->dump();
  if (found->is_string()) bound.time = instant_of(text);
  if (bound.time) return bound;
  return Error(Errc::invalid, std::string(name) + ": \"" + sanitised(text, 40) +
                                  "\" is neither a number nor a time like 2026-11-20T18:30:00Z");
}

}  // namespace

Resender::Resender(const boost::asio::any_io_executor& executor, journal::Journal& journal,
                   std::string instance, sink::mqtt::PostOffice office)
    : executor_(executor),
      journal_(journal),
      instance_(std::move(instance)),
      office_(std::move(office)) {}

Result<> Resender::request(std::string_view meter, std::string_view payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object())
    return Error(Errc::invalid, R"(a range was expected: {"from": NUMBER or TIME, "to": ...})");
  const auto from = bound_of(json, "from");
  if (!from) return from.error();
  const auto to = bound_of(json, "to");
  if (!to) return to.error();
  Job job;
  job.meter = meter;
  const auto journal = json.find("journal");
  if (journal != json.end() && journal->is_string()) job.journal = journal->get<std::string>();
  const bool known = job.journal.empty() || job.journal == office_.journal;
  job.from = std::max<journal::Sequence>(from->number.value_or(1), 1);
  // Behind the newest there is nothing to be said of.
  if (known) job.from = std::min(job.from, journal_.committed() + 1);
  job.to = std::min(to->number.value_or(journal_.committed()), journal_.committed());
  job.since = from->time;
  job.before = to->time;
  job.read = job.from - 1;
  job.previous = job.from - 1;
  if (!known) {
    job.to = std::max(to->number.value_or(job.from), job.from);
    job.missing = "the leaf has another journal now: what was in " + sanitised(job.journal, 40) +
                  " and did not come is gone";
  } else if (job.from > 1 && job.to >= job.from && job.from < journal_.oldest()) {
    job.missing = "the leaf does not keep samples before number " +
                  std::to_string(journal_.oldest()) + " any more: those from " +
                  std::to_string(job.from) + " on that did not come are gone";
  }
  // Who asks again while the answer is on its way gets it once.
  if (std::ranges::any_of(jobs_, [&](const Job& other) {
        return other.meter == job.meter && other.journal == job.journal && other.from <= job.from &&
               other.to >= job.to;
      }))
    return {};
  if (jobs_.size() >= most_jobs) return Error(Errc::refused, "too many ranges are asked for");
  jobs_.push_back(std::move(job));
  go_on();
  return {};
}

sink::mqtt::Leaf Resender::leaf() const {
  return {instance_, office_.journal};
}

// Never on the stack of who asks, or of the connection.
void Resender::go_on() {
  if (std::exchange(pumping_, true)) return;
  boost::asio::post(executor_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    pumping_ = false;
    pump();
  });
}

void Resender::send(std::string payload, const Job& job) {
  ++on_the_way_;
  office_.send(sink::mqtt::sample_topic(office_.base, job.meter), std::move(payload),
               [this, alive = std::weak_ptr(alive_)](bool) {
                 if (alive.expired()) return;
                 --on_the_way_;
                 go_on();
               });
}

// One block of the journal, or what is left of it. True when there is more to do for this job.
bool Resender::step(Job& job) {
  const bool known = job.journal.empty() || job.journal == office_.journal;
  if (fetched_.empty() && known && job.read < job.to) {
    auto entries = journal_.after(job.read, entries_of_a_step);
    if (!entries) {
      job.broken = true;  // nothing is said of what was not seen: it is asked for again
      return false;
    }
    if (entries->empty()) {
      job.read = job.to;
    } else {
      fetched_.assign(std::make_move_iterator(entries->begin()),
                      std::make_move_iterator(entries->end()));
    }
  }
  while (!fetched_.empty() && on_the_way_ < most_on_the_way && job.sent < most_sent) {
    const journal::Entry entry = std::move(fetched_.front());
    fetched_.pop_front();
    job.read = std::min(entry.sequence, job.to);
    if (entry.sequence > job.to) {
      fetched_.clear();
      break;
    }
    if (entry.sample.meter != job.meter || journal::is_event(entry.sample)) continue;
    const bool meant = (!job.since || entry.sample.at >= *job.since) &&
                       (!job.before || entry.sample.at < *job.before);
    if (meant) {
      send(sink::mqtt::sample_text(entry, job.previous, leaf()), job);
      ++job.sent;
    }
    job.previous = entry.sequence;
  }
  return known && job.read < job.to && job.sent < most_sent;
}

void Resender::finish(const Job& job) {
  sink::mqtt::Leaf name = leaf();
  sink::mqtt::Void answer;
  answer.previous = job.previous;
  answer.newest = journal_.committed();
  answer.missing = job.missing;
  if (!job.journal.empty() && job.journal != name.journal) {
    name.journal = job.journal;
    answer.sequence = job.to;
    answer.newest = 0;
  } else if (job.broken) {
    answer.sequence = job.previous;
  } else {
    answer.sequence = std::max(job.sent >= most_sent ? job.previous : job.to, job.previous);
  }
  send(sink::mqtt::void_text(job.meter, answer, name), job);
}

void Resender::pump() {
  if (jobs_.empty() || on_the_way_ >= most_on_the_way) return;
  if (step(jobs_.front())) {
    // Full ways are gone on with when something arrived.
    if (on_the_way_ < most_on_the_way) go_on();
    return;
  }
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  fetched_.clear();
  finish(job);
  if (!jobs_.empty()) go_on();
}

}  // namespace meterbridge::app
