// SPDX-License-Identifier: MIT
#include "app/black_box.hpp"

#include "app/black_box_files.hpp"
#include "io/state_file.hpp"

#include <algorithm>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>
#include <unistd.h>

namespace meterbridge::app {
namespace {

using protocol::CaptureEntry;
using namespace std::chrono_literals;

const Instant noon = Instant(Seconds(std::chrono::seconds(1'790'000'000)));

}  // namespace

TEST(BlackBox, KeepsTheNewestBytesWithinItsBounds_P57) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    app::BlackBox box;
    box.resize(8000);
    Bytes sent;
    for (int i = 0; i < 2000; ++i) {
      const Bytes block(random() % 300 + 1, static_cast<std::byte>(random() % 256));
      box.crossed(false, block, "m", noon + i * Milliseconds(random() % 90), nullptr);
      sent.insert(sent.end(), block.begin(), block.end());
      if (random() % 10 == 0) box.outcome("m", noon, "ok");
      ASSERT_LE(box.size(), 8000U);
    }
    Bytes kept;
    for (const CaptureEntry& entry : box.entries())
      kept.insert(kept.end(), entry.bytes.begin(), entry.bytes.end());
    ASSERT_GT(kept.size(), 2000U);
    ASSERT_LT(kept.size(), sent.size());
    EXPECT_TRUE(std::equal(kept.rbegin(), kept.rend(), sent.rbegin()));
  }
}

TEST(BlackBox, JoinsBlocksAndTellsMetersDirectionsAndMessagesApart) {
  app::BlackBox box;
  box.crossed(true, to_bytes("off"), "a", noon, nullptr);
  EXPECT_TRUE(box.entries().empty());
  box.resize(64000);
  box.crossed(true, to_bytes("ask"), "a", noon, nullptr);
  box.crossed(false, to_bytes("ans"), "a", noon + 10ms, nullptr);
  box.crossed(false, to_bytes("wer"), "a", noon + 20ms, nullptr);
  box.outcome("a", noon + 30ms, "ok");
  box.outcome("a", noon + 40ms, "ok");
  box.crossed(false, to_bytes("other"), "b", noon + 40ms, nullptr);
  protocol::Envelope envelope;
  envelope.topic = "t";
  box.crossed(false, to_bytes("x"), "b", noon + 41ms, &envelope);
  const auto all = box.entries();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(to_text(all[1].bytes), "answer");
  EXPECT_EQ(all[2].text, "ok");
  EXPECT_EQ(all[4].topic, "t");
  EXPECT_EQ(box.entries("a").size(), 3U);
}

TEST(BlackBox, IsWrittenAndReadAgainAsItWas) {
  app::BlackBox box;
  box.resize(64000);
  protocol::Envelope envelope;
  envelope.topic = "a/b c";
  envelope.retained = true;
  box.crossed(true, to_bytes("ask"), "m", noon, nullptr);
  box.crossed(false, to_bytes("{}"), "m", noon + 7ms, &envelope);
  box.outcome("m", noon + 9ms, outcome_text(Error(Errc::checksum, "CRC is 1234")));
  protocol::Capture capture;
  capture.facts.emplace_back("protocol", "p1");
  capture.configuration = "meters:\n  - id: x\n";
  capture.entries = box.entries();
  const std::string text = protocol::capture_text(capture);
  EXPECT_TRUE(protocol::is_capture(text));
  const auto again = protocol::parse_capture(text);
  ASSERT_TRUE(again) << again.error().detail();
  EXPECT_EQ(again->fact("protocol"), "p1");
  EXPECT_EQ(again->configuration, capture.configuration);
  ASSERT_EQ(again->entries.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const CaptureEntry& was = capture.entries[i];
    const CaptureEntry& is = again->entries[i];
    EXPECT_EQ(is.kind, was.kind);
    EXPECT_EQ(is.time, was.time);
    EXPECT_EQ(is.meter, was.meter);
    EXPECT_EQ(is.topic, was.topic);
    EXPECT_EQ(is.retained, was.retained);
    EXPECT_EQ(is.bytes, was.bytes);
    EXPECT_EQ(is.text, was.text);
  }
  EXPECT_EQ(protocol::capture_text(*again), text);
}

TEST(BlackBox, OnlySoManyCasesAreKeptAndTheNewestOfThem) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("black-box-" + std::to_string(::getpid()));
  for (int i = 0; i < 5; ++i) {
    const auto kept = keep_case(folder.string(), i % 2 == 0 ? "even" : "odd-1", noon + i * 1s,
                                "case " + std::to_string(i) + "\n", 3);
    ASSERT_TRUE(kept) << kept.error().detail();
  }
  const auto even = cases_of(folder.string(), "even");
  const auto odd = cases_of(folder.string(), "odd-1");
  ASSERT_EQ(even.size(), 2U);
  ASSERT_EQ(odd.size(), 1U);
  EXPECT_EQ(*io::read_whole(even.back()), "case 4\n");
  EXPECT_EQ(*io::read_whole(odd.back()), "case 3\n");
  EXPECT_TRUE(cases_of(folder.string(), "odd").empty());
  std::filesystem::remove_all(folder);
}

}  // namespace meterbridge::app
