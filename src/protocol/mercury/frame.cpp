// SPDX-License-Identifier: MIT
#include "protocol/mercury/frame.hpp"

#include <algorithm>

namespace meterbridge::protocol::mercury {
namespace {

constexpr std::size_t shortest_request = 4;
constexpr std::size_t longest_request = 11;  // open, with a password

bool is_frame_of(ByteView frame, ByteView request) {
  return frame.front() == request.front() && crc_fits(frame);
}

Cut cut_at(std::size_t end, std::size_t length) {
  Cut cut;
  cut.drop = end - length;
  cut.frame = length;
  return cut;
}

Cut broken(std::size_t size, Errc code, std::string words) {
  Cut cut;
  cut.drop = size;
  cut.broken = Error(code, std::move(words));
  return cut;
}

std::string count_of(std::size_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

}  // namespace

Cut find_answer(ByteView arrived, ByteView request, std::size_t length) {
  const std::size_t frame = length + frame_overhead;
  for (std::size_t end = std::min(frame, request.size()); end <= arrived.size(); ++end) {
    if (end >= request.size() &&
        std::ranges::equal(arrived.subspan(end - request.size(), request.size()), request))
      return cut_at(end, request.size());
    if (end >= frame && is_frame_of(arrived.subspan(end - frame, frame), request))
      return cut_at(end, frame);
  }
  return {};
}

Cut settle_answer(ByteView arrived, ByteView request, std::span<const std::size_t> lengths) {
  const std::size_t size = arrived.size();
  std::vector<std::size_t> all(lengths.begin(), lengths.end());
  all.push_back(status_length);
  for (const std::size_t length : all) {
    const std::size_t frame = length + frame_overhead;
    if (frame <= size && is_frame_of(arrived.last(frame), request)) return cut_at(size, frame);
  }
  if (crc_fits(arrived)) return cut_at(size, size);
  const std::size_t wanted = all.front() + frame_overhead;
  const bool whole = std::ranges::any_of(
      all, [size](std::size_t length) { return length + frame_overhead == size; });
  if (whole || size > wanted)
    return broken(size, Errc::checksum,
                  "the checksum of an answer of " + count_of(size) + " is wrong");
  return broken(size, Errc::truncated,
                "only " + count_of(size) + " of an answer of " + count_of(wanted));
}

std::optional<std::uint8_t> request_of_another(ByteView bytes, ByteView own) {
  for (std::size_t begin = 0; begin + shortest_request <= bytes.size(); ++begin) {
    const std::size_t most = std::min(longest_request, bytes.size() - begin);
    for (std::size_t length = shortest_request + 1; length <= most; ++length) {
      const ByteView frame = bytes.subspan(begin, length);
      const auto kind = kind_of(data_of(frame));
      // A clock one second after the minute begins like a password.
      if (!kind || (kind == Kind::open && u8(frame[2]) > 2) || !crc_fits(frame)) continue;
      if (!std::ranges::equal(frame, own)) return u8(frame.front());
    }
  }
  return std::nullopt;
}

std::string misfit(ByteView frame, ByteView request, std::span<const std::size_t> lengths) {
  if (frame.front() != request.front())
    return "an answer of the address " + std::to_string(u8(frame.front()));
  return "an answer with " + count_of(frame.size() - frame_overhead) + " of data, expected are " +
         std::to_string(lengths.empty() ? status_length : lengths.front());
}

}  // namespace meterbridge::protocol::mercury
