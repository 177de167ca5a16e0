// SPDX-License-Identifier: MIT
#include "app/recorder.hpp"
#include "cli/house.hpp"
#include "cli/journal_words.hpp"
#include "core/json_writer.hpp"
#include "journal/hold.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

namespace meterbridge::cli {
namespace {

constexpr std::array options{
    config_option,
    Option{"--json", "", "", "status: one JSON object instead of a table"},
    Option{"--from", "", "TIME", "from this time on: 2026-11-20, 2026-11-20T18:30, or 24h (ago)"},
    Option{"--to", "", "TIME", "before this time"},
    Option{"--meter", "", "ID",
           "only this meter and its sub-meters; may be given several times. import: whose samples "
           "they are, or ID=NAME for a name in the files",
           true},
    Option{"--format", "", "FORMAT", "export: csv, json or influx; default json"},
    Option{"--sink", "", "NAME", "replay: the sink of the configuration that gets the samples"},
    Option{"--layout", "", "LAYOUT", "import: what the files are, where looking does not tell"},
    Option{"--map", "", "NAME=KEY[:UNIT]",
           "import: what a column, field or entity is here; may be given several times", true},
    Option{"--zone", "", "ZONE", "import: of times without one, for example Europe/Vienna"},
    Option{"--new-meter", "", "", "import: even where --meter is none of the configuration"},
    Option{"--meter-changed", "", "", "import: even where a counter is lower than before"},
    Option{"--dry-run", "", "", "import: says what it would do, and writes nothing"},
    Option{"--database", "", "FILE",
           "another journal than the configuration's, for example one that was moved aside"},
    Option{"--directory", "", "DIR",
           "hold, release: this state directory, not the configuration's"},
};

std::string time_of(const std::optional<journal::Mark>& mark) {
  return mark ? iso_utc(mark->at) : "-";
}

std::string table_of(const std::string& path, const journal::Overview& overview) {
  std::string text = table({
      {"journal", path},
      {"samples", std::to_string(overview.entries)},
      {"oldest", time_of(overview.oldest)},
      {"newest", time_of(overview.newest)},
      {"kB", std::to_string(overview.bytes / 1000)},
      {"dropped", std::to_string(overview.dropped)},
      {"damaged", std::to_string(overview.damaged)},
  });
  if (overview.sinks.empty()) return text + "\nno sink has read it yet\n";
  std::vector<std::vector<std::string>> rows{{"sink", "behind", "dropped", "cursor"}};
  for (const journal::SinkState& sink : overview.sinks)
    rows.push_back({sink.sink, std::to_string(sink.lag), std::to_string(sink.dropped),
                    std::to_string(sink.cursor)});
  return text + "\n" + table(rows) +
         "\na running service saves these places every 5 minutes; where its sinks are now is in "
         "its page /api/status\nand in the topic <base>/bridge/health\n";
}

std::string json_of(const std::string& path, const journal::Overview& overview) {
  JsonWriter json;
  json.object().member("journal", path).member("samples", overview.entries);
  for (const auto& [name, mark] :
       {std::pair("oldest", &overview.oldest), std::pair("newest", &overview.newest)}) {
    json.key(name);
    if (!*mark) {
      json.null();
      continue;
    }
    json.object().member("sequence", (*mark)->sequence).member("time", iso_utc((*mark)->at)).end();
  }
  json.member("bytes", overview.bytes);
  json.member("dropped", overview.dropped).member("damaged", overview.damaged);
  json.key("sinks").array();
  for (const journal::SinkState& sink : overview.sinks) {
    json.object().member("sink", sink.sink).member("cursor", sink.cursor);
    json.member("behind", sink.lag).member("dropped", sink.dropped).end();
  }
  json.end().end();
  return json.text() + "\n";
}

int status(journal::Archive& archive, const std::string& path, const Arguments& arguments) {
  const auto overview = archive.overview();
  if (!overview) {
    complain("meterbridge journal: " + overview.error().detail());
    return exit_failed;
  }
  print(arguments.has("--json") ? json_of(path, *overview) : table_of(path, *overview));
  return exit_ok;
}

int export_entries(journal::Archive& archive, const Selection& selection, const std::string& format,
                   const config::Settings* settings) {
  const ExportFormat form = format == "csv"    ? ExportFormat::csv
                            : format == "json" ? ExportFormat::json
                                               : ExportFormat::influx;
  const auto written = write_export(archive, selection, form, [](std::string_view text) {
    print(text);
    return std::ferror(stdout) == 0;
  });
  if (!written) {
    complain("meterbridge journal: " + written.error().detail());
    return exit_failed;
  }
  bool known = true;
  for (const std::string& meter : selection.meters) {
    const auto unknown = settings != nullptr
                             ? unknown_meter(*settings, meter, true)
                             : std::optional<std::string>("no meter \"" + meter + "\"");
    if (!unknown || holds_meter(archive, meter)) continue;
    complain("meterbridge journal: " + *unknown + ", and the journal has no sample of it");
    known = false;
  }
  if (archive.damaged() == 0) return known ? exit_ok : exit_failed;
  complain(std::to_string(archive.damaged()) + " entries are damaged and were left out");
  return exit_failed;
}

int usage(const std::string& text) {
  complain("meterbridge journal: " + text);
  return exit_usage;
}

// The journal's file: named, or the configuration's. Nothing when that was refused in words.
std::optional<std::string> path_of(const Arguments& arguments, const config::Settings* settings) {
  if (auto given = arguments.value("--database")) return given;
  if (settings == nullptr) return std::nullopt;
  if (settings->journal.store == config::JournalStore::memory) {
    complain(
        "the journal is in memory (journal: memory): only the service itself knows it; see "
        "\"journal\" in the topic <base>/bridge/health");
    return std::nullopt;
  }
  return app::journal_path(*settings);
}

// What is wrong with the words; empty = nothing.
std::string fault_of(const Arguments& arguments, const std::string& what) {
  const std::vector<std::string>& words = arguments.words();
  if (what == "import")
    return words.size() > 1 ? std::string() : "name the files: journal import FILE...";
  if (words.size() > 1) return "unexpected word \"" + words[1] + "\"";
  constexpr std::array known{"status", "export", "replay", "hold", "release"};
  if (std::find(known.begin(), known.end(), what) == known.end())
    return "write journal status, export, import, replay, hold or release";
  if (what == "replay" && !arguments.has("--sink"))
    return "name the sink that gets the samples: --sink NAME";
  const std::string format = arguments.value("--format").value_or("json");
  if (format != "csv" && format != "json" && format != "influx")
    return "--format " + format + " is not one of: csv, json, influx";
  return {};
}

// Around a backup that copies the files of a running program.
int hold_or_release(const Arguments& arguments, bool hold) {
  std::string directory = arguments.value("--directory").value_or("");
  if (directory.empty()) {
    const auto house = load_house(arguments);
    if (!house) return exit_usage;
    directory = std::filesystem::path(app::journal_path(house->settings)).parent_path().string();
  }
  const auto done = hold ? journal::hold(directory) : journal::release(directory);
  if (done) return exit_ok;
  complain("meterbridge journal: " + done.error().detail());
  return exit_failed;
}

int run(const Arguments& arguments) {
  const std::string what = arguments.words().empty() ? "status" : arguments.words().front();
  if (const std::string fault = fault_of(arguments, what); !fault.empty()) return usage(fault);
  if (what == "hold" || what == "release") return hold_or_release(arguments, what == "hold");
  if (const auto done = prepare_import(arguments); !done) return usage(done.error().detail());
  const auto selection = selection_of(arguments, SystemClock().now());
  if (!selection) return usage(selection.error().detail());
  std::optional<app::House> house;
  if (what == "replay" || !arguments.has("--database")) {
    house = load_house(arguments);
    if (!house) return exit_usage;
  }
  const auto path = path_of(arguments, house ? &house->settings : nullptr);
  if (!path) return exit_usage;
  if (what == "import")
    return import_files(arguments, *selection, *path, house ? &house->settings : nullptr);
  const auto archive = journal::open_archive(*path);
  if (!archive) {
    complain("meterbridge journal: " + archive.error().detail());
    return exit_failed;
  }
  if (what == "status") return status(**archive, *path, arguments);
  if (what == "replay")
    return replay_entries(*house, **archive, *selection, *arguments.value("--sink"));
  return export_entries(**archive, *selection, arguments.value("--format").value_or("json"),
                        house ? &house->settings : nullptr);
}

}  // namespace

const Command journal_command{
    "journal",
    "journal [-c FILE] status | export | import FILE... | replay | hold | release",
    "the store of samples: what it holds, and its content as text",
    "status   how many samples, of what time, how large, and how far each sink is\n"
    "export   the samples as text, oldest first: json (one object a line), influx (line protocol) "
    "or csv\n"
    "replay   sends the samples to one sink once more, to fill a new or a repaired one; files "
    "want the service stopped\n"
    "import   files of before into the journal: ours, and those of other programs; the service "
    "must "
    "be stopped.\n"
    "         Its sinks get nothing of it until a replay\n"
    "hold     before a backup that copies the files of a running service: for ten minutes, or "
    "until release,\n"
    "         the journal's database and its log stay a pair that can be opened\n"
    "\n"
    "All but import work while the service runs; what it has not committed yet is not seen. Times "
    "without a "
    "zone are those of this\n"
    "machine; --from is included, --to is not.\n"
    "\n"
    "  meterbridge journal status\n"
    "  meterbridge journal export --from 2026-11-20 --to 2026-11-21 --meter house --format influx\n"
    "  meterbridge journal replay --sink influxdb --from 2026-11-01\n"
    "\n"
    "  meterbridge journal import --meter flat --zone Europe/Budapest /srv/old/2023-*.csv\n"
    "\n"
    "layouts of import, known by looking at the file: default, json, influx (what export writes), "
    "sql-wide, sql-values,\n"
    "influx-csv, influx-table, okosmero, netz-noe, saiman-orman, energy-data (CSV or mysqldump), "
    "home-assistant; .gz as well.\n"
    "A line that is wrong is named and left out, the others are taken; what is there already is "
    "not added again.\n"
    "\n"
    "exit code: 0 done, 1 not all was taken or written, there is no journal or it is damaged, 2 "
    "wrong words "
    "or configuration\n",
    options,
    run};

}  // namespace meterbridge::cli
