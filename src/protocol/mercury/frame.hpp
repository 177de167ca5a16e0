// SPDX-License-Identifier: MIT
// Finding answers in what arrives. Frames have neither begin nor end marks nor a length: there is
// the address that was asked, the length that belongs to the question, the CRC, and silence.
#pragma once

#include "protocol/exchange_list.hpp"
#include "protocol/mercury/requests.hpp"

#include <span>

namespace meterbridge::protocol::mercury {

// While bytes still come: the first echo of the request, or answer with `length` bytes of data from
// the address that was asked, by their ends, so that every cut of the bytes gives the same.
//
// Shorter answers have to wait for the silence: a long one may begin with what would be a whole
// refusal (00 00 01 B0 = "ok" is also how A+ of 16777.392 kWh begins).
[[nodiscard]] Cut find_answer(ByteView arrived, ByteView request, std::size_t length);
// When nothing more comes: the longest answer of these lengths, or refusal, at the end of what
// came. Else what came, as a frame where its CRC is right, or with the reason why it is none.
[[nodiscard]] Cut settle_answer(ByteView arrived, ByteView request,
                                std::span<const std::size_t> lengths);

// A whole request among bytes that nobody awaited: which address it asks. Answers of three or eight
// bytes may look like requests; one of our own is none.
[[nodiscard]] std::optional<std::uint8_t> request_of_another(ByteView bytes, ByteView own);

// Why a frame with a right CRC is not the answer: another address, or the length of another answer.
[[nodiscard]] std::string misfit(ByteView frame, ByteView request,
                                 std::span<const std::size_t> lengths);

[[nodiscard]] inline ByteView data_of(ByteView frame) {
  return frame.subspan(1, frame.size() - frame_overhead);
}

}  // namespace meterbridge::protocol::mercury
