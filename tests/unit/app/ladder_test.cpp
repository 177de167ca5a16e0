// SPDX-License-Identifier: MIT
// The recovery ladder as a poller climbs it: a meter of our own making, on a line of our own.
#include "app/ladder.hpp"

#include "app/poller.hpp"
#include "fakes/loop.hpp"
#include "fakes/manual_clock.hpp"
#include "puppets.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meterbridge::app {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

struct Ladder : testing::Test {
  ~Ladder() override { end(); }

  // Called by every test whose meters refer to its own variables: they are asked until then.
  void end() {
    for (auto& stop : stops)
      stop->emit(asio::cancellation_type::terminal);
    loop.until([this] { return running == 0; });
    says().clear();
  }

  void make_line(bool local = true) {
    auto transport = std::make_unique<QuietLine>(loop.executor(), local);
    line = transport.get();
    link = std::make_unique<Link>(loop.executor(), std::move(transport), 0ms);
    link->on_notice = [this](const std::string& sentence) { notices.push_back(sentence); };
  }

  Poller& add(const protocol::Protocol& protocol, std::int64_t address = 1) {
    profile.id = "puppet";
    profile.protocol = &protocol;
    config::MeterSettings settings;
    settings.id = "meter" + std::to_string(address);
    settings.interval = 1ms;
    settings.protocol.set("address", address);
    auto made = meter::Meter::make(settings, profile);
    EXPECT_TRUE(made);
    meters.push_back(std::make_unique<meter::Meter>(*std::move(made)));
    MeterPlan plan;
    plan.settings = settings;
    plans.push_back(plan);
    bridge = std::make_unique<Bridge>(
        config, plans, clock, known, [](const mqtt::Message&) {}, [](bool, const std::string&) {});
    pollers.clear();
    for (const auto& meter : meters)
      pollers.push_back(
          std::make_unique<Poller>(loop.executor(), *meter, *link, *bridge, clock, 20ms));
    return *pollers.back();
  }

  // As the service does it, without the cool-down.
  void start() {
    for (const auto& poller : pollers) {
      stops.push_back(std::make_unique<asio::cancellation_signal>());
      ++running;
      asio::co_spawn(loop.context(), keep(*poller),
                     asio::bind_cancellation_slot(stops.back()->slot(),
                                                  [this](std::exception_ptr) { --running; }));
    }
  }

  asio::awaitable<void> keep(Poller& poller) {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
      const auto end = co_await poller.run();
      if (end == Poller::End::cancelled) co_return;
      ++restarts;
    }
  }

  [[nodiscard]] std::map<std::string, std::uint64_t> recoveries(
      const std::string& meter = "meter1") {
    return bridge->state(meter)->health.recoveries;
  }

  fakes::Loop loop;
  fakes::ManualClock clock;
  config::Settings config;
  meter::Profile profile;
  Known known;
  QuietLine* line = nullptr;
  std::unique_ptr<Link> link;
  std::vector<std::unique_ptr<meter::Meter>> meters;
  std::vector<MeterPlan> plans;
  std::unique_ptr<Bridge> bridge;
  std::vector<std::unique_ptr<Poller>> pollers;
  std::vector<std::unique_ptr<asio::cancellation_signal>> stops;
  std::vector<std::string> notices;
  int running = 0;
  int restarts = 0;
};

const protocol::Protocol polled = polled_protocol();
const protocol::Protocol pushing = pushing_protocol();
const protocol::Protocol impatient = pushing_protocol<Impatient>();

TEST(Rungs, AreATableFromMildToHardWithADeadlineEach) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(rungs[i].rung), i);
    EXPECT_GT(rungs[i].deadline, 0ms);
    EXPECT_LE(rungs[i].deadline, 60s);
    names.insert(rungs[i].name);
  }
  EXPECT_EQ(names.size(), rungs.size());
  for (const bool pushes : {false, true}) {
    EXPECT_EQ(rung_at(1, pushes), Rung::resynchronise);
    EXPECT_EQ(rung_at(rungs_in_a_round, pushes), Rung::restart);
    EXPECT_EQ(rung_at(rungs_in_a_round + 1, pushes), Rung::resynchronise);
    std::vector<Rung> first_time;
    for (unsigned n = 1; n <= rungs_in_a_round; ++n) {
      const Rung rung = rung_at(n, pushes);
      if (std::find(first_time.begin(), first_time.end(), rung) == first_time.end())
        first_time.push_back(rung);
    }
    EXPECT_THAT(first_time, Contains(Rung::flush));
    EXPECT_LT(std::find(first_time.begin(), first_time.end(), Rung::reopen),
              std::find(first_time.begin(), first_time.end(), Rung::usb_reset));
  }
}

TEST_F(Ladder, IsClimbedRungByRungAndEachIsCounted) {
  make_line();
  says()[1] = [] { return Errc::checksum; };
  add(polled);
  start();
  loop.until([this] { return restarts == 1; });
  EXPECT_EQ(recoveries(), (std::map<std::string, std::uint64_t>{
                              {"resynchronise", 1}, {"flush", 2}, {"reopen", 2}}));
  EXPECT_EQ(line->discarded, 2);
  // The next round begins, and nothing ends for good.
  loop.until([this] { return restarts == 2; });
  EXPECT_EQ(recoveries()["resynchronise"], 2U);
}

TEST_F(Ladder, P14ResetsTheAdapterAfterReopeningDidNotHelpAndNotAgainSoon) {
  make_line();
  says()[1] = [] { return Errc::timeout; };
  int resets = 0;
  bool closed_before = false;
  std::uint64_t reopened_before = 0;
  link->allow_usb_reset([&]() -> asio::awaitable<Result<std::string>> {
    ++resets;
    closed_before = !line->is_open();
    reopened_before = recoveries()["reopen"];
    return [](asio::any_io_executor executor) -> asio::awaitable<Result<std::string>> {
      co_await asio::post(executor, asio::use_awaitable);
      co_return std::string("1-1.2 (0403:6001)");
    }(loop.executor());
  });
  add(polled);
  start();
  loop.until([this] { return restarts == 2; });
  end();
  EXPECT_EQ(resets, 1);
  EXPECT_TRUE(closed_before);
  EXPECT_EQ(reopened_before, 1U);
  EXPECT_EQ(recoveries()["usb_reset"], 1U);
  EXPECT_THAT(notices, ElementsAre(HasSubstr("its USB device was reset: 1-1.2 (0403:6001)")));
}

TEST_F(Ladder, P14WithoutRightOrDeviceItIsSaidOnceAndTheLineIsReopened) {
  make_line();
  says()[1] = [] { return Errc::no_frame; };
  link->allow_usb_reset([]() -> asio::awaitable<Result<std::string>> {
    co_return Error(Errc::no_device, "no right to write /dev/bus/usb/001/004");
  });
  add(polled);
  start();
  loop.until([this] { return restarts == 2; });
  EXPECT_EQ(recoveries()["usb_reset"], 0U);
  EXPECT_EQ(recoveries()["reopen"], 4U);
  EXPECT_THAT(notices, ElementsAre(HasSubstr("no right to write /dev/bus/usb/001/004")));
}

// Wrong keys, refused values, refused passwords, exceptions: what proves a valid frame.
TEST_F(Ladder, IsNotClimbedWhileValidFramesArriveWhateverTheyBring) {
  make_line();
  bool touched = false;
  link->allow_usb_reset([&]() -> asio::awaitable<Result<std::string>> {
    touched = true;
    co_return std::string("never");
  });
  const std::vector frames{Errc::key,         Errc::authentication, Errc::replay,
                           Errc::unsupported, Errc::exception,      Errc::refused};
  int polls = 0;
  says()[1] = [&] { return frames[static_cast<std::size_t>(polls++) % frames.size()]; };
  add(polled);
  start();
  loop.until([&] { return polls > 60; });
  end();
  EXPECT_TRUE(recoveries().empty());
  EXPECT_EQ(line->opened, 1);
  EXPECT_FALSE(touched);
  EXPECT_EQ(restarts, 0);
}

TEST_F(Ladder, IsLeftAtTheFirstValidFrame) {
  make_line();
  int polls = 0;
  says()[1] = [&]() -> std::optional<Errc> { return ++polls % 2 == 0 ? Errc::key : Errc::timeout; };
  add(polled);
  start();
  loop.until([&] { return polls > 40; });
  end();
  EXPECT_EQ(recoveries().size(), 1U);
  EXPECT_GE(recoveries()["resynchronise"], 20U);
}

TEST_F(Ladder, P06ADeadMeterDoesNotTouchTheLineOnWhichOthersAnswer) {
  make_line();
  int good = 0;
  says()[1] = [] { return Errc::timeout; };
  says()[2] = [&]() -> std::optional<Errc> {
    ++good;
    return std::nullopt;
  };
  add(polled, 1);
  add(polled, 2);
  start();
  loop.until([&] { return restarts >= 2 && good > 20; });
  end();
  EXPECT_EQ(recoveries("meter1")["reopen"], 0U);
  EXPECT_GE(recoveries("meter1")["flush"], 4U);
  EXPECT_EQ(line->opened, 1);
}

TEST_F(Ladder, ADeadLineIsReopenedOnceNotOnceForEachMeter) {
  make_line();
  for (const std::int64_t address : {1, 2, 3, 4}) {
    says()[address] = [] { return Errc::timeout; };
    add(polled, address);
  }
  start();
  loop.until([this] { return restarts == 4; });
  std::uint64_t reopened = 0;
  for (const std::string meter : {"meter1", "meter2", "meter3", "meter4"})
    reopened += recoveries(meter)["reopen"];
  EXPECT_LE(reopened, 4U);
  EXPECT_GE(reopened, 1U);
}

TEST_F(Ladder, P04SilenceOfAPushingMeterIsClimbedToo) {
  make_line();
  add(pushing);
  start();
  loop.until([this] { return restarts == 1; });
  EXPECT_EQ(recoveries(), (std::map<std::string, std::uint64_t>{
                              {"resynchronise", 1}, {"flush", 2}, {"reopen", 2}}));
}

TEST_F(Ladder, P02EverySilenceOfAPushingPeerMakesANewConnection) {
  make_line(false);
  add(pushing);
  start();
  loop.until([this] { return line->opened == 3; });
  EXPECT_EQ(recoveries()["reopen"], 2U);
}

TEST_F(Ladder, P02APolledPeerIsConnectedAnewAfterItsSilence) {
  make_line(false);
  says()[1] = [] { return Errc::timeout; };
  auto& poller = add(polled);
  poller.set_interval(30ms);  // silence limit 20 ms: the second failure is past it
  start();
  loop.until([this] { return line->opened == 2; });
  EXPECT_EQ(recoveries()["reopen"], 1U);
}

// P01: whatever goes wrong, there is a next attempt, and the task has promised when.
TEST_F(Ladder, P01NoFailureLeavesAStateWithoutANextAttempt) {
  const std::vector all{Errc::bug,       Errc::invalid,  Errc::no_device, Errc::io,
                        Errc::timeout,   Errc::no_frame, Errc::truncated, Errc::malformed,
                        Errc::checksum,  Errc::key,      Errc::mismatch,  Errc::watchdog,
                        Errc::not_found, Errc::access,   Errc::cancelled};
  make_line();
  std::size_t polls = 0;
  says()[1] = [&]() -> std::optional<Errc> {
    const auto code = all[polls++ % all.size()];
    return code == Errc::access ? Errc::exception : code;  // a refused password ends the asking
  };
  const Poller& poller = add(polled);
  start();
  loop.until(
      [&] {
        EXPECT_GE(poller.promised(), Steady::now() - 2s);
        return polls > all.size() * 2;
      },
      120s);
  end();
}

TEST_F(Ladder, PollNowOfAPausedMeterOutlastsTheRestOfItsLine) {
  make_line();
  int asked = 0;
  says()[1] = [&]() -> std::optional<Errc> {
    ++asked;
    return std::nullopt;
  };
  says()[2] = [] { return std::nullopt; };
  add(polled, 1);
  add(polled, 2);
  pollers[0]->set_paused(true);
  line->absent = true;
  start();
  loop.until([this] { return link->resting(Steady::now()); });  // after an attempt of the other one
  pollers[0]->poke();
  line->absent = false;
  loop.until([&] { return asked == 1; });
  end();
  EXPECT_EQ(asked, 1);
}

TEST_F(Ladder, PollNowOfAPausedMeterIsOneAttemptAndWhyItFailedIsTold) {
  make_line();
  int asked = 0;
  says()[1] = [&]() -> std::optional<Errc> {
    ++asked;
    return std::nullopt;
  };
  Poller& poller = add(polled, 1);
  poller.set_paused(true);
  line->absent = true;
  start();
  poller.poke();
  loop.until([this] { return bridge->state("meter1")->health.fault == Fault::no_device; });
  EXPECT_THAT(bridge->state("meter1")->health.error, HasSubstr("absent"));
  line->absent = false;
  // Whoever paused it may want the port: it is not taken when the device returns.
  loop.until([this] { return !link->resting(Steady::now()); });
  poller.set_interval(1ms);  // wakes it
  for (int turn = 0; turn < 100; ++turn)
    loop.poll();
  EXPECT_EQ(line->attempts, 1);
  poller.poke();
  loop.until([&] { return asked == 1; });
  end();
}

TEST_F(Ladder, PollNowWhileTheMeterIsAskedAsksItAgainAtOnce) {
  make_line();
  int asked = 0;
  Poller& poller = add(polled, 1);
  says()[1] = [&]() -> std::optional<Errc> {
    if (++asked == 1) poller.poke();
    return std::nullopt;
  };
  poller.set_interval(1h);
  start();
  loop.until([&] { return asked == 2; });
  end();
}

TEST_F(Ladder, TheLastPausedMeterOfALineLeavesItsPort) {
  make_line();
  for (const std::int64_t address : {1, 2}) {
    says()[address] = [] { return std::nullopt; };
    add(polled, address);
  }
  start();
  loop.until([this] { return line->is_open(); });
  pollers[0]->set_paused(true);
  for (int turn = 0; turn < 100; ++turn)
    loop.poll();
  EXPECT_TRUE(line->is_open());
  pollers[1]->set_paused(true);
  loop.until([this] { return !line->is_open(); });
  pollers[0]->set_paused(false);
  loop.until([this] { return line->is_open(); });
  end();
}

TEST_F(Ladder, SilenceWithinThePeriodOfAPushingMeterIsNoFault) {
  make_line();
  int silences = 0;
  says()[0] = [&]() -> std::optional<Errc> {
    ++silences;
    return std::nullopt;
  };
  Poller& poller = add(impatient);
  poller.set_interval(1h);
  start();
  loop.until([&] { return silences > 3; });
  EXPECT_EQ(bridge->state("meter1")->health.failures, 0U);
  EXPECT_EQ(bridge->state("meter1")->health.fault, Fault::starting);
  poller.set_interval(1ms);
  loop.until([this] { return bridge->state("meter1")->health.fault == Fault::no_bytes; });
  end();
}

TEST_F(Ladder, P06APausedMeterThatIsAskedByHandTakesNoShareOfTheLine) {
  make_line();
  int asked = 0;
  int good = 0;
  add(polled, 1);
  Poller& poller = add(polled, 2);
  says()[1] = [&]() -> std::optional<Errc> {
    ++good;
    return std::nullopt;
  };
  says()[2] = [&]() -> std::optional<Errc> {
    ++asked;
    return Errc::timeout;
  };
  pollers[0]->set_interval(1ms);
  poller.set_paused(true);
  start();
  for (int i = 1; i <= 5; ++i) {
    const int before = good;
    loop.until([&] { return good > before; });
    poller.poke();
    loop.until([&] { return asked == i; });
  }
  EXPECT_FALSE(link->share().suspects("meter2"));
  end();
}

}  // namespace
}  // namespace meterbridge::app
