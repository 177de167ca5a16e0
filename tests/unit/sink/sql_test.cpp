// SPDX-License-Identifier: MIT
// What goes into databases that speak SQL, with a connection that only writes down what it is told;
// tests/integration/test_databases.py has the real servers.
#include "sink/mysql/mysql.hpp"
#include "sink/postgresql/postgresql.hpp"
#include "sink/sql/options.hpp"
#include "sink/sql/schema.hpp"
#include "sink/sql/store.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include <gtest/gtest.h>

namespace meterbridge::sink::sql {
namespace {

using namespace std::chrono_literals;

struct Script {
  bool open = false;
  int openings = 0;
  std::string version = "3";
  std::vector<std::string> said;  // statements, in order
  std::vector<Row> inserted;      // rows of samples
  std::vector<Row> pending;       // of the transaction that is open
  std::map<std::string, std::string> ids;
  std::set<std::string> lacking;  // "UPDATE x_meters"
  std::string role;
  std::string hidden;  // a name whose row another program made after our transaction began
  // Asked for each row of samples that is inserted.
  std::function<Result<>(const Row&)> judge;
};

class Scripted final : public Connection {
 public:
  explicit Scripted(Script& script) : script_(script) {}

  Result<> open() override {
    script_.open = true;
    ++script_.openings;
    return {};
  }

  [[nodiscard]] bool is_open() const override { return script_.open; }

  void close() override {
    script_.open = false;
    script_.pending.clear();
  }

  Result<> run(const std::string& text) override {
    script_.said.push_back(text);
    if (text == "COMMIT")
      script_.inserted.insert(script_.inserted.end(), script_.pending.begin(),
                              script_.pending.end());
    if (text == "COMMIT" || text == "ROLLBACK") script_.pending.clear();
    return {};
  }

  Result<std::vector<Row>> ask(const std::string& text, std::span<const Cell> values) override {
    script_.said.push_back(text);
    if (text.find("_privileges") != text.npos)
      return std::vector<Row>{
          {Cell(script_.lacking.contains(*values[1] + " " + *values[0]) ? "0" : "2")}};
    if (text.find("CURRENT_ROLE") != text.npos) return std::vector<Row>{{Cell(script_.role)}};
    if (text.find("information_schema") != text.npos)
      return std::vector<Row>{{Cell(script_.version == "0" ? "0" : "1")}};
    if (text.find("MAX(version)") != text.npos) return std::vector<Row>{{Cell(script_.version)}};
    if (text.find("INSERT INTO x_schema") != text.npos) script_.version = *values[0];
    if (text.starts_with("SELECT id")) {
      if (script_.hidden == values[0] && text.find("LOCK IN SHARE MODE") == text.npos)
        return std::vector<Row>();
      const std::string what = *values[0] + " " + *values[1];
      const auto id = script_.ids.emplace(what, std::to_string(script_.ids.size() + 1)).first;
      Row row{id->second};
      if (text.find("x_meters") != text.npos) row.resize(6, Cell(""));
      return std::vector<Row>{row};
    }
    if (text.starts_with("INSERT INTO x_samples")) return samples(values);
    if (text.starts_with("INSERT INTO x_events"))
      script_.pending.emplace_back(values.begin(), values.end());
    return std::vector<Row>();
  }

  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  Result<std::vector<Row>> samples(std::span<const Cell> values) {
    for (; !values.empty(); values = values.subspan(7)) {
      Row row(values.begin(), values.begin() + 7);
      if (script_.judge) {
        if (const auto judged = script_.judge(row); !judged) return judged.error();
      }
      script_.pending.push_back(std::move(row));
    }
    return std::vector<Row>();
  }

  Script& script_;
  std::string name_ = "db:1";
};

struct SqlStore : testing::Test {
  Script script;
  Store store{std::make_unique<Scripted>(script), mysql_dialect(), "x_", "home"};

  static Record record(journal::Sequence sequence, const std::string& value = "1.50") {
    journal::Entry entry;
    entry.sequence = sequence;
    entry.sample.meter = "house";
    entry.sample.at = Instant(1'800'000'000'123ms);
    entry.sample.identity.serial = "E12";
    entry.sample.readings = {{*ReadingKey::parse("power"), *Decimal::parse(value), Unit::W}};
    return record_of(entry);
  }

  static std::vector<Record> records(std::size_t count) {
    std::vector<Record> all;
    for (std::size_t n = 1; n <= count; ++n)
      all.push_back(record(n));
    return all;
  }

  [[nodiscard]] long said(std::string_view begin) const {
    return std::ranges::count_if(
        script.said, [begin](const std::string& text) { return text.starts_with(begin); });
  }
};

TEST(SqlRecords, KeepEveryDigitAndSayWhatNoColumnHolds) {
  journal::Entry entry;
  entry.sample.at = Instant(1'800'000'000'123ms);
  entry.sample.readings = {{*ReadingKey::parse("energy_import"), Decimal(173640, -3), Unit::kWh},
                           {*ReadingKey::parse("input_1"), true},
                           {*ReadingKey::parse("clock"), Seconds(1'800'000'000s)},
                           {*ReadingKey::parse("message"), std::string("a\nb")},
                           {*ReadingKey::parse("value_1"), Decimal(INT64_MAX, -18)},
                           {*ReadingKey::parse("value_2"), Decimal(INT64_MAX, 1)}};
  entry.sample.readings.front().time = Seconds(1'700'000'000s);
  const Record record = record_of(entry);
  ASSERT_EQ(record.values.size(), 5U);
  EXPECT_EQ(record.values[0].number, "173.640");
  EXPECT_EQ(record.values[0].decimals, "3");
  EXPECT_EQ(record.values[0].unit, "kWh");
  EXPECT_EQ(record.values[0].at, Instant(1'700'000'000s));
  EXPECT_EQ(record.values[1].number, "1");
  EXPECT_EQ(record.values[2].text, "2027-01-15T08:00:00Z");
  EXPECT_EQ(record.values[3].text, "ab");
  EXPECT_FALSE(record.values[3].number);
  EXPECT_EQ(record.values[4].number, "9.223372036854775807");
  EXPECT_NE(record.trouble.find("value_2: 92233720368547758070 has more digits"),
            std::string::npos);
  EXPECT_EQ(mysql_dialect().time(record.values[1].at), "2027-01-15 08:00:00.123");
}

TEST_F(SqlStore, ABatchIsOneTransactionOfFewStatements) {
  const auto written = store.write(records(447));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->taken, 447U);
  EXPECT_EQ(script.inserted.size(), 447U);
  EXPECT_EQ(said("BEGIN"), 1);
  EXPECT_EQ(said("INSERT INTO x_samples"), 2 + 2 + 7);
  EXPECT_EQ(script.inserted.back(),
            (Row{"1", "2", "2027-01-15 08:00:00.123", "447", "1.50", "2", {}}));
  ASSERT_TRUE(store.write(records(1)));
  EXPECT_EQ(said("SELECT id"), 2) << "ids are asked for once";
  EXPECT_EQ(said("UPDATE x_meters"), 1) << "the serial number was new, once";
}

TEST_F(SqlStore, WhereTheServerHasArraysABatchIsOneStatement) {
  Store fast(std::make_unique<Scripted>(script), postgresql_dialect(), "x_", "home");
  auto all = records(2);
  all[1].values[0].number.reset();
  all[1].values[0].text = R"(a "b\c", {NULL})";
  ASSERT_TRUE(fast.write(all));
  ASSERT_TRUE(fast.write(records(500)));
  EXPECT_EQ(said("INSERT INTO x_samples"), 2);
  EXPECT_EQ(script.inserted.front(),
            (Row{R"({"1","1"})", R"({"2","2"})",
                 R"({"2027-01-15T08:00:00.123Z","2027-01-15T08:00:00.123Z"})", R"({"1","2"})",
                 R"({"1.50",NULL})", R"({"2","2"})", R"({NULL,"a \"b\\c\", {NULL}"})"}));
}

TEST_F(SqlStore, TheGuiltySampleIsSetAsideAndNoOther_P48) {
  script.judge = [](const Row& row) -> Result<> {
    if (row[3] == Cell("3")) return Error(Errc::malformed, "db:1: out of range (1264)");
    return {};
  };
  const auto written = store.write(records(5));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->taken, 5U);
  ASSERT_EQ(written->refused.size(), 1U);
  EXPECT_EQ(written->refused.front().sequence, 3U);
  EXPECT_EQ(script.inserted.size(), 4U);
}

TEST_F(SqlStore, WhatRefusesEverythingCostsNothing_P48) {
  script.judge = [](const Row&) -> Result<> { return Error(Errc::malformed, "no (1264)"); };
  const auto none = store.write(records(3));
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().detail().find("takes no sample at all"), std::string::npos);
  script.judge = nullptr;
  const auto written = store.write(records(3));
  ASSERT_TRUE(written);
  EXPECT_TRUE(written->refused.empty());
}

TEST_F(SqlStore, AfterAFailureEverythingComesAgainOnANewConnection_P49) {
  int calls = 0;
  script.judge = [&calls](const Row&) -> Result<> {
    if (++calls == 250) return Error(Errc::io, "db:1: gone away (2006)");
    return {};
  };
  EXPECT_FALSE(store.write(records(300)));
  EXPECT_TRUE(script.inserted.empty());
  ASSERT_TRUE(store.write(records(300)));
  EXPECT_EQ(script.openings, 2);
  EXPECT_EQ(script.inserted.size(), 300U);
}

TEST_F(SqlStore, WhatNoColumnHoldsIsNamedAndTheRestIsThere) {
  Record half = record(7);
  half.trouble = "value_2: too long";
  const auto written = store.write({half});
  ASSERT_TRUE(written);
  ASSERT_EQ(written->refused.size(), 1U);
  EXPECT_EQ(script.inserted.size(), 1U);
}

TEST_F(SqlStore, TablesAreBroughtUpToDateFromEveryVersionAndNeverBack) {
  for (const std::string version : {"0", "1", "2", "3"}) {
    script.version = version;
    script.said.clear();
    store.close();
    ASSERT_TRUE(store.write(records(1))) << version;
    EXPECT_EQ(script.version, "3");
    EXPECT_EQ(said("CREATE TABLE"), version == "0" ? 5 : (version == "3" ? 0 : 1));
    EXPECT_EQ(said("CREATE OR REPLACE VIEW"), version >= "2" ? 0 : 2);
    EXPECT_EQ(said("SELECT GET_LOCK"), version == "3" ? 0 : 1);
  }
  script.version = "99";
  store.close();
  const auto newer = store.write(records(1));
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().detail().find("made by a newer one"), std::string::npos);
  EXPECT_FALSE(store.look());
  script.version = "0";
  script.said.clear();
  EXPECT_EQ(*store.look(),
            "db:1 answers and takes the login; the tables x_... are made with the first sample");
  EXPECT_EQ(said("CREATE"), 0);
}

TEST_F(SqlStore, ARowThatAnotherProgramMadeMeanwhileIsFound) {
  for (const std::string name : {"home", "power"}) {
    script.hidden = name;
    store.close();
    const auto written = store.write(records(2));
    ASSERT_TRUE(written) << name << ": " << written.error().detail();
    EXPECT_EQ(written->taken, 2U);
  }
}

TEST_F(SqlStore, RightsThatAreMissingAreNamedBeforeASampleComes) {
  script.version = "0";
  script.lacking = {"CREATE x_samples", "CREATE x_events", "UPDATE x_meters", "UPDATE x_samples"};
  const auto missing = store.look();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Errc::access);
  EXPECT_EQ(missing.error().detail(),
            "db:1 takes the login, but no samples: this user lacks the rights CREATE; UPDATE on "
            "x_meters, x_samples");
  script.version = "3";
  script.lacking = {"CREATE x_samples", "CREATE x_events", "DROP x_wide"};
  EXPECT_TRUE(store.look()) << "the tables are there";
  script.lacking = {"INSERT x_events"};
  EXPECT_FALSE(store.look());
  script.role = "writers";
  const auto unknown = store.look();
  ASSERT_TRUE(unknown);
  EXPECT_NE(unknown->find("is not known: its rights come by a role"), std::string::npos);
}

std::string refusal(
    std::initializer_list<std::pair<std::string_view, SettingValues::Stored>> given) {
  SettingValues values = default_settings(specs());
  for (const auto& [name, value] : given)
    values.set(name, value);
  const auto options = options_of(values, 3306);
  return options ? "tls " + std::string(options->tls ? "on " : "off ") + options->place()
                 : options.error().detail();
}

TEST_F(SqlStore, EventsHaveATableOfTheirOwnAndAreNoSamples) {
  journal::Event event;
  event.type = "alarm_raised";
  event.alarm = "overload";
  event.severity = "critical";
  event.text = "power is 16 kW, above 15 kW";
  journal::Entry entry;
  entry.sequence = 7;
  entry.sample = journal::sample_of(event, "house", "", Instant(1'800'000'000'123ms));
  EXPECT_TRUE(journal::is_event(entry.sample));
  ASSERT_TRUE(store.write({record(6), record_of(entry), record(8)}));
  ASSERT_EQ(script.inserted.size(), 3U);
  const auto row = std::ranges::find_if(script.inserted,
                                        [](const Row& r) { return r[3] == Cell("alarm_raised"); });
  ASSERT_NE(row, script.inserted.end());
  EXPECT_EQ(*row, (Row{"1", "2027-01-15 08:00:00.123", "7", "alarm_raised", "overload", "critical",
                       "power is 16 kW, above 15 kW"}));
  event = {};
  event.type = "meter_replaced";
  entry.sample = journal::sample_of(event, "house", "", entry.sample.at);
  const auto back = journal::event_of(entry.sample);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->type, "meter_replaced");
  EXPECT_EQ(back->alarm + back->severity + back->text, "");
  // A document of an old consumer, and one that is cut, are no more than they are.
  entry.sample.document = "{\"event\n\":1}";
  EXPECT_FALSE(journal::event_of(entry.sample));
  entry.sample.document = "event\nx";
  EXPECT_EQ(journal::event_of(entry.sample)->type, "x");
  entry.sample.document = "event\nx\n\n\n";
  entry.sample.readings = {{*ReadingKey::parse("power"), Decimal(1), Unit::W}};
  EXPECT_FALSE(journal::event_of(entry.sample)) << "it has readings";
}

TEST(SqlOptions, WhatCannotBeIsSaidAndTlsIsOnForOtherMachines) {
  const std::pair<std::string_view, SettingValues::Stored> host{"host", std::string("nas")};
  const std::pair<std::string_view, SettingValues::Stored> user{"username", std::string("u")};
  const std::pair<std::string_view, SettingValues::Stored> base{"database", std::string("d")};
  const std::pair<std::string_view, SettingValues::Stored> here{"host", std::string("127.0.0.1")};
  EXPECT_EQ(refusal({host, user, base}), "tls on nas:3306");
  EXPECT_EQ(refusal({here, user, base}), "tls off 127.0.0.1:3306");
  EXPECT_EQ(refusal({host, user, base, {"tls", false}}), "tls off nas:3306");
  EXPECT_EQ(refusal({user, base, {"socket", std::string("/run/s")}}), "tls off /run/s");
  EXPECT_NE(refusal({}).find("`host` is missing"), std::string::npos);
  EXPECT_NE(refusal({host, user}).find("`database` is missing"), std::string::npos);
  EXPECT_NE(refusal({host, base}).find("`username` is missing"), std::string::npos);
  EXPECT_NE(refusal({host, user, base, {"socket", std::string("/run/s")}}).find("in place of"),
            std::string::npos);
  EXPECT_NE(refusal({here, user, base, {"tls_ca", std::string("/ca")}}).find("tls: true"),
            std::string::npos);
  EXPECT_NE(refusal({host, user, base, {"prefix", std::string("a b;")}}).find("`prefix`"),
            std::string::npos);
  EXPECT_EQ(mysql::kind().name, "mysql");
  EXPECT_EQ(postgresql::kind().name, "postgresql");
}

}  // namespace
}  // namespace meterbridge::sink::sql
