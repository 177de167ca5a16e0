// SPDX-License-Identifier: MIT
// The scan against simulated meters.
#include "unit/scan/bench.hpp"

#include <algorithm>

namespace {

using namespace bench;

// Profiles that no reading tells apart, and why. What is alike beyond this is a fault of the scan.
struct Twins {
  std::string_view why;
  std::vector<std::string_view> profiles;
};

const std::vector<Twins>& twins() {
  static const std::vector<Twins> all{
      {"one maker's meter under two names", {"bgetech-drt428", "orno-or-we-516"}},
      {"one maker's meter under two names", {"carlo-gavazzi-em340", "garo-gnm3d"}},
      {"one maker's meter under two names", {"kostal-ksem", "tq-em300"}},
      {"one maker's measuring core", {"janitza-b23", "janitza-umg96rm", "weidmueller-em525"}},
      {"the larger one has all registers of the smaller", {"eastron-sdm120", "eastron-sdm220"}},
      {"the same commands; the tariffs differ", {"energomera-ce102", "energomera-ce301m"}},
      {"the same commands", {"energomera-ce102-r51", "energomera-ce307"}},
      {"the operator's list, not the maker's", {"iskra-am550-kaernten", "siemens-im350"}},
      {"the operator's list; encrypted, as in life, their titles differ",
       {"kaifa-ma309m", "sagemcom-t210-d"}},
      {"the same lists in two countries", {"kaifa-ma304", "kaifa-ma304-se"}},
      {"what the general profile plays is this meter", {"iskra-mt691", "sml"}},
      {"one asks for a block, the other for each value", {"dlt645-1997", "saiman-orman-cu-dlt645"}},
      {"only a session would tell", {"mercury-200", "mercury-201", "mercury-203", "mercury-206"}},
      {"only a session would tell",
       {"mercury-230", "mercury-230-2400", "mercury-231", "mercury-233", "mercury-234",
        "mercury-236"}},
  };
  return all;
}

bool explained(const meter::Profile& profile, const std::vector<std::string>& names) {
  // An identification names the maker, and hardly ever the model.
  if (names.size() < 2 || profile.protocol->name == "iec62056-21") return true;
  return std::ranges::any_of(twins(), [&](const Twins& known) {
    return std::ranges::all_of(names, [&](const std::string& name) {
      return std::ranges::find(known.profiles, name) != known.profiles.end();
    });
  });
}

std::string faults_of(const std::string& configuration) {
  config::Problems problems;
  (void)meter::parse_configuration(configuration, "/nowhere/found.yaml", problems);
  std::string text;
  for (const config::Problem& problem : problems.all()) {
    if (problem.severity == config::Severity::error) text += problem.str() + "\n";
  }
  return text;
}

void find(const meter::Profile& profile, bool network) {
  SCOPED_TRACE(profile.id + (network ? " over TCP" : ""));
  Bench bench = bench_for(profile, network);
  ASSERT_FALSE(bench.meters.empty());
  scan::Scan scan(catalogue(), wishes_for(profile, network));
  bench.run(scan);
  ASSERT_EQ(scan.findings().size(), 1U) << scan.stopped();
  const scan::Finding& finding = scan.findings().front();
  const auto names = alike(finding);
  // An identification may be that of a sister: then it must stand among the less likely ones.
  const bool sisters = profile.protocol->name == "iec62056-21";
  const bool named = sisters ? std::ranges::find(finding.matches, profile.id,
                                                 &scan::Match::profile) != finding.matches.end()
                             : std::ranges::find(names, profile.id) != names.end();
  EXPECT_TRUE(named) << "found:" << text_of(names);
  scan::Where where;
  where.network = network;
  where.link = network ? "10.0.0.7:502" : "/dev/serial/by-id/usb-FTDI";
  const std::string configuration = scan::configuration(scan.findings(), where, library());
  EXPECT_EQ(faults_of(configuration), "") << configuration;
  EXPECT_TRUE(explained(profile, names)) << "these answer alike:" << text_of(names);
}

TEST(Scan, EveryShippedProfileIsFound) {
  for (const meter::Profile& profile : library().all()) {
    if (can_be_found(profile)) find(profile, false);
  }
}

// Each needs the questions of all others: some of them stand for the rest.
TEST(Scan, ProfilesAreFoundBehindTheNetworkToo) {
  constexpr std::size_t every = 8;
  std::size_t number = 0;
  for (const meter::Profile& profile : library().all()) {
    if (can_be_found(profile) && ++number % every == 0) find(profile, true);
  }
}

const meter::Profile& profile_of(std::string_view id) {
  return *library().find(id);
}

TEST(Scan, SendsOnlyRequestsThatRead_P12) {
  Bench bench = bench_for(profile_of("eastron-sdm630"), false);
  scan::Scan scan(catalogue(), {});
  bench.run(scan);
  ASSERT_GT(bench.sent.size(), 100U);
  for (const Bytes& sent : bench.sent) {
    // What is a Modbus frame must be a read or an identification; CE102 and Mercury requests are
    // made by their own tables of reads.
    if (!protocol::modbus::rtu_sum_fits(sent)) continue;
    const unsigned function = std::to_integer<unsigned>(sent[1]);
    EXPECT_TRUE(function == 3 || function == 4 || function == 0x2B || function == 0x08 ||
                function == 0x05)
        << to_hex(sent);
    if (function == 0x08 || function == 0x05) {
      EXPECT_LE(sent.size(), 6U) << to_hex(sent);
    }
  }
}

TEST(Scan, AnotherMasterIsHeardAndNothingIsAsked_P08) {
  const std::vector<std::pair<std::string, std::string_view>> requests{
      {"Modbus", "010400000050f036"},
      {"Modbus", "ff00010300000002c40b"},
      {"Energomera CE", "c0489634fd0000000000d201300000 40c0"},
      {"Mercury", "000500001025"},
      {"DL/T 645", "fefefe68184784000000680102 43c3bc16"},
      {"IEC 62056-21", "af3f218d0a"}};
  for (const auto& [name, hex] : requests) {
    SCOPED_TRACE(hex);
    Bench bench = bench_for(profile_of("eastron-sdm120"), false);
    bench.noise = *from_hex(hex);
    scan::Scan scan(catalogue(), {});
    bench.run(scan);
    EXPECT_TRUE(bench.sent.empty());
    EXPECT_TRUE(scan.findings().empty());
    EXPECT_NE(scan.stopped().find("another master talks here: requests of " + name),
              std::string::npos)
        << scan.stopped();
  }
}

// It speaks while an answer is awaited, with and without the echo of our own request.
TEST(Scan, AnotherMasterThatSpeaksAfterAQuestionEndsTheAsking_P08) {
  for (const bool echo : {false, true}) {
    for (const std::string_view id : {"eastron-sdm120", "mercury-230"}) {
      SCOPED_TRACE(id);
      Bench bench = bench_for(profile_of(id), false);
      bench.echo = echo;
      bench.foreign = *from_hex("010400000050f036");
      scan::Wishes wishes;
      wishes.protocols = {"modbus"};
      wishes.addresses = {7};
      scan::Scan scan(catalogue(), wishes);
      bench.run(scan);
      EXPECT_EQ(bench.sent.size(), 1U);
      EXPECT_TRUE(scan.findings().empty());
      EXPECT_NE(scan.stopped().find("a request of Modbus"), std::string::npos) << scan.stopped();
    }
  }
}

// It begins while profiles are compared: nothing more is sent, and what is known is told.
TEST(Scan, AnotherMasterThatSpeaksBetweenProfilesEndsTheAsking_P12) {
  for (const bool echo : {false, true}) {
    for (const std::size_t after : {2U, 7U, 30U}) {
      SCOPED_TRACE(after);
      Bench bench = bench_for(profile_of("eastron-sdm630"), false);
      bench.echo = echo;
      bench.foreign = *from_hex("010400000050f036");
      bench.foreign_after = after;
      scan::Wishes wishes;
      wishes.protocols = {"modbus"};
      wishes.addresses = {own_address};
      scan::Scan scan(catalogue(), wishes);
      bench.run(scan);
      EXPECT_EQ(bench.sent.size(), after);
      ASSERT_EQ(scan.findings().size(), 1U);
      EXPECT_EQ(scan.findings().front().address, std::to_string(own_address));
      EXPECT_NE(scan.findings().front().remark.find("not all profiles"), std::string::npos);
      EXPECT_NE(scan.stopped().find("a request of Modbus"), std::string::npos) << scan.stopped();
    }
  }
}

// One answer in 256 of two registers has a request in front of its last byte.
TEST(Scan, AnAnswerIsNoRequestOfAnotherMaster) {
  const Bytes alike = *from_hex("07040442c10000d800");
  ASSERT_TRUE(protocol::modbus::rtu_sum_fits(ByteView(alike).first(8)));
  EXPECT_EQ(scan::foreign_master(alike), "");
  EXPECT_EQ(scan::foreign_master(ByteView(alike).first(8), true), "");
  EXPECT_EQ(scan::foreign_master(ByteView(alike).first(8)), "Modbus");
  Bytes both = alike;
  const Bytes request = *from_hex("010400000050f036");
  both.insert(both.end(), request.begin(), request.end());
  EXPECT_EQ(scan::foreign_master(both), "Modbus");
}

TEST(Scan, WhatNobodyUnderstandsIsNotDisturbedUnlessItIsWanted) {
  for (const bool anyway : {false, true}) {
    Bench bench = bench_for(profile_of("eastron-sdm120"), false);
    bench.noise = Bytes(100, std::byte{0x55});
    scan::Wishes wishes;
    wishes.anyway = anyway;
    scan::Scan scan(catalogue(), wishes);
    bench.run(scan);
    EXPECT_EQ(bench.sent.empty(), !anyway);
    EXPECT_EQ(scan.findings().size(), anyway ? 1U : 0U);
    EXPECT_EQ(scan.stopped().empty(), anyway);
  }
}

TEST(Scan, AnEchoIsNoMeter) {
  for (const bool network : {false, true}) {
    Bench bench;
    bench.echo = true;
    bench.network = network;
    scan::Wishes wishes;
    wishes.network = network;
    wishes.addresses = {1, 2, 3};
    scan::Scan scan(catalogue(), wishes);
    bench.run(scan);
    EXPECT_TRUE(scan.findings().empty()) << scan.findings().front().protocol;
    EXPECT_FALSE(bench.sent.empty());
  }
}

TEST(Scan, ACe307AnswersWhoAsksEverybody) {
  Bench bench = bench_for(profile_of("energomera-ce307"), false);
  scan::Scan scan(catalogue(), {});
  bench.run(scan);
  ASSERT_EQ(scan.findings().size(), 1U);
  EXPECT_EQ(scan.findings().front().address, std::to_string(own_address));
  EXPECT_EQ(scan.findings().front().protocol, "ce102");
  EXPECT_EQ(text_of(alike(scan.findings().front())), " energomera-ce307");
}

TEST(Scan, SeveralMetersOnOneLine) {
  Bench bench = bench_for(profile_of("eastron-sdm630"), false);
  SettingValues other = meter::default_values(profile_of("abb-b23"));
  other.set("address", std::int64_t{30});
  bench.meters.push_back(*profile_of("abb-b23").protocol->responder(other));
  scan::Scan scan(catalogue(), {});
  bench.run(scan);
  ASSERT_EQ(scan.findings().size(), 2U);
  EXPECT_EQ(scan.findings()[0].matches.front().profile, "eastron-sdm630");
  EXPECT_EQ(scan.findings()[0].address, "7");
  EXPECT_EQ(scan.findings()[1].matches.front().profile, "abb-b23");
  EXPECT_EQ(scan.findings()[1].address, "30");
  scan::Where where;
  where.link = "/dev/ttyUSB0";
  const std::string file = scan::configuration(scan.findings(), where, library());
  EXPECT_EQ(faults_of(file), "") << file;
  EXPECT_NE(file.find("address: 30"), std::string::npos);
}

TEST(Scan, AnEncryptedMeterIsNamedAndItsKeyIsAskedFor) {
  for (const std::string_view id : {"kaifa-ma309m", "sagemcom-t210-d", "iskra-am550-wien", "p1"}) {
    SCOPED_TRACE(id);
    const meter::Profile& profile = profile_of(id);
    SettingValues settings = meter::default_values(profile);
    settings.set("key", Secret("36C66639E48A8CA4D6BC8B282A793BBB"));
    Bench bench;
    bench.line = profile.line;
    bench.meters.push_back(*profile.protocol->responder(settings));
    scan::Scan scan(catalogue(), {});
    bench.run(scan);
    ASSERT_EQ(scan.findings().size(), 1U) << scan.stopped();
    const scan::Finding& finding = scan.findings().front();
    EXPECT_TRUE(finding.encrypted);
    const auto names = alike(finding);
    EXPECT_NE(std::ranges::find(names, id), names.end()) << text_of(names);
    scan::Where where;
    where.link = "/dev/ttyUSB0";
    const std::string file = scan::configuration(scan.findings(), where, library());
    EXPECT_NE(file.find("# key: !secret meter1_key"), std::string::npos) << file;
    EXPECT_EQ(faults_of(file), "") << file;
  }
}

TEST(Scan, AnAnswerCountsInAnyCutAndWithNoBitFlipped) {
  const std::vector<std::pair<scan::Family, std::string>> answers{
      {scan::Family::modbus_rtu, "010404436633341b38"},
      {scan::Family::modbus_rtu, "018402c2c1"},
      {scan::Family::modbus_tcp, "4d420000000701040443663334"},
      {scan::Family::mercury200, "000e1fce2f0069ad4e8ced"},
      {scan::Family::dlt645, "6818478400000068810643c39a785634dc16"},
      {scan::Family::dlt645, "6818478400000068d10135ba16"}};
  for (const auto& [family, hex] : answers) {
    SCOPED_TRACE(hex);
    scan::Question question;
    question.family = family;
    question.address = family == scan::Family::mercury200 ? 925646 : 1;
    if (family == scan::Family::dlt645) question.address = 0;  // whoever is there
    if (hex.find("6881") != hex.npos || hex.find("68c1") != hex.npos) question.function = 0x01;
    const Bytes whole = *from_hex(hex);
    EXPECT_TRUE(scan::judge(question, whole));
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(scan::judge(question, ByteView(whole).first(size))) << size;
    if (family == scan::Family::modbus_tcp) continue;  // it carries no check sum
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes broken = whole;
      broken[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_FALSE(scan::judge(question, broken)) << bit;
    }
  }
}

TEST(Scan, NobodyThereIsSaidAndThePlanWasKept) {
  Bench bench;
  scan::Scan scan(catalogue(), {});
  const std::size_t planned = scan.plan().questions();
  bench.run(scan);
  EXPECT_TRUE(scan.findings().empty());
  EXPECT_EQ(bench.sent.size(), planned);
  const auto lines = scan::words(scan.plan(), {});
  ASSERT_GE(lines.size(), 4U);
  EXPECT_NE(lines.back().find(std::to_string(planned)), std::string::npos) << lines.back();
}

TEST(Scan, WishesNarrowIt) {
  scan::Wishes wishes;
  wishes.protocols = {"modbus"};
  wishes.addresses = {3, 5};
  const auto line = LineSettings::parse(19200, "8E1");
  wishes.lines = {*line};
  const scan::Plan plan = scan::make_plan(catalogue(), wishes);
  ASSERT_EQ(plan.rounds.size(), 1U);
  EXPECT_EQ(plan.rounds.front().line, *line);
  EXPECT_EQ(plan.questions(), 4U);
}

// The same registers, and what the meter calls itself.
TEST(Scan, WhatADeviceCallsItselfDecidesBetweenProfiles) {
  class Badged final : public protocol::Responder {
   public:
    Badged(std::unique_ptr<protocol::Responder> inner, std::string name)
        : inner_(std::move(inner)), name_(std::move(name)) {}

    void show(const protocol::MeterFace& face) override { inner_->show(face); }

    std::vector<Bytes> received(ByteView bytes) override {
      namespace modbus = protocol::modbus;
      const auto frame = modbus::unwrap(modbus::Framing::rtu, bytes);
      if (!frame || to_hex(frame->pdu) != "0389600006") return inner_->received(bytes);
      modbus::Frame answer = *frame;
      answer.pdu = *from_hex("030c");
      const Bytes text = to_bytes(name_);
      answer.pdu.insert(answer.pdu.end(), text.begin(), text.end());
      answer.pdu.resize(14);
      return {modbus::wrap(modbus::Framing::rtu, answer)};
    }

    Bytes push() override { return {}; }

   private:
    std::unique_ptr<protocol::Responder> inner_;
    std::string name_;
  };

  const std::vector<std::pair<std::string, std::string_view>> names{{"", "abb-b23"},
                                                                    {"B23 112-100", "abb-b23"},
                                                                    {"b24 112-10", "abb-b23"},
                                                                    {"B21 112-100", "abb-b21"}};
  for (const auto& [name, profile] : names) {
    SCOPED_TRACE(name);
    Bench bench = bench_for(profile_of("abb-b23"), false);
    bench.meters.front() = std::make_unique<Badged>(std::move(bench.meters.front()), name);
    scan::Wishes wishes;
    wishes.protocols = {"modbus"};
    wishes.addresses = {own_address};
    scan::Scan scan(catalogue(), wishes);
    bench.run(scan);
    ASSERT_EQ(scan.findings().size(), 1U);
    const auto& matches = scan.findings().front().matches;
    ASSERT_FALSE(matches.empty());
    EXPECT_EQ(matches.front().profile, profile);
    const std::string_view other = profile == "abb-b23" ? "abb-b21" : "abb-b23";
    if (!name.empty()) {
      EXPECT_TRUE(std::ranges::find(matches, other, &scan::Match::profile) == matches.end());
    }
  }
}

// A server that does not look at unit numbers answers to all of them.
TEST(Scan, ADeviceThatAnswersToEveryNumberIsOneDevice) {
  class Anybody final : public protocol::Responder {
   public:
    explicit Anybody(std::unique_ptr<protocol::Responder> inner) : inner_(std::move(inner)) {}

    void show(const protocol::MeterFace& face) override { inner_->show(face); }

    std::vector<Bytes> received(ByteView bytes) override {
      constexpr std::size_t unit = 6;
      Bytes asked(bytes.begin(), bytes.end());
      if (asked.size() <= unit) return {};
      asked[unit] = std::byte{own_address};
      auto answers = inner_->received(asked);
      for (Bytes& answer : answers)
        answer[unit] = bytes[unit];
      return answers;
    }

    Bytes push() override { return {}; }

   private:
    std::unique_ptr<protocol::Responder> inner_;
  };

  Bench bench = bench_for(profile_of("eastron-sdm630"), true);
  bench.meters.front() = std::make_unique<Anybody>(std::move(bench.meters.front()));
  scan::Wishes wishes;
  wishes.network = true;
  scan::Scan scan(catalogue(), wishes);
  bench.run(scan);
  ASSERT_EQ(scan.findings().size(), 1U);
  EXPECT_NE(scan.findings().front().remark.find("every unit number"), std::string::npos);
}

}  // namespace
