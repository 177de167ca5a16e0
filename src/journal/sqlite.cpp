// SPDX-License-Identifier: MIT
#include "journal/sqlite.hpp"

#include <sqlite3.h>

namespace meterbridge::journal {
namespace {

Error error_of(sqlite3* connection, int code) {
  const char* words = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  std::string text(words);
  if (const int number = connection != nullptr ? sqlite3_system_errno(connection) : 0; number != 0)
    text +=
        " (" + std::string(sqlite3_errstr(code)) + ", system error " + std::to_string(number) + ")";
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Errc::malformed, std::move(text)};
    case SQLITE_FULL:
    case SQLITE_READONLY:
      return {Errc::access, std::move(text)};
    default:
      return {Errc::io, std::move(text)};
  }
}

// A reader from the command line may hold a lock for a moment.
constexpr int patience_ms = 50;

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void Database::Close::operator()(sqlite3* connection) const noexcept {
  sqlite3_close_v2(connection);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()),
                    nullptr);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  sqlite3_bind_blob(statement_.get(), parameter, bytes.data(), static_cast<int>(bytes.size()),
                    nullptr);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(statement_.get()), code);
}

Result<> Statement::run() {
  for (;;) {
    const auto more = step();
    if (more && *more) continue;
    reset();
    return more ? Result<>() : Result<>(more.error());
  }
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  int flags = mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::write) flags |= SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Database database;
  database.connection_.reset(raw);
  if (code != SQLITE_OK) return error_of(raw, code).within(path);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, patience_ms);
  return database;
}

Result<> Database::run(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Result<>() : Result<>(error_of(connection_.get(), code));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return error_of(connection_.get(), code);
  return Statement(raw);
}

Result<std::int64_t> Database::ask(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  const auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->integer(0) : 0;
}

bool Database::in_transaction() const noexcept {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

void Database::count_log_pages() {
  pages_ = std::make_unique<int>(0);
  sqlite3_wal_hook(
      connection_.get(),
      [](void* place, sqlite3*, const char*, int pages) {
        *static_cast<int*>(place) = pages;
        return SQLITE_OK;
      },
      pages_.get());
}

std::string sqlite_version() {
  return sqlite3_libversion();
}

}  // namespace meterbridge::journal
