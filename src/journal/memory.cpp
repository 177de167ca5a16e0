// SPDX-License-Identifier: MIT
#include "journal/memory.hpp"

#include <algorithm>
#include <deque>
#include <map>

namespace meterbridge::journal {
namespace {

class InMemory final : public Journal {
 public:
  explicit InMemory(std::size_t most) : most_(most) {}

  Result<Sequence> append(const Sample& sample) override {
    entries_.push_back({++newest_, sample});
    if (entries_.size() > most_) entries_.pop_front();
    return newest_;
  }

  Result<> commit() override { return {}; }

  Result<std::vector<Entry>> after(Sequence sequence, std::size_t limit) override {
    const auto first = std::upper_bound(
        entries_.begin(), entries_.end(), sequence,
        [](Sequence wanted, const Entry& entry) { return wanted < entry.sequence; });
    const auto count = std::min(limit, static_cast<std::size_t>(entries_.end() - first));
    return std::vector<Entry>(first, first + static_cast<std::ptrdiff_t>(count));
  }

  Sequence committed() const override { return newest_; }

  Sequence oldest() const override { return entries_.empty() ? 0 : entries_.front().sequence; }

  Result<Sequence> cursor(std::string_view sink) override {
    return cursors_.try_emplace(std::string(sink), newest_).first->second;
  }

  Result<> advance(std::string_view sink, Sequence sequence) override {
    cursors_.insert_or_assign(std::string(sink), sequence);
    return {};
  }

 private:
  std::size_t most_;
  Sequence newest_ = 0;
  std::deque<Entry> entries_;
  std::map<std::string, Sequence, std::less<>> cursors_;
};

}  // namespace

std::unique_ptr<Journal> in_memory(std::size_t most) {
  return std::make_unique<InMemory>(most);
}

}  // namespace meterbridge::journal
