// SPDX-License-Identifier: MIT
// What the parts of `journal` share: which entries are meant, and how they are written.
#pragma once

#include "app/plan.hpp"
#include "cli/command.hpp"
#include "config/settings.hpp"
#include "journal/archive.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace meterbridge::cli {

// --from, --to and --meter.
struct Selection {
  Selection() = default;
  journal::Span span;
  std::vector<std::string> meters;  // empty = all; sub-meters follow their meter

  [[nodiscard]] bool holds(const Sample& sample) const;
};

// Error: invalid, in words.
Result<Selection> selection_of(const Arguments& arguments, Instant now);

// "2026-11-20", "2026-11-20T18:30", with or without seconds and zone (without one ours), or "24h":
// so long ago.
Result<Instant> parse_time(std::string_view text, Instant now);

enum class ExportFormat : std::uint8_t { csv, json, influx };

// Result<> of write(text): a closed pipe ends the export.
using WriteText = std::function<bool(std::string_view text)>;

// Error: as of the archive.
Result<> write_export(journal::Archive& archive, const Selection& selection, ExportFormat format,
                      const WriteText& write);

// Whether any sample is of this meter or its sub-meters. Reads until it finds one.
bool holds_meter(journal::Archive& archive, const std::string& meter);

// To one sink once more; its cursor in the journal stays. The exit code of the command.
int replay_entries(const app::House& house, journal::Archive& archive, const Selection& selection,
                   const std::string& name);

// --zone, which all other times need. Error: invalid, in words.
Result<> prepare_import(const Arguments& arguments);
// Files of before into the journal at `path`; settings may be null. The exit code of the command.
int import_files(const Arguments& arguments, const Selection& selection, const std::string& path,
                 const config::Settings* settings);

}  // namespace meterbridge::cli
