// SPDX-License-Identifier: MIT
#include "fakes/loop.hpp"
#include "io/converse.hpp"
#include "io/topics.hpp"

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Deadline soon() {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
}

struct Heard {
  std::string text;
  std::string topic;
  bool retained = false;
  bool last = false;
};

Heard read(fakes::Loop& loop, Transport& link, std::size_t size = 64) {
  Heard heard;
  std::vector<std::byte> block(size);
  const auto got = loop.run(link.read_some(block, soon()));
  if (!got) {
    heard.text = got.error().detail();
    return heard;
  }
  heard.text = to_text(ByteView(block).first(*got));
  const protocol::Envelope* const envelope = link.envelope();
  if (envelope == nullptr) return heard;
  heard.topic = envelope->topic;
  heard.retained = envelope->retained;
  heard.last = envelope->last;
  return heard;
}

TEST(Topics, EachLinkHearsItsOwnMessagesWithTheirEnvelopes) {
  fakes::Loop loop;
  Topics topics(nullptr, nullptr);
  const auto sensor = topics.source(loop.executor(), "tele/+/SENSOR");
  const auto other = topics.source(loop.executor(), "emon/#");
  ASSERT_TRUE(loop.run(sensor->open()));
  ASSERT_TRUE(loop.run(other->open()));
  topics.received({"tele/meter/SENSOR", "{\"a\":1}", false});
  topics.received({"tele/meter/LWT", "Offline", true});
  topics.received({"emon/power", "old", true});
  topics.received({"emon/power", "", true});
  EXPECT_EQ(read(loop, *sensor).text, "{\"a\":1}");
  EXPECT_EQ(sensor->envelope()->topic, "tele/meter/SENSOR");
  EXPECT_THAT(read(loop, *sensor).text, HasSubstr("no message arrived in time"));
  const Heard old = read(loop, *other);
  EXPECT_EQ(old.text, "old");
  EXPECT_TRUE(old.retained);
  EXPECT_TRUE(old.last);
  EXPECT_THAT(loop.run(other->write(to_bytes("x"), soon())).error().detail(),
              HasSubstr("can only be listened to"));
}

TEST(Topics, AMessageIsNeverMixedWithTheNextOne) {
  fakes::Loop loop;
  Topics topics(nullptr, nullptr);
  const auto link = topics.source(loop.executor(), "a");
  ASSERT_TRUE(loop.run(link->open()));
  topics.received({"a", "12345", false});
  topics.received({"a", "678", false});
  EXPECT_EQ(read(loop, *link, 3).text, "123");
  EXPECT_FALSE(link->envelope()->last);
  EXPECT_EQ(read(loop, *link, 3).text, "45");
  EXPECT_TRUE(link->envelope()->last);
  EXPECT_EQ(read(loop, *link, 3).text, "678");
}

TEST(Topics, SubscribesOncePerFilterAndEndsWithTheLastLink) {
  fakes::Loop loop;
  std::vector<std::string> said;
  Topics topics([&](const std::string& filter) { said.push_back("+" + filter); },
                [&](const std::string& filter) { said.push_back("-" + filter); });
  auto first = topics.source(loop.executor(), "a/+");
  auto second = topics.source(loop.executor(), "a/+");
  first.reset();
  EXPECT_THAT(said, ElementsAre("+a/+"));
  second.reset();
  EXPECT_THAT(said, ElementsAre("+a/+", "-a/+"));
}

TEST(Topics, TroubleEndsReadingAndForbidsOpening) {
  fakes::Loop loop;
  Topics topics(nullptr, nullptr);
  const auto link = topics.source(loop.executor(), "a");
  ASSERT_TRUE(loop.run(link->open()));
  topics.set_trouble(Error(Errc::no_device, "broker x:1883: nobody answers"));
  EXPECT_EQ(read(loop, *link).text, "broker x:1883: nobody answers");
  link->close();
  EXPECT_EQ(loop.run(link->open()).error().code(), Errc::no_device);
  topics.set_trouble(std::nullopt);
  EXPECT_TRUE(loop.run(link->open()));
}

TEST(Topics, AReaderThatIsBusyLosesTheOldestMessages) {
  fakes::Loop loop;
  Topics topics(nullptr, nullptr);
  const auto link = topics.source(loop.executor(), "a");
  ASSERT_TRUE(loop.run(link->open()));
  for (int i = 0; i < 2000; ++i)
    topics.received({"a", std::to_string(i), false});
  EXPECT_EQ(read(loop, *link).text, "1000");
  topics.received({"a", std::string(2UL << 20, 'x'), false});  // more than anybody sends
  link->discard_input();
  EXPECT_THAT(read(loop, *link).text, HasSubstr("no message"));
}

TEST(Topics, LinksMayOutliveThem) {
  fakes::Loop loop;
  auto topics = std::make_unique<Topics>(nullptr, [](const std::string&) { FAIL(); });
  const auto link = topics->source(loop.executor(), "a");
  topics.reset();
  EXPECT_TRUE(loop.run(link->open()));
}

// A dialogue that only writes down what it was told.
class Listener final : public protocol::Dialogue {
 public:
  Result<protocol::Step> next() override {
    if (told.size() >= 2) return protocol::Step(protocol::step::Finished(protocol::Telegram()));
    return protocol::Step(protocol::step::Listen(Milliseconds(20)));
  }

  void enclosed(const protocol::Envelope& envelope) override { told.push_back(envelope.topic); }

  void received(ByteView bytes) override { told.push_back(to_text(bytes)); }

  void silence() override {}

  std::vector<std::string> told;
};

TEST(Topics, ADialogueIsToldWhatItsBytesCameIn) {
  fakes::Loop loop;
  Topics topics(nullptr, nullptr);
  const auto link = topics.source(loop.executor(), "a/#");
  ASSERT_TRUE(loop.run(link->open()));
  topics.received({"a/b", "5", false});
  Listener listener;
  ASSERT_TRUE(loop.run(converse(*link, listener)));
  EXPECT_THAT(listener.told, ElementsAre("a/b", "5"));
}

}  // namespace
}  // namespace meterbridge::io
