// SPDX-License-Identifier: MIT
#include "protocol/capture.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>

namespace meterbridge::protocol {
namespace {

constexpr std::string_view title = "# meterbridge capture 1";
constexpr std::string_view configuration_mark = "#| ";
constexpr std::string_view time_mark = "# at ";
constexpr std::string_view outcome_mark = "# came ";
constexpr std::string_view retained_mark = " (retained)";
constexpr std::string_view nobody = "-";
constexpr std::size_t longest_note = 400;

std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::optional<int> number(std::string_view text, std::size_t at, std::size_t size) {
  if (at + size > text.size()) return std::nullopt;
  int value = 0;
  const char* const end = text.data() + at + size;
  const auto parsed = std::from_chars(text.data() + at, end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

// As iso_utc() writes it: 2026-11-21T17:28:46.123Z
std::optional<Instant> instant_of(std::string_view text) {
  const auto year = number(text, 0, 4);
  const auto month = number(text, 5, 2);
  const auto day = number(text, 8, 2);
  const auto hour = number(text, 11, 2);
  const auto minute = number(text, 14, 2);
  const auto second = number(text, 17, 2);
  const auto thousandth = number(text, 20, 3);
  if (!year || !month || !day || !hour || !minute || !second || !thousandth) return std::nullopt;
  const auto local = LocalTime::make(*year, *month, *day, *hour, *minute, *second);
  if (!local) return std::nullopt;
  return Instant(Seconds(local->at.time_since_epoch())) + Milliseconds(*thousandth);
}

std::string place_text(const CaptureEntry& entry) {
  return iso_utc(entry.time) + " " + (entry.meter.empty() ? std::string(nobody) : entry.meter);
}

void put(std::string& text, const CaptureEntry& entry) {
  if (entry.kind == CaptureEntry::Kind::outcome) {
    text.append(outcome_mark).append(place_text(entry)).append(" ");
    text += sanitised(entry.text, longest_note) + "\n";
    return;
  }
  text.append(time_mark).append(place_text(entry));
  if (!entry.topic.empty()) text += " " + sanitised(entry.topic, longest_note);
  if (entry.retained) text += retained_mark;
  text += entry.kind == CaptureEntry::Kind::sent ? "\n> " : "\n< ";
  text += to_hex(entry.bytes) + "\n";
}

// The comments of a capture; what else people write is theirs.
void read_comment(std::string_view line, Capture& capture, CaptureEntry& next) {
  if (line.starts_with("#|")) {
    capture.configuration.append(line.substr(std::min(configuration_mark.size(), line.size())));
    capture.configuration += '\n';
    return;
  }
  const bool outcome = line.starts_with(outcome_mark);
  if (outcome || line.starts_with(time_mark)) {
    std::string_view rest = line.substr(outcome ? outcome_mark.size() : time_mark.size());
    const auto time = instant_of(take_word(rest));
    if (!time) return;
    CaptureEntry entry;
    entry.time = *time;
    entry.meter = take_word(rest);
    if (entry.meter == nobody) entry.meter.clear();
    if (outcome) {
      entry.kind = CaptureEntry::Kind::outcome;
      entry.text = rest;
      capture.entries.push_back(std::move(entry));
      return;
    }
    entry.retained = rest.ends_with(trimmed(retained_mark));
    if (entry.retained) rest.remove_suffix(trimmed(retained_mark).size());
    entry.topic = trimmed(rest);
    next = std::move(entry);
    return;
  }
  const std::string_view fact = trimmed(line.substr(1));
  const std::size_t colon = fact.find(": ");
  if (colon == std::string_view::npos || fact.substr(0, colon).find(' ') != fact.npos) return;
  capture.facts.emplace_back(fact.substr(0, colon), fact.substr(colon + 2));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string Capture::fact(std::string_view name) const {
  const auto found = std::ranges::find(facts, name, &std::pair<std::string, std::string>::first);
  return found == facts.end() ? std::string() : found->second;
}

bool is_capture(std::string_view text) noexcept {
  return text.starts_with(title);
}

std::string capture_text(const Capture& capture) {
  std::string text = std::string(title) + "\n";
  for (const auto& [name, value] : capture.facts)
    text += "# " + name + ": " + sanitised(value, longest_note) + "\n";
  for (const std::string_view line : lines_of(capture.configuration))
    text.append(configuration_mark).append(line).append("\n");
  for (const CaptureEntry& entry : capture.entries)
    put(text, entry);
  return text;
}

Result<Capture> parse_capture(std::string_view text) {
  const auto transcript = parse_transcript(text);
  if (!transcript) return transcript.error();
  Capture capture;
  CaptureEntry next;
  std::size_t taken = 0;
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with('#')) {
      read_comment(lines[i], capture, next);
      continue;
    }
    if (taken == transcript->size() || (*transcript)[taken].line != i + 1) continue;
    const TranscriptLine& line = (*transcript)[taken++];
    CaptureEntry entry = std::exchange(next, CaptureEntry());
    // A line without a time of its own belongs to the one before it.
    if (entry.time == Instant() && !capture.entries.empty()) {
      entry.time = capture.entries.back().time;
      entry.meter = capture.entries.back().meter;
    }
    entry.kind = line.sent ? CaptureEntry::Kind::sent : CaptureEntry::Kind::heard;
    entry.bytes = line.bytes;
    capture.entries.push_back(std::move(entry));
  }
  return capture;
}

Bytes heard_bytes(std::span<const TranscriptLine> lines) {
  Bytes all;
  for (const TranscriptLine& line : lines) {
    if (!line.sent) all.insert(all.end(), line.bytes.begin(), line.bytes.end());
  }
  return all;
}

}  // namespace meterbridge::protocol
