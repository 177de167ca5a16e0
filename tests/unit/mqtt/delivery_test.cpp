// SPDX-License-Identifier: MIT
// What goes through a real broker: every QoS, both versions, many messages, the will.
#include "harness.hpp"

#include <filesystem>
#include <iterator>

#include <gmock/gmock.h>

namespace meterbridge::mqtt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Delivery : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (!fakes::MosquittoServer::installed()) GTEST_SKIP() << fakes::MosquittoServer::skip_text;
    ASSERT_TRUE(server.start()) << server.log();
  }

  [[nodiscard]] BrokerSettings with_version(std::string client_id = "party") const {
    BrokerSettings settings = settings_for(server.port(), std::move(client_id));
    settings.version = GetParam();
    return settings;
  }

  boost::asio::io_context loop;
  fakes::MosquittoServer server;
};

INSTANTIATE_TEST_SUITE_P(BothVersions, Delivery, ::testing::Values(3, 5), [](const auto& version) {
  return "Mqtt" + std::to_string(version.param);
});

TEST_P(Delivery, PublishesAndReceivesWithEveryQos) {
  Party reader(loop, with_version("reader"));
  reader->subscribe("house/#", 2);
  reader.start();
  ASSERT_TRUE(reader.wait_connected());
  Party writer(loop, with_version("writer"));
  writer.start();
  for (int qos = 0; qos <= 2; ++qos)
    writer->publish(Message("house/" + std::to_string(qos), "value", false, qos));
  ASSERT_TRUE(writer.wait_flushed());
  ASSERT_TRUE(reader.wait_received(3));
  EXPECT_THAT(reader.received, ElementsAre(Message("house/0", "value", false, 0),
                                           Message("house/1", "value", false, 1),
                                           Message("house/2", "value", false, 2)));
  EXPECT_TRUE(writer.losses.empty());
  EXPECT_TRUE(writer.notices.empty());
  const std::string dialect = GetParam() == 5 ? "p5" : "p2";
  EXPECT_THAT(server.log(), HasSubstr("as writer (" + dialect));
}

TEST_P(Delivery, RetainedMessagesReachThoseWhoComeLater) {
  Party writer(loop, with_version("writer"));
  writer.start();
  writer->publish(Message("house/state", "{\"power\":230.1}", true));
  writer->publish(Message("house/event", "gone", false));
  ASSERT_TRUE(writer.wait_flushed());
  Party reader(loop, with_version("reader"));
  reader->subscribe("house/#", 1);
  reader.start();
  ASSERT_TRUE(reader.wait_received(1));
  run_for(loop, 50ms);
  EXPECT_THAT(reader.received, ElementsAre(Message("house/state", "{\"power\":230.1}", true, 1)));
}

TEST_P(Delivery, TheFlagOfWhatIsRetainedJustNowIsKeptWhereItIsWanted) {
  Party reader(loop, with_version("reader"));
  reader->subscribe("house/set/#", 1, true);
  reader->subscribe("house/state", 1);
  reader.start();
  ASSERT_TRUE(reader.wait_connected());
  Party writer(loop, with_version("writer"));
  writer.start();
  writer->publish(Message("house/set/poll", "1", true));
  writer->publish(Message("house/set/poll", "2", false));
  writer->publish(Message("house/state", "3", true));
  ASSERT_TRUE(reader.wait_received(3));
  const bool kept = GetParam() == 5;
  EXPECT_THAT(reader.received, ElementsAre(Message("house/set/poll", "1", kept, 1),
                                           Message("house/set/poll", "2", false, 1),
                                           Message("house/state", "3", false, 1)));
}

TEST_P(Delivery, TenThousandMessagesPassAWindowOfTwentyNoneLostNoneDoubled) {
  constexpr int count = 10000;
  Party reader(loop, with_version("reader"));
  reader->subscribe("n/#", 0);
  reader.start();
  ASSERT_TRUE(reader.wait_connected());
  BrokerSettings settings = with_version("writer");
  settings.window = 20;
  Party writer(loop, settings);
  writer.start();
  for (int n = 0; n < count; ++n)
    writer->publish(Message("n/" + std::to_string(n), std::to_string(n), true, 1));
  std::size_t most = 0;
  EXPECT_TRUE(run_until(
      loop,
      [&] {
        most = std::max(most, writer->outbox().in_flight());
        return writer->outbox().empty();
      },
      60s));
  EXPECT_LE(most, 20U);
  ASSERT_TRUE(reader.wait_received(count, 60s));
  run_for(loop, 50ms);
  ASSERT_EQ(reader.received.size(), static_cast<std::size_t>(count));
  for (int n = 0; n < count; ++n)
    ASSERT_EQ(reader.received[static_cast<std::size_t>(n)].payload, std::to_string(n));
}

TEST_P(Delivery, TheWillIsPublishedAfterAnAbruptEnd) {
  Party reader(loop, with_version("reader"));
  reader->subscribe("bridge/status", 1);
  reader.start();
  ASSERT_TRUE(reader.wait_connected());
  BrokerSettings settings = with_version("dying");
  settings.will = Message("bridge/status", "offline", true);
  Party dying(loop, settings);
  dying.start();
  ASSERT_TRUE(dying.wait_connected());
  ASSERT_TRUE(dying.cancel());
  EXPECT_FALSE(dying.threw);
  ASSERT_TRUE(reader.wait_received(1));
  EXPECT_EQ(reader.received[0].payload, "offline");
}

TEST_P(Delivery, TheWillIsNotPublishedAfterLeaving) {
  Party reader(loop, with_version("reader"));
  reader->subscribe("#", 1);
  reader.start();
  ASSERT_TRUE(reader.wait_connected());
  BrokerSettings settings = with_version("leaving");
  settings.will = Message("bridge/status", "offline", true);
  Party leaving(loop, settings);
  leaving->subscribe("#", 1);  // so that something is on its way to us at the moment of leaving
  leaving.start();
  ASSERT_TRUE(leaving.wait_connected());
  for (int n = 0; n < 200; ++n)
    leaving->publish(Message("before", std::to_string(n), false));
  ASSERT_TRUE(leaving.wait_flushed());
  leaving->leave();
  ASSERT_TRUE(run_until(
      loop, [&] { return !leaving.running(); }, 5s));
  EXPECT_FALSE(leaving.threw);
  EXPECT_TRUE(leaving.losses.empty());
  EXPECT_TRUE(run_until(loop, [&] {
    return server.log().find("Client leaving disconnected.") != std::string::npos;
  })) << server.log();
  ASSERT_TRUE(reader.wait_received(200));
  run_for(loop, 50ms);
  EXPECT_EQ(reader.received.size(), 200U);
}

TEST_P(Delivery, CancelledRightAfterLeaveItStillSaysGoodbye) {
  Party leaving(loop, with_version("leaving"));
  leaving.start();
  ASSERT_TRUE(leaving.wait_connected());
  leaving->leave();
  ASSERT_TRUE(leaving.cancel());
  EXPECT_FALSE(leaving.threw);
  EXPECT_TRUE(run_until(loop, [&] {
    return server.log().find("Client leaving disconnected.") != std::string::npos;
  })) << server.log();
}

TEST_P(Delivery, ConnectionsLeaveNoDescriptorBehind) {
  const auto descriptors = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto come_and_go = [this](bool politely) {
    Party guest(loop, with_version("guest"));
    guest.start();
    EXPECT_TRUE(guest.wait_connected());
    if (politely) guest->leave();
    EXPECT_TRUE(guest.cancel());
  };
  come_and_go(true);  // what is opened once stays open: the loop's own
  const auto before = descriptors();
  for (int round = 0; round < 10; ++round)
    come_and_go(round % 2 == 0);
  EXPECT_EQ(descriptors(), before);
}

TEST_P(Delivery, ASubscriptionMadeWhileConnectedWorksAtOnce) {
  Party reader(loop, with_version("reader"));
  reader.start();
  ASSERT_TRUE(reader.wait_connected());
  reader->subscribe("late", 1);
  reader->publish(Message("late", "to myself", false));
  ASSERT_TRUE(reader.wait_received(1));
  EXPECT_EQ(reader.connects, 1);
}

TEST_P(Delivery, PublishingFromInsideTheEventsIsAllowed) {
  Party echo(loop, with_version("echo"));
  echo->subscribe("ping/#", 1);
  echo.on_connected = [&] {
    echo->publish(Message("ping/1", "x", false));
    echo->publish(Message("ping/2", "x", false, 0));
    echo->subscribe("other", 0);
  };
  echo.start();
  ASSERT_TRUE(echo.wait_received(2));
}

TEST_P(Delivery, MessagesNoBrokerWouldTakeAreDroppedInWords) {
  Party writer(loop, with_version("writer"));
  writer->publish(Message("a/+", "x", true));
  writer->publish(Message("a\xff", "x", true));
  writer->publish(Message("a", "\xff", true));
  writer->subscribe("a/#/b", 1);
  EXPECT_THAT(writer.notices, ElementsAre(HasSubstr("wildcard"), HasSubstr("not UTF-8"),
                                          HasSubstr("not UTF-8"), HasSubstr("not at its end")));
  EXPECT_TRUE(writer->outbox().empty());
  writer.start();
  // This one passes our check; the library has the last word and does not bring us down.
  writer->publish(
      Message("control\x01"
              "character",
              "x", true));
  writer->publish(Message("good", "x", true));
  ASSERT_TRUE(writer.wait_flushed());
  EXPECT_THAT(writer.notices.back(), HasSubstr("dropped a message"));
  EXPECT_TRUE(writer.losses.empty());
}

TEST_P(Delivery, LargeMessagesPassAlthoughTheSocketTakesThemInPieces) {
  const std::string large(3UL << 20, 'x');
  Party both(loop, with_version("both"));
  both->subscribe("large", 1);
  both.start();
  ASSERT_TRUE(both.wait_connected());
  for (int n = 0; n < 3; ++n)
    both->publish(Message("large", large + std::to_string(n), false, n % 2));
  ASSERT_TRUE(both.wait_received(3, 30s));
  for (std::size_t n = 0; n < 3; ++n)
    EXPECT_EQ(both.received[n].payload, large + std::to_string(n));
  EXPECT_TRUE(both.losses.empty());
}

}  // namespace
}  // namespace meterbridge::mqtt
