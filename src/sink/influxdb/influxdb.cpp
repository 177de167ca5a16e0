// SPDX-License-Identifier: MIT
// Writes samples to InfluxDB. A write that is refused is halved until the guilty point is alone,
// and where the server dislikes one field of it, that field; everything else is stored. But what
// refuses everything has no guilty point: that is a failure, and costs no sample. Repetition is
// harmless: the database knows a point by its series and time.
#include "sink/influxdb/influxdb.hpp"

#include "sink/http_client.hpp"
#include "sink/influxdb/line_protocol.hpp"
#include "sink/influxdb/options.hpp"
#include "sink/influxdb/verdict.hpp"
#include "sink/left_out.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include <boost/asio/this_coro.hpp>

namespace meterbridge::sink::influxdb {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t largest_body = std::size_t{256} * 1024;
constexpr std::size_t smallest_body = std::size_t{4} * 1024;
constexpr std::size_t one_packet = 1400;  // below it compression saves nothing
// After so many requests, or so long, what is done so far is reported; the rest comes again.
constexpr int most_requests = 64;
constexpr auto longest_write = std::chrono::seconds(10);
constexpr std::size_t most_witnesses = 15;
// So long a field that was refused for its type is left out without asking again.
constexpr auto field_ban = std::chrono::minutes(10);

struct Part {
  Part() = default;
  std::size_t entry = 0;  // in the batch
  Point point;
};

using Parts = std::vector<Part>;

std::string text_of(const Parts& parts) {
  std::string text;
  for (const Part& part : parts)
    append_line(text, part.point);
  return text;
}

// A field's type is one for all series of a measurement; a value of another type is another case.
std::string identity(const Point& point, const Field& field) {
  const std::string measurement = point.series.substr(0, point.series.find(','));
  const char type = field.value.empty() ? ' ' : field.value.front();
  const char kind = type == '"' || type == 't' || type == 'f' ? type : '0';
  return measurement + '\n' + field.name + '\n' + (kind == 'f' ? 't' : kind);
}

std::vector<Parts> halves(Parts parts) {
  const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(parts.size() / 2);
  Parts second(std::make_move_iterator(middle), std::make_move_iterator(parts.end()));
  parts.erase(middle, parts.end());
  std::vector<Parts> both;
  both.push_back(std::move(second));
  both.push_back(std::move(parts));
  return both;
}

Parts single_fields(const Part& part) {
  Parts out;
  for (const Field& field : part.point.fields) {
    out.push_back(part);
    out.back().point.fields.assign(1, field);
  }
  return out;
}

class Influxdb final : public Sink {
 public:
  Influxdb(const asio::any_io_executor& executor, Setup setup, Options options)
      : log_(std::move(setup.log)),
        options_(std::move(options)),
        client_(executor, options_.url, options_.tls, options_.timeout) {}

  asio::awaitable<Result<Written>> write(std::span<const journal::Entry> batch) override {
    co_await asio::this_coro::throw_if_cancelled(false);
    Work work(batch);
    take_up(work);
    while (!work.open.empty()) {
      const bool enough =
          work.requests >= most_requests || SteadyClock::now() - work.begun > longest_write;
      if (enough && work.taken() > 0) break;
      Parts parts = std::move(work.open.back());
      work.open.pop_back();
      ++work.requests;
      auto verdict = co_await post(parts);
      if (verdict && verdict->fate == Fate::taken) work.proved = true;
      if (verdict && parts.size() == 1 && needs_proof(work, *verdict)) {
        auto judged = co_await with_witnesses(work, *verdict);
        verdict = std::move(judged);
      }
      if (!verdict || verdict->fate == Fate::failed || verdict->fate == Fate::wait) {
        work.open.push_back(std::move(parts));
        // What is done is reported first; the failure comes again with the next batch.
        const bool progress = work.taken() > 0;
        if (!verdict && !progress) co_return verdict.error();
        if (verdict && verdict->fate == Fate::failed && !progress)
          co_return Error(Errc::io, client_.name() + " " + verdict->words);
        if (verdict && verdict->fate == Fate::wait) work.written.pause = verdict->pause;
        if (verdict && verdict->fate == Fate::wait) say_pause(verdict->words);
        break;
      }
      pausing_ = false;
      if (verdict->fate != Fate::taken) divide(work, std::move(parts), *verdict);
    }
    Written written = work.result();
    co_return written;
  }

  void close() override { client_.close(); }

  asio::awaitable<Result<std::string>> check() override;

 private:
  // One call of write(). `open` is a stack: the parts on top come first in the batch.
  struct Work {
    explicit Work(std::span<const journal::Entry> entries) : batch(entries) {}

    [[nodiscard]] std::size_t taken() const {
      return open.empty() ? selected : open.back().front().entry;
    }

    void refuse(std::size_t entry, const std::string& reason) {
      auto& list = written.refused;
      const auto sequence = batch[entry].sequence;
      const auto known = std::ranges::find(list, sequence, &Refusal::sequence);
      if (known == list.end()) {
        list.push_back({sequence, reason});
      } else if (known->reason.find(reason) == std::string::npos) {
        known->reason += "; " + reason;
      }
    }

    // Refusals of entries that are only half done are found again with their next turn.
    [[nodiscard]] Written result() {
      written.taken = taken();
      std::erase_if(written.refused, [this](const Refusal& refusal) {
        return written.taken < batch.size() && refusal.sequence >= batch[written.taken].sequence;
      });
      std::ranges::sort(written.refused, {}, &Refusal::sequence);
      return std::move(written);
    }

    std::span<const journal::Entry> batch;
    std::size_t selected = 0;  // entries that this call deals with
    std::vector<Parts> open;
    int requests = 0;
    bool proved = false;  // the place took something
    SteadyClock::time_point begun = SteadyClock::now();
    Written written;
  };

  // As many entries from the front as fit into one body.
  void take_up(Work& work) {
    Parts parts;
    std::size_t size = 0;
    for (const journal::Entry& entry : work.batch) {
      auto points = points_of(entry.sample, options_.form);
      std::string text;
      for (const Point& point : points)
        append_line(text, point);
      if (size > 0 && size + text.size() > body_limit_) break;
      size += text.size();
      for (Point& point : points) {
        leave_out_banned(work, work.selected, point);
        if (point.fields.empty()) continue;
        parts.emplace_back();
        parts.back().entry = work.selected;
        parts.back().point = std::move(point);
      }
      ++work.selected;
    }
    if (!parts.empty()) work.open.push_back(std::move(parts));
  }

  void leave_out_banned(Work& work, std::size_t entry, Point& point) {
    if (banned_.empty()) return;
    const auto now = SteadyClock::now();
    std::erase_if(banned_, [now](const auto& ban) { return ban.second.until <= now; });
    std::erase_if(point.fields, [&](const Field& field) {
      const auto ban = banned_.find(identity(point, field));
      if (ban == banned_.end()) return false;
      work.refuse(entry, ban->second.reason);
      return true;
    });
  }

  // Who refuses the whole request (a wrong place or precision, a proxy) says it of each point, too.
  static bool needs_proof(const Work& work, const Verdict& verdict) {
    if (work.proved) return false;
    return verdict.fate == Fate::too_large ||
           (verdict.fate == Fate::poison && !is_about_points(verdict.words));
  }

  // The newest point of each series that is still to come, and one more, which is another one with
  // each attempt: so a place that takes anything at all is found out at last.
  std::vector<const Part*> witnesses(const Work& work) {
    std::vector<const Part*> all;
    std::vector<const Part*> chosen;
    std::set<std::string_view> series;
    for (const Parts& parts : work.open) {
      for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        all.push_back(&*part);
        if (chosen.size() < most_witnesses && series.insert(part->point.series).second)
          chosen.push_back(&*part);
      }
    }
    if (!all.empty()) chosen.push_back(all[attempts_++ % all.size()]);
    return chosen;
  }

  // The first point was refused. Is it the point? Only if the place takes another one.
  asio::awaitable<Result<Verdict>> with_witnesses(Work& work, Verdict refused) {
    for (const Part* witness : witnesses(work)) {
      ++work.requests;
      const Parts alone(1, *witness);
      auto verdict = co_await post(alone);
      if (!verdict) co_return verdict.error();
      if (verdict->fate == Fate::failed || verdict->fate == Fate::wait) co_return verdict;
      if (verdict->fate != Fate::taken && !is_about_points(verdict->words)) continue;
      work.proved = true;
      co_return refused;
    }
    refused.words = "takes no sample at all: " + refused.words;
    refused.fate = Fate::failed;
    co_return refused;
  }

  void divide(Work& work, Parts parts, const Verdict& verdict) {
    if (verdict.fate == Fate::too_large)
      body_limit_ = std::max(smallest_body, std::min(body_limit_, text_of(parts).size()) / 2);
    if (parts.size() > 1) {
      for (Parts& half : halves(std::move(parts)))
        work.open.push_back(std::move(half));
      return;
    }
    const Part& part = parts.front();
    const bool field = is_about_a_field(verdict.words) && verdict.fate == Fate::poison;
    if (field && part.point.fields.size() > 1) {
      work.open.push_back(single_fields(part));
      return;
    }
    const std::string name = field ? "field " + part.point.fields.front().name + ": " : "";
    work.refuse(part.entry, name + verdict.words);
    if (!field) return;
    Ban& ban = banned_[identity(part.point, part.point.fields.front())];
    ban.reason = name + verdict.words;
    ban.until = SteadyClock::now() + field_ban;
  }

  asio::awaitable<Result<Verdict>> post(const Parts& parts) {
    HttpRequest request;
    request.target = options_.target;
    request.headers = "Content-Type: text/plain; charset=utf-8\r\n" + options_.login.reveal();
    request.body = text_of(parts);
    if (options_.gzip && request.body.size() > one_packet) {
      auto packed = gzipped(request.body);
      if (!packed) co_return packed.error();
      request.body = std::move(*packed);
      request.headers += "Content-Encoding: gzip\r\n";
    }
    auto answer = co_await client_.ask(request);
    if (!answer) co_return answer.error();
    Verdict verdict = judge(*answer, options_);
    co_return verdict;
  }

  void say_pause(const std::string& words) {
    if (!std::exchange(pausing_, true) && log_) log_(true, client_.name() + " " + words);
  }

  struct Ban {
    std::string reason;
    SteadyClock::time_point until;
  };

  std::function<void(bool, const std::string&)> log_;
  Options options_;
  HttpClient client_;
  std::size_t body_limit_ = largest_body;
  std::map<std::string, Ban> banned_;
  std::size_t attempts_ = 0;
  bool pausing_ = false;
};

// A write of nothing: the server looks at login and place first, and stores nothing. Version 3
// would make a database that is missing, so it is only greeted.
asio::awaitable<Result<std::string>> Influxdb::check() {
  co_await asio::this_coro::throw_if_cancelled(false);
  HttpRequest request;
  request.headers = options_.login.reveal();
  request.target = options_.target;
  const bool greet = options_.version == 3;
  if (greet) {
    request.method = "GET";
    request.target = options_.url.path + "/ping";
  }
  const auto answer = co_await client_.ask(request);
  client_.close();
  if (!answer) co_return answer.error();
  const Verdict verdict = judge(*answer, options_);
  if (verdict.fate == Fate::wait) co_return client_.name() + " " + verdict.words;
  if (verdict.fate != Fate::taken && !misses_points(verdict))
    co_return Error(Errc::io, client_.name() + " " + verdict.words);
  if (greet) {
    co_return client_.name() + " answers and takes the login; whether it has " + options_.place +
        " shows with the first sample";
  }
  co_return client_.name() + " answers, and takes writes to " + options_.place;
}

Result<std::unique_ptr<Sink>> make(const asio::any_io_executor& executor, Setup setup) {
  auto options = options_of(setup.settings);
  if (!options) return options.error();
  std::unique_ptr<Sink> made =
      std::make_unique<Influxdb>(executor, std::move(setup), std::move(*options));
  return made;
}

}  // namespace

Kind kind() {
  return {"influxdb", "InfluxDB 1.x, 2.x, 3, and what speaks like it (VictoriaMetrics)", specs(),
          unless_left_out(&make)};
}

}  // namespace meterbridge::sink::influxdb
