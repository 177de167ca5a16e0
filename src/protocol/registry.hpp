// SPDX-License-Identifier: MIT
// The table of wire protocols. Configuration, schema, documentation and command line take names and
// settings from it.
#pragma once

#include "core/line_settings.hpp"
#include "core/setting.hpp"
#include "protocol/dialogue.hpp"
#include "protocol/responder.hpp"
#include "protocol/telegram.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace meterbridge::protocol {

// One line of a transcript: `> HEX` was sent by us, `< HEX` came from the meter. line = number in
// the file, from 1.
struct TranscriptLine {
  TranscriptLine() = default;
  bool sent = false;
  Bytes bytes;
  std::size_t line = 0;
  std::size_t offset = 0;  // of the line in the text
  std::size_t length = 0;
};

// What was sent, and everything that came until the next was sent. `asked` is false for what comes
// before the first request.
struct TranscriptExchange {
  TranscriptExchange() = default;
  bool asked = false;
  Bytes sent;
  Bytes heard;
  std::size_t offset = 0;  // in the text
  std::size_t length = 0;
};

// A way to write the whole telegram for an old consumer, for example "okosmero".
struct TelegramLayout {
  std::string_view name;
  Result<std::string> (*write)(const Telegram& telegram);
};

struct Anatomy;
struct Anonymised;
class Disguise;

struct Protocol {
  std::string_view name;   // of `decode --protocol` and of profiles
  std::string_view title;  // for people
  bool pushes = false;     // the meter sends by itself; `interval` is then its usual period
  std::span<const SettingSpec>
      settings;  // keys of a meter in the configuration, and options of `decode`
  // Settings that are lists of rows: register tables, code tables. Most protocols have none.
  std::span<const TableSpec> tables = {};
  LineSettings line;  // when neither profile nor link says otherwise
  Result<std::unique_ptr<Driver>> (*driver)(const SettingValues& settings) = nullptr;
  // Captured bytes. Never fails as a whole: what is broken is an entry with its status.
  std::vector<Decoded> (*decode)(ByteView bytes, const SettingValues& settings) = nullptr;
  // Null for protocols without dialogue.
  std::vector<Decoded> (*decode_transcript)(std::span<const TranscriptLine> lines,
                                            const SettingValues& settings) = nullptr;
  Result<std::unique_ptr<Responder>> (*responder)(const SettingValues& settings) = nullptr;
  std::span<const TelegramLayout> layouts;
  // anatomy.hpp: what each byte is, and the protocol's part of making a capture anonymous.
  Anatomy (*anatomy)(ByteView bytes, bool sent, const SettingValues& settings) = nullptr;
  void (*anonymise)(Anonymised& capture, const SettingValues& settings,
                    Disguise& disguise) = nullptr;
};

[[nodiscard]] std::span<const Protocol> protocols() noexcept;
[[nodiscard]] const Protocol* find_protocol(std::string_view name) noexcept;

// True when the first line that is neither empty nor a # comment begins with "> " or "< ".
[[nodiscard]] bool is_transcript(std::string_view text) noexcept;
// Error: malformed, with line and column.
Result<std::vector<TranscriptLine>> parse_transcript(std::string_view text);
// A request may be written over several lines: `wants_more` says that these sent bytes are not yet
// a whole one.
[[nodiscard]] std::vector<TranscriptExchange> exchanges_of(
    std::span<const TranscriptLine> lines, const std::function<bool(ByteView sent)>& wants_more);

}  // namespace meterbridge::protocol
