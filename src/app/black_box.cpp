// SPDX-License-Identifier: MIT
#include "app/black_box.hpp"

#include "core/fault.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace meterbridge::app {
namespace {

using protocol::CaptureEntry;

// Blocks that come one behind the other are one piece, for readers and for the memory.
constexpr auto same_piece = std::chrono::milliseconds(100);
constexpr std::size_t longest_piece = 2048;
constexpr std::size_t longest_outcome = 300;

std::size_t cost_of(const CaptureEntry& entry) {
  return sizeof(CaptureEntry) + entry.bytes.size() + entry.text.size() + entry.topic.size() +
         entry.meter.size();
}

}  // namespace

std::string outcome_text(const Error& error) {
  return std::string(name(fault_of(error.code()))) + ": " +
         sanitised(error.detail(), longest_outcome);
}

void BlackBox::resize(std::size_t bytes) {
  limit_ = bytes;
  trim();
}

void BlackBox::trim() {
  while (size_ > limit_ && !entries_.empty()) {
    size_ -= cost_of(entries_.front());
    entries_.pop_front();
  }
}

void BlackBox::add(CaptureEntry entry) {
  size_ += cost_of(entry);
  entries_.push_back(std::move(entry));
  trim();
}

void BlackBox::crossed(bool sent, ByteView bytes, std::string_view meter, Instant now,
                       const protocol::Envelope* envelope) {
  if (!on() || bytes.empty()) return;
  const auto kind = sent ? CaptureEntry::Kind::sent : CaptureEntry::Kind::heard;
  if (envelope == nullptr && !entries_.empty()) {
    CaptureEntry& last = entries_.back();
    const bool near = now >= last.time && now - last.time < same_piece;
    if (near && last.kind == kind && last.meter == meter &&
        last.bytes.size() + bytes.size() <= longest_piece) {
      last.bytes.insert(last.bytes.end(), bytes.begin(), bytes.end());
      size_ += bytes.size();
      return trim();
    }
  }
  CaptureEntry entry;
  entry.kind = kind;
  entry.time = now;
  entry.meter = meter;
  if (envelope != nullptr && !sent) {
    entry.topic = envelope->topic;
    entry.retained = envelope->retained;
  }
  entry.bytes.assign(bytes.begin(), bytes.end());
  add(std::move(entry));
}

void BlackBox::outcome(std::string_view meter, Instant now, std::string text) {
  if (!on()) return;
  if (!entries_.empty()) {
    const CaptureEntry& last = entries_.back();
    if (last.kind == CaptureEntry::Kind::outcome && last.meter == meter && last.text == text)
      return;
  }
  CaptureEntry entry;
  entry.kind = CaptureEntry::Kind::outcome;
  entry.time = now;
  entry.meter = meter;
  entry.text = std::move(text);
  add(std::move(entry));
}

std::vector<CaptureEntry> BlackBox::entries(std::string_view meter) const {
  std::vector<CaptureEntry> found;
  std::ranges::copy_if(entries_, std::back_inserter(found), [meter](const CaptureEntry& entry) {
    return meter.empty() || entry.meter.empty() || entry.meter == meter;
  });
  return found;
}

}  // namespace meterbridge::app
