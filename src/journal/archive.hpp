// SPDX-License-Identifier: MIT
// A journal on a disk, read beside the service that writes it, or without one.
#pragma once

#include "journal/journal.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace meterbridge::journal {

struct Mark {
  Sequence sequence = 0;
  Instant at{};
};

struct SinkState {
  std::string sink;
  Sequence cursor = 0;
  std::uint64_t lag = 0;  // entries behind it
  std::uint64_t dropped = 0;
};

struct Overview {
  Overview() = default;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t dropped = 0;
  std::uint64_t damaged = 0;
  std::optional<Mark> oldest;
  std::optional<Mark> newest;
  std::vector<SinkState> sinks;
};

// Which entries are meant: of a time, from the first instant to before the last.
struct Span {
  Span() = default;
  std::optional<Instant> from;
  std::optional<Instant> to;

  [[nodiscard]] bool holds(Instant at) const noexcept {
    return (!from || at >= *from) && (!to || at < *to);
  }
};

class Archive {
 public:
  virtual ~Archive() = default;

  virtual Result<Overview> overview() = 0;
  // How many entries a span holds.
  virtual Result<std::uint64_t> count(const Span& span) = 0;
  // The next entries of the span behind `sequence`, oldest first, at most `limit`; none = the end.
  // Damaged ones are left out.
  virtual Result<std::vector<Entry>> after(Sequence sequence, const Span& span,
                                           std::size_t limit) = 0;
  [[nodiscard]] virtual std::uint64_t damaged() const = 0;  // found so far
};

// Changes nothing. Error: not_found when there is no such file, else as of Database.
Result<std::unique_ptr<Archive>> open_archive(const std::string& path);

}  // namespace meterbridge::journal
