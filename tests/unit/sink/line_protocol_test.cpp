// SPDX-License-Identifier: MIT
// What an InfluxDB gets, and the settings that say how: without a server.
#include "sink/influxdb/line_protocol.hpp"

#include "sink/influxdb/options.hpp"
#include "unit/sink/influxdb_samples.hpp"

#include <gmock/gmock.h>

namespace meterbridge::sink::influxdb {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string lines(const Sample& sample, Measurement measurement = Measurement::meter,
                  Precision precision = Precision::milliseconds) {
  std::string text;
  for (const Point& point : points_of(sample, {measurement, precision}))
    append_line(text, point);
  return text;
}

TEST(LineProtocol, ASampleIsOneLineOfItsMeter) {
  EXPECT_EQ(lines(sample({number("energy_import", "173.640"), number("power_l1", "-1200"),
                          reading("serial", std::string("0001")), reading("input_0", true),
                          reading("clock", Seconds(1'800'000'000s))})),
            "house,meter=house energy_import=173.640,power_l1=-1200,serial=\"0001\",input_0=true,"
            "clock=\"2027-01-15T08:00:00Z\" 1800000000123\n");
  EXPECT_EQ(lines(sample({})), "");
  EXPECT_EQ(lines(sample({reading("message", std::string())})), "");
}

TEST(LineProtocol, AQuantityHasTheRestOfTheKeyAsTags) {
  EXPECT_EQ(
      lines(sample({number("energy_import_t2", "1.50"), number("grid_power_import_demand_l1", "7"),
                    number("channel3_voltage_l1_l2", "400.1"), reading("input_0", false),
                    reading("status", std::string("ok")), number("counter_12", "5")}),
            Measurement::quantity),
      "energy,direction=import,meter=house,tariff=2,unit=kWh value=1.50 1800000000123\n"
      "power,aspect=demand,direction=import,meter=house,phase=l1,scope=grid,unit=W value=7 "
      "1800000000123\n"
      "voltage,meter=house,phase=l1_l2,scope=channel3,unit=V value=400.1 1800000000123\n"
      "input,meter=house,number=0 flag=false 1800000000123\n"
      "status,meter=house text=\"ok\" 1800000000123\n"
      "counter,meter=house,number=12 value=5 1800000000123\n");
}

TEST(LineProtocol, ValuesWithATimeOfTheirOwnKeepIt) {
  auto gas = number("gas", "12.345");
  gas.time = Seconds(1'799'999'000s);
  EXPECT_EQ(
      lines(sample({number("power", "5"), gas})),
      "house,meter=house power=5 1800000000123\nhouse,meter=house gas=12.345 1799999000000\n");
  EXPECT_EQ(lines(sample({number("power", "5"), gas}), Measurement::meter, Precision::seconds),
            "house,meter=house power=5 1800000000\nhouse,meter=house gas=12.345 1799999000\n");
  // Before 1970 seconds are rounded down too.
  EXPECT_EQ(
      lines(sample({number("power", "5")}, Instant(-1ms)), Measurement::meter, Precision::seconds),
      "house,meter=house power=5 -1\n");
}

TEST(LineProtocol, NothingInATextBreaksTheLine) {
  auto hostile = sample({reading("message", std::string("a\"b\\c\nd,e=f g"))});
  hostile.meter = "a b,c=d\\\ne";
  EXPECT_EQ(lines(hostile),
            "a\\ b\\,c=d/e,meter=a\\ b\\,c\\=d/e message=\"a\\\"b\\\\cd,e=f g\" 1800000000123\n");
}

TEST(Url, IsReadOrRefusedInWords) {
  const auto plain = parse_url("http://localhost:8086/");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host_header() + "|" + plain->path, "localhost:8086|");
  const auto proxied = parse_url("HTTPS://[fd00::1]/influx/");
  ASSERT_TRUE(proxied);
  EXPECT_TRUE(proxied->tls);
  EXPECT_EQ(proxied->host_header() + proxied->path, "[fd00::1]:443/influx");
  for (const std::string_view wrong :
       {"localhost:8086", "ftp://x", "http://", "http://x:0", "http://x:65536", "http://x:8o",
        "http://a b", "http://x/a b", "http://x/\r\nX: y", "http://x?db=a", "http://[::1"}) {
    const auto parsed = parse_url(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_THAT(parsed.error().detail(), HasSubstr("http://localhost:8086")) << wrong;
  }
  const auto secret = parse_url("http://user:geheim@host/");
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().detail(), Not(HasSubstr("geheim")));
}

TEST(InfluxdbOptions, TheLoginIsNeverInTheAddress) {
  const auto one = options_of(settings({{"url", "http://h:8086/x"},
                                        {"version", "1"},
                                        {"database", "a b&c"},
                                        {"retention_policy", "week"},
                                        {"username", "u"},
                                        {"password", "geheim"}}));
  ASSERT_TRUE(one) << one.error().detail();
  EXPECT_EQ(one->target, "/x/write?db=a%20b%26c&rp=week&precision=ms");
  EXPECT_EQ(one->login.reveal(), "Authorization: Basic dTpnZWhlaW0=\r\n");
  const auto two = options_of(settings({{"url", "http://h"},
                                        {"org", "home"},
                                        {"bucket", "energy"},
                                        {"token", "t0"},
                                        {"precision", "s"}}));
  ASSERT_TRUE(two) << two.error().detail();
  EXPECT_EQ(two->target, "/api/v2/write?org=home&bucket=energy&precision=s");
  EXPECT_EQ(two->login.reveal(), "Authorization: Token t0\r\n");
  const auto three =
      options_of(settings({{"url", "http://h"}, {"version", "3"}, {"database", "m"}}));
  ASSERT_TRUE(three) << three.error().detail();
  EXPECT_EQ(three->target, "/api/v2/write?bucket=m&precision=ms");
  EXPECT_TRUE(three->login.empty());
}

TEST(InfluxdbOptions, ContradictionsAreNamed) {
  struct Case {
    Given given;
    std::string_view words;
  };

  const std::vector<Case> cases = {
      {{}, "`url` is missing"},
      {{{"url", "http://h"}}, "`bucket` is missing"},
      {{{"url", "http://h"}, {"version", "1"}}, "`database` is missing"},
      {{{"url", "http://h"}, {"bucket", "b"}, {"database", "d"}}, "versions"},
      {{{"url", "http://h"}, {"version", "1"}, {"database", "d"}, {"token", "t"}}, "`token`"},
      {{{"url", "http://h"}, {"version", "1"}, {"database", "d"}, {"username", "u"}}, "together"},
      {{{"url", "http://h"}, {"bucket", "b"}, {"token", "a\r\nX: y"}}, "line end"},
      {{{"url", "http://h"}, {"bucket", "b"}, {"timeout", "1ms"}}, "too short"},
  };
  for (const Case& one : cases) {
    const auto made = options_of(settings(one.given));
    ASSERT_FALSE(made) << one.words;
    EXPECT_EQ(made.error().code(), Errc::invalid);
    if (one.words != "versions")
      EXPECT_THAT(made.error().detail(), HasSubstr(std::string(one.words)));
    else
      EXPECT_THAT(made.error().detail(), HasSubstr("`database` belongs to version 1 and 3"));
  }
}

}  // namespace
}  // namespace meterbridge::sink::influxdb
