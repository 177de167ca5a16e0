// SPDX-License-Identifier: MIT
#include "simulator/simulation.hpp"

#include "core/reading_key.hpp"
#include "protocol/registry.hpp"

#include <algorithm>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace meterbridge::simulator {
namespace {

using protocol::Telegram;

const meter::ProfileLibrary& library() {
  static const auto loaded = meter::ProfileLibrary::embedded();
  return *loaded;
}

TEST(TcpLink, UnderstandsAddressesAsPeopleWriteThem) {
  const auto check = [](std::string_view text, const std::string& host, int port) {
    const auto link = tcp_link(text);
    ASSERT_TRUE(link) << text;
    EXPECT_EQ(link->host, host) << text;
    EXPECT_EQ(link->port, port) << text;
    EXPECT_TRUE(link->pty.empty());
  };
  check("127.0.0.1:8899", "127.0.0.1", 8899);
  check("localhost:0", "localhost", 0);
  check("[::1]:502", "::1", 502);
  check(":8899", "127.0.0.1", 8899);
  check("8899", "127.0.0.1", 8899);
  for (std::string_view wrong :
       {"", "localhost", "localhost:", "localhost:x", "localhost:70000", "a:-1", "a:1 "}) {
    EXPECT_FALSE(tcp_link(wrong)) << wrong;
  }
}

TEST(MeterPlan, RefusesSettingsThatTheProtocolDoesNotHave) {
  const meter::Profile* p1 = library().find("p1");
  ASSERT_NE(p1, nullptr);
  const auto words = [&](const std::string& setting) {
    const auto plan = plan_meter(*p1, std::vector{setting});
    return plan ? std::string() : plan.error().detail();
  };
  EXPECT_EQ(words("country=hu"), "");
  EXPECT_NE(words("contry=hu").find("country"), std::string::npos);
  EXPECT_NE(words("country").find("KEY=VALUE"), std::string::npos);
  EXPECT_EQ(words("key=notahexkey").find("notahexkey"), std::string::npos);
  EXPECT_NE(words("key=notahexkey"), "");
}

config::Settings two_links() {
  config::Settings settings;
  config::LinkSettings bus;
  bus.name = "bus";
  bus.serial = "/tmp/bus";
  config::LinkSettings gateway;
  gateway.name = "gateway";
  gateway.kind = config::LinkKind::tcp;
  gateway.host = "127.0.0.1";
  gateway.port = 8899;
  config::LinkSettings file;
  file.name = "file";
  file.kind = config::LinkKind::replay;
  settings.links = {bus, gateway, file};
  for (const auto& [id, profile, link] :
       {std::array{"a", "energomera-ce307", "bus"}, std::array{"b", "energomera-ce307", "bus"},
        std::array{"c", "p1", "gateway"}, std::array{"d", "p1", "file"}}) {
    config::MeterSettings meter;
    meter.id = id;
    meter.profile = profile;
    meter.link = link;
    settings.meters.push_back(meter);
  }
  return settings;
}

TEST(ConfigurationPlan, PutsMetersOfOneLinkTogetherAndLeavesFilesOut) {
  const auto plans = plan_all(two_links(), library());
  ASSERT_TRUE(plans) << plans.error().detail();
  ASSERT_EQ(plans->size(), 2U);
  EXPECT_EQ((*plans)[0].pty, "/tmp/bus");
  ASSERT_EQ((*plans)[0].meters.size(), 2U);
  EXPECT_EQ((*plans)[0].meters[1].id, "b");
  EXPECT_EQ((*plans)[0].line, library().find("energomera-ce307")->line);
  EXPECT_EQ((*plans)[1].port, 8899);
}

TEST(ConfigurationPlan, SaysThatARealAdapterCannotBePlayed) {
  config::Settings settings = two_links();
  settings.links[0].serial = "usb:0403:6001";
  const auto plans = plan_all(settings, library());
  ASSERT_FALSE(plans);
  EXPECT_NE(plans.error().detail().find("usb:0403:6001"), std::string::npos);
}

TEST(TopicPort, PublishesWhereTheFilterHears) {
  EXPECT_EQ(topic_of("workshop/meter", "m", ""), "workshop/meter");
  EXPECT_EQ(topic_of("tele/+/SENSOR", "m", ""), "tele/m/SENSOR");
  EXPECT_EQ(topic_of("tele/+/+", "m", "0/power"), "tele/0/power");
  EXPECT_EQ(topic_of("shellies/em1/#", "m", "emeter/0/power"), "shellies/em1/emeter/0/power");
  EXPECT_EQ(topic_of("shellies/+/#", "m", ""), "shellies/m/m");
  EXPECT_EQ(topic_of("#", "m", "a/b"), "a/b");
  EXPECT_EQ(topic_of("/+/x", "m", ""), "/m/x");
}

TEST(ConfigurationPlan, MetersOverMqttArePlayedOnTheirTopics) {
  config::Settings settings;
  config::LinkSettings& link = settings.links.emplace_back();
  link.name = "roof";
  link.kind = config::LinkKind::mqtt;
  link.topic = "tele/+/SENSOR";
  config::MeterSettings& meter = settings.meters.emplace_back();
  meter.id = "roof";
  meter.profile = "p1";
  meter.link = "roof";
  const auto plans = plan_all(settings, library());
  ASSERT_TRUE(plans) << plans.error().detail();
  ASSERT_EQ(plans->size(), 1U);
  EXPECT_EQ(plans->front().topic, "tele/+/SENSOR");
}

TEST(Simulation, OpensAllLinksOrNone) {
  boost::asio::io_context context(1);
  std::vector<LinkPlan> links(2);
  links[0].host = "127.0.0.1";
  links[1].pty = "/nowhere/at/all";
  for (LinkPlan& link : links) {
    auto meter = plan_meter(*library().find("p1"), {});
    ASSERT_TRUE(meter);
    link.meters.push_back(std::move(*meter));
  }
  auto simulation = Simulation::make(context.get_executor(), links, Options());
  ASSERT_TRUE(simulation) << simulation.error().detail();
  const auto opened = (*simulation)->open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail().find("/nowhere/at/all"), std::string::npos);
  // Nothing is left that would keep the loop busy.
  context.run_for(std::chrono::seconds(10));
  EXPECT_TRUE(context.stopped());
}

// The meter's and our side of a protocol, face to face without a line between them.
Result<Telegram> play(protocol::Dialogue& dialogue, Player& player, Seconds now) {
  Bytes on_the_line;
  for (int step = 0; step < 1000; ++step) {
    auto next = dialogue.next();
    if (!next) return next.error();
    if (auto* finished = std::get_if<protocol::step::Finished>(&*next))
      return std::move(finished->telegram);
    if (auto* send = std::get_if<protocol::step::Send>(&*next)) {
      for (const Emission& answer : player.received(send->bytes, now)) {
        on_the_line.insert(on_the_line.end(), answer.bytes.begin(), answer.bytes.end());
      }
    } else if (std::holds_alternative<protocol::step::Listen>(*next)) {
      if (on_the_line.empty()) {
        if (auto telegram = player.push(now)) on_the_line = std::move(telegram->bytes);
      }
      if (on_the_line.empty()) {
        dialogue.silence();
      } else {
        dialogue.received(std::exchange(on_the_line, {}));
      }
    }
  }
  return Error(Errc::bug, "the dialogue does not come to its end");
}

// At 9600 Bd each request costs 60 ms beside its registers.
TEST(Simulation, AnSdm630IsReadWithFiveRequests) {
  constexpr Seconds now{std::chrono::seconds(1'795'172'400)};
  const meter::Profile* profile = library().find("eastron-sdm630");
  ASSERT_NE(profile, nullptr);
  const auto plan = plan_meter(*profile, {});
  ASSERT_TRUE(plan) << plan.error().detail();
  auto responder = profile->protocol->responder(plan->settings);
  const auto driver = profile->protocol->driver(plan->settings);
  ASSERT_TRUE(responder && driver);
  Player player("house", std::move(*responder), LoadModel(5), 5, FaultRates{}, std::nullopt);
  // The first one also asks for what never changes.
  for (int cycle = 0; cycle < 3; ++cycle) {
    const std::uint64_t before = player.sent();
    const auto dialogue = (*driver)->begin();
    const auto telegram = play(*dialogue, player, now + std::chrono::seconds(cycle));
    ASSERT_TRUE(telegram) << telegram.error().detail();
    EXPECT_GE(telegram->readings.front().readings.size(), 60U);
    EXPECT_LE(player.sent() - before, cycle == 0 ? 6U : 5U);
  }
}

// The last digit of a meter's energy in kWh: of its coarsest register, else a hundredth.
double last_digit(const meter::Profile& profile) {
  double coarsest = 0.01;
  for (const SettingValues& row : profile.rows.rows("registers")) {
    if (!row.text("key").starts_with("energy_import") || row.text("type").starts_with("f"))
      continue;
    const auto scale = row.decimal("scale");
    coarsest = std::max(coarsest, scale ? scale->approximate() : 1.0);
  }
  return coarsest;
}

// Every shipped meter can be simulated, and what its house has used is what we read.
TEST(Simulation, OfEveryProfileIsReadBackByItsOwnDriver) {
  constexpr Seconds now{std::chrono::seconds(1'795'172'400)};
  std::vector<std::string> templates;  // the user names their registers
  std::size_t with_energy = 0;
  for (const meter::Profile& profile : library().all()) {
    SCOPED_TRACE(profile.id);
    // Its values are known by their topics, which this test has none of: see test_mqtt_senders.py.
    if (profile.id == "vzlogger") continue;
    std::vector<std::string> settings;
    for (const SettingSpec& spec : profile.protocol->settings) {
      if (spec.name == "address")
        settings.push_back("address=" +
                           std::to_string(std::min<std::int64_t>(13462, spec.maximum / 2)));
    }
    // Nobody's meters are taken before the user names them.
    if (profile.id == "rtl-433") settings.emplace_back("ids=all");
    const auto plan = plan_meter(profile, settings);
    ASSERT_TRUE(plan) << plan.error().detail();
    auto responder = profile.protocol->responder(plan->settings);
    auto driver = profile.protocol->driver(plan->settings);
    if (!driver && driver.error().code() == Errc::invalid) {
      templates.push_back(profile.id);
      continue;
    }
    ASSERT_TRUE(driver) << driver.error().detail();
    ASSERT_TRUE(responder) << responder.error().detail();
    Player player("house", std::move(*responder), LoadModel(5), 5, FaultRates{}, std::nullopt);
    const auto dialogue = (*driver)->begin();
    const auto telegram = play(*dialogue, player, now);
    ASSERT_TRUE(telegram) << telegram.error().detail();
    ASSERT_FALSE(telegram->readings.empty());
    const Reading* energy =
        telegram->readings[0].find(make_key(Quantity::energy, Direction::import));
    if (energy == nullptr) continue;  // an inverter, a list of voltages, a plain value
    ++with_energy;
    const Totals totals = LoadModel(5).totals(now);
    std::int64_t watt_seconds = 0;
    for (std::int64_t tariff : totals.import_ws)
      watt_seconds += tariff;
    const auto* value = std::get_if<Decimal>(&energy->value);
    ASSERT_NE(value, nullptr);
    // A register cuts what is below its last digit, each of four tariffs its own; a telegram rounds
    // to the watt hour.
    const double kwh = static_cast<double>(watt_seconds) / 3.6e6;
    EXPECT_LE(value->approximate(), kwh + 0.0011);
    EXPECT_GE(value->approximate(), kwh - 4 * last_digit(profile));
  }
  EXPECT_EQ(templates, (std::vector<std::string>{"mercury-234-gateway", "modbus", "owen-plc210"}));
  EXPECT_GT(with_energy, library().all().size() * 2 / 3);
}

}  // namespace
}  // namespace meterbridge::simulator
