// SPDX-License-Identifier: MIT
#include "fakes/scratch.hpp"
#include "history/counters.hpp"
#include "history/reader.hpp"
#include "history/stamp.hpp"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

namespace meterbridge::history {
namespace {

struct Zone {
  explicit Zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }

  ~Zone() {
    ::unsetenv("TZ");
    ::tzset();
  }

  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
};

struct Read {
  std::vector<std::string> samples, faults, notes;
  std::string layout, error;
};

std::string words_of(const Sample& sample) {
  std::string text = sample.meter + " " + iso_utc(sample.at);
  for (const Reading& reading : sample.readings) {
    text += " " + reading.key.text() + "=";
    if (const auto* number = std::get_if<Decimal>(&reading.value)) text += number->str();
    if (const auto* words = std::get_if<std::string>(&reading.value)) text += "'" + *words + "'";
    if (const auto* flag = std::get_if<bool>(&reading.value)) text += *flag ? "on" : "off";
    text += symbol(reading.unit);
  }
  return text;
}

Read read(const std::string& content, const Options& options = Options(),
          const std::string& name = "file") {
  const fakes::Scratch scratch;
  const std::string path = (scratch.path() / name).string();
  std::ofstream(path, std::ios::binary) << content;
  Read out;
  Events events;
  events.begin = [](const Layout&) {};
  events.sample = [&](Place place, Sample&& sample) {
    out.samples.push_back(std::to_string(place.line) + " " + words_of(sample));
  };
  events.fault = [&](Place place, const std::string& why) {
    out.faults.push_back(std::to_string(place.line) + ":" + std::to_string(place.column) + " " +
                         why);
  };
  events.note = [&](const std::string& text) { out.notes.push_back(text); };
  const auto done = read_file(path, options, events);
  if (done) {
    out.layout = done->layout->name;
  } else {
    out.error = done.error().detail().substr(path.size());
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST(History, OursAsOneTableWithTextsAndNothing) {
  const Read got = read(
      "time_utc,time_local,meter,energy_import,voltage_l1,input_1,serial,tariff\n"
      "2026-11-20T12:00:00.250Z,2026-11-20T13:00:00.250+01:00,house,173.640,231.5,on,\"a "
      "\"\"b\"\", "
      "c\",0001\n"
      "2026-11-20T12:00:10.000Z,2026-11-20T13:00:10.000+01:00,house,173.641,,,,2\n"
      "2026-11-20T12:00:20.000Z,2026-11-20T13:00:10.000+01:00,house,173.641,\"2,,,2\n");
  EXPECT_EQ(got.layout, "default");
  EXPECT_EQ(got.samples,
            (Texts{"2 house 2026-11-20T12:00:00.250Z energy_import=173.640kWh voltage_l1=231.5V "
                   "input_1=on serial='a \"b\", c' tariff='0001'",
                   "3 house 2026-11-20T12:00:10.000Z energy_import=173.641kWh tariff=2"}));
  EXPECT_EQ(got.faults, (Texts{"4:70 a quotation mark has no partner"}));
}

TEST(History, OkosmeroHasTheSeasonForTheHourThatComesTwice) {
  const Zone zone("Europe/Budapest");
  const Read got = read(
      "MeterId,Time,DST,Import,Export,TotalImport,TotalExport\r\n"
      "99,2023-10-29 02:30:00,S,2.352,0.0,8995.626,1590.321\r\n"
      "99,2023-10-29 02:30:00,W,2.352,,8995.627,1590.321\r\n"
      "99,2023-10-29 02:30:10,W,2.35x,,8995.627,1590.321\r\n");
  EXPECT_EQ(got.layout, "okosmero");
  EXPECT_EQ(got.samples,
            (Texts{"2 99 2023-10-29T00:30:00.000Z power_import=2352W power_export=0W "
                   "energy_import=8995.626kWh energy_export=1590.321kWh",
                   "3 99 2023-10-29T01:30:00.000Z power_import=2352W energy_import=8995.627kWh "
                   "energy_export=1590.321kWh"}));
  EXPECT_EQ(got.faults, (Texts{"4:26 \"2.35x\" is no number"}));
}

TEST(History, ASeasonThatIsNoneIsNoSeason) {
  const Zone zone("Europe/Budapest");
  const Read got = read(
      "MeterId,Time,DST,Import,Export,TotalImport,TotalExport\n"
      "99,2023-10-29 02:30:00,X,2.352,0.0,8995.626,1590.321\n"
      "99,2023-10-29 02:30:00, W,2.352,,8995.627,1590.321\n"
      "99,2023-10-29 03:30:10,,2.35,,8995.628,1590.321\n");
  EXPECT_EQ(got.faults, (Texts{"2:24 \"X\" is no season (S summer, W winter, or nothing)"}));
  ASSERT_EQ(got.samples.size(), 2U);
  EXPECT_TRUE(got.samples[0].starts_with("3 99 2023-10-29T01:30:00.000Z")) << got.samples[0];
  EXPECT_TRUE(got.samples[1].starts_with("4 99 2023-10-29T02:30:10.000Z")) << got.samples[1];
}

// MariaDB prints the digits of the column, DECIMAL(37,18); PostgreSQL those of the meter.
TEST(History, TheWideViewOfEitherDatabase) {
  const Read got = read(
      "at_utc,instance,meter,power,voltage_l1,energy_import,sequence\n"
      "2026-11-20 12:00:00.000,a,house,306.000000000000000000,0.500000000000000000,"
      "1000000.001000000000000000,7\n"
      "2026-11-20 12:00:10+00,a,house,306.00,230.10,1000000.001,8\n"
      "2026-11-20 12:00:20.000,a,house,100000000000000000000.000000000000000000,NULL,NULL,9\n");
  EXPECT_EQ(got.layout, "sql-wide");
  EXPECT_EQ(got.samples, (Texts{"2 house 2026-11-20T12:00:00.000Z power=306W voltage_l1=0.5V "
                                "energy_import=1000000.001kWh",
                                "3 house 2026-11-20T12:00:10.000Z power=306.00W "
                                "voltage_l1=230.10V energy_import=1000000.001kWh"}));
  EXPECT_EQ(got.faults, (Texts{"4:33 \"100000000000000000000\" is no number"}));
}

TEST(History, NetzNoeWithoutSeasonGoesByTheOrder) {
  const Zone zone("Europe/Vienna");
  const Read got = read(
      "DATUM_ZEIT;U_L1;U_L2;U_L3;I_L1;I_L2;I_L3;COS(PHI);P_ZU;P_AB;E_ZU;E_AB;T;RH;RSSI\n"
      "29.10.2023 02:59:55;231,5;;;1,23;;;0,998;342,0;0,0;12345678;99;21,50;40,10;-67\n"
      "29.10.2023 02:00:00;231,5;;;1,23;;;0,998;342,0;0,0;12345679;99;21,50;40,10;-67;\n"
      "26.03.2023 02:30:00;231,5;;;1,23;;;0,998;342,0;0,0;12345679;99;21,50;40,10;-67\n");
  EXPECT_EQ(got.samples, (Texts{"2  2023-10-29T00:59:55.000Z voltage_l1=231.5V current_l1=1.23A "
                                "power_factor=0.998 power_import=342.0W power_export=0.0W "
                                "energy_import=12345.678kWh energy_export=0.099kWh",
                                "3  2023-10-29T01:00:00.000Z voltage_l1=231.5V current_l1=1.23A "
                                "power_factor=0.998 power_import=342.0W power_export=0.0W "
                                "energy_import=12345.679kWh energy_export=0.099kWh"}));
  EXPECT_EQ(got.faults,
            (Texts{"4:1 the local time 2023-03-26T02:30:00 is skipped by the time zone"}));
}

TEST(History, ADumpOfTheWorkshopsTableAndNoOther) {
  const Zone zone("Europe/Moscow");
  const std::string begin =
      "-- MySQL dump\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `energy_data`;\n"
      "CREATE TABLE `energy_data` (\n  `id` bigint NOT NULL,\n  `device_name` varchar(100),\n"
      "  `timestamp` datetime(3),\n  `active_power` decimal(10,3),\n  `energy_consumed` "
      "decimal(12,3),\n  `data_quality` enum('good','bad'),\n  PRIMARY KEY (`id`)\n) "
      "ENGINE=InnoDB;\n";
  const Read got =
      read(begin +
           "INSERT INTO `energy_data` VALUES (1,'No ''1'' (hall), \\'a\\'','2025-05-24 "
           "12:00:00.123',12.500,1000.125,'good'),(2,'b','2025-05-24 "
           "12:00:05.123',NULL,1000.126,'good');\n"
           "INSERT INTO `users` VALUES (1,'secret');\n"
           "INSERT INTO energy_data (timestamp, device_name, active_power) VALUES\n"
           "('2025-05-24 12:00:10','b',1.5),\n('2025-05-24 12:00:15','b',1.");
  EXPECT_EQ(got.layout, "energy-data");
  EXPECT_EQ(got.samples, (Texts{"13 No '1' (hall), 'a' 2025-05-24T09:00:00.123Z power=12500W "
                                "energy_import=1000.125kWh",
                                "13 b 2025-05-24T09:00:05.123Z energy_import=1000.126kWh",
                                "16 b 2025-05-24T09:00:10.000Z power=1500W"}));
  EXPECT_EQ(got.faults, (Texts{"17:1 a row without end: the dump was cut"}));
  EXPECT_EQ(got.notes, (Texts{"table users is left out"}));
}

TEST(History, TheSaimanServersPointsWithoutItsPlaceholders) {
  const Read got = read(
      "energy_measurement active_energy_t1=100.5,active_energy_t2=50.25,active_energy_t3=0,"
      "active_energy_t4=0,active_energy_total=100.5,power=0.2815,voltage=229 1716500000123456789\n"
      "energy_measurement active_energy_t1=0,active_energy_t2=0,active_energy_t3=0,"
      "active_energy_t4=0,active_energy_total=0,power=0,voltage=0 1716500030123456789\n");
  EXPECT_EQ(got.layout, "saiman-orman");
  EXPECT_EQ(got.samples,
            (Texts{"1  2024-05-23T21:33:20.123Z energy_import_t1=100.5kWh "
                   "energy_import_t2=50.25kWh energy_import_t3=0kWh energy_import_t4=0kWh "
                   "power=281.5W voltage=229V",
                   "2  2024-05-23T21:33:50.123Z power=0W"}));
}

TEST(History, LineProtocolByMeterAndByQuantity) {
  const Read got = read(
      "# DML\nhouse,meter=house energy_import=173.640,serial=\"a \\\"b\\\", c\",input_1=true,x=1i "
      "1790000000000\n"
      "energy,direction=import,meter=flat,tariff=2,unit=kWh value=1.50 1790000000\n"
      "voltage,meter=flat,phase=l1,unit=V value=2.3e2 1790000000\n"
      "no line\nhouse value=1\n");
  EXPECT_EQ(got.samples,
            (Texts{"2 house 2026-09-21T14:13:20.000Z energy_import=173.640kWh serial='a \"b\", c' "
                   "input_1=on",
                   "3 flat 2026-09-21T14:13:20.000Z energy_import_t2=1.50kWh voltage_l1=230V"}));
  EXPECT_EQ(got.faults,
            (Texts{"5:8 no line of InfluxDB's line protocol", "6:0 the line has no time"}));
  EXPECT_EQ(got.notes.size(), 1U);
}

TEST(History, CsvOfInfluxAndOfHomeAssistant) {
  const Read flux = read(
      "#datatype,string,long,dateTime:RFC3339,double,string,string\n"
      ",result,table,_time,_value,_field,_measurement,meter\n"
      ",,0,2026-11-20T12:00:00Z,173.64,energy_import,house,house\n\n"
      ",result,table,_time,_value,_field,_measurement,meter\n"
      ",,1,2026-11-20T12:00:00Z,230,power,house,house\n"
      ",,2,2026-11-20T12:00:00Z,5,active_energy_total,energy_measurement,\n"
      ",,3,2026-11-20T12:00:00Z,5.5,active_energy_t1,energy_measurement,\n");
  EXPECT_EQ(flux.layout, "influx-csv");
  EXPECT_EQ(flux.samples,
            (Texts{"3 house 2026-11-20T12:00:00.000Z energy_import=173.64kWh power=230W",
                   "8  2026-11-20T12:00:00.000Z energy_import_t1=5.5kWh"}));
  Options options;
  const auto mapping = parse_mapping("sensor.summa=energy_import:kWh");
  ASSERT_TRUE(mapping);
  options.mapping.insert(*mapping);
  const Read states = read(
      "entity_id,state,last_changed\nsensor.summa,173.64,2026-11-20T12:00:00.000Z\n"
      "sensor.summa,unavailable,2026-11-20T12:10:00.000Z\nsensor.other,1,2026-11-20T12:10:00."
      "000Z\n",
      options);
  EXPECT_EQ(states.samples, (Texts{"2  2026-11-20T12:00:00.000Z energy_import=173.64kWh"}));
  EXPECT_EQ(states.notes.size(), 1U);
}

TEST(History, WhatIsNoLayoutIsSaid) {
  EXPECT_TRUE(read("a,b,c\n1,2,3\n").error.starts_with(": its layout is none that is known"));
  EXPECT_EQ(read("").error, ": it is empty");
  Options options;
  options.layout = find_layout("netz-noe");
  EXPECT_EQ(read("{\"meter\":\"a\"}\n", options).error, ": its layout is json, not netz-noe");
}

TEST(History, HeatWithoutAUnitIsRefusedUntilItIsSaid) {
  const std::string file = "time_utc,time_local,meter,heat\n2026-11-20T12:00:00.000Z,x,h,1.5\n";
  EXPECT_EQ(read(file).faults.size(), 1U);
  Options options;
  options.mapping.insert(*parse_mapping("heat=heat:GJ"));
  EXPECT_EQ(read(file, options).samples, (Texts{"2 h 2026-11-20T12:00:00.000Z heat=1.5GJ"}));
}

// Cut files are what power cuts leave: nothing but the cut line may change.
TEST(History, EveryCutAndAnyBytesEndInWords) {
  const Texts files{
      "time_utc,time_local,meter,energy_import\n2026-11-20T12:00:00.250Z,x,house,173.640\n",
      "energy,direction=import,meter=flat,unit=kWh value=1.50 1790000000\n",
      "{\"meter\":\"a\",\"time\":\"2026-11-20T12:00:00.000Z\",\"readings\":[{\"key\":\"power\","
      "\"value\":1,\"unit\":\"W\"}]}\n",
      "INSERT INTO energy_data (timestamp, device_name, active_power) VALUES ('2025-05-24 "
      "12:00:10','b',1.5);\n"};
  std::mt19937 random(8);
  for (const std::string& file : files) {
    const Read whole = read(file);
    ASSERT_EQ(whole.samples.size(), 1U) << file;
    for (std::size_t cut = 0; cut + 1 < file.size(); ++cut) {
      const Read part = read(file.substr(0, cut));
      EXPECT_LE(part.samples.size(), 1U);
    }
    for (int i = 0; i < 200; ++i) {
      std::string other = file;
      for (int n = 0; n < 3; ++n)
        other[random() % other.size()] = static_cast<char>(random() % 256);
      (void)read(other);
    }
  }
}

TEST(Stamps, EveryFormAndNoOther) {
  const auto utc = [](std::string_view text) {
    const auto stamp = parse_stamp(text);
    return stamp && stamp->at ? iso_utc(*stamp->at) : std::string("-");
  };
  EXPECT_EQ(utc("2026-11-20T13:00:00.5+01:00"), "2026-11-20T12:00:00.500Z");
  EXPECT_EQ(utc("2026-11-20 12:00:00.123456 UTC"), "2026-11-20T12:00:00.123Z");
  EXPECT_EQ(utc("2026-11-20 12:00:00-0330"), "2026-11-20T15:30:00.000Z");
  EXPECT_EQ(utc("1790000000123456"), "2026-09-21T14:13:20.123Z");
  for (const std::string_view text : {"", "2026-02-30 00:00:00", "2026-11-20", "17900000001",
                                      "2026-11-20T12:00:00+99", "2026-11-20T12:00:00.", "x"})
    EXPECT_FALSE(parse_stamp(text)) << text;
}

Texts counted(const std::vector<int>& values, Texts& told) {
  Texts out;
  Counters::Sink sink;
  sink.pass = [&](Place, Sample&& sample) {
    out.push_back(std::get<Decimal>(sample.readings.front().value).str());
  };
  sink.refuse = [&](Place place, const std::string&) {
    out.push_back("-" + std::to_string(place.line));
  };
  sink.tell = [&](const std::string& text) { told.push_back(text); };
  Counters counters(sink);
  Place place;
  for (const int value : values) {
    ++place.line;
    Sample sample;
    sample.meter = "m";
    sample.at = Instant(Milliseconds(static_cast<std::int64_t>(place.line) * 1000));
    sample.readings.emplace_back(make_key(Quantity::energy, Direction::import), Decimal(value),
                                 Unit::kWh);
    counters.put(place, std::move(sample));
  }
  counters.flush();
  return out;
}

TEST(Counters, ADipIsRefusedAndANewMeterIsTold) {
  Texts told;
  EXPECT_EQ(counted({10, 11, 0, 12, 5, 4}, told), (Texts{"10", "11", "-3", "12", "-5", "-6"}));
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(counted({10, 0, 1, 1, 2, 3, 4}, told), (Texts{"10", "0", "1", "1", "2", "3", "4"}));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].starts_with("line 2: m: energy_import falls from 10 to 0 at "));
}

}  // namespace
}  // namespace meterbridge::history
