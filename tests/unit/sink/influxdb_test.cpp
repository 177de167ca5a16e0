// SPDX-License-Identifier: MIT
// The InfluxDB sink against a scripted server, and against a real InfluxDB and VictoriaMetrics.
#include "sink/influxdb/influxdb.hpp"

#include "fakes/certificates.hpp"
#include "sink/http_client.hpp"
#include "unit/sink/http_peer.hpp"
#include "unit/sink/influxdb_samples.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <zlib.h>

namespace meterbridge::sink::influxdb {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

TEST_F(Writing, OneConnectionServesAllWritesAndALostOneIsReplaced) {
  bool hang_up = false;
  Peer peer(loop, [&](const std::string&) {
    return std::exchange(hang_up, false) ? std::string() : http("204 No Content");
  });
  auto sink = sink_at(peer);
  for (int i = 0; i < 3; ++i) {
    const auto written = write(*sink, entries(2));
    ASSERT_TRUE(written) << written.error().detail();
    EXPECT_EQ(written->taken, 2U);
  }
  EXPECT_EQ(peer.connections, 1);
  EXPECT_THAT(peer.requests.front(),
              StartsWith("POST /api/v2/write?bucket=energy&precision=ms HTTP/1.1\r\nHost: 127."));
  EXPECT_THAT(peer.requests.front(), HasSubstr("\r\nAuthorization: Token t0ken\r\n"));
  EXPECT_EQ(body_of(peer.requests.front()),
            "house,meter=house power=1.5 1800000001123\nhouse,meter=house power=2.5 "
            "1800000002123\n");
  hang_up = true;
  EXPECT_TRUE(write(*sink, entries(2)));
  EXPECT_EQ(peer.connections, 2);
}

TEST_F(Writing, LargeBodiesAreCompressed) {
  Peer peer(loop, [&](const std::string&) { return http("204 No Content"); });
  auto sink = sink_at(peer, "true");
  ASSERT_TRUE(write(*sink, entries(2)));
  EXPECT_THAT(peer.requests.back(), Not(HasSubstr("gzip")));
  ASSERT_TRUE(write(*sink, entries(300)));
  EXPECT_THAT(peer.requests.back(), HasSubstr("Content-Encoding: gzip"));
  std::string packed = body_of(peer.requests.back());
  std::string plain(100'000, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(std::ranges::count(plain, '\n'), 300);
  EXPECT_THAT(plain, HasSubstr("power=300.5 1800000300123\n"));
  EXPECT_LT(packed.size() * 4, plain.size());
}

TEST_F(Writing, TheGuiltyPointIsFoundAndSetAside_P48) {
  std::set<std::string> stored;
  Peer peer(loop, [&](const std::string& request) {
    const std::string body = body_of(request);
    if (body.find("power=77.5") != body.npos || body.find("power=300.5") != body.npos)
      return http("400 Bad Request", R"({"error":"partial write: points beyond \"week\""})");
    for (std::size_t at = 0, end = 0; (end = body.find('\n', at)) != body.npos; at = end + 1)
      stored.insert(body.substr(at, end - at));
    return http("204 No Content");
  });
  auto sink = sink_at(peer);
  const auto refused = write_all(*sink, entries(500));
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(refused[0].sequence, 77U);
  EXPECT_EQ(refused[0].reason, "partial write: points beyond \"week\"");
  EXPECT_EQ(refused[1].sequence, 300U);
  EXPECT_EQ(stored.size(), 498U);
  EXPECT_LT(peer.requests.size(), 50U);
}

TEST_F(Writing, APoisonedFieldCostsOnlyItself_P48) {
  std::string stored;
  Peer peer(loop, [&](const std::string& request) {
    const std::string body = body_of(request);
    if (body.find("status=") == body.npos) stored += body;
    return body.find("status=") == body.npos
               ? http("204 No Content")
               : http("422 Unprocessable", R"({"code":"invalid","message":"field type conflict"})");
  });
  auto sink = sink_at(peer);
  std::vector<journal::Entry> batch = {
      {5, sample({number("power", "1"), reading("status", std::string("x")), number("gas", "2")})}};
  const auto refused = write_all(*sink, batch);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused.front().reason, "field status: field type conflict");
  EXPECT_THAT(stored, HasSubstr("power=1 "));
  EXPECT_THAT(stored, HasSubstr("gas=2 "));
  // It is not asked again for a while, and still told.
  const auto before = peer.requests.size();
  EXPECT_EQ(write_all(*sink, batch).size(), 1U);
  EXPECT_EQ(peer.requests.size(), before + 1);
}

TEST_F(Writing, SmallerPiecesWhereTheServerWantsThem) {
  Peer peer(loop, [&](const std::string& request) {
    return http(body_of(request).size() > 1000 ? "413 Too Large" : "204 No Content");
  });
  auto sink = sink_at(peer);
  EXPECT_TRUE(write_all(*sink, entries(200)).empty());
  std::vector<journal::Entry> huge = {
      {9,
       sample({reading("message", std::string(255, 'x')), reading("status", std::string(255, 'y')),
               reading("serial", std::string(255, 'z')), reading("firmware", std::string(255, 'z')),
               reading("tariff", std::string(255, 'z'))})}};
  const auto refused = write_all(*sink, huge);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_THAT(refused.front().reason, HasSubstr("larger than the server takes"));
}

TEST_F(Writing, APauseIsKeptAndSaidOnce) {
  Peer peer(loop, [&](const std::string& request) {
    return body_of(request).find("power=2.5") == std::string::npos
               ? http("204 No Content")
               : http("429 Too Many Requests", "", "Retry-After: 7\r\n");
  });
  auto sink = sink_at(peer);
  for (int i = 0; i < 2; ++i) {
    const auto written = write(*sink, entries(3));
    ASSERT_TRUE(written);
    EXPECT_EQ(written->taken, 0U);
    EXPECT_EQ(written->pause, 7s);
  }
  ASSERT_EQ(log.size(), 1U);
  EXPECT_THAT(log.front(), HasSubstr("asks for a pause of 7s"));
}

TEST_F(Writing, WhatSomebodyMustRepairIsAnErrorAndNoRefusal) {
  struct Case {
    std::string answer;
    std::string words;
  };

  const std::vector<Case> cases = {
      {http("401 Unauthorized", R"({"code":"unauthorized","message":"no t0ken for you"})"),
       "refuses the login: is the token right? (401: no *** for you)"},
      {http("403 Forbidden"), "does not let us write to bucket \"energy\""},
      {http("404 Not Found", R"({"message":"bucket \"energy\" not found"})"),
       "does not find bucket \"energy\": create it there first (404: bucket \"energy\" not found)"},
      {http("404 Not Found", "404 page not found"), "knows no address /api/v2/write"},
      {http("302 Found", "", "Location: https://h/\r\n"), "sends us elsewhere (https://h/)"},
      {http("500 Internal Server Error", R"({"error":"timeout"})"),
       "fault of its own (500: timeout)"},
      {http("503 Service Unavailable"), "fault of its own (503)"},
      {http("400 Bad Request", "<html>The plain HTTP request was sent to HTTPS port</html>"),
       "is this InfluxDB"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "does not answer in HTTP"},
      {"HTTP/1.1 204 No Content\r\nX: " + std::string(20'000, 'x'), "does not answer in HTTP"},
      {"HTTP/1.1 400 Bad\r\nContent-Length: 99999999\r\n\r\n", "does not answer in HTTP"},
      {"silence", "did not answer within 500ms"},
      {"", "closed the connection"},
  };
  std::string answer;
  Peer peer(loop, [&](const std::string&) { return answer; });
  for (const Case& one : cases) {
    answer = one.answer;
    auto sink = sink_at(peer);
    const auto written = write(*sink, entries(3));
    ASSERT_FALSE(written) << one.words;
    EXPECT_THAT(written.error().detail(), HasSubstr(one.words));
    EXPECT_THAT(written.error().detail(), Not(HasSubstr("t0ken")));
  }
}

TEST_F(Writing, WhatIsHiddenMayBeAPartOfWhatIsShownInstead) {
  Peer peer(loop, [](const std::string&) {
    return http("401 Unauthorized", R"({"message":"no * for * you"})");
  });
  auto sink = this->sink({{"url", peer.url()}, {"bucket", "b"}, {"token", "*"}});
  const auto written = write(*sink, entries(1));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().detail(), HasSubstr("no *** for *** you"));
}

TEST_F(Writing, NobodyThereIsToldInWords) {
  const std::string port = std::to_string(free_port());
  auto sink = this->sink({{"url", "http://127.0.0.1:" + port}, {"bucket", "b"}});
  const auto written = write(*sink, entries(1));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().detail(), "127.0.0.1:" + port +
                                          " refuses the connection: is the server on, is the port "
                                          "right?");
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
