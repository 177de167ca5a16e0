// SPDX-License-Identifier: MIT
#include "journal/memory.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace meterbridge::journal {
namespace {

class InMemory final : public Journal {
 public:
  InMemory(std::size_t most, const Clock* clock) : most_(most), clock_(clock) {}

  Result<Sequence> append(const Sample& sample) override {
    newest_ = newest_ == 0 && clock_ != nullptr ? first_sequence(clock_->now()) : newest_ + 1;
    entries_.push_back({newest_, sample});
    if (entries_.size() > most_) drop_oldest();
    return newest_;
  }

  Result<> commit() override {
    if (clock_ != nullptr) last_commit_ = clock_->now();
    return {};
  }

  Result<std::vector<Entry>> after(Sequence sequence, std::size_t limit) override {
    const auto first = std::upper_bound(
        entries_.begin(), entries_.end(), sequence,
        [](Sequence wanted, const Entry& entry) { return wanted < entry.sequence; });
    const auto count = std::min(limit, static_cast<std::size_t>(entries_.end() - first));
    return std::vector<Entry>(first, first + static_cast<std::ptrdiff_t>(count));
  }

  [[nodiscard]] Sequence committed() const override { return newest_; }

  [[nodiscard]] Sequence oldest() const override {
    return entries_.empty() ? 0 : entries_.front().sequence;
  }

  [[nodiscard]] std::uint64_t behind(Sequence sequence) const override {
    const auto first = std::upper_bound(
        entries_.begin(), entries_.end(), sequence,
        [](Sequence wanted, const Entry& entry) { return wanted < entry.sequence; });
    return static_cast<std::uint64_t>(entries_.end() - first);
  }

  Result<Sequence> cursor(std::string_view sink) override {
    gone_.erase(std::string(sink));
    return mark(sink).cursor;
  }

  Result<> advance(std::string_view sink, Sequence sequence) override {
    mark(sink).cursor = sequence;
    return {};
  }

  void release(std::string_view sink) override { gone_.emplace(sink); }

  [[nodiscard]] Sequence given() const override { return newest_; }

  [[nodiscard]] Status status() const override {
    Status status;
    status.entries = entries_.size();
    status.dropped = dropped_;
    status.last_commit = last_commit_;
    for (const auto& [sink, mark] : sinks_) {
      if (!gone_.contains(sink)) status.sinks.push_back(mark);
    }
    return status;
  }

 private:
  SinkMark& mark(std::string_view sink) {
    const auto found = sinks_.find(sink);
    if (found != sinks_.end()) return found->second;
    return sinks_.emplace(sink, SinkMark{std::string(sink), newest_, 0}).first->second;
  }

  void drop_oldest() {
    bool wanted = false;
    for (auto& [sink, mark] : sinks_) {
      if (mark.cursor >= entries_.front().sequence || gone_.contains(sink)) continue;
      ++mark.dropped;
      wanted = true;
    }
    if (wanted) ++dropped_;
    entries_.pop_front();
  }

  std::size_t most_;
  const Clock* clock_;
  Sequence newest_ = 0;
  std::deque<Entry> entries_;
  std::map<std::string, SinkMark, std::less<>> sinks_;
  std::set<std::string, std::less<>> gone_;
  std::uint64_t dropped_ = 0;
  std::optional<Instant> last_commit_;
};

}  // namespace

std::unique_ptr<Journal> in_memory(std::size_t most, const Clock* clock) {
  return std::make_unique<InMemory>(most, clock);
}

}  // namespace meterbridge::journal
