// SPDX-License-Identifier: MIT
// What an InfluxDB gets, and the settings that say how; then what a real InfluxDB, VictoriaMetrics
// and a server with TLS make of it.
#include "fakes/certificates.hpp"
#include "sink/influxdb/line_protocol.hpp"
#include "sink/influxdb/options.hpp"
#include "unit/sink/http_peer.hpp"
#include "unit/sink/influxdb_samples.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

namespace meterbridge::sink::influxdb {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string lines(const Sample& sample, Measurement measurement = Measurement::meter,
                  Precision precision = Precision::milliseconds) {
  std::string text;
  for (const Point& point : points_of(sample, {measurement, precision, false}))
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

// A table of version 3 refuses tags that its first line did not have.
TEST(InfluxdbOptions, LinesForVersionThreeHaveTheSameTagsAlways) {
  const auto options = options_of(settings(
      {{"url", "http://h"}, {"version", "3"}, {"database", "d"}, {"measurement", "quantity"}}));
  ASSERT_TRUE(options);
  std::string text;
  for (const Point& point : points_of(
           sample({number("energy_import", "3"), number("energy_import_t2", "1")}), options->form))
    append_line(text, point);
  EXPECT_EQ(text,
            "energy,aspect=none,direction=import,meter=house,number=none,phase=none,scope=none,"
            "tariff=none,unit=kWh value=3 1800000000123\n"
            "energy,aspect=none,direction=import,meter=house,number=none,phase=none,scope=none,"
            "tariff=2,unit=kWh value=1 1800000000123\n");
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
      {{{"url", "http://h"}, {"bucket", "b"}, {"database", "d"}},
       "`database` belongs to versions 1 and 3"},
      {{{"url", "http://h"}, {"version", "1"}, {"database", "d"}, {"token", "t"}}, "`token`"},
      {{{"url", "http://h"}, {"version", "1"}, {"database", "d"}, {"username", "u"}}, "together"},
      {{{"url", "http://h"}, {"bucket", "b"}, {"token", "a\r\nX: y"}}, "line end"},
      {{{"url", "http://h"}, {"bucket", "b"}, {"timeout", "1ms"}}, "too short"},
      {{{"url", "http://h"}, {"bucket", "b"}, {"tls_ca", "/ca"}}, "`tls_ca` belongs to https://"},
#ifdef METERBRIDGE_WITHOUT_TLS
      {{{"url", "https://h"}, {"bucket", "b"}}, "built without TLS"},
#else
      {{{"url", "https://h"}, {"bucket", "b"}, {"tls_key", "/k"}}, "belong together"},
#endif
  };
  for (const Case& one : cases) {
    const auto made = options_of(settings(one.given));
    ASSERT_FALSE(made) << one.words;
    EXPECT_EQ(made.error().code(), Errc::invalid);
    EXPECT_THAT(made.error().detail(), HasSubstr(std::string(one.words)));
  }
}

class RealInfluxdb : public Writing {
 protected:
  static constexpr const char* program = "/usr/bin/influxd";

  void SetUp() override {
    if (!Program::installed(program)) GTEST_SKIP() << program << " is not installed";
    port_ = free_port();
    const std::string folder = place_.path().string();
    const auto file = place_.file(
        "i.conf", "bind-address = \"127.0.0.1:" + std::to_string(free_port()) +
                      "\"\nreporting-disabled = true\n[meta]\ndir = \"" + folder +
                      "/meta\"\n[data]\ndir = \"" + folder + "/data\"\nwal-dir = \"" + folder +
                      "/wal\"\n[http]\nbind-address = \"127.0.0.1:" + std::to_string(port_) +
                      "\"\n");
    server_ = std::make_unique<Program>(std::vector<std::string>{program, "-config", file});
    start();
  }

  void start() {
    server_->start();
    ASSERT_TRUE(
        eventually([&] { return ask(port_, "GET", "/ping").find("204") != std::string::npos; }));
  }

  void query(const std::string& text) {
    ASSERT_THAT(ask(port_, "POST", "/query?q=" + percent_encoded(text)), HasSubstr("200 OK"));
  }

  std::string select(const std::string& text) {
    const auto answer = ask(port_, "GET", "/query?db=meters&epoch=ms&q=" + percent_encoded(text));
    return answer.substr(std::min(answer.find("\"values\":"), answer.size()));
  }

  std::unique_ptr<Sink> real(const std::string& measurement = "meter") {
    return sink({{"url", "http://127.0.0.1:" + std::to_string(port_)},
                 {"version", "1"},
                 {"database", "meters"},
                 {"measurement", measurement},
                 {"timeout", "500ms"}});
  }

  fakes::Scratch place_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Program> server_;
};

TEST_F(RealInfluxdb, ValuesAreReadBackAsTheyWere) {
  auto sink = real();
  const auto missing = write(*sink, entries(1));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().detail(), HasSubstr("does not find database \"meters\": create it"));
  query("CREATE DATABASE meters");
  std::vector<journal::Entry> batch = {
      {1, sample({number("energy_import", "12345678.640"), number("power", "-0.001"),
                  reading("serial", std::string("0001 \"x\\y\"")), reading("input_1", true)})}};
  EXPECT_TRUE(write_all(*sink, batch).empty());
  EXPECT_TRUE(write_all(*sink, batch).empty());
  EXPECT_THAT(select("SELECT energy_import,power,serial,input_1 FROM house"),
              StartsWith(R"("values":[[1800000000123,12345678.64,-0.001,"0001 \"x\\y\"",true]])"));
  auto by_quantity = real("quantity");
  EXPECT_TRUE(write_all(*by_quantity, batch).empty());
  EXPECT_THAT(select("SELECT direction,meter,unit,value FROM energy"),
              StartsWith(R"("values":[[1800000000123,"import","house","kWh",12345678.64]])"));
}

TEST_F(RealInfluxdb, APlaceThatIsNotThereCostsNoSample_P48) {
  query("CREATE DATABASE meters");
  auto wrong = sink({{"url", "http://127.0.0.1:" + std::to_string(port_)},
                     {"version", "1"},
                     {"database", "meters"},
                     {"retention_policy", "nosuch"}});
  const auto written = write(*wrong, entries(100));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().detail(), HasSubstr("retention policy not found: nosuch"));
}

TEST_F(RealInfluxdb, ACheckLeavesNothingThere) {
  auto made = real();
  const auto missing = loop.run(made->check());
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().detail(),
              HasSubstr("does not find database \"meters\": create it there first"));
  query("CREATE DATABASE meters");
  const auto found = loop.run(made->check());
  ASSERT_TRUE(found) << found.error().detail();
  EXPECT_THAT(ask(port_, "POST", "/query?db=meters&q=" + percent_encoded("SHOW SERIES")),
              Not(HasSubstr("values")));
}

TEST_F(RealInfluxdb, AFieldOfAnotherTypeIsSetAsideAndTheRestIsThere_P48) {
  query("CREATE DATABASE meters");
  auto sink = real();
  auto batch = entries(400);
  ASSERT_TRUE(write_all(*sink, batch).empty());
  batch = entries(400, 401);
  batch[200].sample.readings = {reading("power", std::string("much")), number("voltage", "230.1")};
  const auto refused = write_all(*sink, batch);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused.front().sequence, 601U);
  EXPECT_THAT(refused.front().reason, HasSubstr("field power: partial write: field type conflict"));
  EXPECT_THAT(select("SELECT count(power),count(voltage) FROM house"),
              StartsWith(R"("values":[[0,799,1]])"));
}

TEST_F(RealInfluxdb, KilledFrozenAndRestartedNothingIsLostOrTwice_P48) {
  query("CREATE DATABASE meters");
  auto sink = real();
  int failures = 0;
  for (int round = 0; round < 12; ++round) {
    const auto batch = entries(50, static_cast<journal::Sequence>(round) * 50 + 1);
    if (round % 4 == 1) server_->signal(SIGKILL);
    if (round % 4 == 3) server_->signal(SIGSTOP);
    for (;;) {
      const auto written = write(*sink, batch);
      if (written) {
        ASSERT_EQ(written->taken, 50U);
        break;
      }
      ++failures;
      ASSERT_LT(failures, 50) << written.error().detail();
      EXPECT_THAT(written.error().detail(),
                  testing::AnyOf(HasSubstr("refuses the connection"), HasSubstr("did not answer"),
                                 HasSubstr("broke"), HasSubstr("closed the connection")));
      if (round % 4 == 1) start();
      if (round % 4 == 3) server_->signal(SIGCONT);
    }
  }
  EXPECT_GE(failures, 6);
  EXPECT_THAT(select("SELECT count(power),sum(power) FROM house"),
              StartsWith(R"("values":[[0,600,180600]])"));
}

TEST_F(Writing, VictoriaMetricsTakesVersionTwo) {
  constexpr const char* program = "/usr/bin/victoria-metrics";
  if (!Program::installed(program)) GTEST_SKIP() << program << " is not installed";
  fakes::Scratch place;
  const std::uint16_t port = free_port();
  Program server({program, "-storageDataPath=" + place.path().string(),
                  "-httpListenAddr=127.0.0.1:" + std::to_string(port), "-retentionPeriod=100y"});
  server.start();
  ASSERT_TRUE(
      eventually([&] { return ask(port, "GET", "/health").find("OK") != std::string::npos; }));
  auto sink = this->sink({{"url", "http://127.0.0.1:" + std::to_string(port)},
                          {"org", "home"},
                          {"bucket", "energy"},
                          {"token", "any"},
                          {"measurement", "quantity"}});
  const Instant at(Milliseconds(1'700'000'000'123));
  std::vector<journal::Entry> batch = {
      {1, sample({number("energy_import_t1", "173.640"), number("power_l2", "-12")}, at)}};
  EXPECT_TRUE(write_all(*sink, batch).empty());
  std::string found;
  ASSERT_TRUE(eventually([&] {
    ask(port, "GET", "/internal/force_flush");
    found = ask(port, "GET", "/api/v1/export?match[]=%7B__name__!=%22%22%7D");
    return found.find("power_value") != std::string::npos;
  }));
  // It gives the labels in any order.
  for (const char* label : {R"("__name__":"energy_value")", R"("meter":"house")", R"("unit":"kWh")",
                            R"("direction":"import")", R"("tariff":"1")",
                            R"("values":[173.64],"timestamps":[1700000000123])",
                            R"("values":[-12],"timestamps":[1700000000123])"})
    EXPECT_THAT(found, HasSubstr(label));
}

constexpr std::string_view tls_server = R"(
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        open(sys.argv[4], "ab").write(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
)";

TEST_F(Writing, AnEncryptedServerIsVerifiedByNameAndAuthority) {
#ifdef METERBRIDGE_WITHOUT_TLS
  GTEST_SKIP() << "built without TLS";
#endif
  if (std::system("openssl version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "the program openssl is not installed";
  fakes::Scratch place;
  const fakes::Authority authority(place, "House");
  const auto own = authority.sign("server", "IP:127.0.0.1");
  const std::uint16_t port = free_port();
  const std::string heard = place.path() / "heard";
  Program server({"/usr/bin/python3", place.file("server.py", tls_server), std::to_string(port),
                  own.certificate, own.key, heard});
  server.start();
  const auto complaint = [&](const std::string& host, const std::string& ca) {
    const std::string url = "https://" + host + ":" + std::to_string(port);
    Given given = {{"bucket", "b"}, {"url", url}};
    if (!ca.empty()) given.emplace_back("tls_ca", ca);
    auto sink = this->sink(given);
    const auto first = write(*sink, entries(1));
    if (!first) return first.error().detail();
    const auto second = write(*sink, entries(300));
    return second ? std::string("taken") : second.error().detail();
  };
  ASSERT_TRUE(eventually([&] { return complaint("127.0.0.1", authority.ca()) == "taken"; }));
  std::stringstream content;
  content << std::ifstream(heard).rdbuf();
  EXPECT_THAT(content.str(), StartsWith("house,meter=house power=1.5 1800000001123\n"));
  EXPECT_THAT(complaint("127.0.0.1", ""),
              HasSubstr("the server's certificate comes from an unknown authority, \"House\" "
                        "(name the file of that authority as tls_ca)"));
  EXPECT_THAT(complaint("localhost", authority.ca()),
              HasSubstr("the server's certificate is for another name, \"server\""));
}

}  // namespace
}  // namespace meterbridge::sink::influxdb
