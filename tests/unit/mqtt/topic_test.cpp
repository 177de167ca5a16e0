// SPDX-License-Identifier: MIT
#include "mqtt/topic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::mqtt {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

std::string fault(const Message& message, bool binary = false) {
  const auto result = publishable(message, binary);
  return result ? "" : result.error().detail();
}

std::string fault_of_filter(std::string_view filter) {
  const auto result = subscribable(filter);
  return result ? "" : result.error().detail();
}

TEST(Topic, OrdinaryMessagesPass) {
  EXPECT_EQ(fault(Message("meterbridge/house/state", "{\"power\":1}", true)), "");
  EXPECT_EQ(fault(Message("dům/výkon", "1 €", true)), "");
  EXPECT_EQ(fault(Message("removed", "", true)), "");
}

TEST(Topic, WhatABrokerWouldRefuseIsNamedInWords) {
  EXPECT_THAT(fault(Message("", "x", true)), HasSubstr("is empty"));
  EXPECT_THAT(fault(Message("a/+/b", "x", true)), HasSubstr("wildcard"));
  EXPECT_THAT(fault(Message("a/#", "x", true)), HasSubstr("wildcard"));
  EXPECT_THAT(fault(Message("a\xff", "x", true)), HasSubstr("not UTF-8"));
  EXPECT_THAT(fault(Message("a\0b"s, "x", true)), HasSubstr("zero character"));
  EXPECT_THAT(fault(Message(std::string(70000, 'a'), "x", true)), HasSubstr("longer than 65535"));
  EXPECT_THAT(fault(Message("a", "x", true, 3)), HasSubstr("QoS 3"));
}

TEST(Topic, APayloadMustBeTextUnlessToldOtherwise) {
  EXPECT_THAT(fault(Message("a", "\xc3(", true)), HasSubstr("not UTF-8"));
  EXPECT_EQ(fault(Message("a", "\xc3(", true), true), "");
}

TEST(Topic, FiltersTakeWildcardsOnlyAsWholeLevels) {
  for (const char* good : {"#", "+", "a/+/b", "a/#", "+/+", "/", "a//b", "homeassistant/status"})
    EXPECT_EQ(fault_of_filter(good), "") << good;
  EXPECT_THAT(fault_of_filter(""), HasSubstr("is empty"));
  EXPECT_THAT(fault_of_filter("a+/b"), HasSubstr("not a whole level"));
  EXPECT_THAT(fault_of_filter("a/b#"), HasSubstr("not a whole level"));
  EXPECT_THAT(fault_of_filter("#/a"), HasSubstr("not at its end"));
  EXPECT_THAT(fault_of_filter("a/\xff"), HasSubstr("not UTF-8"));
}

}  // namespace
}  // namespace meterbridge::mqtt
