// SPDX-License-Identifier: MIT
#include "sink/csv/options.hpp"

#include "core/text.hpp"

#include <array>

namespace meterbridge::sink::csv {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array layouts{"default"sv, "monthly"sv, "okosmero"sv};
constexpr Milliseconds least_sync{100};
constexpr Milliseconds least_keep{std::chrono::hours(24)};

constexpr std::array table{
    SettingSpec{.name = "directory",
                .help = "folder of the files; made when it is missing (needed)"},
    SettingSpec{.name = "layout",
                .type = SettingType::choice,
                .help =
                    "a folder for each meter with a file a day, or a file a month, or the files "
                    "of okosmero for P1 meters",
                .fallback = "default",
                .choices = layouts},
    // Each time costs a card several blocks, whatever is written (P52). It is the journal that
    // keeps what waits.
    SettingSpec{.name = "flush_interval",
                .type = SettingType::duration,
                .help = "as of every sink: after so long a sample is in its file. Stopping and "
                        "reloading the program write at once",
                .fallback = "10m"},
    SettingSpec{.name = "sync",
                .type = SettingType::duration,
                .help = "lines are forced onto the disk after so long; what a power cut takes is "
                        "written again from the journal",
                .fallback = "10m"},
    SettingSpec{.name = "gzip",
                .type = SettingType::boolean,
                .help = "compress files whose day or month is over",
                .fallback = "false"},
    SettingSpec{.name = "keep",
                .type = SettingType::duration,
                .help = "files whose day or month is over for longer are deleted, for example "
                        "8760h for a year; without it none is"},
    SettingSpec{.name = "min_free",
                .help = "wait while the disk has less room than this, for example 100MB; without "
                        "it files may fill the disk"},
};

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};

constexpr std::array size_units{
    SizeUnit{"B", 1},           SizeUnit{"kB", 1000},
    SizeUnit{"MB", 1'000'000},  SizeUnit{"GB", 1'000'000'000},
    SizeUnit{"KiB", 1U << 10U}, SizeUnit{"MiB", 1U << 20U},
    SizeUnit{"GiB", 1U << 30U},
};

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = Decimal::parse(text.substr(0, end));
  const std::string_view unit = trimmed(text.substr(end));
  for (const SizeUnit& known : size_units) {
    if (!number || !same_ignoring_case(known.name, unit)) continue;
    auto bytes = number->times(Decimal(static_cast<std::int64_t>(known.bytes)));
    if (bytes) bytes = bytes->rounded(0);
    if (bytes && bytes->exponent() == 0) return static_cast<std::uint64_t>(bytes->digits());
  }
  return Error(Errc::invalid,
               "\"" + sanitised(text, 40) + "\" is no size (write for example 100MB)");
}

std::span<const SettingSpec> specs() {
  return table;
}

Result<Options> options_of(const SettingValues& settings) {
  Options options;
  options.directory = settings.text("directory");
  while (options.directory.size() > 1 && options.directory.ends_with('/'))
    options.directory.pop_back();
  if (options.directory.empty())
    return Error(Errc::invalid, "needs the key \"directory\": the folder of the files");
  const std::string layout = settings.text("layout");
  if (layout == "monthly") options.layout = Layout::monthly;
  if (layout == "okosmero") options.layout = Layout::okosmero;
  options.sync = settings.duration("sync");
  if (options.sync < least_sync)
    return Error(Errc::invalid, "sync is too short (at least " + duration_text(least_sync) + ")");
  options.gzip = settings.boolean("gzip");
  options.keep = settings.duration("keep");
  if (settings.has("keep") && options.keep < least_keep)
    return Error(Errc::invalid, "keep is too short (at least " + duration_text(least_keep) + ")");
  if (!settings.has("min_free")) return options;
  const auto room = parse_size(trimmed(settings.text("min_free")));
  if (!room) return room.error().within("min_free");
  options.min_free = *room;
  return options;
}

}  // namespace meterbridge::sink::csv
