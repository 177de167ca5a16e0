// SPDX-License-Identifier: MIT
// What goes wrong with brokers, and what the user reads about it.
#include "harness.hpp"
#include "old_server.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include <gmock/gmock.h>

namespace meterbridge::mqtt {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Failure : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fakes::MosquittoServer::installed()) GTEST_SKIP() << fakes::MosquittoServer::skip_text;
  }

  boost::asio::io_context loop;
};

TEST_F(Failure, ABrokerThatIsAbsentAtTheStartIsFoundWhenItAppears) {
  fakes::MosquittoServer server;
  Party writer(loop, settings_for(server.port()));
  writer.start();
  writer->publish(Message("house/state", "first", true));
  ASSERT_TRUE(writer.wait_loss());
  EXPECT_EQ(writer.losses[0].code(), Errc::no_device);
  EXPECT_THAT(writer.losses[0].detail(),
              AllOf(HasSubstr("broker 127.0.0.1:" + std::to_string(server.port())),
                    HasSubstr("connection refused")));
  run_for(loop, 1200ms);  // more attempts fail
  ASSERT_TRUE(server.start()) << server.log();
  ASSERT_TRUE(writer.wait_connected());
  EXPECT_TRUE(writer.wait_flushed());
  EXPECT_EQ(writer.losses.size(), 1U) << "one word per series, not per attempt";
  EXPECT_THAT(writer.notices, IsEmpty());
}

TEST_F(Failure, WhileDisconnectedTheNewestRetainedMessageWins) {
  fakes::MosquittoServer server;
  Party writer(loop, settings_for(server.port(), "writer"));
  writer.start();
  for (int n = 0; n < 100; ++n)
    writer->publish(Message("house/state", std::to_string(n), true));
  writer->publish(Message("house/event", "kept", false));
  EXPECT_EQ(writer->outbox().waiting(), 2U);
  ASSERT_TRUE(writer.wait_loss());
  ASSERT_TRUE(server.start()) << server.log();
  Party reader(loop, settings_for(server.port(), "reader"));
  reader->subscribe("house/#", 1);
  reader.start();
  ASSERT_TRUE(reader.wait_connected());
  ASSERT_TRUE(writer.wait_flushed());
  ASSERT_TRUE(reader.wait_received(1));
  run_for(loop, 50ms);
  const auto states = std::count_if(reader.received.begin(), reader.received.end(),
                                    [](const Message& m) { return m.topic == "house/state"; });
  EXPECT_EQ(states, 1);
  EXPECT_EQ(reader.received[0].payload, "99");
}

TEST_F(Failure, AKilledBrokerIsFoundAgainAndSubscriptionsAreMadeAnew) {
  fakes::MosquittoServer server;
  ASSERT_TRUE(server.start()) << server.log();
  Party both(loop, settings_for(server.port()));
  both->subscribe("house/#", 1);
  both.start();
  ASSERT_TRUE(both.wait_connected());
  server.kill();
  ASSERT_TRUE(both.wait_loss());
  EXPECT_FALSE(both->connected());
  EXPECT_EQ(both.losses[0].code(), Errc::io);
  EXPECT_THAT(both.losses[0].detail(), HasSubstr("closed the connection"));
  both->publish(Message("house/state", "after", true));
  ASSERT_TRUE(server.start()) << server.log();
  ASSERT_TRUE(both.wait_connected(2));
  ASSERT_TRUE(both.wait_received(1));
  EXPECT_EQ(both.received[0].payload, "after");
  EXPECT_EQ(both.losses.size(), 1U);
}

TEST_F(Failure, EachLossIsToldOnce) {
  fakes::MosquittoServer server;
  Party both(loop, settings_for(server.port()));
  both.start();
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(server.start()) << server.log();
    ASSERT_TRUE(both.wait_connected(round));
    const std::size_t before = both.losses.size();
    server.stop();
    ASSERT_TRUE(both.wait_loss(before + 1));
  }
  EXPECT_THAT(both.losses.back().detail(), HasSubstr("the broker closed the connection"));
}

// What a broker had taken when it was killed is gone with it; so only the last one is asked here.
// That nothing is lost on the way is the matter of OldBroker.ThatHangsUpAmidMessages.
TEST_F(Failure, ABrokerKilledUnderLoadGetsTheRestInOrderAfterItsReturn) {
  fakes::MosquittoServer server;
  constexpr int count = 1500;
  constexpr int kills = 2;
  Party writer(loop, settings_for(server.port(), "writer"));
  writer.start();
  Party reader(loop, settings_for(server.port(), "reader"));
  reader->subscribe("n", 1);
  reader.start();
  int put = 0;
  for (int round = 0; round <= kills; ++round) {
    ASSERT_TRUE(server.start()) << server.log();
    ASSERT_TRUE(writer.wait_connected(round + 1));
    ASSERT_TRUE(reader.wait_connected(round + 1));
    const std::size_t losses = writer.losses.size();
    const std::size_t reader_losses = reader.losses.size();
    const int until = count * (round + 1) / (kills + 1);
    while (put < until)
      writer->publish(Message("n", std::to_string(put++), false));
    if (round == kills) break;
    ASSERT_TRUE(run_until(loop, [&] { return writer->outbox().waiting() < 250; }));
    server.kill();
    ASSERT_TRUE(writer.wait_loss(losses + 1));
    ASSERT_TRUE(reader.wait_loss(reader_losses + 1));
  }
  ASSERT_TRUE(writer.wait_flushed(30s));
  const std::string last = std::to_string(count - 1);
  ASSERT_TRUE(run_until(
      loop, [&] { return !reader.received.empty() && reader.received.back().payload == last; }));
  EXPECT_EQ(writer->outbox().dropped(), 0U);
  std::map<std::string, int> seen;
  for (const Message& message : reader.received)
    ++seen[message.payload];
  EXPECT_LE(reader.received.size() - seen.size(), kills * 20U);
  int expected = count - 1;
  for (auto message = reader.received.rbegin(); expected >= count * kills / (kills + 1); ++message)
    ASSERT_EQ(message->payload, std::to_string(expected--));
}

TEST_F(Failure, AFrozenBrokerIsNoticedWhileConnecting) {
  fakes::MosquittoServer server;
  ASSERT_TRUE(server.start()) << server.log();
  server.freeze();
  BrokerSettings settings = settings_for(server.port());
  settings.connect_timeout = 300ms;
  Party party(loop, settings);
  party.start();
  ASSERT_TRUE(party.wait_loss(1, 3s));
  EXPECT_EQ(party.losses[0].code(), Errc::timeout);
  EXPECT_THAT(party.losses[0].detail(),
              HasSubstr("took the connection, but did not answer the greeting within 300 ms"));
  server.thaw();
  EXPECT_TRUE(party.wait_connected());
}

TEST_F(Failure, AFrozenBrokerIsNoticedByTheKeepalive) {
  fakes::MosquittoServer server;
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = settings_for(server.port());
  settings.keepalive = 5s;  // the shortest the library allows
  Party party(loop, settings);
  party.start();
  ASSERT_TRUE(party.wait_connected());
  server.freeze();
  party->publish(Message("house/state", "waiting", true));
  ASSERT_TRUE(party.wait_loss(1, 20s));
  EXPECT_EQ(party.losses[0].code(), Errc::timeout);
  EXPECT_THAT(party.losses[0].detail(), HasSubstr("keepalive time of 5 s"));
  EXPECT_EQ(party->outbox().waiting(), 1U);
  server.thaw();
  ASSERT_TRUE(party.wait_connected(2));
  EXPECT_TRUE(party.wait_flushed());
}

TEST_F(Failure, AFrozenBrokerHoldsUpNeitherFlushNorShutdown) {
  fakes::MosquittoServer server;
  ASSERT_TRUE(server.start()) << server.log();
  Party party(loop, settings_for(server.port()));
  party.start();
  ASSERT_TRUE(party.wait_connected());
  server.freeze();
  party->publish(Message("house/state", "waiting", true));
  EXPECT_FALSE(party.wait_flushed(100ms));
  party->leave();
  EXPECT_TRUE(run_until(
      loop, [&] { return !party.running(); }, 3s));
}

class Login : public Failure, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    Failure::SetUp();
    if (IsSkipped()) return;
    const std::string passwords = (server.directory().path() / "passwords").string();
    if (std::system(("mosquitto_passwd -c -b " + passwords + " meter right").c_str()) != 0)
      GTEST_SKIP() << "the program mosquitto_passwd is not installed";
    server.directory().file("acl", "user meter\ntopic readwrite open/#\n");
    ASSERT_TRUE(server.start()) << server.log();
  }

  [[nodiscard]] BrokerSettings login(std::string user, std::string password) const {
    BrokerSettings settings = settings_for(server.port());
    settings.version = GetParam();
    settings.username = std::move(user);
    settings.password = Secret(std::move(password));
    return settings;
  }

  fakes::MosquittoServer server{{}, "allow_anonymous false\npassword_file passwords\nacl_file acl"};
};

INSTANTIATE_TEST_SUITE_P(BothVersions, Login, ::testing::Values(3, 5), [](const auto& version) {
  return "Mqtt" + std::to_string(version.param);
});

TEST_P(Login, WithTheRightPasswordWeAreIn) {
  Party party(loop, login("meter", "right"));
  party.start();
  EXPECT_TRUE(party.wait_connected());
}

TEST_P(Login, AWrongPasswordIsToldInWordsAndTheNewOneIsUsed) {
  Party party(loop, login("meter", "wrong"));
  party.start();
  ASSERT_TRUE(party.wait_loss());
  EXPECT_EQ(party.losses[0].code(), Errc::access);
  EXPECT_THAT(party.losses[0].detail(), HasSubstr("wrong user name or password"));
  EXPECT_THAT(party.losses[0].detail(), HasSubstr(GetParam() == 5 ? "135" : "CONNACK 5"));
  EXPECT_EQ(party.losses[0].detail().find("wrong\""), std::string::npos);
  party->reconfigure(login("meter", "right"));
  EXPECT_TRUE(party.wait_connected());
  EXPECT_EQ(party.losses.size(), 1U);
}

TEST_P(Login, NoUserNameAtAllIsToldInWords) {
  Party party(loop, login("", ""));
  party.start();
  ASSERT_TRUE(party.wait_loss());
  EXPECT_EQ(party.losses[0].code(), Errc::access);
  EXPECT_THAT(party.losses[0].detail(), HasSubstr("without a user name and password"));
}

TEST_P(Login, ADeniedTopicIsToldOnceWhereTheProtocolTellsUs) {
  Party party(loop, login("meter", "right"));
  party.start();
  for (int n = 0; n < 5; ++n)
    party->publish(Message("closed/topic", "x", false));
  party->publish(Message("open/topic", "x", false));
  ASSERT_TRUE(party.wait_flushed());
  if (GetParam() == 5) {
    EXPECT_THAT(party.notices,
                ElementsAre(AllOf(HasSubstr("closed/topic"), HasSubstr("not authorised"))));
  } else {
    EXPECT_THAT(party.notices, IsEmpty());
  }
}

class Names : public ::testing::Test {
 protected:
  boost::asio::io_context loop;
};

TEST_F(Names, AnUnknownNameIsToldInWords) {
  BrokerSettings settings = settings_for(1883);
  settings.host = "no-such-host.invalid";
  Party party(loop, settings);
  party.start();
  ASSERT_TRUE(party.wait_loss(1, 30s));
  EXPECT_THAT(party.losses[0].detail(), HasSubstr("no-such-host.invalid"));
  EXPECT_THAT(party.losses[0].detail(),
              ::testing::AnyOf(HasSubstr("is unknown"), HasSubstr("did not end within")));
}

TEST_F(Names, CancellationDoesNotWaitForALookup) {
  BrokerSettings settings = settings_for(1883);
  settings.host = "no-such-host.invalid";
  Party party(loop, settings);
  party.start();
  loop.poll();
  EXPECT_TRUE(party.running());
  EXPECT_TRUE(party.cancel());
  EXPECT_FALSE(party.threw);
}

TEST_F(Names, LocalhostIsTriedWithEachOfItsAddresses) {
  if (!fakes::MosquittoServer::installed()) GTEST_SKIP() << fakes::MosquittoServer::skip_text;
  fakes::MosquittoServer server;  // listens on 127.0.0.1 only, ::1 may come first
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = settings_for(server.port());
  settings.host = "localhost";
  Party party(loop, settings);
  party.start();
  EXPECT_TRUE(party.wait_connected());
  EXPECT_THAT(party.losses, IsEmpty());
}

class OldBroker : public ::testing::Test {
 protected:
  boost::asio::io_context loop;
};

TEST_F(OldBroker, ThatRefusesMqtt5IsSpokenToInMqtt311AtOnceWithOneWord) {
  for (const auto manner : {OldServer::Manner::refuses_mqtt5, OldServer::Manner::overlooks_mqtt5}) {
    OldServer server(loop, manner);
    Party party(loop, settings_for(server.port()));
    party.start();
    ASSERT_TRUE(party.wait_connected());
    EXPECT_THAT(server.levels, ElementsAre(5, 4));
    EXPECT_THAT(party.losses, IsEmpty());
    EXPECT_THAT(party.notices, ElementsAre(HasSubstr("MQTT 3.1.1 is used")));
    party->publish(Message("a", "b", true));
    EXPECT_TRUE(party.wait_flushed());
  }
}

TEST_F(OldBroker, ThatHangsUpOnMqtt5IsSpokenToInMqtt311AfterSomeAttempts) {
  OldServer server(loop, OldServer::Manner::hangs_up_on_mqtt5);
  Party party(loop, settings_for(server.port()));
  party.start();
  ASSERT_TRUE(party.wait_connected());
  EXPECT_THAT(server.levels, ElementsAre(5, 5, 5, 4));
  EXPECT_EQ(party.losses.size(), 1U);
  EXPECT_THAT(party.notices, ElementsAre(HasSubstr("MQTT 3.1.1 is used")));
}

TEST_F(OldBroker, ThatHangsUpAmidMessagesGetsThemAllTwiceOnlyWhereAnAcknowledgementWasCutOff) {
  OldServer server(loop, OldServer::Manner::drops);
  Party party(loop, settings_for(server.port()));
  party.start();
  constexpr int count = 800;
  for (int n = 0; n < count; ++n)
    party->publish(Message("n", std::to_string(n), false));
  ASSERT_TRUE(party.wait_flushed(30s));
  EXPECT_EQ(server.drops, 3);
  std::map<std::string, int> seen;
  int last = -1;
  for (const std::string& payload : server.payloads) {
    if (++seen[payload] > 1) continue;
    EXPECT_EQ(std::stoi(payload), last + 1) << "overtaken";
    last = std::stoi(payload);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(count));
  EXPECT_GE(server.payloads.size(), seen.size() + 3);
  EXPECT_LE(server.payloads.size(), seen.size() + 60);
}

TEST_F(OldBroker, SomethingElseOnThePortIsToldInWords) {
  OldServer server(loop, OldServer::Manner::talks_http);
  BrokerSettings settings = settings_for(server.port());
  settings.connect_timeout = 500ms;
  Party party(loop, settings);
  party.start();
  ASSERT_TRUE(party.wait_loss());
  EXPECT_THAT(party.losses[0].detail(), ::testing::AnyOf(HasSubstr("does not speak MQTT"),
                                                         HasSubstr("did not answer the greeting")));
}

TEST_F(OldBroker, TheReasonOfADisconnectIsToldInWords) {
  OldServer server(loop, OldServer::Manner::throws_out);
  Party party(loop, settings_for(server.port()));
  party.start();
  ASSERT_TRUE(party.wait_loss());
  EXPECT_THAT(party.losses[0].detail(), HasSubstr("another client with the same client id"));
}

TEST(Cancellation, EndsRunInEveryState) {
  boost::asio::io_context loop;
  const fakes::HeldPort nobody;
  Party pausing(loop, settings_for(nobody.number()));
  pausing.start();
  ASSERT_TRUE(pausing.wait_loss());
  EXPECT_TRUE(pausing.cancel());
  EXPECT_FALSE(pausing.threw);

  Party never_started(loop, settings_for(nobody.number()));
  never_started.start();
  EXPECT_TRUE(never_started.cancel());
  EXPECT_FALSE(never_started.threw);

  Party left(loop, settings_for(nobody.number()));
  left.start();
  ASSERT_TRUE(left.wait_loss());
  left->leave();
  EXPECT_TRUE(run_until(
      loop, [&] { return !left.running(); }, 1s));
}

}  // namespace
}  // namespace meterbridge::mqtt
