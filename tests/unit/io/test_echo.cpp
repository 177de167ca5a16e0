// SPDX-License-Identifier: MIT
#include "io/echo.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace meterbridge::io {
namespace {

std::string taken(EchoFilter& filter, std::size_t at_most = 1000) {
  Bytes space(at_most);
  space.resize(filter.take(space));
  return to_text(space);
}

TEST(EchoFilter, AwaitsNothingWhenItIsOff) {
  EchoFilter filter(false);
  filter.sent(to_bytes("abc"));
  EXPECT_TRUE(filter.idle());
}

TEST(EchoFilter, GivesTheSameHoweverTheBytesAreCut) {
  const std::string sent = "/?123!\r\n";
  const std::string answer = "/EKT5CE102\r\n";
  std::minstd_rand random(7);
  for (int round = 0; round < 500; ++round) {
    EchoFilter filter(true);
    filter.sent(to_bytes(sent.substr(0, 3)));
    filter.sent(to_bytes(sent.substr(3)));
    auto stream = to_bytes(sent + answer);
    std::string got;
    while (!stream.empty()) {
      const auto count = 1 + random() % stream.size();
      filter.received(ByteView(stream).first(count));
      stream.erase(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(count));
      got += taken(filter, 1 + random() % 5);
    }
    for (auto rest = taken(filter, 3); !rest.empty(); rest = taken(filter, 3))
      got += rest;
    EXPECT_EQ(got, answer);
    EXPECT_TRUE(filter.idle());
  }
}

TEST(EchoFilter, LosesNothingOfWhatOnlyLooksLikeAnEcho) {
  const std::string sent = "C0480102";
  for (std::size_t equal = 0; equal < sent.size(); ++equal) {
    EchoFilter filter(true);
    filter.sent(to_bytes(sent));
    const auto stream = sent.substr(0, equal) + "~tail";
    for (const char c : stream)
      filter.received(to_bytes(std::string(1, c)));
    EXPECT_EQ(taken(filter), stream);
    EXPECT_TRUE(filter.idle());
  }
}

TEST(EchoFilter, ForgetsOnRequest) {
  EchoFilter filter(true);
  filter.sent(to_bytes("abc"));
  filter.received(to_bytes("ab"));
  filter.clear();
  EXPECT_TRUE(filter.idle());
  EXPECT_EQ(taken(filter), "");
}

}  // namespace
}  // namespace meterbridge::io
