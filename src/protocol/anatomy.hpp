// SPDX-License-Identifier: MIT
// What each byte of captured bytes is, and which of them check others: for `decode --explain`, and
// for who changes captured bytes and must mend the checks.
#pragma once

#include "core/bytes.hpp"
#include "core/setting.hpp"
#include "protocol/disguise.hpp"
#include "protocol/registry.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace meterbridge::protocol {

struct Part {
  Part(std::size_t o, std::size_t l, std::string m) : offset(o), length(l), meaning(std::move(m)) {}

  std::size_t offset = 0;
  std::size_t length = 0;
  std::string meaning;
};

enum class Sum : std::uint8_t {
  modbus,     // CRC-16, low byte first
  x25,        // CRC-16 of HDLC and SML, low byte first
  kermit,     // CRC-16, high byte first
  arc_text,   // CRC-16 as up to four hex digits
  x25_text,   // the same with the polynomial of HDLC
  added,      // one byte, the sum
  added7,     // the same modulo 128
  exclusive,  // one byte, exclusive-or
};

// The bytes [from, to) are covered by the check at `at`.
struct Check {
  Check() = default;
  Sum sum = Sum::modbus;
  std::size_t from = 0;
  std::size_t to = 0;
  std::size_t at = 0;
  std::size_t size = 2;
};

struct Anatomy {
  Anatomy() = default;
  std::vector<Part> parts;  // in the order of the bytes; what no part covers is unknown
  std::vector<Check> checks;

  void add(std::size_t offset, std::size_t length, std::string meaning) {
    if (length > 0) parts.emplace_back(offset, length, std::move(meaning));
  }

  // With a part that says whether it fits.
  void add_check(Sum sum, std::size_t from, std::size_t to, std::size_t at, ByteView bytes,
                 std::string_view what);
};

[[nodiscard]] std::uint32_t computed(const Check& check, ByteView bytes);
[[nodiscard]] std::uint32_t stated(const Check& check, ByteView bytes);

// A table: offset, bytes, meaning; what no part covers is shown, too.
[[nodiscard]] std::string explained(const Anatomy& anatomy, ByteView bytes);

// Changes bytes of a stream; checks that fitted fit again, those that did not still do not.
using Edit = std::function<void(std::span<std::byte> bytes)>;
void edit_checked(std::span<std::byte> bytes, const Anatomy& anatomy, const Edit& edit);

// The lines of a transcript as streams: all that was heard, or each run of one direction. What
// comes back is as long as before, unless `same_length` is false.
void edit_stream(std::vector<TranscriptLine>& lines, const Edit& edit);
void edit_runs(std::vector<TranscriptLine>& lines,
               const std::function<void(bool sent, Bytes& bytes)>& edit);

// The usual way of a protocol without quirks: what was learnt is replaced, checks are mended.
void disguise_stream(std::vector<TranscriptLine>& lines, const Protocol& protocol,
                     const SettingValues& settings, const Disguise& disguise);

// A code that says whose meter it is: its numbers, the grid operator's, messages to the consumer.
[[nodiscard]] bool is_identity(std::string_view code);
// Learns the values of such codes from lines "code(value)(value)", broken ones too.
void learn_lines(std::string_view text, Disguise& disguise);

// Learns system titles, server ids and texts with numbers by the bytes that stand in front of them,
// whatever is around: also of telegrams that are cut or damaged, which nothing else opens.
void learn_marked(ByteView bytes, Disguise& disguise);

struct Anonymised {
  Anonymised() = default;
  std::vector<TranscriptLine> lines;  // as many as before; emptied ones were joined to others
  SettingValues settings;
  std::vector<std::string> remarks;  // what a reader must know
};

// Error: unsupported, for a protocol that cannot; in words.
Result<Anonymised> anonymise(const Protocol& protocol, std::vector<TranscriptLine> lines,
                             const SettingValues& settings, Disguise& disguise);

}  // namespace meterbridge::protocol
