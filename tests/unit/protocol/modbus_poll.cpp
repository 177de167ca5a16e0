// SPDX-License-Identifier: MIT
// Polls of a simulated meter: blocks, refusals, silence, and whatever else a line brings.
#include "modbus_bench.hpp"
#include "protocol/left_out.hpp"

#include <algorithm>
#include <random>

namespace meterbridge::protocol::modbus {
namespace {

using namespace test;
using protocol::test::hex;
using protocol::test::reading;

using Asked = std::vector<std::string>;

const Rows house = {"voltage_l1 address=0 type=f32",         "voltage_l2 address=2 type=f32",
                    "voltage_l3 address=4 type=f32",         "power address=6 type=f32",
                    "energy_import address=8 type=f32",      "energy_export address=10 type=f32",
                    "current_l1 address=12 scale=0.01",      "tariff address=13",
                    "serial address=30 type=string length=5"};

Bench bench_of(Rows rows, Set set = {}, Set driver = {}) {
  return {settings_with(rows, set), settings_with(rows, driver.size() == 0 ? set : driver)};
}

TEST(ModbusPoll, ReadsEveryValueInFewRequests) {
  Bench bench = bench_of(house);
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(bench.asked(), (Asked{"3:0+14", "3:30+5"}));
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.1");
  EXPECT_EQ(reading(*telegram, "energy_import"), "10000.064");
  EXPECT_EQ(reading(*telegram, "current_l1"), "5.36");
  EXPECT_EQ(telegram->meter.serial, "SIM100001");
  // What never changes is asked once, and still said.
  const auto second = bench.poll();
  ASSERT_TRUE(second);
  EXPECT_EQ(bench.asked(), (Asked{"3:0+14"}));
  EXPECT_EQ(second->meter.serial, "SIM100001");
}

TEST(ModbusPoll, AReadingOfBothFramingsIsTheSame) {
  Bench rtu = bench_of(house, {{"framing", "rtu"}});
  Bench tcp = bench_of(house, {{"framing", "tcp"}, {"address", "255"}});
  const auto a = rtu.poll();
  const auto b = tcp.poll();
  ASSERT_TRUE(a && b);
  EXPECT_EQ(reading(*a, "power"), reading(*b, "power"));
  EXPECT_EQ(a->items.size(), b->items.size());
}

// The meter does not have register 4 and 5 (voltage_l3).
TEST(ModbusPoll, P10TheGuiltyRegisterIsIsolatedOnceAndRemembered) {
  Bench bench = bench_of(house);
  bench.twist = [&](const std::string& asked,
                    const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    const auto colon = asked.find(':');
    const auto plus = asked.find('+');
    const int first = std::stoi(asked.substr(colon + 1));
    const int last = first + std::stoi(asked.substr(plus + 1)) - 1;
    if (first <= 5 && last >= 4) return bench.refusal(request, 2);
    return std::nullopt;
  };
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "voltage_l3"), "");
  EXPECT_EQ(reading(*telegram, "voltage_l2"), "229.8");
  EXPECT_EQ(reading(*telegram, "tariff"), "1");
  EXPECT_LE(bench.asked().size(), 9U);
  EXPECT_EQ(
      bench.driver().remark(),
      "registers 3:0x0004 to 0x0005: illegal data address (exception 2); from now on it is left "
      "out");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(bench.poll());
    EXPECT_EQ(bench.asked(), (Asked{"3:0+4", "3:6+8"})) << i;
    EXPECT_EQ(bench.driver().remark(), "");
    const auto* leaves = dynamic_cast<const LeavesOut*>(&bench.driver());
    ASSERT_NE(leaves, nullptr);
    EXPECT_EQ(
        leaves->left_out(),
        (std::vector<std::string>{"voltage_l3 (3:0x0004 to 0x0005): refused, or never answered"}));
  }
}

TEST(ModbusPoll, P10WhereABlockHadToBeCutIsRemembered) {
  Bench bench = bench_of(house, {}, {{"max_gap", "20"}});
  bench.twist = [&](const std::string& asked,
                    const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (asked == "3:0+35") return bench.refusal(request, 2);  // 14 to 29 do not exist
    return std::nullopt;
  };
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked(), (Asked{"3:0+35", "3:0+14", "3:30+5"}));
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked(), (Asked{"3:0+14"}));
}

TEST(ModbusPoll, ABusyMeterIsAskedAgainAndRememberedAsAble) {
  Bench bench = bench_of({"voltage address=0"});
  int busy = 2;
  bench.twist = [&](const std::string&,
                    const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (busy-- > 0) return bench.refusal(request, 6);
    return std::nullopt;
  };
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked().size(), 3U);
  busy = 100;
  const auto refused = bench.poll();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::exception);
  EXPECT_NE(refused.error().detail().find("device busy (exception 6)"), std::string::npos);
  busy = 0;
  EXPECT_TRUE(bench.poll());
}

TEST(ModbusPoll, AGatewaysOwnRefusalsAreToldAndNotRememberedOfTheMeter) {
  Bench bench = bench_of(house, {{"framing", "tcp"}});
  std::uint8_t code = 0x0A;
  bench.twist = [&](const std::string&,
                    const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (code != 0) return bench.refusal(request, code);
    return std::nullopt;
  };
  const auto unknown = bench.poll();
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), Errc::exception);
  EXPECT_NE(unknown.error().detail().find("no path"), std::string::npos);
  EXPECT_EQ(bench.asked().size(), 1U);
  code = 0x0B;
  const auto silent = bench.poll();
  ASSERT_FALSE(silent);
  EXPECT_NE(silent.error().detail().find("does not answer the gateway"), std::string::npos);
  EXPECT_EQ(bench.asked().size(), 3U);
  code = 0;
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked(), (Asked{"3:30+5", "3:0+14"}));
}

TEST(ModbusPoll, AMeterThatRefusesEverythingIsAnErrorInWordsEveryTime) {
  Bench bench = bench_of(house);
  bench.twist = [&](const std::string&, const Frame& request) {
    return std::optional(bench.refusal(request, 1));
  };
  for (int i = 0; i < 3; ++i) {
    const auto telegram = bench.poll();
    ASSERT_FALSE(telegram);
    EXPECT_EQ(telegram.error().code(), Errc::exception);
    EXPECT_NE(telegram.error().detail().find("illegal function (exception 1)"), std::string::npos);
    EXPECT_LE(bench.asked().size(), 2U);
  }
}

// Some meters keep silent instead of refusing.
TEST(ModbusPoll, P10ARegisterThatIsNeverAnsweredCostsTheOthersNothingInTheEnd) {
  Bench bench = bench_of(house);
  bench.twist = [&](const std::string& asked,
                    const Frame&) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (asked.starts_with("3:30")) return std::vector<VirtualLine::Arrival>();
    return std::nullopt;
  };
  const auto first = bench.poll();
  ASSERT_TRUE(first);
  EXPECT_NE(bench.driver().remark().find("registers 3:0x001E to 0x0022: no answer"),
            std::string::npos)
      << bench.driver().remark();
  ASSERT_TRUE(bench.poll());
  bench.asked();
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked(), (Asked{"3:0+14"}));
  EXPECT_EQ(bench.driver().remark(), "");
}

TEST(ModbusPoll, P10ARegisterThatIsNeverAnsweredDoesNotHideTheOthersWhenItIsAskedFirst) {
  Bench bench = bench_of({"serial address=0 type=string length=5", "voltage address=40",
                          "current address=80", "power address=120"});
  bool plugged = true;
  bench.twist = [&](const std::string& asked,
                    const Frame&) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (!plugged || asked.starts_with("3:0+") || asked.starts_with("3:40"))
      return std::vector<VirtualLine::Arrival>();
    return std::nullopt;
  };
  EXPECT_FALSE(bench.poll());
  EXPECT_FALSE(bench.poll());
  EXPECT_TRUE(bench.poll());
  // However long the meter was away, and wherever the search stood when it came back.
  for (int away = 1; away < 12; ++away) {
    plugged = false;
    for (int i = 0; i < away; ++i)
      EXPECT_FALSE(bench.poll());
    plugged = true;
    int failed = 0;
    while (failed < 6 && !bench.poll())
      ++failed;
    EXPECT_LE(failed, 4) << away;
  }
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(bench.poll());
  bench.asked();
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram);
  EXPECT_EQ(reading(*telegram, "power"), "746");
  EXPECT_EQ(bench.asked(), (Asked{"3:80+1", "3:120+1"}));
}

TEST(ModbusPoll, P06ASilentMeterEndsThePollWithItsFirstQuestion) {
  Bench bench = bench_of(house, {{"framing", "tcp"}});
  bench.twist = [](const std::string&, const Frame&) {
    return std::optional(std::vector<VirtualLine::Arrival>());
  };
  const auto silent = bench.poll();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code(), Errc::timeout);
  EXPECT_NE(silent.error().detail().find("framing: rtu"), std::string::npos);
  EXPECT_EQ(bench.asked().size(), 3U);
  EXPECT_FALSE(bench.knock());
  EXPECT_EQ(bench.asked().size(), 1U);
}

TEST(ModbusPoll, AsksTheIdentificationOnce) {
  Bench bench = bench_of({"voltage address=0"}, {{"identify", "true"}});
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram);
  EXPECT_EQ(telegram->meter.manufacturer, "meterbridge");
  EXPECT_EQ(telegram->meter.model, "simulated");
  EXPECT_EQ(bench.asked(), (Asked{"3:0+1", "identity"}));
  const auto second = bench.poll();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->meter.manufacturer, "meterbridge");
  EXPECT_EQ(bench.asked(), (Asked{"3:0+1"}));
}

TEST(ModbusPoll, FindsSunSpecModelsAndReadsThem) {
  Bench bench = bench_of({"voltage_l1 address=10 model=103 scale_register=13",
                          "power address=14 model=103 type=s16 scale_register=15",
                          "serial address=50 model=1 type=string length=16",
                          "frequency address=16 model=111"});
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(reading(*telegram, "voltage_l1"), "230.1");
  EXPECT_EQ(reading(*telegram, "power"), "746");
  EXPECT_EQ(telegram->meter.serial, "SIM100001");
  EXPECT_EQ(reading(*telegram, "frequency"), "");
  EXPECT_EQ(bench.asked().size(), 5U);  // the mark, two models, the end, and one block of both
  ASSERT_TRUE(bench.poll());
  EXPECT_EQ(bench.asked().size(), 1U);
}

TEST(ModbusPoll, NothingOfThatKindIsToldInWords) {
  Bench bench = bench_of({"voltage_l1 address=10 model=103"});
  bench.twist = [&](const std::string&, const Frame& request) {
    return std::optional(bench.refusal(request, 2));
  };
  const auto telegram = bench.poll();
  ASSERT_FALSE(telegram);
  EXPECT_EQ(telegram.error().code(), Errc::unsupported);
  EXPECT_NE(telegram.error().detail().find("SunS"), std::string::npos);
}

TEST(ModbusPoll, TotalsThatAreNotSentAreTheExactSumOfTheTariffs) {
  Bench bench = bench_of({"energy_import_t1 address=0 type=u32 unit=Wh",
                          "energy_import_t2 address=2 type=u32 unit=Wh",
                          "energy_export_t1 address=10 type=u32 unit=Wh"});
  const auto telegram = bench.poll();
  ASSERT_TRUE(telegram);
  EXPECT_EQ(reading(*telegram, "energy_import_t1"), "1000.010");
  EXPECT_EQ(reading(*telegram, "energy_import"), "3000.030");
  // Half a sum would be a fall of the counter.
  bench.twist = [&](const std::string& asked,
                    const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (!asked.ends_with("+2")) return bench.refusal(request, 2);
    if (asked == "3:2+2") return bench.refusal(request, 4);
    return std::nullopt;
  };
  const auto half = bench.poll();
  ASSERT_TRUE(half);
  EXPECT_EQ(reading(*half, "energy_import_t1"), "1000.010");
  EXPECT_EQ(reading(*half, "energy_import"), "");
}

TEST(ModbusPoll, MetersOfAKindShareWhatIsTheSameAndNothingElse) {
  Bench elder = bench_of(house);
  Bench same = bench_of(house, {{"address", "7"}});
  ASSERT_TRUE(elder.poll());
  same.driver().share(elder.driver());
  ASSERT_TRUE(elder.poll());
  elder.asked();
  // What the elder learnt is its own: the other one does not know its serial number yet.
  const auto telegram = same.poll();
  ASSERT_TRUE(telegram) << telegram.error().detail();
  EXPECT_EQ(same.asked(), (Asked{"3:0+14", "3:30+5"}));
  EXPECT_EQ(reading(*telegram, "energy_import"), "10000.064");
  ASSERT_TRUE(same.poll());
  ASSERT_TRUE(elder.poll());
  EXPECT_EQ(same.asked(), (Asked{"3:0+14"}));
  EXPECT_EQ(elder.asked(), (Asked{"3:0+14"}));
  // The same numbers with other digits are another table, and so is one that is read otherwise.
  Bench tenth = bench_of({"voltage_l1 address=0 scale=0.1"});
  Bench fine = bench_of({"voltage_l1 address=0 scale=0.10"}, {{"max_registers", "7"}});
  const auto before = fine.poll();
  fine.driver().share(tenth.driver());
  const auto after = fine.poll();
  ASSERT_TRUE(before && after);
  EXPECT_EQ(reading(*after, "voltage_l1"), reading(*before, "voltage_l1"));
  Bench digits = bench_of({"voltage_l1 address=0 scale=0.10"});
  digits.driver().share(tenth.driver());
  EXPECT_EQ(reading(*digits.poll(), "voltage_l1"), reading(*before, "voltage_l1"));
}

// Two addresses of one bus, and the one that refuses a register.
TEST(ModbusPoll, P10WhatOneMeterRefusesIsAskedOfTheOthersOfItsKind) {
  Bench elder = bench_of(house);
  Bench other = bench_of(house);
  other.driver().share(elder.driver());
  elder.twist = [&](const std::string& asked,
                    const Frame& request) -> std::optional<std::vector<VirtualLine::Arrival>> {
    if (asked.starts_with("3:30")) return elder.refusal(request, 2);
    return std::nullopt;
  };
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(elder.poll());
  const auto telegram = other.poll();
  ASSERT_TRUE(telegram);
  EXPECT_EQ(telegram->meter.serial, "SIM100001");
}

TEST(ModbusPoll, NeedsRegistersAndAnAddressThatExists) {
  EXPECT_FALSE(modbus_protocol.driver(settings_of(modbus_protocol)));
  EXPECT_FALSE(modbus_protocol.driver(
      settings_with({"voltage address=0"}, {{"framing", "rtu"}, {"address", "0"}})));
  EXPECT_TRUE(modbus_protocol.driver(
      settings_with({"voltage address=0"}, {{"framing", "tcp"}, {"address", "0"}})));
}

const Rows counters = {"counter_1 address=0 type=u32",  "counter_2 address=20 type=u32",
                       "counter_3 address=40 type=u32", "counter_4 address=60 type=u32",
                       "counter_5 address=80 type=u16", "counter_6 address=100 type=u32"};

// Registers that tell their own address: any answer to another question shows.
class Confusion {
 public:
  Confusion(Framing framing, unsigned seed)
      : dice_(seed),
        bench_(bench_of(counters, {{"framing", framing == Framing::tcp ? "tcp" : "rtu"}})) {
    bench_.twist = [this](const std::string&, const Frame& request) { return answer(request); };
  }

  void poll() {
    if (auto telegram = bench_.poll()) {
      ++delivered;
      for (int i = 1; i <= 6; ++i)
        check(reading(*telegram, "counter_" + std::to_string(i)), i);
    }
    exchanges += bench_.line().sent().size();
    bench_.line().forget_sent();
    bench_.line().wait(Milliseconds(dice_() % 2000));
  }

  std::size_t exchanges = 0;
  std::size_t delivered = 0;
  std::size_t disturbed = 0;
  std::size_t wrong = 0;

 private:
  // High word: the register; low word: nothing that could be mixed up with another one's.
  static std::uint32_t counter(int address) {
    return static_cast<std::uint32_t>(address) << 16U | 7U;
  }

  void check(const std::string& value, int number) {
    const int address = 20 * (number - 1);
    const std::string due = number == 5 ? "80" : std::to_string(counter(address));
    if (!value.empty() && value != due) ++wrong;
  }

  Bytes reply_to(const Frame& request, std::uint8_t unit) {
    const auto asked = parse_request(request.pdu);
    const auto& read = std::get<ReadRequest>(*asked);
    std::vector<std::uint16_t> words;
    if (read.count == 1) {
      words = {read.address};
    } else {
      words = {read.address, 7};
    }
    Frame reply = request;
    reply.unit = unit;
    reply.pdu = encode_words(read, words);
    return wrap(bench_.framing, reply);
  }

  std::optional<std::vector<VirtualLine::Arrival>> answer(const Frame& request) {
    std::vector<VirtualLine::Arrival> arrivals;
    const Bytes right = reply_to(request, request.unit);
    const auto fate = dice_() % 12;
    if (fate >= 4) arrivals.push_back({50ms, right});
    if (fate < 8) ++disturbed;
    const Milliseconds later(50 + dice_() % 1400);
    switch (fate) {
      case 0:  // lost
        break;
      case 1:  // late, sometimes after the time ran out
        arrivals.push_back({Milliseconds(dice_() % 2000), right});
        break;
      case 2: {  // damaged; only RTU carries a sum
        Bytes flipped = right;
        if (bench_.framing == Framing::rtu)
          flipped[dice_() % flipped.size()] ^= static_cast<std::byte>(1U << (dice_() % 8U));
        arrivals.push_back({50ms, flipped});
        break;
      }
      case 3:  // cut short; a TCP stream loses nothing from its middle
        if (bench_.framing == Framing::tcp) break;
        arrivals.push_back(
            {50ms, Bytes(right.begin(), right.end() - 1 - static_cast<int>(dice_() % 5))});
        break;
      case 4:  // twice at once
        arrivals.push_back({51ms, right});
        break;
      case 5:  // somebody else answers, too
        arrivals.push_back({40ms, reply_to(request, static_cast<std::uint8_t>(request.unit + 1))});
        break;
      case 6:  // echo
        arrivals.push_back({1ms, wrap(bench_.framing, request)});
        break;
      case 7:  // once more, later: only Modbus TCP can tell that from an answer to the next one
        if (bench_.framing == Framing::tcp) arrivals.push_back({later, right});
        break;
      default:
        break;
    }
    return arrivals;
  }

  std::mt19937 dice_;
  Bench bench_;
};

TEST(ModbusPoll, P09AHundredThousandDisturbedAnswersGiveNoWrongValue) {
  std::size_t disturbed = 0;
  std::size_t delivered = 0;
  for (unsigned seed = 1; disturbed < 100000; ++seed) {
    Confusion line(seed % 2 == 0 ? Framing::rtu : Framing::tcp, seed);
    for (int i = 0; i < 300; ++i)
      line.poll();
    EXPECT_EQ(line.wrong, 0U) << "seed " << seed;
    EXPECT_GT(line.delivered, 100U) << "seed " << seed;
    disturbed += line.disturbed;
    delivered += line.delivered;
  }
  EXPECT_GE(disturbed, 100000U);
  EXPECT_GT(delivered, 1000U);
}

}  // namespace
}  // namespace meterbridge::protocol::modbus
