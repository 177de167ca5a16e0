// SPDX-License-Identifier: MIT
// One declaration per setting (name, type, default, range, help): configuration, schema, command
// line and documentation are all derived from it.
#pragma once

#include "core/bytes.hpp"
#include "core/decimal.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace meterbridge {

enum class SettingType : std::uint8_t {
  text,
  integer,
  decimal,
  boolean,
  duration,
  rate,  // a duration, or `every`: no pause at all (0 ms)
  choice,
  key,
  secret
};

// `fallback` is the default as text in the form a user would write; empty = unset. `key` is an
// AES-128 key of 32 hex digits. `choices` only for SettingType::choice. minimum/maximum only for
// integers.
struct SettingSpec {
  std::string_view name;
  SettingType type = SettingType::text;
  std::string_view help;
  std::string_view fallback = {};
  std::span<const std::string_view> choices = {};
  std::int64_t minimum = 0;
  std::int64_t maximum = INT64_MAX;
};

class SettingValues;

// What is wrong with one row of a table; `column` empty = with the row as a whole.
struct RowFault {
  std::size_t row = 0;
  std::string column;
  std::string text;
};

// A setting that is a list of rows: registers of a Modbus meter, codes of an IEC 62056-21 meter.
// Its columns are settings themselves. Profiles fill it, and users in their configuration: their
// rows come behind those of the profile, and replace the ones with the same `identity`.
struct TableSpec {
  std::string_view name;
  std::string_view help;
  std::span<const SettingSpec> columns;
  std::span<const std::string_view> required = {};  // columns that every row must have
  std::span<const std::string_view> identity = {};  // columns by which rows replace one another
  std::string_view example = {};                    // of a row, for messages
  // What columns owe each other and the other settings; each row fits its columns already.
  std::vector<RowFault> (*check)(const SettingValues& settings) = nullptr;
};

// Values that passed their specs. Asking for a name or type that was not declared is a bug and
// yields the type's empty value.
class SettingValues {
 public:
  using Stored = std::variant<std::string, std::int64_t, Decimal, bool, Milliseconds, Secret>;

  void set(std::string_view name, Stored value);
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const Stored* find(std::string_view name) const;  // null when not set
  [[nodiscard]] std::string text(std::string_view name) const;    // text and choice
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] Milliseconds duration(std::string_view name) const;
  [[nodiscard]] std::optional<Decimal> decimal(std::string_view name) const;
  [[nodiscard]] Secret secret(std::string_view name) const;  // key and secret

  // Rows of a table; none when it was not given.
  [[nodiscard]] std::span<const SettingValues> rows(std::string_view table) const;
  // Behind the rows that are there; one of the same identity is replaced where it stands.
  void add_rows(const TableSpec& table, std::span<const SettingValues> rows);

  // Takes the other's tables in place of its own, without a copy: a thousand meters of one profile
  // have one table.
  void share_tables(const SettingValues& other) { tables_ = other.tables_; }

  // Not defaulted here: clang would want the type of the rows, which is this one, to be complete.
  friend bool operator==(const SettingValues& a, const SettingValues& b);

 private:
  std::map<std::string, Stored, std::less<>> values_;
  std::map<std::string, std::shared_ptr<const std::vector<SettingValues>>, std::less<>> tables_;
};

// Whether the identities of two rows are the same.
[[nodiscard]] bool same_row(const TableSpec& table, const SettingValues& a, const SettingValues& b);
// Checks one text against its spec. Error: invalid, one sentence with what is allowed; never
// repeats a secret.
Result<SettingValues::Stored> parse_setting(const SettingSpec& spec, std::string_view text);
// As a user would write it; *** for what is secret.
[[nodiscard]] std::string setting_text(const SettingValues::Stored& stored);
// All fallbacks of the specs.
[[nodiscard]] SettingValues default_settings(std::span<const SettingSpec> specs);
// Published example keys and all-zero keys: refused in configurations, never in `decode`. The
// reason in words.
[[nodiscard]] std::optional<std::string> weak_key(std::string_view hex_digits);

}  // namespace meterbridge
