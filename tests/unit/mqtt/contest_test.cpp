// SPDX-License-Identifier: MIT
#include "mqtt/contest.hpp"

#include "harness.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace meterbridge::mqtt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Contest, P60IsRecognisedByTheBrokersWordTheThirdTime) {
  Contest contest;
  EXPECT_FALSE(contest.ended(session_taken_over, true, 1s));
  EXPECT_TRUE(contest.suspected());
  EXPECT_FALSE(contest.ended(session_taken_over, true, 30s));
  EXPECT_TRUE(contest.ended(session_taken_over, true, 60s));
}

TEST(Contest, P60IsSuspectedWhereTheBrokerOnlyHangsUp) {
  Contest contest;
  for (int i = 0; i < 2; ++i)
    EXPECT_FALSE(contest.ended(std::nullopt, true, 3s));
  EXPECT_TRUE(contest.ended(std::nullopt, true, 3s));
  EXPECT_THAT(*contest.sentence("x", Contest::Time()), HasSubstr("probably another client"));
}

TEST(Contest, OtherEndsAndLongConnectionsAreNone) {
  Contest contest;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(contest.ended(139, true, 1s)) << "the broker shuts down";
    EXPECT_FALSE(contest.ended(std::nullopt, false, 1s)) << "we gave up";
    EXPECT_FALSE(contest.ended(std::nullopt, true, 100s)) << "a restart of the broker";
    EXPECT_FALSE(contest.suspected());
  }
}

TEST(Contest, IsOverAfterALongConnection) {
  Contest contest;
  for (int i = 0; i < 5; ++i)
    (void)contest.ended(session_taken_over, true, 1s);
  EXPECT_TRUE(contest.recognised());
  EXPECT_FALSE(contest.ended(std::nullopt, true, 1h));
  EXPECT_FALSE(contest.recognised());
}

TEST(Contest, P60ItsEndIsSaidOnceWhileTheConnectionLasts) {
  Contest contest;
  EXPECT_FALSE(contest.lasting(1h)) << "there was none";
  for (int i = 0; i < 3; ++i)
    (void)contest.ended(session_taken_over, true, 60s);
  EXPECT_FALSE(contest.lasting(60s)) << "no longer than a bout of the contest";
  EXPECT_TRUE(contest.lasting(91s));
  EXPECT_FALSE(contest.recognised());
  EXPECT_FALSE(contest.lasting(92s));
  EXPECT_FALSE(contest.ended(session_taken_over, true, 1s)) << "a new one begins from the start";
}

TEST(Contest, IsSaidOnceAnHourWithWhatToDo) {
  Contest contest;
  for (int i = 0; i < 3; ++i)
    (void)contest.ended(session_taken_over, true, 1s);
  const Contest::Time now;
  EXPECT_THAT(*contest.sentence("house-1", now),
              AllOf(HasSubstr("\"house-1\""), HasSubstr("3 times in a row"),
                    HasSubstr("state directory"), HasSubstr("mqtt.client_id")));
  EXPECT_FALSE(contest.sentence("house-1", now + 59min));
  EXPECT_TRUE(contest.sentence("house-1", now + 61min));
}

// Against a real broker, in both versions of MQTT.
struct TwoOfOneId : ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(BothVersions, TwoOfOneId, ::testing::Values(3, 5),
                         [](const auto& one) { return "Mqtt" + std::to_string(one.param); });

TEST_P(TwoOfOneId, P60NameEachOtherAndSlowDown) {
  if (!fakes::MosquittoServer::installed()) GTEST_SKIP() << fakes::MosquittoServer::skip_text;
  boost::asio::io_context loop;
  fakes::MosquittoServer server;
  ASSERT_TRUE(server.start()) << server.log();
  BrokerSettings settings = settings_for(server.port());
  settings.client_id = "copied";
  settings.version = GetParam();
  Party one(loop, settings);
  Party two(loop, settings);
  one.start();
  two.start();
  const auto named = [](const Party& party) {
    return std::any_of(party.losses.begin(), party.losses.end(), [](const Error& loss) {
      return loss.detail().find("client id \"copied\"") != std::string::npos &&
             loss.detail().find("in a row") != std::string::npos;
    });
  };
  ASSERT_TRUE(run_until(
      loop, [&] { return named(one) && named(two); }, 60s));
  EXPECT_TRUE(one->contested());
  // By now each pause is four seconds long or longer: how long the connection lasted does not
  // matter.
  const int before = one.connects + two.connects;
  run_for(loop, 6s);
  EXPECT_LE(one.connects + two.connects - before, 4);
}

}  // namespace
}  // namespace meterbridge::mqtt
