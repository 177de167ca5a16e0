// SPDX-License-Identifier: MIT
#include "sink/sql/store.hpp"

#include "core/text.hpp"
#include "sink/sql/rights.hpp"
#include "sink/sql/schema.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::sink::sql {
namespace {

constexpr std::size_t columns = 7;
// Rows of one statement. Few sizes: each is prepared once for a connection.
constexpr std::array<std::size_t, 3> sizes{200, 20, 1};
constexpr std::size_t most_rows = 1000;  // in memory: meters with hundreds of readings exist
constexpr std::size_t longest_word = 190;

std::string insert_text(std::size_t rows, const Dialect& dialect) {
  std::string text =
      "INSERT INTO #samples (meter_id, quantity_id, at_utc, sequence, value, decimals, text) "
      "VALUES ";
  for (std::size_t row = 0; row < rows; ++row)
    text += row == 0 ? "(?, ?, ?, ?, ?, ?, ?)" : ", (?, ?, ?, ?, ?, ?, ?)";
  return text + std::string(dialect.ignore);
}

// A column of the cells as an array in PostgreSQL's way of writing.
std::string array_of(std::span<const Cell> cells, std::size_t column) {
  std::string text = "{";
  for (std::size_t at = column; at < cells.size(); at += columns) {
    if (text.size() > 1) text += ',';
    if (!cells[at]) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char letter : *cells[at]) {
      if (letter == '"' || letter == '\\') text += '\\';
      text += letter;
    }
    text += '"';
  }
  return text + '}';
}

std::string word(std::string_view text) {
  return sanitised(text, longest_word);
}

}  // namespace

Store::Store(std::unique_ptr<Connection> connection, const Dialect& dialect, std::string prefix,
             std::string instance)
    : connection_(std::move(connection)),
      dialect_(dialect),
      prefix_(std::move(prefix)),
      instance_(std::move(instance)) {}

void Store::forget() {
  meters_.clear();
  quantities_.clear();
}

void Store::close() {
  forget();
  connection_->close();
}

Result<> Store::open() {
  if (connection_->is_open()) return {};
  forget();
  proved_ = false;
  if (auto opened = connection_->open(); !opened) return opened;
  return migrate(*connection_, dialect_, prefix_);
}

Result<std::vector<Row>> Store::ask(std::string_view text, std::span<const Cell> values) {
  return connection_->ask(named(text, prefix_), values);
}

Result<Written> Store::write(const std::vector<Record>& records) {
  Written written;
  if (records.empty()) return written;
  auto done = open();
  if (done) done = write_all(records);
  if (!done && done.error().code() == Errc::malformed) return write_singly(records);
  if (!done) {
    close();
    return done.error();
  }
  proved_ = true;
  written.taken = records.size();
  for (const Record& record : records) {
    if (!record.trouble.empty()) written.refused.push_back({record.sequence, record.trouble});
  }
  return written;
}

// One of them is what the server dislikes. But a server that takes none at all dislikes something
// else, and costs no sample.
Result<Written> Store::write_singly(const std::vector<Record>& records) {
  Written written;
  Result<> last;
  for (const Record& record : records) {
    std::string trouble = record.trouble;
    last = write_all(std::span(&record, 1));
    if (!last && last.error().code() != Errc::malformed) {
      close();
      break;
    }
    proved_ = proved_ || last.has_value();
    if (!last) trouble = last.error().detail();
    if (!trouble.empty()) written.refused.push_back({record.sequence, trouble});
    ++written.taken;
  }
  if (proved_ && written.taken > 0) return written;
  if (proved_) return last.error();
  close();
  return Error(Errc::io, "takes no sample at all: " + last.error().detail());
}

Result<> Store::write_all(std::span<const Record> records) {
  auto done = connection_->begin();
  if (!done) return done;
  done = fill(records);
  if (done) done = connection_->end("COMMIT");
  if (done || done.error().code() != Errc::malformed) return done;
  forget();
  if (const auto undone = connection_->end("ROLLBACK"); !undone)
    return Error(Errc::io, undone.error().detail());
  return done;
}

Result<> Store::fill(std::span<const Record> records) {
  std::vector<Cell> cells;
  for (const Record& record : records) {
    const auto meter = meter_id(record);
    if (!meter) return meter.error();
    if (record.event) {
      if (const auto done = insert_event(record, *meter); !done) return done.error();
    }
    for (const Value& value : record.values) {
      const auto quantity = quantity_id(value);
      if (!quantity) return quantity.error();
      cells.insert(cells.end(),
                   {*meter, *quantity, dialect_.time(value.at), std::to_string(record.sequence),
                    value.number, value.decimals, value.text});
    }
    if (cells.size() < most_rows * columns) continue;
    if (const auto done = insert_samples(cells); !done) return done;
    cells.clear();
  }
  return insert_samples(cells);
}

Result<> Store::insert_samples(std::span<const Cell> left) {
  if (left.empty()) return {};
  if (!dialect_.insert_arrays.empty()) {
    std::array<Cell, columns> arrays;
    for (std::size_t column = 0; column < columns; ++column)
      arrays[column] = array_of(left, column);
    const auto done =
        ask(std::string(dialect_.insert_arrays) + std::string(dialect_.ignore), arrays);
    return done ? Result<>() : Result<>(done.error());
  }
  for (const std::size_t rows : sizes) {
    const std::string text = insert_text(rows, dialect_);
    for (; left.size() >= rows * columns; left = left.subspan(rows * columns)) {
      if (const auto done = ask(text, left.first(rows * columns)); !done) return done.error();
    }
  }
  return {};
}

// Events are few.
Result<> Store::insert_event(const Record& record, const std::string& meter) {
  const journal::Event& event = *record.event;
  const std::array<Cell, 7> row{meter,
                                dialect_.time(record.at),
                                std::to_string(record.sequence),
                                word(event.type),
                                word(event.alarm),
                                word(event.severity),
                                event.text};
  const auto done =
      ask("INSERT INTO #events (meter_id, at_utc, sequence, type, alarm, severity, text) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)" +
              std::string(dialect_.ignore),
          row);
  return done ? Result<>() : Result<>(done.error());
}

// What the table says of a meter. A sample without a serial number takes none away.
Result<Store::Meter> Store::look_up(const std::string& meter) {
  const std::array<Cell, 2> who{instance_, meter};
  constexpr std::string_view select =
      "SELECT id, parent, manufacturer, model, serial, firmware FROM #meters "
      "WHERE instance = ? AND meter = ?";
  auto found = ask(select, who);
  if (found && found->empty()) {
    const auto made =
        ask("INSERT INTO #meters (instance, meter, parent, manufacturer, model, serial, firmware) "
            "VALUES (?, ?, '', '', '', '', '')" +
                std::string(dialect_.ignore_id),
            who);
    if (!made) return made.error();
    found = ask(std::string(select) + std::string(dialect_.newest), who);
  }
  if (!found) return found.error();
  if (found->empty() || found->front().size() != 1 + facts)
    return Error(Errc::io, connection_->name() + ": a row that was just made is not there");
  Meter row;
  row.id = found->front().front().value_or("");
  for (std::size_t n = 0; n < facts; ++n)
    row.words[n] = found->front()[n + 1].value_or("");
  return row;
}

Result<std::string> Store::meter_id(const Record& record) {
  const std::string meter = word(record.meter);
  auto known = meters_.find(meter);
  if (known == meters_.end()) {
    auto row = look_up(meter);
    if (!row) return row.error();
    known = meters_.emplace(meter, std::move(*row)).first;
  }
  const MeterIdentity& who = record.identity;
  const std::array<std::string, facts> fresh{word(record.parent), word(who.manufacturer),
                                             word(who.model), word(who.serial), word(who.firmware)};
  auto merged = known->second.words;
  for (std::size_t n = 0; n < facts; ++n) {
    if (!fresh[n].empty()) merged[n] = fresh[n];
  }
  if (merged == known->second.words) return known->second.id;
  std::vector<Cell> row(merged.begin(), merged.end());
  row.emplace_back(instance_);
  row.emplace_back(meter);
  const auto changed =
      ask("UPDATE #meters SET parent = ?, manufacturer = ?, model = ?, serial = ?, firmware = ? "
          "WHERE instance = ? AND meter = ?",
          row);
  if (!changed) return changed.error();
  known->second.words = std::move(merged);
  return known->second.id;
}

Result<std::string> Store::quantity_id(const Value& value) {
  const auto what = std::pair(value.name, value.unit);
  if (const auto known = quantities_.find(what); known != quantities_.end()) return known->second;
  const std::array<Cell, 2> row{value.name, value.unit};
  constexpr std::string_view select = "SELECT id FROM #quantities WHERE name = ? AND unit = ?";
  auto found = ask(select, row);
  if (found && found->empty()) {
    const auto made =
        ask("INSERT INTO #quantities (name, unit) VALUES (?, ?)" + std::string(dialect_.ignore_id),
            row);
    if (!made) return made.error();
    // Another program may have made it after our transaction began.
    found = ask(std::string(select) + std::string(dialect_.newest), row);
  }
  if (!found) return found.error();
  if (found->empty())
    return Error(Errc::io, connection_->name() + ": a row that was just made is not there");
  return quantities_.emplace(what, found->front().front().value_or("")).first->second;
}

Result<std::string> Store::look() {
  if (auto opened = connection_->open(); !opened) return opened.error();
  auto looked = look_at_tables();
  close();
  return looked;
}

Result<std::string> Store::look_at_tables() {
  const auto version = version_of(*connection_, dialect_, prefix_);
  const std::size_t known = dialect_.versions.size();
  if (!version) return version.error();
  if (*version > known) {
    return Error(Errc::invalid, connection_->name() + ": the tables " + prefix_ +
                                    "... were made by a newer program: update this one");
  }
  std::string words = connection_->name() + " answers and takes the login; ";
  if (*version == 0) {
    words += "the tables " + prefix_ + "... are made with the first sample";
  } else {
    words += "the tables " + prefix_ + "... are there";
    if (*version < known) words += ", and are brought up to date with the first sample";
  }
  const auto lacking = lacking_rights(*connection_, dialect_, prefix_, *version);
  if (!lacking)
    return words + "; whether this user may write there is not known: " + lacking.error().detail();
  if (!lacking->empty())
    return Error(Errc::access, connection_->name() +
                                   " takes the login, but no samples: this user lacks the rights " +
                                   *lacking);
  return words;
}

}  // namespace meterbridge::sink::sql
