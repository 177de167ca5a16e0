// SPDX-License-Identifier: MIT
// `journal import`: files of before go into the journal.
#include "cli/house.hpp"
#include "cli/import_place.hpp"
#include "cli/journal_words.hpp"
#include "config/reader.hpp"
#include "core/text.hpp"
#include "history/counters.hpp"
#include "journal/import.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>

namespace meterbridge::cli {
namespace {

constexpr std::uint64_t most_told = 20;  // of each file, each kind

struct Wanted {
  Wanted() = default;
  history::Options options;
  Selection selection;
  std::optional<std::string> meter;            // --meter ID
  std::map<std::string, std::string> renamed;  // --meter ID=NAME, by the name in the file
  bool dry = false;
  bool changed = false;  // --meter-changed
};

struct Count {
  Count() = default;
  std::uint64_t lines = 0, samples = 0, added = 0, there = 0, elsewhere = 0, refused = 0;
  std::uint64_t before = 0;  // older than the journal keeps them
  std::uint64_t told = 0, silent = 0;
  std::string last;  // that was told
};

struct Job {
  Job() = default;
  const Wanted* wanted = nullptr;
  const config::Settings* settings = nullptr;
  Instant now{};
  journal::Import* journal = nullptr;  // none: only the files are looked at
  std::optional<Instant> kept_from;
  std::string file;
  Count count;
  std::map<std::string, std::uint64_t> meters;  // what became of the names, over all files
  std::optional<std::string> only;              // the one name that --meter ID stands for
  std::optional<std::pair<Instant, Instant>> span;
  std::optional<Error> broken;
  bool whole = true;  // nothing was left out
};

void tell(Job& job, history::Place place, std::string_view kind, const std::string& text) {
  // What is wrong with each line is said once.
  if (job.count.told >= most_told || text == job.count.last) {
    ++job.count.silent;
    return;
  }
  ++job.count.told;
  job.count.last = text;
  std::string where = job.file + ":" + std::to_string(place.line) + ":";
  if (place.column > 0) where += std::to_string(place.column) + ":";
  complain(where + " " + std::string(kind) + ": " + text);
}

void refuse(Job& job, history::Place place, const std::string& why) {
  ++job.count.refused;
  tell(job, place, "error", why);
}

bool belongs_to(const std::string& name, const Sample& sample, const std::string& id) {
  return name == id || sample.parent == id ||
         (name.size() > id.size() && name.starts_with(id) && name[id.size()] == '_');
}

enum class Named : std::uint8_t { taken, elsewhere, refused };

// Gives the sample the id that its meter has here.
Named rename(Job& job, const history::Layout& layout, Sample& sample, std::string& why) {
  const Wanted& wanted = *job.wanted;
  if (!wanted.renamed.empty()) {
    const auto found = wanted.renamed.find(sample.meter);
    if (found == wanted.renamed.end()) return Named::elsewhere;
    sample.meter = found->second;
    return Named::taken;
  }
  if (!layout.ours) {
    if (!wanted.meter) {
      why = "name the meter that these samples are of: --meter ID";
      if (!sample.meter.empty()) why += ", or --meter ID=" + sanitised(sample.meter, 60);
      return Named::refused;
    }
    if (!job.only) job.only = sample.meter;
    if (*job.only != sample.meter) {
      why = "there is more than one meter (" + sanitised(*job.only, 60) + ", " +
            sanitised(sample.meter, 60) + "): say which is meant with --meter ID=NAME";
      return Named::refused;
    }
    sample.meter = *wanted.meter;
    return Named::taken;
  }
  if (sample.meter.empty()) sample.meter = history::meter_of_path(job.file);
  if (sample.meter.empty() && wanted.meter) sample.meter = *wanted.meter;
  const std::string fault = config::identity_fault(std::string_view(sample.meter).substr(0, 64));
  if (!fault.empty() && !sample.meter.empty()) {
    why = "the id \"" + sanitised(sample.meter, 60) + "\" " + fault +
          ": --meter ID=NAME gives another";
    return Named::refused;
  }
  if (sample.meter.empty()) {
    why = "neither the file nor its folder names the meter: --meter ID does";
    return Named::refused;
  }
  const bool meant = !wanted.meter || belongs_to(sample.meter, sample, *wanted.meter);
  return meant ? Named::taken : Named::elsewhere;
}

// A clock that was not set, or another zone. Empty when all is well.
std::string wrong_time(const Job& job, Instant at) {
  constexpr std::chrono::hours ahead{1};  // as much as a meter's summer time may be wrong
  if (at > job.now + ahead)
    return iso_utc(at) + " has not come yet: a clock that was wrong, or another --zone";
  if (at < Instant(std::chrono::sys_days(std::chrono::year(2001) / 1 / 1)))
    return iso_utc(at) + ": the clock of that program was not set";
  return {};
}

void add(Job& job, history::Place place, const Sample& sample) {
  if (!job.wanted->selection.span.holds(sample.at)) {
    ++job.count.elsewhere;
    return;
  }
  ++job.count.samples;
  ++job.meters[sample.meter];
  if (!job.span) job.span = std::pair(sample.at, sample.at);
  job.span->first = std::min(job.span->first, sample.at);
  job.span->second = std::max(job.span->second, sample.at);
  if (job.kept_from && sample.at < *job.kept_from) ++job.count.before;
  if (job.journal == nullptr || job.broken) return;
  const auto verdict = job.journal->add(sample);
  if (!verdict) {
    job.broken = verdict.error();
    return;
  }
  ++(verdict->added ? job.count.added : job.count.there);
  if (verdict->other.empty()) return;
  std::string keys;
  for (const std::string& key : verdict->other)
    keys += (keys.empty() ? "" : ", ") + key;
  refuse(
      job, place,
      "the journal has another value at " + iso_utc(sample.at) + " already, which stays: " + keys);
}

Result<history::Summary> read_one(Job& job, const std::string& file) {
  job.file = file;
  job.count = Count();
  if (job.journal != nullptr) job.journal->next_file();
  history::Counters::Sink sink;
  sink.pass = [&](history::Place place, Sample&& sample) { add(job, place, sample); };
  sink.refuse = [&](history::Place place, const std::string& why) { refuse(job, place, why); };
  sink.tell = [&](const std::string& text) { complain(file + ": " + text); };
  history::Counters counters(sink);
  const history::Layout* layout = nullptr;
  history::Events events;
  events.begin = [&](const history::Layout& found) { layout = &found; };
  events.fault = [&](history::Place place, const std::string& why) { refuse(job, place, why); };
  events.note = [&](const std::string& text) { complain(file + ": " + text); };
  events.sample = [&](history::Place place, Sample&& sample) {
    std::string why = wrong_time(job, sample.at);
    const Named named = why.empty() ? rename(job, *layout, sample, why) : Named::refused;
    if (named == Named::elsewhere) ++job.count.elsewhere;
    if (named == Named::refused) refuse(job, place, why);
    if (named == Named::taken) counters.put(place, std::move(sample));
  };
  auto summary = history::read_file(file, job.wanted->options, events);
  if (!summary) return summary;
  counters.flush();
  job.count.lines = summary->lines;
  if (job.count.silent > 0) complain(file + ": and " + std::to_string(job.count.silent) + " more");
  return summary;
}

Result<Wanted> wanted_of(const Arguments& arguments, const Selection& selection) {
  Wanted wanted;
  wanted.selection = selection;
  wanted.dry = arguments.has("--dry-run");
  wanted.changed = arguments.has("--meter-changed");
  if (const auto name = arguments.value("--layout")) {
    wanted.options.layout = history::find_layout(*name);
    if (wanted.options.layout == nullptr) {
      std::string names;
      for (const history::Layout& layout : history::layouts())
        names += (names.empty() ? "" : ", ") + std::string(layout.name);
      return Error(Errc::invalid, "--layout " + *name + " is not one of: " + names);
    }
  }
  for (const std::string& text : arguments.values("--map")) {
    auto mapping = history::parse_mapping(text);
    if (!mapping) return mapping.error().within("--map");
    wanted.options.mapping.insert(std::move(*mapping));
  }
  for (const std::string& text : arguments.values("--meter")) {
    const std::size_t equal = text.find('=');
    if (equal != std::string::npos) {
      wanted.renamed.insert_or_assign(text.substr(equal + 1), text.substr(0, equal));
    } else if (wanted.meter) {
      return Error(Errc::invalid, "one --meter ID, or --meter ID=NAME for each name in the files");
    } else {
      wanted.meter = text;
    }
  }
  if (wanted.meter && !wanted.renamed.empty())
    return Error(Errc::invalid, "either --meter ID or --meter ID=NAME");
  return wanted;
}

void warn_of_leaving(const Job& job, const Count& all, std::uint64_t bytes) {
  if (job.settings == nullptr) return;
  const config::JournalSettings& settings = job.settings->journal;
  if (all.before > 0)
    complain(std::to_string(all.before) +
             " of the samples are older than the journal keeps them (keep: " +
             duration_text(settings.keep) +
             "): the service deletes them after its start. Replay them to your sinks before that, "
             "or write journal: {keep: 0s}");
  if (settings.size > 0 && bytes > settings.size)
    complain("the journal is larger than its size (" + std::to_string(settings.size / 1'000'000) +
             " MB) now: the service deletes the oldest and the imported samples first");
}

void end_words(const Job& job, const Count& all, const std::string& path, double seconds) {
  std::string text = std::to_string(all.lines) + " lines in " +
                     std::to_string(static_cast<std::uint64_t>(seconds * 1000)) + " ms: ";
  text += job.journal == nullptr
              ? std::to_string(all.samples) +
                    " samples; what the journal has already was not looked at, because the service "
                    "runs\n"
              : std::to_string(all.added) + " samples " +
                    (job.wanted->dry ? "would be new" : "are new") + " in " + path + ", " +
                    std::to_string(all.there) + " are there already\n";
  if (job.wanted->dry) text += "nothing was written (--dry-run)\n";
  if (!job.wanted->dry && all.added > 0 && job.span)
    text +=
        "sinks get nothing of it by themselves: meterbridge journal replay --sink NAME --from " +
        iso_utc(job.span->first) + " --to " + iso_utc(job.span->second + Milliseconds(1)) + "\n";
  print(text);
}

// False when that must not be written: an energy view would show a leap.
bool counters_agree(Job& job) {
  if (job.journal == nullptr || job.broken) return true;
  const auto words = [](const journal::Fall::Side& side) {
    return side.value.str() + " at " + iso_utc(side.at) +
           (side.imported ? " (imported)" : " (in the journal)");
  };
  std::uint64_t told = 0;
  const auto falls = job.journal->falls([&](const journal::Fall& fall) {
    if (told++ < most_told)
      complain(fall.meter + ": " + fall.key.text() + " falls from " + words(fall.from) + " to " +
               words(fall.to));
  });
  if (!falls) {
    job.broken = falls.error();
    return true;
  }
  if (told > most_told) complain("and " + std::to_string(told - most_told) + " more falls");
  if (*falls > 0 && !job.wanted->changed)
    complain(
        "meterbridge journal: a counter never falls: nothing of this is written, unless you say "
        "that there was another meter before (--meter-changed)");
  return *falls == 0 || job.wanted->changed;
}

int read_all(Job& job, const std::vector<std::string>& files, const std::string& path) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::vector<std::string>> rows{
      {"file", "layout", "lines", "samples", "new", "known", "not meant", "refused"}};
  Count all;
  for (const std::string& file : files) {
    const auto summary = read_one(job, file);
    if (!summary) {
      complain("meterbridge journal: " + summary.error().detail());
      job.whole = false;
      continue;
    }
    const Count& one = job.count;
    rows.push_back({file, std::string(summary->layout->name), std::to_string(one.lines),
                    std::to_string(one.samples), std::to_string(one.added),
                    std::to_string(one.there), std::to_string(one.elsewhere),
                    std::to_string(one.refused)});
    all.lines += one.lines;
    all.samples += one.samples;
    all.added += one.added;
    all.there += one.there;
    all.before += one.before;
    job.whole = job.whole && one.refused == 0;
    if (job.broken) break;
  }
  const bool agree = counters_agree(job);
  if (!agree && !job.wanted->dry) return exit_failed;
  if (!job.broken && job.journal != nullptr) {
    const auto bytes = job.journal->bytes();
    if (!job.wanted->dry) {
      if (const auto done = job.journal->finish(); !done) job.broken = done.error();
    }
    if (bytes && !job.broken) warn_of_leaving(job, all, *bytes);
  }
  if (job.broken) {
    complain("meterbridge journal: nothing was written: " + job.broken->detail());
    return exit_failed;
  }
  if (rows.size() > 1) print(table(rows) + "\n");
  if (!job.meters.empty()) {
    std::string names;
    for (const auto& [name, count] : job.meters)
      names += (names.empty() ? "" : ", ") + name + " (" + std::to_string(count) + ")";
    print("meters: " + names + "\n");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  end_words(job, all, path, took.count());
  if (all.samples == 0) complain("meterbridge journal: there is no sample in it that is meant");
  return job.whole && agree && all.samples > 0 ? exit_ok : exit_failed;
}

}  // namespace

Result<> prepare_import(const Arguments& arguments) {
  const auto zone = arguments.value("--zone");
  return zone ? use_zone(*zone) : Result<>();
}

int import_files(const Arguments& arguments, const Selection& selection, const std::string& path,
                 const config::Settings* settings) {
  const auto refuse = [](const std::string& text, int code) {
    complain("meterbridge journal: " + text);
    return code;
  };
  const auto wanted = wanted_of(arguments, selection);
  if (!wanted) return refuse(wanted.error().detail(), exit_usage);
  std::vector<std::string> ids;
  if (wanted->meter) ids.push_back(*wanted->meter);
  for (const auto& [name, id] : wanted->renamed)
    ids.push_back(id);
  for (const std::string& id : ids) {
    const std::string fault = wrong_id(id, settings, arguments.has("--new-meter"));
    if (!fault.empty()) return refuse(fault, exit_usage);
  }
  auto files = files_of(std::span(arguments.words()).subspan(1));
  if (!files) return refuse(files.error().detail(), exit_failed);
  const std::size_t named = files->size();
  const auto most = most_samples_of(*files);
  if (!most) return refuse(most.error().detail(), exit_failed);
  if (files->empty()) return exit_failed;
  Job job;
  job.whole = files->size() == named;
  job.wanted = &*wanted;
  job.settings = settings;
  job.now = SystemClock().now();
  if (settings != nullptr && settings->journal.keep > Milliseconds::zero())
    job.kept_from = job.now - settings->journal.keep;
  if (const std::string fault = owner_fault(path); !fault.empty())
    return refuse(fault, exit_failed);
  const SystemClock clock;
  // A dry run makes no file: neither a journal nor its lock.
  std::error_code failed;
  const bool trial = wanted->dry && !std::filesystem::exists(path, failed);
  std::optional<Error> claimed;
  const auto claim = trial ? nullptr : claim_journal(path, settings, claimed);
  std::unique_ptr<journal::Import> into;
  if (claimed && !wanted->dry)
    return refuse(claimed->detail() +
                      "; the journal is its own while it runs. Stop it for the time of the import "
                      "(--dry-run works beside it)",
                  exit_failed);
  if (!claimed) {
    auto begun =
        trial ? journal::begin_trial(*most, clock) : journal::begin_import(path, *most, clock);
    if (!begun) return refuse(begun.error().detail(), exit_failed);
    into = std::move(*begun);
  }
  job.journal = into.get();
  return read_all(job, *files, path);
}

}  // namespace meterbridge::cli
