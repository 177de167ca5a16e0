// SPDX-License-Identifier: MIT
// SQLite behind a door: connections and statements that close themselves, errors in words. Nothing
// else includes its header.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace meterbridge::journal {

// A prepared statement. Parameters count from 1, columns from 0. Texts and blobs that were bound
// must live until the next reset().
class Statement {
 public:
  Statement() = default;

  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);

  // True while there is a row. Errors as those of Database.
  Result<bool> step();
  // step() until the end, and ready for the next use.
  Result<> run();
  void reset() noexcept;

  [[nodiscard]] std::int64_t integer(int column) const;
  // Until the next step() or reset().
  [[nodiscard]] std::string_view bytes(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Errors: malformed when the file is damaged or no database; access when it cannot be written
// (read-only, full); io for all else.
class Database {
 public:
  enum class Mode : std::uint8_t { write, read, existing };  // existing: write, but make none

  Database() = default;

  static Result<Database> open(const std::string& path, Mode mode);

  Result<> run(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row; 0 when there is none.
  Result<std::int64_t> ask(std::string_view sql);
  [[nodiscard]] bool in_transaction() const noexcept;
  // From now on: how many pages the write-ahead log has after each commit. Without it the library
  // itself moves them into the database now and then.
  void count_log_pages();

  [[nodiscard]] int log_pages() const noexcept { return pages_ ? *pages_ : 0; }

  explicit operator bool() const noexcept { return connection_ != nullptr; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };

  std::unique_ptr<int> pages_;  // its address is known to the library: outlives the connection
  std::unique_ptr<sqlite3, Close> connection_;
};

// Version of the library, for `meterbridge version`; empty when the program was built without it.
[[nodiscard]] std::string sqlite_version();

}  // namespace meterbridge::journal
