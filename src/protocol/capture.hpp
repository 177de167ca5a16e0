// SPDX-License-Identifier: MIT
// What crossed a line, with times: the form of `capture`, `bundle` and of the black box. It is a
// transcript (lines "> HEX" and "< HEX") whose comments say more:
//
//   # meterbridge capture 1             the first line
//   # protocol: p1                      facts, in any number
//   #| meters:                          a configuration, line by line
//   # at 2026-11-21T17:28:46.123Z house a/b     when, whose, and the topic of a message
//   < 2f...
//   # came 2026-11-21T17:28:46.200Z house bad_checksum: CRC is 99DA, the telegram says 1234
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "protocol/registry.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meterbridge::protocol {

struct CaptureEntry {
  enum class Kind : std::uint8_t { sent, heard, outcome };
  CaptureEntry() = default;
  Kind kind = Kind::heard;
  Instant time{};
  std::string meter;  // its id; empty when nobody knows
  std::string topic;  // of a message
  bool retained = false;
  Bytes bytes;
  std::string text;  // of an outcome: "ok", "bad_checksum: ..."
};

struct Capture {
  Capture() = default;
  std::vector<std::pair<std::string, std::string>> facts;
  std::string configuration;  // as it stands in a file; empty = none
  std::vector<CaptureEntry> entries;

  [[nodiscard]] std::string fact(std::string_view name) const;  // empty = not there
};

// Whether the text says that it is one of ours.
[[nodiscard]] bool is_capture(std::string_view text) noexcept;
[[nodiscard]] std::string capture_text(const Capture& capture);
// Takes plain transcripts, too: whose lines have no times. Error: malformed, with line and column.
Result<Capture> parse_capture(std::string_view text);

// All that was heard, one behind the other: the stream of a meter that sends by itself.
[[nodiscard]] Bytes heard_bytes(std::span<const TranscriptLine> lines);

}  // namespace meterbridge::protocol
