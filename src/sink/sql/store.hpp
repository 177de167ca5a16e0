// SPDX-License-Identifier: MIT
// Writes samples into the tables, a batch in one transaction. Blocks: for a worker's thread.
#pragma once

#include "sink/sink.hpp"
#include "sink/sql/connection.hpp"
#include "sink/sql/dialect.hpp"
#include "sink/sql/records.hpp"

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace meterbridge::sink::sql {

class Store {
 public:
  Store(std::unique_ptr<Connection> connection, const Dialect& dialect, std::string prefix,
        std::string instance);

  // As Sink::write: what is taken is committed; repeated records change nothing.
  Result<Written> write(const std::vector<Record>& records);
  // What is there, in words; makes nothing.
  Result<std::string> look();
  void close();

 private:
  static constexpr std::size_t facts = 5;  // parent, manufacturer, model, serial, firmware

  struct Meter {
    std::string id;
    std::array<std::string, facts> words;  // what the table says of it
  };

  Result<> open();
  Result<std::string> look_at_tables();
  Result<> write_all(std::span<const Record> records);
  Result<Written> write_singly(const std::vector<Record>& records);
  Result<> fill(std::span<const Record> records);
  Result<> insert_samples(std::span<const Cell> cells);
  Result<> insert_event(const Record& record, const std::string& meter);
  Result<Meter> look_up(const std::string& meter);
  Result<std::string> meter_id(const Record& record);
  Result<std::string> quantity_id(const Value& value);
  Result<std::vector<Row>> ask(std::string_view text, std::span<const Cell> values);
  // What the transaction made is gone with it.
  void forget();

  std::unique_ptr<Connection> connection_;
  const Dialect& dialect_;
  std::string prefix_;
  std::string instance_;
  std::map<std::string, Meter> meters_;
  std::map<std::pair<std::string, std::string>, std::string> quantities_;
  bool proved_ = false;  // this server took something
};

}  // namespace meterbridge::sink::sql
