// SPDX-License-Identifier: MIT
#include "sink/mysql/mysql.hpp"

#include "core/text.hpp"
#include "sink/sql/sql_sink.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <utility>

#include <mysql.h>

namespace meterbridge::sink::mysql {
namespace {

namespace asio = boost::asio;
using sql::Cell;
using sql::Row;

constexpr std::uint16_t usual_port = 3306;
constexpr std::size_t longest_cell = 1024;  // of an answer; ours are ids, counts and names
constexpr std::string_view session =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
    "autocommit = 1";

struct Closer {
  void operator()(MYSQL* handle) const { ::mysql_close(handle); }

  void operator()(MYSQL_STMT* statement) const { ::mysql_stmt_close(statement); }
};

using Statement = std::unique_ptr<MYSQL_STMT, Closer>;

// Numbers of errors from the server's documentation.
bool is_about_a_value(unsigned number, std::string_view state) {
  constexpr std::array about{1264U, 1265U, 1292U, 1366U, 1406U};
  return state.starts_with("22") || std::ranges::count(about, number) != 0;
}

bool is_about_rights(unsigned number) {
  constexpr std::array about{1044U, 1045U, 1049U, 1142U, 1143U, 1227U, 1698U};
  return std::ranges::count(about, number) != 0;
}

class MysqlConnection final : public sql::Connection {
 public:
  explicit MysqlConnection(sql::Options options)
      : options_(std::move(options)), name_(options_.place()) {}

  Result<> open() override;

  [[nodiscard]] bool is_open() const override { return handle_ != nullptr; }

  void close() override {
    statements_.clear();
    handle_.reset();
  }

  Result<> run(const std::string& text) override {
    if (::mysql_real_query(handle_.get(), text.data(), text.size()) == 0) return {};
    return failure(::mysql_errno(handle_.get()), ::mysql_sqlstate(handle_.get()),
                   ::mysql_error(handle_.get()));
  }

  // Between two transactions the server may wait as long as it likes.
  Result<> begin() override {
    auto done =
        run("SET SESSION wait_timeout = " + std::to_string(sql::idle_limit(options_).count()));
    return done ? run("BEGIN") : done;
  }

  Result<> end(const std::string& how) override {
    auto done = run(how);
    return done ? run("SET SESSION wait_timeout = DEFAULT") : done;
  }

  Result<std::vector<Row>> ask(const std::string& text, std::span<const Cell> values) override;

  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void set_options(MYSQL* handle) const;
  Result<MYSQL_STMT*> prepared(const std::string& text);
  Result<std::vector<Row>> rows(MYSQL_STMT* statement) const;
  [[nodiscard]] Error failure(unsigned number, std::string_view state,
                              std::string_view words) const;
  [[nodiscard]] Error failure(MYSQL_STMT* statement) const;

  sql::Options options_;
  std::string name_;
  std::unique_ptr<MYSQL, Closer> handle_;
  std::map<std::string, Statement> statements_;  // before the handle they belong to
};

Error MysqlConnection::failure(unsigned number, std::string_view state,
                               std::string_view words) const {
  Errc code = Errc::io;
  if (is_about_a_value(number, state)) code = Errc::malformed;
  if (is_about_rights(number)) code = Errc::access;
  return {code, name_ + ": " + sanitised(words, 300) + " (" + std::to_string(number) + ")"};
}

Error MysqlConnection::failure(MYSQL_STMT* statement) const {
  return failure(::mysql_stmt_errno(statement), ::mysql_stmt_sqlstate(statement),
                 ::mysql_stmt_error(statement));
}

// Without TLS no password may leave in the clear, and no server may ask for our files.
void MysqlConnection::set_options(MYSQL* handle) const {
  const auto seconds =
      static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(options_.timeout).count());
  ::mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  ::mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds);
  ::mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
  const unsigned no = 0;
  ::mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no);
  ::mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // A "localhost" that is asked for over TCP stays TCP.
  const unsigned protocol = options_.socket.empty() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
  ::mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
  const my_bool enforce = options_.tls ? 1 : 0;
  const my_bool verify = options_.tls && !options_.insecure ? 1 : 0;
  ::mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
  ::mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  if (!options_.tls) {
    ::mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH,
                    "mysql_native_password,client_ed25519,caching_sha2_password,"
                    "sha256_password,auth_gssapi_client");
    return;
  }
  if (!options_.ca.empty()) ::mysql_options(handle, MYSQL_OPT_SSL_CA, options_.ca.c_str());
  if (options_.certificate.empty()) return;
  ::mysql_options(handle, MYSQL_OPT_SSL_CERT, options_.certificate.c_str());
  ::mysql_options(handle, MYSQL_OPT_SSL_KEY, options_.key.c_str());
}

Result<> MysqlConnection::open() {
  close();
  std::unique_ptr<MYSQL, Closer> handle(::mysql_init(nullptr));
  if (!handle) return Error(Errc::bug, "libmariadb has no memory");
  set_options(handle.get());
  const char* const host = options_.socket.empty() ? options_.host.c_str() : nullptr;
  const char* const socket = options_.socket.empty() ? nullptr : options_.socket.c_str();
  const MYSQL* const connected = ::mysql_real_connect(
      handle.get(), host, options_.username.c_str(), options_.password.reveal().c_str(),
      options_.database.c_str(), options_.port, socket, 0);
  if (connected == nullptr) {
    Error error = failure(::mysql_errno(handle.get()), ::mysql_sqlstate(handle.get()),
                          ::mysql_error(handle.get()));
    constexpr unsigned no_tls = 2026;
    if (::mysql_errno(handle.get()) == no_tls) {
      return Error(error.code(), error.detail() +
                                     "; is there TLS, is tls_ca its authority? In a network that "
                                     "you trust: tls: false");
    }
    return error;
  }
  handle_ = std::move(handle);
  auto begun = run(std::string(session));
  if (!begun) close();
  return begun;
}

Result<MYSQL_STMT*> MysqlConnection::prepared(const std::string& text) {
  if (const auto known = statements_.find(text); known != statements_.end())
    return known->second.get();
  Statement statement(::mysql_stmt_init(handle_.get()));
  if (!statement) return Error(Errc::bug, "libmariadb has no memory");
  if (::mysql_stmt_prepare(statement.get(), text.data(), text.size()) != 0)
    return failure(statement.get());
  return statements_.emplace(text, std::move(statement)).first->second.get();
}

// Values go as text: DECIMAL is exact, and no double is on the way.
Result<std::vector<Row>> MysqlConnection::ask(const std::string& text,
                                              std::span<const Cell> values) {
  const auto statement = prepared(text);
  if (!statement) return statement.error();
  std::vector<MYSQL_BIND> binds(values.size());
  for (std::size_t n = 0; n < values.size(); ++n) {
    binds[n] = MYSQL_BIND{};
    if (!values[n]) {
      binds[n].buffer_type = MYSQL_TYPE_NULL;
      continue;
    }
    binds[n].buffer_type = MYSQL_TYPE_STRING;
    binds[n].buffer = const_cast<char*>(values[n]->data());
    binds[n].buffer_length = values[n]->size();
  }
  if (!binds.empty() && ::mysql_stmt_bind_param(*statement, binds.data()) != 0)
    return failure(*statement);
  if (::mysql_stmt_execute(*statement) != 0) return failure(*statement);
  auto found = rows(*statement);
  ::mysql_stmt_free_result(*statement);
  return found;
}

Result<std::vector<Row>> MysqlConnection::rows(MYSQL_STMT* statement) const {
  std::vector<Row> found;
  const std::size_t width = ::mysql_stmt_field_count(statement);
  if (width == 0) return found;
  std::vector<std::array<char, longest_cell>> cells(width);
  std::vector<unsigned long> lengths(width);
  std::vector<my_bool> nulls(width);
  std::vector<MYSQL_BIND> binds(width);
  for (std::size_t n = 0; n < width; ++n) {
    binds[n] = MYSQL_BIND{};
    binds[n].buffer_type = MYSQL_TYPE_STRING;
    binds[n].buffer = cells[n].data();
    binds[n].buffer_length = cells[n].size();
    binds[n].length = &lengths[n];
    binds[n].is_null = &nulls[n];
  }
  if (::mysql_stmt_bind_result(statement, binds.data()) != 0) return failure(statement);
  for (;;) {
    const int got = ::mysql_stmt_fetch(statement);
    if (got == MYSQL_NO_DATA) return found;
    if (got != 0 && got != MYSQL_DATA_TRUNCATED) return failure(statement);
    Row& row = found.emplace_back();
    for (std::size_t n = 0; n < width; ++n) {
      const std::size_t length = std::min<std::size_t>(lengths[n], longest_cell);
      row.push_back(nulls[n] != 0 ? Cell() : Cell(std::string(cells[n].data(), length)));
    }
  }
}

Result<std::unique_ptr<Sink>> make(const asio::any_io_executor& executor, Setup setup) {
  const auto options = sql::options_of(setup.settings, usual_port);
  if (!options) return options.error();
  return sql::make_sink(executor, setup, *options, std::make_unique<MysqlConnection>(*options),
                        sql::mysql_dialect());
}

}  // namespace

Kind kind() {
  return {
      "mysql", "MySQL and MariaDB; see [sql.md](sql.md).", sql::specs(), &make, nullptr, nullptr,
      true};
}

std::string library_version() {
  return "libmariadb " + std::string(::mysql_get_client_info());
}

}  // namespace meterbridge::sink::mysql
