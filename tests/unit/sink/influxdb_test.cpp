// SPDX-License-Identifier: MIT
// The InfluxDB sink against a scripted server; influxdb_written_test.cpp has the real ones.
#include "sink/influxdb/influxdb.hpp"

#include "sink/http_client.hpp"
#include "unit/sink/http_peer.hpp"
#include "unit/sink/influxdb_samples.hpp"

#include <algorithm>
#include <set>

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

// Clusters of version 3 say 201 with a complaint when they stored a part only.
TEST_F(Writing, AStoredPartIsNotTheWhole_P48) {
  Peer peer(loop, [&](const std::string& request) {
    return body_of(request).find("power=7.5") == std::string::npos
               ? http("204 No Content")
               : http("201 Created", R"({"message":"failed to parse","line":3})");
  });
  auto sink = sink_at(peer);
  const auto refused = write_all(*sink, entries(20));
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].sequence, 7U);
  EXPECT_EQ(refused[0].reason, "partial write: failed to parse");
}

// A wrong precision, a bucket that is none, a proxy's own JSON: said of everything it means nobody.
TEST_F(Writing, WhatRefusesEverythingCostsNothing_P48) {
  std::string stored;
  std::string poison;  // empty: everything
  Peer peer(loop, [&](const std::string& request) {
    const std::string body = body_of(request);
    if (poison.empty() || body.find(poison) != body.npos)
      return http("400 Bad Request", R"({"code":"invalid","message":"invalid precision"})");
    stored += body;
    return http("204 No Content");
  });
  auto sink = sink_at(peer);
  for (const std::size_t count : {500U, 1U, 3U}) {
    const auto before = peer.requests.size();
    const auto written = write(*sink, entries(count));
    ASSERT_FALSE(written) << count;
    EXPECT_THAT(written.error().detail(), HasSubstr("takes no sample at all: invalid precision"));
    EXPECT_LT(peer.requests.size() - before, 20U);
  }
  // A meter whose every sample is poison, in front of one that is taken, is the one that is wrong.
  poison = "cellar";
  auto batch = entries(60);
  for (std::size_t i = 0; i < batch.size(); ++i)
    batch[i].sample.meter = i == 30 ? "house" : "cellar";
  EXPECT_EQ(write_all(*sink, batch).size(), 59U);
  EXPECT_THAT(stored, HasSubstr("house,meter=house power=31.5 1800000031123\n"));
  // The oldest and the newest are: what is between them is found with some attempt.
  poison = "power=1";
  batch = entries(11);
  std::vector<Refusal> refused;
  int attempts = 0;
  for (bool done = false; !done && attempts < 20; ++attempts) {
    const auto written = write(*sink, batch);
    done = written && written->taken == 11;
    if (done) refused = written->refused;
  }
  EXPECT_EQ(refused.size(), 3U);  // 1, 10, 11
  EXPECT_LE(attempts, 11);
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
  huge.push_back(entries(1, 10).front());
  const auto refused = write_all(*sink, huge);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_THAT(refused.front().reason, HasSubstr("larger than the server takes"));
}

// Dates are compared with the server's own clock, whatever ours says.
TEST_F(Writing, APauseMayBeADate) {
  const auto pause = [&](const std::string& headers) {
    Peer peer(loop, [&](const std::string&) { return http("503 Later", "", headers); });
    auto sink = sink_at(peer);
    const auto written = write(*sink, entries(1));
    return written ? written->pause : Milliseconds(-1);
  };
  const std::string clock = "Date: Thu, 29 Feb 2024 23:59:30 GMT\r\n";
  EXPECT_EQ(pause(clock + "Retry-After: Fri, 01 Mar 2024 00:00:15 GMT\r\n"), 45s);
  EXPECT_EQ(pause(clock + "Retry-After: Fri, 01 Mar 2030 00:00:15 GMT\r\n"), 1h);
  EXPECT_EQ(pause(clock + "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n"), 1s);
  EXPECT_EQ(pause("Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n"), 1s);
  EXPECT_EQ(pause("Retry-After: 0\r\n"), 1s);
  EXPECT_EQ(pause("Retry-After: -5\r\n"), 1s);
  for (const char* nonsense : {"soon", "1.5", "7 s", "Fri, 31 Feb 2024 00:00:15 GMT",
                               "Fri, 01 arM 2024 00:00:15 GMT", "Friday, 01-Mar-24 00:00:15 GMT"})
    EXPECT_EQ(pause("Retry-After: " + std::string(nonsense) + "\r\n"), 60s) << nonsense;
}

TEST_F(Writing, HostileAnswersCostLittleAndEarlyHintsNothing) {
  std::string answer;
  Peer peer(loop, [&](const std::string&) { return answer; });
  const auto said = [&](const std::string& text) {
    answer = text;
    auto sink = sink_at(peer);
    const auto written = write(*sink, entries(1));
    return written ? std::to_string(written->taken) : written.error().detail();
  };
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  EXPECT_EQ(said("HTTP/1.1 100 Continue\r\n\r\n" + hints + http("204 No Content")), "1");
  std::string many;
  for (int i = 0; i < 20; ++i)
    many += hints;
  EXPECT_THAT(said(many), HasSubstr("announces an answer again and again"));
  // A chunk whose first line never ends, and chunks that never end.
  const std::string chunked = "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(said(chunked + "5;" + std::string(3'000'000, 'x')),
              HasSubstr("does not answer in HTTP"));
  std::string chunks = chunked;
  for (int i = 0; i < 2000; ++i)
    chunks += "400\r\n" + std::string(1024, 'y') + "\r\n";
  EXPECT_THAT(said(chunks), HasSubstr("does not answer in HTTP"));
  // A reason that is long, as that of version 3 with a line for each point.
  EXPECT_THAT(said(http("401 Unauthorized",
                        R"({"message":"no","x":")" + std::string(500'000, 'z') + R"("})")),
              HasSubstr("(401: no)"));
  EXPECT_THAT(said("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
              HasSubstr("does not answer in HTTP"));
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
      {http("200 OK", "<html>Sign in</html>", "Content-Type: text/html\r\n"),
       "answers, but not as a database that has stored it: is `url` right? (200)"},
      {http("429 Too Many Requests"), "wants fewer writes (429)"},
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

TEST_F(Writing, ACheckSendsNoSampleAndSaysWhatItProved) {
  std::string answer;
  Peer peer(loop, [&](const std::string&) { return answer; });
  const auto check = [&](const std::string& said) {
    answer = said;
    auto sink = sink_at(peer);
    return loop.run(sink->check());
  };
  for (const std::string& fine :
       {http("204 No Content"),
        http("400 Bad Request", R"({"code":"invalid","message":"writing requires points"})")}) {
    const auto found = check(fine);
    ASSERT_TRUE(found) << found.error().detail();
    EXPECT_THAT(*found, HasSubstr("answers, and takes writes to bucket \"energy\""));
    EXPECT_EQ(body_of(peer.requests.back()), "");
  }
  const auto wrong = [&](const std::string& said) {
    const auto found = check(said);
    EXPECT_FALSE(found);
    return found ? *found : found.error().detail();
  };
  EXPECT_THAT(wrong(http("401 Unauthorized")), HasSubstr("is the token right? (401)"));
  EXPECT_THAT(wrong(http("404 Not Found")), HasSubstr("are `url` and `version` right? (404)"));
  EXPECT_THAT(wrong(http("400 Bad Request", R"({"message":"no such precision"})")),
              HasSubstr("no such precision"));
  EXPECT_THAT(wrong("silence"), HasSubstr("did not answer within 500ms"));
  answer = http("200 OK", R"({"version":"3.0"})");
  auto three = sink({{"url", peer.url()}, {"version", "3"}, {"database", "d"}});
  const auto greeted = loop.run(three->check());
  ASSERT_TRUE(greeted) << greeted.error().detail();
  EXPECT_THAT(peer.requests.back(), StartsWith("GET /ping "));
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

}  // namespace
}  // namespace meterbridge::sink::influxdb
