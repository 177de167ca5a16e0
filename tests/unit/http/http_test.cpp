// SPDX-License-Identifier: MIT
// The pages, asked for by friends and enemies.
#include "fakes/program.hpp"
#include "fakes/scratch.hpp"
#include "http/files.hpp"
#include "http/metrics.hpp"
#include "http/pages.hpp"
#include "http/server.hpp"
#include "http/status_json.hpp"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::http {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

ReadingStatus reading(std::string_view key, std::optional<Value> value, Unit unit) {
  return {*ReadingKey::parse(key), std::move(value), unit};
}

Status full_status() {
  Status status;
  status.version = "1.2.3";
  status.instance = "meter\"bridge\\\n";
  status.uptime = 61'500ms;
  status.memory = 9'000'000;
  MeterStatus house;
  house.id = "house";
  house.up = true;
  house.fault = Fault::ok;
  house.frame_age = 1s;
  house.reading_age = 1500ms;
  house.poll_time = 250ms;
  house.interval = 30s;
  house.polls = 10;
  house.failures = 2;
  house.errors = {{"checksum", 1}, {"timeout", 1}};
  house.recoveries = {{"flush", 1}};
  house.readings = {reading("energy_import", *Decimal::parse("173.640"), Unit::kWh),
                    reading("input_7", true, Unit::none),
                    reading("serial", std::string("0001"), Unit::none)};
  MeterStatus cellar;
  cellar.id = "cellar";
  cellar.fault = Fault::no_device;
  house.readings.emplace_back(*ReadingKey::parse("power"), std::nullopt, Unit::W, "Power");
  status.meters = {house, cellar};
  status.links = {{"line", true}, {"tcp", false}};
  status.configuration.path = "/etc/x.yaml";
  status.configuration.problems.emplace_back();
  status.brokers.resize(1);
  status.brokers.front().name = "localhost:1883";
  status.brokers.front().waiting = 7;
  status.bridges.resize(1);
  status.bridges.front().name = "ha";
  status.bridges.front().up = true;
  status.bridges.front().waiting = 3;
  status.sinks.resize(1);
  status.sinks.front().name = "influxdb";
  status.sinks.front().lag_time = 90s;
  status.journal.emplace();
  status.journal->entries = 12;
  return status;
}

TEST(Metrics, SayEverythingWithTheMetersDigits) {
  const std::string text = metrics_text(full_status());
  for (const char* line : {
           "meterbridge_build_info{instance=\"meter\\\"bridge\\\\\",version=\"1.2.3\"} 1\n",
           "meterbridge_uptime_seconds 61.500\n",
           "meterbridge_meter_up{meter=\"house\"} 1\nmeterbridge_meter_up{meter=\"cellar\"} 0\n",
           "meterbridge_meter_fault{meter=\"house\",fault=\"ok\"} 1\n",
           "meterbridge_meter_fault{meter=\"cellar\",fault=\"no_device\"} 1\n",
           "meterbridge_meter_fault{meter=\"cellar\",fault=\"ok\"} 0\n",
           "meterbridge_meter_reading_age_seconds{meter=\"house\"} 1.500\n",
           "meterbridge_meter_errors_total{meter=\"house\",kind=\"checksum\"} 1\n",
           "meterbridge_meter_recoveries_total{meter=\"house\",rung=\"flush\"} 1\n",
           "meterbridge_reading{meter=\"house\",key=\"energy_import\",unit=\"kWh\"} 173.640\n",
           "meterbridge_reading{meter=\"house\",key=\"input_7\",unit=\"\"} 1\n",
           "meterbridge_link_up{link=\"tcp\"} 0\n",
           "meterbridge_broker_queue_messages{broker=\"localhost:1883\"} 7\n",
           "meterbridge_bridge_up{bridge=\"ha\"} 1\n",
           "meterbridge_bridge_queue_messages{bridge=\"ha\"} 3\n",
           "meterbridge_bridge_dropped_total{bridge=\"ha\"} 0\n",
           "meterbridge_sink_lag_seconds{sink=\"influxdb\"} 90.000\n",
           "meterbridge_journal_entries 12\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("0001")));
  EXPECT_THAT(text, Not(HasSubstr("meter_frame_age_seconds{meter=\"cellar\"}")));
}

TEST(Api, StatusHasTheMetersDigitsAndNullForWhatIsAbsent) {
  const std::string text = status_json(full_status());
  for (
      const char* part : {
          R"({"version":"1.2.3","instance":"meter\"bridge\\\n","uptime":61.500,"memory":9000000,)",
          R"("configuration":{"path":"/etc/x.yaml","state":"valid","editable":false,"problems":[{"severity":"error","line":0,)",
          R"("fault":"ok","text":"","interval":30.000,"frame_age":1.000,"reading_age":1.500,)",
          R"({"key":"energy_import","name":"","value":"173.640","unit":"kWh","kind":"number"})",
          R"({"key":"serial","name":"","value":"0001","unit":"","kind":"text"})",
          R"({"key":"power","name":"Power","value":null,"unit":"W","kind":null}])",
          R"("fault":"no_device","text":"","interval":0.000,"frame_age":null,"reading_age":null,)",
          R"("lag_time":90.000,)",
          R"("journal":{"up":true,"kind":"memory","text":"","entries":12,"size":0}})",
      })
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(status_json(Status()), HasSubstr(R"("memory":null,)"));
  EXPECT_THAT(status_json(Status()), HasSubstr(R"("journal":null})"));
}

TEST(Metrics, AreWhatPrometheusReads) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "the program promtool is not installed";
  const fakes::Scratch place;
  for (const Status& status : {full_status(), Status()}) {
    const std::string file = place.file("page", metrics_text(status));
    const std::string said = place.path() / "said";
    const int code =
        std::system(("promtool check metrics < " + file + " > " + said + " 2>&1").c_str());
    std::stringstream words;
    words << std::ifstream(said).rdbuf();
    EXPECT_EQ(code, 0) << words.str();
    EXPECT_EQ(words.str(), "");
  }
}

// A program with pages on a loop of its own.
class Pages : public testing::Test, public StatusView {
 protected:
  Pages() : worker_([this] { context_.run(); }) {}

  ~Pages() override {
    inside([this] { server_.reset(); });
    guard_.reset();
    worker_.join();
  }

  [[nodiscard]] std::vector<std::string> ailments() const override { return ailments_; }

  [[nodiscard]] std::vector<std::string> missing() const override { return missing_; }

  [[nodiscard]] Status status() const override { return full_status(); }

  [[nodiscard]] std::vector<UnseenStatus> unseen(std::string_view meter) const override {
    std::vector<UnseenStatus> rows(meter == "house" ? 1 : 0);
    for (UnseenStatus& row : rows) {
      row.key = *ReadingKey::parse("frequency");
      row.name = "Frequency";
      row.reason = "its PIN was not entered";
    }
    return rows;
  }

  [[nodiscard]] std::vector<LogLine> log_after(std::uint64_t number) const override {
    std::vector<LogLine> lines;
    for (const LogLine& line : lines_) {
      if (line.number > number) lines.push_back(line);
    }
    return lines;
  }

  // In the loop, like everything that touches the server.
  void inside(const std::function<void()>& act) {
    std::promise<void> done;
    boost::asio::post(context_, [&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }

  void start(Milliseconds request_limit = 10s) {
    ServerOptions options;
    options.port = port_;
    options.most_connections = 4;
    options.request_limit = request_limit;
    options.retry = 20ms;
    options.local_names_only = local_names_only_;
    options.beat = beat_;
    options.sign_of_life = sign_of_life_;
    options.log = [this](bool, const std::string& line) {
      const std::lock_guard lock(mutex_);
      log_ += line + "\n";
    };
    inside([&] {
      server_ = std::make_unique<Server>(context_.get_executor(), std::move(options), *this, desk_);
    });
  }

  std::string log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  bool listens() {
    return fakes::eventually([this] { return log().find("listens on") != std::string::npos; });
  }

  tcp::socket connect() {
    tcp::socket socket(client_);
    socket.connect({boost::asio::ip::address_v4::loopback(), port_});
    return socket;
  }

  static std::string rest(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code failure;
    std::array<char, 8192> block{};
    while (!failure)
      answer.append(block.data(), socket.read_some(boost::asio::buffer(block), failure));
    return answer;
  }

  std::string send(const std::string& bytes) {
    auto socket = connect();
    boost::system::error_code ignored;
    boost::asio::write(socket, boost::asio::buffer(bytes), ignored);
    return rest(socket);
  }

  std::uint16_t port_ = fakes::free_port();
  std::vector<std::string> ailments_;
  std::vector<std::string> missing_;
  std::vector<LogLine> lines_;
  Desk* desk_ = nullptr;
  bool local_names_only_ = false;
  Milliseconds beat_{1000};
  Milliseconds sign_of_life_{10000};
  std::mutex mutex_;
  std::string log_;
  boost::asio::io_context client_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      context_.get_executor()};
  std::unique_ptr<Server> server_;
  std::thread worker_;
};

TEST_F(Pages, SayWhatIsAskedFor) {
  start();
  ASSERT_TRUE(listens());
  EXPECT_THAT(send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  const std::string head = send("HEAD /healthz?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_THAT(send("GET /metrics HTTP/1.0\r\n\r\n"),
              HasSubstr("meterbridge_reading{meter=\"house\",key=\"energy_import\""));
  // The page where it was built in, else a list.
  EXPECT_THAT(send("GET / HTTP/1.1\r\n\r\n"),
              HasSubstr(files().empty() ? "/healthz, /readyz, " : "Content-Encoding: gzip\r\n"));
  EXPECT_THAT(send("GET /no/<b>\x01 HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(send("GET /no HTTP/1.1\r\n\r\n"), HasSubstr("there is no page /no; "));
  const std::string post = send("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(post, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(post, HasSubstr("Allow: GET, HEAD\r\n"));
}

// One meter by its name, with what it did not send.
TEST_F(Pages, TellWhatAMeterDidNotSend_P25) {
  start();
  ASSERT_TRUE(listens());
  const std::string house = send("GET /api/meters/house HTTP/1.1\r\n\r\n");
  EXPECT_THAT(house, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(house, HasSubstr(R"({"id":"house",)"));
  EXPECT_THAT(house, HasSubstr(R"("unseen":[{"key":"frequency","name":"Frequency",)"
                               R"("reason":"its PIN was not entered"}]})"));
  EXPECT_THAT(send("GET /api/meters/nobody HTTP/1.1\r\n\r\n"),
              StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(send("POST /api/meters/house HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr("Allow: GET, HEAD\r\n"));
}

// What a program keeps on its desk, for tests.
class PaperDesk : public Desk {
 public:
  [[nodiscard]] std::string locked() const override { return why; }

  [[nodiscard]] Result<Document> document() const override { return paper; }

  [[nodiscard]] Verdict check(const std::string& text) const override {
    Verdict verdict;
    if (text.find("bad") != std::string::npos) verdict.state = Validity::invalid;
    return verdict;
  }

  void write(const std::string& text, const std::string& hash,
             std::function<void(Taken)> done) override {
    if (hash != paper.hash) return done({Outcome::stale, "changed meanwhile"});
    paper.text = text;
    Taken taken(Outcome::done, "one meter more");
    taken.hash = paper.hash = "h2";
    later = [taken, done = std::move(done)] { done(taken); };
    if (!patient) std::exchange(later, nullptr)();
  }

  Result<> poll(std::string_view meter) override {
    if (meter != "house") return Error(Errc::not_found, "there is no such meter");
    ++polls;
    return {};
  }

  [[nodiscard]] Result<std::string> capture(std::string_view meter) const override {
    if (meter != "house") return Error(Errc::not_found, "there is no such meter");
    return std::string("# meterbridge capture 1\n");
  }

  std::string why;
  Document paper;
  bool patient = false;
  std::function<void()> later;
  int polls = 0;
};

std::string request(const std::string& line, const std::string& headers,
                    const std::string& body = {}) {
  return line + " HTTP/1.1\r\nHost: 127.0.0.1:8099\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(Pages, NothingIsChangedWithoutLeave_P58) {
  PaperDesk desk;
  desk.paper.hash = "h1";
  desk.paper.text = "secret";
  desk_ = &desk;
  local_names_only_ = true;
  start();
  ASSERT_TRUE(listens());
  const std::string ours = "X-Meterbridge: 1\r\n";
  const std::string put = "PUT /api/configuration";
  EXPECT_THAT(send(request("GET /api/configuration", "")),
              HasSubstr(R"("hash":"h1","editable":true)"));
  EXPECT_THAT(send(request(put, "If-Match: \"h1\"\r\n", "x")), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(send(request(put, ours, "x")), StartsWith("HTTP/1.1 412"));
  EXPECT_THAT(send(request(put, ours + "If-Match: \"h0\"\r\n", "x")), StartsWith("HTTP/1.1 412"));
  for (const std::string host :
       {"evil.example", "127.0.0.1.evil.example:8099", "127.evil.example"}) {
    EXPECT_THAT(send("GET /api/configuration HTTP/1.1\r\nHost: " + host + "\r\n\r\n"),
                StartsWith("HTTP/1.1 403"))
        << host;
  }
  // What crossed a line has serial numbers in it.
  EXPECT_THAT(send(request("GET /api/meters/house/capture", "")),
              HasSubstr("# meterbridge capture 1"));
  EXPECT_THAT(send(request("GET /api/meters/attic/capture", "")), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(send(request("POST /api/meters/house/capture", ours)), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(send("GET /api/meters/house/capture HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
              StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(desk.paper.text, "secret");
  EXPECT_THAT(send(request("POST /api/configuration/check", ours, "bad")),
              HasSubstr(R"({"state":"invalid","problems":[]})"));
  EXPECT_THAT(send(request("POST /api/meters/house/poll", ours)), StartsWith("HTTP/1.1 202"));
  EXPECT_THAT(send(request("POST /api/meters/attic/poll", ours)),
              HasSubstr(R"({"error":"there is no such meter"})"));
  EXPECT_THAT(send(request("POST /api/meters/house/poll", "")), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(send(request("GET /api/meters/house/poll", "")), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(send(request("GET /api/nothing", "")), HasSubstr(R"({"error":"there is no )"));
  EXPECT_EQ(desk.polls, 1);
  EXPECT_THAT(send(request(put, ours + "Expect: 100-continue\r\nIf-Match: \"h1\"\r\n", "new")),
              testing::AllOf(StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"),
                             HasSubstr(R"({"hash":"h2","problems":[],"text":"one meter more"})")));
  EXPECT_EQ(desk.paper.text, "new");
  // Too much of it, announced or not; half of it.
  EXPECT_THAT(send("PUT /api/configuration HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(send(put + " HTTP/1.1\r\nHost: [::1]\r\n" + ours +
                   "If-Match: h2\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" +
                   std::string(0xfffff, 'x') + "\r\nfffff\r\n" + std::string(0xfffff, 'x')),
              StartsWith("HTTP/1.1 413"));
  inside([&] { desk.why = "only in the app"; });
  EXPECT_THAT(send(request("GET /api/configuration", "")),
              HasSubstr(R"({"error":"only in the app"})"));
  EXPECT_THAT(send(request("GET /api/meters/house/capture", "")), StartsWith("HTTP/1.1 403"));
  inside([&] { server_.reset(); });
}

TEST_F(Pages, AChangeIsAnsweredWhenItIsTakenOver) {
  PaperDesk desk;
  desk.paper.hash = "h1";
  desk.patient = true;
  desk_ = &desk;
  start();
  ASSERT_TRUE(listens());
  auto socket = connect();
  boost::asio::write(
      socket, boost::asio::buffer(request("PUT /api/configuration",
                                          "X-Meterbridge: 1\r\nIf-Match: \"h1\"\r\n", "new")));
  ASSERT_TRUE(fakes::eventually([&] {
    bool ready = false;
    inside([&] { ready = static_cast<bool>(desk.later); });
    return ready;
  }));
  inside([&] { std::exchange(desk.later, nullptr)(); });
  EXPECT_THAT(rest(socket), HasSubstr("one meter more"));
  inside([&] { server_.reset(); });
}

// Reads until the text was seen so often.
std::string until(tcp::socket& socket, std::string_view text, int times) {
  std::string got;
  boost::system::error_code failure;
  std::array<char, 4096> block{};
  const auto count = [&] {
    int found = 0;
    for (std::size_t at = 0; (at = got.find(text, at)) != std::string::npos; ++at)
      ++found;
    return found;
  };
  while (!failure && count() < times)
    got.append(block.data(), socket.read_some(boost::asio::buffer(block), failure));
  return got;
}

TEST_F(Pages, EventsTellWhatIsNewAndThatWeLive) {
  beat_ = 20ms;
  sign_of_life_ = 100ms;
  start();
  ASSERT_TRUE(listens());
  const std::string ask = "GET /api/events HTTP/1.1\r\n\r\n";
  auto socket = connect();
  boost::asio::write(socket, boost::asio::buffer(ask));
  // Nothing changes, and it is said again all the same.
  const std::string got = until(socket, "event: status\ndata: {\"version\":\"1.2.3\"", 3);
  EXPECT_THAT(got, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(got, HasSubstr("\r\n\r\nretry: 3000\n\nevent: status\n"));
  inside([&] {
    lines_.emplace_back();
    lines_.back().number = 1;
    lines_.back().level = "warning";
    lines_.back().text = "a\nb";
  });
  EXPECT_THAT(until(socket, "event: log\n", 1),
              HasSubstr("event: log\ndata: {\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":"
                        "\"warning\",\"text\":\"a\\nb\"}\n\n"));
  EXPECT_THAT(send("GET /api/log HTTP/1.1\r\n\r\n"), HasSubstr(R"({"lines":[{"time":)"));
  // Streams are few, and take no place of a page.
  std::vector<tcp::socket> others;
  for (int i = 0; i < 7; ++i) {
    others.push_back(connect());
    boost::asio::write(others.back(), boost::asio::buffer(ask));
    until(others.back(), "event: status", 1);
  }
  EXPECT_THAT(send(ask), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(send("GET /healthz HTTP/1.1\r\n\r\n"), HasSubstr("200 OK"));
  // Who leaves makes place at once.
  others.pop_back();
  EXPECT_TRUE(fakes::eventually([&] {
    auto next = connect();
    boost::asio::write(next, boost::asio::buffer(ask));
    return until(next, "\r\n", 1).starts_with("HTTP/1.1 200");
  }));
}

TEST_F(Pages, HealthIsNotReadiness_P43) {
  missing_ = {"the broker localhost:1883 is not connected"};
  start();
  ASSERT_TRUE(listens());
  EXPECT_THAT(send("GET /healthz HTTP/1.1\r\n\r\n"), HasSubstr("200 OK"));
  const std::string ready = send("GET /readyz HTTP/1.1\r\n\r\n");
  EXPECT_THAT(ready, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(ready, HasSubstr("\r\n\r\nthe broker localhost:1883 is not connected\n"));
  inside([this] {
    ailments_ = {"meter house: its task is stuck"};
    missing_.clear();
  });
  EXPECT_THAT(send("GET /healthz HTTP/1.1\r\n\r\n"), HasSubstr("its task is stuck\n"));
  EXPECT_THAT(send("GET /readyz HTTP/1.1\r\n\r\n"), HasSubstr("200 OK"));
}

TEST_F(Pages, HostileRequestsCostLittle) {
  start(300ms);
  ASSERT_TRUE(listens());
  EXPECT_THAT(send("SSH-2.0-OpenSSH\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(send(std::string(1000, '\0')), StartsWith("HTTP/1.1 4"));
  // Heads without an end, in one line and in many.
  EXPECT_THAT(send("GET /" + std::string(200'000, 'x')), StartsWith("HTTP/1.1 431"));
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 5000; ++i)
    many += "X-" + std::to_string(i) + ": y\r\n";
  EXPECT_THAT(send(many), StartsWith("HTTP/1.1 431"));
  // They may still be leaving.
  ASSERT_TRUE(fakes::eventually([this] {
    std::size_t open = 0;
    inside([&] { open = server_->connections(); });
    return open == 0;
  }));
  // A client that dawdles is let go, however many of them there are; one too many is told.
  std::vector<tcp::socket> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(connect());
    boost::asio::write(slow.back(), boost::asio::buffer("GET /healthz HT", 15));
  }
  ASSERT_TRUE(fakes::eventually(
      [this] { return send("GET /healthz HTTP/1.1\r\n\r\n").find("503") != std::string::npos; }));
  for (tcp::socket& socket : slow)
    EXPECT_THAT(rest(socket), StartsWith("HTTP/1.1 408"));
  slow.clear();
  EXPECT_TRUE(fakes::eventually([this] {
    return send("GET /healthz HTTP/1.1\r\n\r\n").find("200 OK") != std::string::npos;
  }));
}

TEST_F(Pages, AnAddressInUseIsSaidOnceAndTriedAgain) {
  tcp::acceptor other(client_, {boost::asio::ip::address_v4::loopback(), port_});
  start();
  ASSERT_TRUE(fakes::eventually([this] { return log().find("in use") != std::string::npos; }));
  other.close();
  ASSERT_TRUE(listens());
  EXPECT_EQ(log(), "http: 127.0.0.1:" + std::to_string(port_) +
                       " is in use by another program: stop it, or choose another port; tried "
                       "again and again\nhttp: listens on 127.0.0.1:" +
                       std::to_string(port_) + "\n");
  EXPECT_THAT(send("GET /healthz HTTP/1.1\r\n\r\n"), HasSubstr("200 OK"));
}

}  // namespace
}  // namespace meterbridge::http
