// SPDX-License-Identifier: MIT
// What each byte of a captured exchange is, and exchanges without what tells whose they are.
#include "protocol/anatomy.hpp"

#include "protocol/modbus/modbus.hpp"
#include "protocol/modbus/options.hpp"
#include "protocol/modbus/pieces.hpp"

#include <algorithm>
#include <span>

namespace meterbridge::protocol::modbus {
namespace {

Framing framing_of(ByteView bytes, const SettingValues& settings) {
  const auto options = Options::from(settings);
  return options && options->framing ? *options->framing : guess_framing(bytes);
}

// Of a whole frame: where its PDU begins and ends.
struct Spot {
  std::size_t begin = 0;
  std::size_t end = 0;
};

Spot pdu_of(Framing framing, const Piece& piece) {
  if (framing == Framing::tcp) return {piece.offset + tcp_header, piece.offset + piece.wire.size()};
  return {piece.offset + 1, piece.offset + piece.wire.size() - 2};
}

void add_pdu(Anatomy& anatomy, ByteView bytes, const Spot& pdu, bool sent) {
  const std::size_t at = pdu.begin;
  if (at >= pdu.end) return;
  const std::uint8_t function = u8(bytes[at]);
  const bool refusal = (function & refusal_bit) != 0;
  anatomy.add(at, 1,
              (refusal ? "refused: function " : "function ") +
                  std::to_string(function & ~unsigned{refusal_bit}));
  if (refusal) return anatomy.add(at + 1, pdu.end - at - 1, "exception code");
  if (sent && pdu.end - at == 5 && function <= 4) {
    const auto word = [&](std::size_t i) {
      return std::to_string(u8(bytes[at + i]) << 8U | u8(bytes[at + i + 1]));
    };
    anatomy.add(at + 1, 2, "from address " + word(1));
    anatomy.add(at + 3, 2, word(3) + (function <= 2 ? " bits" : " registers"));
  } else if (!sent && (function == 3 || function == 4) && pdu.end - at > 2) {
    anatomy.add(at + 1, 1, std::to_string(u8(bytes[at + 1])) + " bytes of data");
    for (std::size_t i = at + 2; i + 1 < pdu.end; i += 2)
      anatomy.add(i, 2, "register +" + std::to_string((i - at - 2) / 2));
  } else {
    anatomy.add(at + 1, pdu.end - at - 1, "data");
  }
}

// What was asked, with the bytes of the answer that hold it.
struct Asked {
  int function = 0;
  std::uint32_t address = 0;
  std::uint32_t count = 0;
};

bool within(const Register& one, const Asked& asked) {
  return one.function == asked.function && !one.model && one.address >= asked.address &&
         one.end() <= asked.address + asked.count;
}

// Texts and serial numbers among the registers, and registers that no row of the table names:
// whatever they hold, no reading needs it.
class Blanker {
 public:
  Blanker(const Options& options, Disguise& disguise) : options_(options), disguise_(disguise) {}

  void learn(const Asked& asked, ByteView data) const {
    for (const Register& one : options_.table.registers) {
      const std::size_t size = 2 * static_cast<std::size_t>(one.length);
      const std::size_t at = 2 * std::size_t{one.address - asked.address};
      if (one.key.quantity != Quantity::serial || !within(one, asked) || at + size > data.size())
        continue;
      disguise_.learn(data.subspan(at, size));
    }
  }

  // Whether an answer may hold more than measured values.
  [[nodiscard]] bool is_personal(const Asked& asked) const {
    if (asked.function < 3) return false;
    if (!options_.table.sunspec_bases.empty()) return asked.count > 2;
    std::uint32_t named = 0;
    for (const Register& one : options_.table.registers) {
      if (!within(one, asked)) continue;
      if (one.key.quantity == Quantity::serial) return true;
      named += static_cast<std::uint32_t>(one.length);
    }
    return named < asked.count;
  }

  void blank(const Asked& asked, std::span<std::byte> data) const {
    if (options_.table.registers.empty() || !options_.table.sunspec_bases.empty()) return;
    if (asked.function < 3) return;
    std::vector<bool> named(asked.count);
    const auto name = [&](int function, std::uint32_t from, std::uint32_t to) {
      for (std::uint32_t i = std::max(from, asked.address);
           function == asked.function && i < std::min(to, asked.address + asked.count); ++i)
        named[i - asked.address] = true;
    };
    for (const Register& one : options_.table.registers) {
      name(one.function, one.address, one.end());
      if (one.scale_register) name(one.function, *one.scale_register, *one.scale_register + 1U);
    }
    for (std::size_t i = 0; i < named.size() && 2 * i + 1 < data.size(); ++i) {
      if (named[i]) continue;
      data[2 * i] = std::byte{0};
      data[2 * i + 1] = std::byte{0};
    }
  }

 private:
  const Options& options_;
  Disguise& disguise_;
};

using Places = std::vector<std::pair<std::size_t, std::size_t>>;  // offset, length

// The data of damaged answers.
Places broken_data(Framing framing, ByteView heard) {
  constexpr std::size_t rtu_head = 3;
  const std::size_t head = framing == Framing::tcp ? tcp_header + 2 : rtu_head;
  Places places;
  for (const Piece& piece : pieces_of(framing, heard)) {
    if (piece.broken && piece.wire.size() > head)
      places.emplace_back(piece.offset + head, piece.wire.size() - head);
  }
  return places;
}

std::optional<Asked> asked_in(Framing framing, ByteView sent) {
  std::optional<Asked> asked;
  for (const Piece& piece : pieces_of(framing, sent)) {
    if (piece.broken) continue;
    const auto request = parse_request(piece.frame.pdu);
    if (!request) continue;
    const auto* const read = std::get_if<ReadRequest>(&*request);
    if (read == nullptr) continue;
    asked = Asked{static_cast<int>(read->function), read->address, read->count};
  }
  return asked;
}

template <class Act>
void each_answer(Framing framing, ByteView heard, const Asked& asked, const Act& act) {
  for (const Piece& piece : pieces_of(framing, heard)) {
    if (piece.broken) continue;
    const Spot pdu = pdu_of(framing, piece);
    const std::size_t size = 2 * static_cast<std::size_t>(asked.count);
    if (pdu.end - pdu.begin == size + 2) act(pdu.begin + 2, size);
  }
}

}  // namespace

Anatomy anatomy(ByteView bytes, bool sent, const SettingValues& settings) {
  Anatomy anatomy;
  const Framing framing = framing_of(bytes, settings);
  for (const Piece& piece : pieces_of(framing, bytes)) {
    if (piece.broken) {
      anatomy.add(piece.offset, piece.wire.size(), "no frame: " + piece.broken->detail());
      continue;
    }
    const std::size_t at = piece.offset;
    const std::string unit = "unit " + std::to_string(piece.frame.unit);
    if (framing == Framing::tcp) {
      anatomy.add(at, 2, "transaction " + std::to_string(piece.frame.transaction));
      anatomy.add(at + 2, 2, "protocol 0: Modbus");
      anatomy.add(at + 4, 2, "length of the rest");
      anatomy.add(at + 6, 1, unit);
    } else {
      anatomy.add(at, 1, unit);
    }
    const Spot pdu = pdu_of(framing, piece);
    add_pdu(anatomy, bytes, pdu, sent);
    if (framing == Framing::rtu) anatomy.add_check(Sum::modbus, at, pdu.end, pdu.end, bytes, "CRC");
  }
  return anatomy;
}

// Unit numbers are small, and everybody's.
void anonymise(Anonymised& capture, const SettingValues& settings, Disguise& disguise) {
  const auto options = Options::from(settings);
  if (!options) return;
  const Blanker blanker(*options, disguise);
  for (const bool learning : {true, false}) {
    std::optional<Asked> asked;
    edit_runs(capture.lines, [&](bool sent, Bytes& bytes) {
      const Framing framing = framing_of(bytes, settings);
      if (sent) asked = asked_in(framing, bytes);
      if (learning) {
        if (!sent && asked)
          each_answer(framing, bytes, *asked, [&](std::size_t at, std::size_t size) {
            blanker.learn(*asked, ByteView(bytes).subspan(at, size));
          });
        return;
      }
      // Looked at before anything is changed: frames are told by their checks.
      Places answers;
      Places broken;
      if (!sent && asked) {
        each_answer(framing, bytes, *asked,
                    [&](std::size_t at, std::size_t size) { answers.emplace_back(at, size); });
        if (blanker.is_personal(*asked)) broken = broken_data(framing, bytes);
      }
      edit_checked(bytes, anatomy(bytes, sent, settings), [&](std::span<std::byte> all) {
        if (sent) return;
        disguise.apply(all);
        for (const auto& [at, size] : answers)
          blanker.blank(*asked, all.subspan(at, size));
        // A number in a damaged answer, or what nobody named, cannot be told from the rest.
        for (const auto& [at, size] : broken)
          std::ranges::fill(all.subspan(at, size), std::byte{0});
      });
    });
  }
}

}  // namespace meterbridge::protocol::modbus
