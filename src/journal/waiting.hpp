// SPDX-License-Identifier: MIT
// Samples that were appended and not committed yet, as they will lie in the database.
#pragma once

#include "journal/store.hpp"

#include <deque>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace meterbridge::journal {

class Waiting {
 public:
  void push(Row row) {
    bytes_ += cost(row);
    rows_.push_back(std::move(row));
  }

  // Older than what is there.
  void put_before(std::vector<Row> rows) {
    for (const Row& row : rows)
      bytes_ += cost(row);
    rows_.insert(rows_.begin(), std::make_move_iterator(rows.begin()),
                 std::make_move_iterator(rows.end()));
  }

  void pop() {
    bytes_ -= cost(rows_.front());
    rows_.pop_front();
  }

  // In the words of another dictionary.
  void recode(const Dictionary& from, Dictionary& to) {
    bytes_ = 0;
    for (Row& row : rows_) {
      const auto sample = decode(row.body, row.at, from);
      auto body = sample ? encode(*sample, to) : Result<std::string>(sample.error());
      if (body) row.body = std::move(*body);
      bytes_ += cost(row);
    }
  }

  [[nodiscard]] const std::deque<Row>& rows() const noexcept { return rows_; }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }  // in memory

 private:
  static std::size_t cost(const Row& row) noexcept { return row.body.size() + sizeof(Row); }

  std::deque<Row> rows_;
  std::size_t bytes_ = 0;
};

}  // namespace meterbridge::journal
