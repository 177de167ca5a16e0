// SPDX-License-Identifier: MIT
// What `decode` says of a stream or transcript of frames that are told apart by themselves, where
// each request has one answer.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "protocol/registry.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace meterbridge::protocol {

// A frame of a stream, or bytes that are none with what is wrong.
struct FoundFrame {
  std::size_t offset = 0;
  ByteView wire;  // into the stream
  std::optional<Error> broken;
};

struct FrameDecoder {
  FrameDecoder() = default;
  std::string_view protocol;
  // All of a stream, in order.
  std::vector<FoundFrame> (*frames_of)(ByteView bytes) = nullptr;
  // A frame that nobody is known to have asked for.
  std::function<Decoded(const FoundFrame& found)> unasked;
  // Behind a whole request; `answered`: not the first good one.
  std::function<Decoded(const FoundFrame& found, ByteView request, bool answered)> matched;
};

[[nodiscard]] std::vector<Decoded> decode_frames(ByteView bytes, const FrameDecoder& decoder);
[[nodiscard]] std::vector<Decoded> decode_exchanges(std::span<const TranscriptLine> lines,
                                                    const FrameDecoder& decoder);

}  // namespace meterbridge::protocol
