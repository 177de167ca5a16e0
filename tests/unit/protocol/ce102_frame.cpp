// SPDX-License-Identifier: MIT
#include "bytes_of.hpp"
#include "protocol/ce102/frame.hpp"

#include <algorithm>
#include <array>

namespace meterbridge::protocol::ce102 {
namespace {

using test::hex;

Station station(std::uint16_t meter, std::uint32_t password = 0) {
  Station s;
  s.meter = meter;
  s.password = password;
  return s;
}

Frame reply(std::uint16_t command, Bytes data) {
  Frame frame;
  frame.to = 253;
  frame.from = 13462;
  frame.command = command;
  frame.data = std::move(data);
  return frame;
}

// All frames that find_frame cuts out of a stream given in blocks of one size.
std::vector<Bytes> frames_in(ByteView stream, std::size_t block) {
  std::vector<Bytes> frames;
  Bytes arrived;
  for (std::size_t at = 0; at < stream.size(); at += block) {
    const ByteView part = stream.subspan(at, std::min(block, stream.size() - at));
    arrived.insert(arrived.end(), part.begin(), part.end());
    for (;;) {
      const Cut cut = find_frame(arrived);
      if (cut.drop + cut.frame == 0) break;
      const auto begin = arrived.begin() + static_cast<std::ptrdiff_t>(cut.drop);
      const Bytes frame(begin, begin + static_cast<std::ptrdiff_t>(cut.frame));
      arrived.erase(arrived.begin(), begin + static_cast<std::ptrdiff_t>(cut.frame));
      if (!frame.empty()) frames.push_back(frame);
    }
  }
  return frames;
}

TEST(Ce102Frame, HasTheChecksumOfTheCatalogue) {
  EXPECT_EQ(crc8(to_bytes("123456789")), 0x57);
  EXPECT_EQ(crc8(hex("489634fd0000000000d201300000")), 0x40);
}

TEST(Ce102Frame, BuildsTheRequestsOfTheWorkedExamples) {
  const auto request = [](const Station& s, Query query, std::string_view data) {
    const auto bytes = build_request(s, query, hex(data));
    return bytes ? to_hex(*bytes) : bytes.error().detail();
  };
  EXPECT_EQ(request(station(13462), Query::energy, "0000"), "c0489634fd0000000000d20130000040c0");
  EXPECT_EQ(request(station(54633, 777777), Query::energy, "0000"),
            "c04869d5fd0031de0b00d2013000001fc0");
  EXPECT_EQ(request(station(46950, 777777), Query::date_time, ""),
            "c04866b7fd0031de0b00d0012090c0");
  EXPECT_EQ(request(station(13462), Query::serial, "00"), "c0489634fd0000000000d1011a00b4c0");
  EXPECT_EQ(request(station(12345), Query::energy, "0000"), "c0483930fd0000000000d201300000a0c0");
  EXPECT_EQ(request(station(0xDBC0), Query::energy, "0000"),
            "c048dbdcdbddfd0000000000d20130000024c0");
}

TEST(Ce102Frame, OnlyReadOnlyCommandsCanBeBuilt) {
  std::size_t built = 0;
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const auto query = static_cast<Query>(code);
    for (const std::size_t length : {0U, 1U, 2U, 3U, 15U}) {
      const auto bytes = build_request(station(1), query, Bytes(length));
      if (!bytes) continue;
      ++built;
      EXPECT_TRUE(std::ranges::count(never_send, code) == 0) << code;
      const auto sent = parse_request(*bytes);
      ASSERT_TRUE(sent) << code;
      EXPECT_EQ(sent->command, code);
      EXPECT_LE(length, 2U);
    }
  }
  EXPECT_EQ(built, read_only.size() + 1);  // Version has two forms
}

TEST(Ce102Frame, WhatTheMetersSideSendsNeverHasTheRequestBit) {
  constexpr std::size_t serv = 6;  // behind END, OPT and two addresses without stuffed bytes
  for (unsigned access = 0; access < 256; ++access) {
    for (std::size_t length = 0; length <= 20; ++length) {
      Frame frame = reply(0x012B, Bytes(length, std::byte{0xFF}));
      frame.access = static_cast<std::uint8_t>(access);
      EXPECT_EQ(u8(build_reply(frame)[serv]) & 0x80U, 0U);
    }
  }
}

TEST(Ce102Frame, EveryByteValueSurvivesStuffingAtEveryPlace) {
  for (unsigned value = 0; value < 256; ++value) {
    for (std::size_t place = 0; place < 15; ++place) {
      Bytes data(15, std::byte{0x11});
      data[place] = static_cast<std::byte>(value);
      const Bytes wire = build_reply(reply(0x0130, data));
      EXPECT_EQ(std::ranges::count(wire, end_mark), 2) << value;
      const auto back = parse_reply(wire);
      ASSERT_TRUE(back) << value << " at " << place << ": " << back.error().detail();
      EXPECT_EQ(back->data, data);
    }
    const auto address = static_cast<std::uint16_t>(value << 8U | value);
    const auto request = build_request(station(address, value * 0x01010101U), Query::ping);
    ASSERT_TRUE(request);
    const auto back = parse_request(*request);
    ASSERT_TRUE(back) << value;
    EXPECT_EQ(back->to, address);
    EXPECT_EQ(back->password, value * 0x01010101U);
  }
}

TEST(Ce102Frame, StuffsTheChecksumToo) {
  bool end_seen = false;
  bool escape_seen = false;
  for (unsigned value = 0; value < 256; ++value) {
    const Bytes wire = build_reply(reply(0x0130, Bytes{static_cast<std::byte>(value)}));
    const std::string text = to_hex(wire);
    const std::string tail = text.substr(text.size() - 6);
    end_seen = end_seen || tail == "dbdcc0";
    escape_seen = escape_seen || tail == "dbddc0";
    ASSERT_TRUE(parse_reply(wire)) << text;
  }
  EXPECT_TRUE(end_seen && escape_seen);
}

TEST(Ce102Frame, RefusesBrokenEscapes) {
  // A valid checksum does not help: DB must be followed by DC or DD.
  EXPECT_EQ(parse_reply(hex("c048fd009634570130000922dbab0400001bc0")).error().code(),
            Errc::malformed);
  EXPECT_EQ(parse_reply(hex("c048fd0096345201309634dbc0")).error().code(), Errc::malformed);
}

TEST(Ce102Frame, DetectsEveryFlippedBit) {
  const Bytes good = build_reply(reply(0x0130, hex("000922ec8b0400")));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(parse_reply(bad)) << "bit " << bit;
    EXPECT_TRUE(frames_in(bad, bad.size()).empty()) << "bit " << bit;
  }
}

TEST(Ce102Framer, YieldsTheSameFramesHoweverTheBytesAreCut) {
  const Bytes first = build_reply(reply(0x0130, hex("000922c0dbc0db")));
  const Bytes second = build_reply(reply(0x0120, hex("19212302190722")));
  Bytes stream = hex("ffdb00c0c0");  // noise, and an empty frame
  stream.insert(stream.end(), first.begin(), first.end());
  const Bytes noise = hex("0102030405");
  stream.insert(stream.end(), noise.begin(), noise.end());
  stream.insert(stream.end(), second.begin(), second.end());
  for (std::size_t block = 1; block <= stream.size(); ++block) {
    EXPECT_EQ(frames_in(stream, block), (std::vector<Bytes>{first, second})) << block;
  }
}

TEST(Ce102Framer, FindsTheFrameAfterACutOffOne) {
  const Bytes whole = build_reply(reply(0x0130, hex("000922ec8b0400")));
  for (std::size_t kept = 1; kept < whole.size(); ++kept) {
    Bytes stream(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept));
    stream.insert(stream.end(), whole.begin(), whole.end());
    EXPECT_EQ(frames_in(stream, 7), std::vector<Bytes>{whole}) << "cut off after " << kept;
    Bytes headless(whole.begin() + static_cast<std::ptrdiff_t>(kept), whole.end());
    headless.insert(headless.end(), whole.begin(), whole.end());
    EXPECT_EQ(frames_in(headless, 7), std::vector<Bytes>{whole}) << "begins at " << kept;
  }
}

TEST(Ce102Framer, GivesUpAnEndlessFrameAndGoesOn) {
  const Bytes whole = build_reply(reply(0x0001, hex("9634")));
  Bytes stream{end_mark};
  stream.resize(1 + 500, std::byte{0x55});
  stream.insert(stream.end(), whole.begin(), whole.end());
  for (const std::size_t block : {std::size_t{1}, std::size_t{64}, stream.size()}) {
    EXPECT_EQ(frames_in(stream, block), std::vector<Bytes>{whole}) << block;
  }
  Bytes arrived{end_mark};
  arrived.resize(1 + max_raw + 1, std::byte{0x55});
  const Cut cut = find_frame(arrived);
  ASSERT_TRUE(cut.broken);
  EXPECT_EQ(cut.broken->code(), Errc::malformed);
}

TEST(Ce102Frame, TellsRequestsFromAnswers) {
  EXPECT_TRUE(is_request(hex("c0489634fd0000000000d20130000040c0")));
  EXPECT_FALSE(is_request(hex("c048fd009634570130000922ec8b04001bc0")));
  // This password makes the request look like an answer with four data bytes.
  const auto request = build_request(station(13462, 0x54), Query::ping);
  ASSERT_TRUE(request);
  ASSERT_TRUE(parse_reply(*request));
  EXPECT_TRUE(is_request(*request));
}

TEST(Ce102Frame, SaysWhatAMeterRefuses) {
  const auto reaction = [](std::string_view data) { return refusal(hex(data)).reaction; };
  EXPECT_EQ(reaction("00"), Reaction::unsupported);
  EXPECT_EQ(reaction("01"), Reaction::repeat);
  EXPECT_EQ(reaction("02"), Reaction::locked);
  EXPECT_EQ(reaction("03"), Reaction::stop);
  EXPECT_EQ(reaction("04"), Reaction::unsupported);
  EXPECT_EQ(reaction("05"), Reaction::stop);
  EXPECT_EQ(reaction("10"), Reaction::unsupported);
  EXPECT_EQ(reaction("20"), Reaction::skip);
  EXPECT_EQ(reaction("40"), Reaction::skip);
  EXPECT_EQ(reaction("80"), Reaction::stop);
  EXPECT_EQ(reaction(""), Reaction::unsupported);  // old classic meters give no code
  EXPECT_EQ(reaction("77"), Reaction::stop);
  EXPECT_EQ(refusal(hex("00")).words, "the meter does not know this command (error 00)");
}

}  // namespace
}  // namespace meterbridge::protocol::ce102
