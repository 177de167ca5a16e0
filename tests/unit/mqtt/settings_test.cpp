// SPDX-License-Identifier: MIT
// Other settings while a broker is in use, as after a reload of the configuration.
#include "harness.hpp"

#include <gtest/gtest.h>

namespace meterbridge::mqtt {
namespace {

class NewSettings : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fakes::MosquittoServer::installed()) GTEST_SKIP() << fakes::MosquittoServer::skip_text;
  }

  boost::asio::io_context loop;
  fakes::MosquittoServer first;
  fakes::MosquittoServer second;
};

TEST_F(NewSettings, AreUsedAtOnceAndTheOldBrokerIsLeftWithoutAWill) {
  ASSERT_TRUE(first.start() && second.start());
  Party ear(loop, settings_for(first.port(), "ear"));
  ear->subscribe("#", 1);
  ear.start();
  ASSERT_TRUE(ear.wait_connected());
  BrokerSettings settings = settings_for(first.port());
  settings.will = Message("will", "gone", false);
  Party party(loop, settings);
  party->subscribe("orders", 1);
  party.start();
  ASSERT_TRUE(party.wait_connected());

  settings.port = second.port();
  const auto begun = std::chrono::steady_clock::now();
  party->reconfigure(settings);
  ASSERT_TRUE(party.wait_connected(2));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
  EXPECT_TRUE(party.losses.empty());
  ASSERT_TRUE(run_until(
      loop, [&] { return first.log().find("Client party disconnected.") != std::string::npos; }));
  // What was published after the farewell proves that no will came before it.
  Party other(loop, settings_for(first.port(), "other"));
  other.start();
  other->publish(Message("after", "it", false));
  ASSERT_TRUE(ear.wait_received(1));
  EXPECT_EQ(ear.received[0].topic, "after");

  // Subscriptions and messages are those of the new broker.
  Party writer(loop, settings_for(second.port(), "writer"));
  writer.start();
  writer->publish(Message("orders", "1", false));
  EXPECT_TRUE(party.wait_received(1));
}

TEST_F(NewSettings, EndAPauseBetweenAttempts) {
  ASSERT_TRUE(second.start());
  Party party(loop, settings_for(first.port()));
  party.start();
  ASSERT_TRUE(party.wait_loss());
  // Some attempts later the pause is longer than this test waits.
  run_for(loop, 4s);
  const auto begun = std::chrono::steady_clock::now();
  party->reconfigure(settings_for(second.port()));
  ASSERT_TRUE(party.wait_connected());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
}

TEST_F(NewSettings, EndAnAttemptAtABrokerThatDoesNotAnswer) {
  ASSERT_TRUE(first.start() && second.start());
  first.freeze();
  BrokerSettings settings = settings_for(first.port());
  settings.connect_timeout = 60s;
  Party party(loop, settings);
  party.start();
  run_for(loop, 300ms);  // into the middle of the attempt
  EXPECT_EQ(party.connects, 0);
  party->reconfigure(settings_for(second.port()));
  EXPECT_TRUE(party.wait_connected(1, 5s));
}

TEST_F(NewSettings, TheLastOnesCountAndLeavingComesFirst) {
  ASSERT_TRUE(second.start());
  Party party(loop, settings_for(first.port()));
  party.start();
  party->reconfigure(settings_for(first.port()));
  party->reconfigure(settings_for(second.port()));
  ASSERT_TRUE(party.wait_connected());
  party->reconfigure(settings_for(first.port()));
  party->leave();
  EXPECT_TRUE(run_until(
      loop, [&] { return !party.running(); }, 5s));
}

}  // namespace
}  // namespace meterbridge::mqtt
