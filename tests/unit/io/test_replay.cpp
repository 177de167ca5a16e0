// SPDX-License-Identifier: MIT
#include "fakes/loop.hpp"
#include "fakes/scratch.hpp"
#include "io/links.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

using testing::HasSubstr;

TEST(Replay, PlaysAFileOnceAndThenEnds) {
  const fakes::Scratch scratch;
  std::string content;
  for (int i = 0; i < 3000; ++i)
    content.push_back(static_cast<char>(i * 7));
  fakes::Loop loop;
  auto link = make_replay(loop.executor(), scratch.file("capture.bin", content).string());
  ASSERT_TRUE(loop.run(link->open()));
  std::string heard;
  std::array<std::byte, 1024> block{};
  for (;;) {
    const auto got = loop.run(link->read_some(block, Deadline::max()));
    if (!got) {
      EXPECT_EQ(got.error().code(), Errc::io);
      EXPECT_THAT(got.error().detail(), HasSubstr("end of the file"));
      break;
    }
    heard += to_text(ByteView(block).first(*got));
    // A meter that is asked goes on with its capture; nothing of it is thrown away.
    ASSERT_TRUE(loop.run(link->write(to_bytes("?"), Deadline::max())));
    link->discard_input();
    EXPECT_TRUE(link->retune(LineSettings()));
  }
  EXPECT_EQ(heard, content);
  link->close();
  const auto again = loop.run(link->open());
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().detail(), HasSubstr("was played to its end"));
}

TEST(Replay, NamesWhatCannotBePlayed) {
  const fakes::Scratch scratch;
  fakes::Loop loop;
  auto absent = make_replay(loop.executor(), (scratch.path() / "absent").string());
  const auto opened = loop.run(absent->open());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::no_device);
  EXPECT_THAT(opened.error().detail(), HasSubstr("No such file"));
  auto folder = make_replay(loop.executor(), scratch.path().string());
  EXPECT_THAT(loop.run(folder->open()).error().detail(), HasSubstr("is not a file"));
  EXPECT_FALSE(folder->is_open());
}

}  // namespace
}  // namespace meterbridge::io
