// SPDX-License-Identifier: MIT
// libpq's own calls wait for ever: each is replaced by its parts, and a wait with a limit.
#include "sink/postgresql/postgresql.hpp"

#include "core/text.hpp"
#include "sink/postgresql/libpq.hpp"
#include "sink/socket_wait.hpp"
#include "sink/sql/sql_sink.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include <poll.h>

namespace meterbridge::sink::postgresql {
namespace {

namespace asio = boost::asio;
using sql::Cell;
using sql::Row;
using SteadyClock = std::chrono::steady_clock;
using Time = SteadyClock::time_point;

constexpr std::uint16_t usual_port = 5432;
// Where systems keep all authorities in one file; libpq 15 has no word for "the system's store".
constexpr std::string_view authorities = "/etc/ssl/certs/ca-certificates.crt";

struct Closer {
  void operator()(PGconn* connection) const { pq().finish(connection); }

  void operator()(PGresult* result) const { pq().clear(result); }
};

using Answer = std::unique_ptr<PGresult, Closer>;

// The first line of what libpq says; the others are advice and context.
std::string words_of(std::string_view text) {
  return sanitised(text.substr(0, text.find('\n')), 300);
}

// Our statements count their values as others do; none has a ? of its own.
std::string numbered(std::string_view text) {
  std::string out;
  int count = 0;
  for (const char letter : text) {
    if (letter == '?') {
      out += '$' + std::to_string(++count);
    } else {
      out += letter;
    }
  }
  return out;
}

class PostgresqlConnection final : public sql::Connection {
 public:
  explicit PostgresqlConnection(sql::Options options)
      : options_(std::move(options)), name_(options_.place()) {}

  Result<> open() override;

  [[nodiscard]] bool is_open() const override { return handle_ != nullptr; }

  void close() override {
    statements_.clear();
    handle_.reset();
  }

  Result<> run(const std::string& text) override {
    if (pq().send_query(handle_.get(), text.c_str()) != 1) return lost();
    const auto answer = await();
    if (!answer) return answer.error();
    return {};
  }

  Result<std::vector<Row>> ask(const std::string& text, std::span<const Cell> values) override;

  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  Result<> connect(PGconn* handle) const;
  Result<std::string> prepared(const std::string& text);
  Result<Answer> await();
  [[nodiscard]] Error lost() const;
  [[nodiscard]] Error slow() const;
  [[nodiscard]] Error failure(const PGresult* result) const;

  sql::Options options_;
  std::string name_;
  std::unique_ptr<PGconn, Closer> handle_;
  std::map<std::string, std::string> statements_;  // text -> its name on the server
};

Error PostgresqlConnection::lost() const {
  return {Errc::io, name_ + ": " + words_of(pq().error_message(handle_.get()))};
}

Error PostgresqlConnection::slow() const {
  return {Errc::timeout, name_ + " did not answer within " + duration_text(options_.timeout)};
}

Error PostgresqlConnection::failure(const PGresult* result) const {
  const char* const field = pq().result_error_field(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  Errc code = Errc::io;
  if (state.starts_with("22")) code = Errc::malformed;
  if (state.starts_with("28") || state == "42501" || state == "3D000") code = Errc::access;
  const char* const words = pq().result_error_field(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string text = words_of(words == nullptr ? pq().result_error_message(result) : words);
  return {code, name_ + ": " + text + " (" + std::string(state) + ")"};
}

Result<> PostgresqlConnection::connect(PGconn* handle) const {
  const Time deadline = SteadyClock::now() + options_.timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (state == PGRES_POLLING_FAILED || pq().status(handle) == CONNECTION_BAD) {
      const std::string words = words_of(pq().error_message(handle));
      const bool tls =
          words.find("SSL") != std::string::npos || words.find("certificate") != std::string::npos;
      return Error(Errc::no_device,
                   name_ + ": " + words +
                       (options_.tls && tls ? "; is there TLS, is tls_ca its authority? In a "
                                              "network that you trust: tls: false"
                                            : ""));
    }
    if (!wait_for(pq().socket(handle), events, deadline)) return slow();
    state = pq().connect_poll(handle);
  }
  return {};
}

Result<> PostgresqlConnection::open() {
  close();
  if (auto loaded = load_libpq(); !loaded) return loaded;
  const std::string place = options_.socket.empty() ? options_.host : options_.socket;
  std::string ca = options_.ca;
  std::error_code ignored;
  if (ca.empty() && std::filesystem::exists(authorities, ignored)) ca = authorities;
  const std::string port = std::to_string(options_.port);
  const std::string patience = std::to_string(options_.timeout.count());
  const char* const mode = !options_.tls       ? "disable"
                           : options_.insecure ? "require"
                                               : "verify-full";
  std::vector<const char*> names{"host",
                                 "port",
                                 "dbname",
                                 "user",
                                 "password",
                                 "sslmode",
                                 "application_name",
                                 "client_encoding",
                                 "gssencmode",
                                 "tcp_user_timeout"};
  std::vector<const char*> values{place.c_str(),
                                  port.c_str(),
                                  options_.database.c_str(),
                                  options_.username.c_str(),
                                  options_.password.reveal().c_str(),
                                  mode,
                                  "meterbridge",
                                  "UTF8",
                                  "disable",
                                  patience.c_str()};
  const auto add = [&](const char* setting, const std::string& value) {
    if (value.empty()) return;
    names.push_back(setting);
    values.push_back(value.c_str());
  };
  if (options_.tls && !options_.insecure) add("sslrootcert", ca);
  add("sslcert", options_.certificate);
  add("sslkey", options_.key);
  names.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<PGconn, Closer> handle(pq().connect_start_params(names.data(), values.data(), 0));
  if (!handle) return Error(Errc::bug, "libpq has no memory");
  if (auto connected = connect(handle.get()); !connected) return connected;
  // What the server only remarks would go to stderr.
  pq().set_notice_processor(
      handle.get(), [](void*, const char*) {}, nullptr);
  pq().setnonblocking(handle.get(), 1);
  handle_ = std::move(handle);
  // The server gives up with us, and keeps no lock for somebody who is gone.
  // (Not SET for the second one: before 9.6 there was none.)
  const std::string idle = std::to_string(Milliseconds(sql::idle_limit(options_)).count());
  auto begun = run("SET statement_timeout = " + patience +
                   "; SET TIME ZONE 'UTC'; SELECT set_config(name, '" + idle +
                   "', false) FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'");
  if (!begun) close();
  return begun;
}

// The first answer that is a failure, or the last one.
Result<Answer> PostgresqlConnection::await() {
  const Time deadline = SteadyClock::now() + options_.timeout;
  PGconn* const handle = handle_.get();
  const int socket = pq().socket(handle);
  for (int unsent = 1; unsent != 0;) {
    unsent = pq().flush(handle);
    if (unsent < 0) return lost();
    if (unsent > 0 && !wait_for(socket, POLLOUT | POLLIN, deadline)) return slow();
    if (unsent > 0 && pq().consume_input(handle) != 1) return lost();
  }
  Answer last;
  bool failed = false;
  for (;;) {
    while (pq().is_busy(handle) != 0) {
      if (!wait_for(socket, POLLIN, deadline)) return slow();
      if (pq().consume_input(handle) != 1) return lost();
    }
    Answer next(pq().get_result(handle));
    if (!next) break;
    if (failed) continue;
    last = std::move(next);
    const auto state = pq().result_status(last.get());
    failed = state != PGRES_COMMAND_OK && state != PGRES_TUPLES_OK;
  }
  if (!last) return lost();
  if (failed) return failure(last.get());
  return last;
}

Result<std::string> PostgresqlConnection::prepared(const std::string& text) {
  if (const auto known = statements_.find(text); known != statements_.end()) return known->second;
  std::string label = "s" + std::to_string(statements_.size());
  const std::string own = numbered(text);
  if (pq().send_prepare(handle_.get(), label.c_str(), own.c_str(), 0, nullptr) != 1) {
    return lost();
  }
  const auto answer = await();
  if (!answer) return answer.error();
  statements_.emplace(text, label);
  return label;
}

Result<std::vector<Row>> PostgresqlConnection::ask(const std::string& text,
                                                   std::span<const Cell> values) {
  const auto label = prepared(text);
  if (!label) return label.error();
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const Cell& value : values)
    texts.push_back(value ? value->c_str() : nullptr);
  if (pq().send_query_prepared(handle_.get(), label->c_str(), static_cast<int>(texts.size()),
                               texts.data(), nullptr, nullptr, 0) != 1) {
    return lost();
  }
  const auto answer = await();
  if (!answer) return answer.error();
  const PGresult* const result = answer->get();
  std::vector<Row> rows;
  for (int y = 0; y < pq().ntuples(result); ++y) {
    Row& row = rows.emplace_back();
    for (int x = 0; x < pq().nfields(result); ++x)
      row.push_back(pq().getisnull(result, y, x) != 0 ? Cell() : Cell(pq().getvalue(result, y, x)));
  }
  return rows;
}

Result<std::unique_ptr<Sink>> make(const asio::any_io_executor& executor, Setup setup) {
  const auto options = sql::options_of(setup.settings, usual_port);
  if (!options) return options.error();
  return sql::make_sink(executor, setup, *options, std::make_unique<PostgresqlConnection>(*options),
                        sql::postgresql_dialect());
}

}  // namespace

Kind kind() {
  return {"postgresql", "PostgreSQL, TimescaleDB; see [sql.md](sql.md).",
          sql::specs(), &make,
          nullptr,      nullptr,
          true};
}

std::string library_version() {
  if (const auto loaded = load_libpq(); !loaded) return "libpq not installed";
  const int version = pq().lib_version();
  return "libpq " + std::to_string(version / 10000) + "." + std::to_string(version % 10000);
}

}  // namespace meterbridge::sink::postgresql
