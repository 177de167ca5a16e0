// SPDX-License-Identifier: MIT
#include "simulator/faults.hpp"

#include "fake_responder.hpp"
#include "simulator/player.hpp"

#include <algorithm>
#include <bit>

#include <gtest/gtest.h>

namespace meterbridge::simulator {
namespace {

constexpr int rounds = 4000;
constexpr double rate = 0.2;
constexpr Seconds noon{std::chrono::seconds(1'795'172'400)};

FaultRates only(std::string_view fault) {
  FaultRates rates;
  EXPECT_TRUE(add_fault(rates, fault)) << fault;
  return rates;
}

Bytes numbered(int i) {
  return to_bytes("telegram " + std::to_string(10'000 + i) + " of a meter\r\n");
}

// Shares of `rounds` transmissions for which the predicate on (sent, emission) holds.
template <class Predicate>
double share(std::string_view fault, Predicate predicate) {
  Faults faults(only(fault), 42);
  int hits = 0;
  for (int i = 0; i < rounds; ++i) {
    const Bytes clean = numbered(i);
    hits += predicate(clean, faults.distort(clean)) ? 1 : 0;
  }
  return static_cast<double>(hits) / rounds;
}

TEST(FaultRates, AreReadFromTheCommandLine) {
  FaultRates rates;
  ASSERT_TRUE(add_fault(rates, "flip=0.25"));
  ASSERT_TRUE(add_fault(rates, "wrong-key"));
  ASSERT_TRUE(add_fault(rates, "echo=1"));
  EXPECT_EQ(rates.of(FaultKind::flip), 0.25);
  EXPECT_EQ(rates.of(FaultKind::wrong_key), default_fault_rate);
  EXPECT_EQ(rates.of(FaultKind::echo), 1.0);
  EXPECT_EQ(rates.of(FaultKind::cut), 0.0);
  for (std::string_view wrong : {"flip=", "flip=x", "flip=1.5", "flip=-0.1", "=1", "", "flop"}) {
    EXPECT_FALSE(add_fault(rates, wrong)) << wrong;
  }
  const auto refused = add_fault(rates, "siIence");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail().find("silence"), std::string::npos);
}

TEST(FaultRates, KnowEveryKindOfTheContract) {
  for (std::string_view kind : {"noise", "flip", "cut", "silence", "late", "echo", "foreign",
                                "swap", "zero", "jump", "wrong-key", "hangup", "master"}) {
    EXPECT_NE(std::find(fault_names().begin(), fault_names().end(), kind), fault_names().end())
        << kind;
  }
  EXPECT_EQ(fault_names().size(), 13U);
}

TEST(Faults, WithoutRatesChangeNothing) {
  Faults faults(FaultRates{}, 1);
  for (int i = 0; i < 100; ++i) {
    const Emission out = faults.distort(numbered(i));
    EXPECT_EQ(out.bytes, numbered(i));
    EXPECT_EQ(out.delay, Milliseconds::zero());
    EXPECT_FALSE(out.hang_up);
    EXPECT_FALSE(faults.echoes());
  }
}

TEST(Faults, FlipChangesExactlyOneBit) {
  const double seen = share("flip=0.2", [](const Bytes& clean, const Emission& out) {
    int bits = 0;
    for (std::size_t i = 0; i < clean.size(); ++i)
      bits += std::popcount(u8(clean[i] ^ out.bytes[i]));
    EXPECT_EQ(clean.size(), out.bytes.size());
    EXPECT_LE(bits, 1);
    return bits == 1;
  });
  EXPECT_NEAR(seen, rate, 0.03);
}

TEST(Faults, CutLeavesATrueBeginning) {
  const double seen = share("cut=0.2", [](const Bytes& clean, const Emission& out) {
    EXPECT_FALSE(out.bytes.empty());
    EXPECT_TRUE(std::equal(out.bytes.begin(), out.bytes.end(), clean.begin()));
    return out.bytes.size() < clean.size();
  });
  EXPECT_NEAR(seen, rate, 0.03);
}

TEST(Faults, NoiseAddsBytesAndTakesNoneAway) {
  const double seen = share("noise=0.2", [](const Bytes& clean, const Emission& out) {
    std::size_t found = 0;
    for (std::byte b : out.bytes)
      found += found < clean.size() && b == clean[found] ? 1U : 0U;
    EXPECT_EQ(found, clean.size());
    EXPECT_LE(out.bytes.size(), clean.size() + 12);
    return out.bytes.size() > clean.size();
  });
  EXPECT_NEAR(seen, rate, 0.03);
}

TEST(Faults, SilenceSwallowsLateDelaysAndHangupBreaksOff) {
  EXPECT_NEAR(
      share("silence=0.2", [](const Bytes&, const Emission& out) { return out.bytes.empty(); }),
      rate, 0.03);
  EXPECT_NEAR(share("late=0.2",
                    [](const Bytes& clean, const Emission& out) {
                      EXPECT_EQ(out.bytes, clean);
                      return out.delay == lateness;
                    }),
              rate, 0.03);
  EXPECT_NEAR(share("hangup=0.2",
                    [](const Bytes& clean, const Emission& out) {
                      EXPECT_EQ(out.bytes.size(), out.hang_up ? clean.size() / 2 : clean.size());
                      return out.hang_up;
                    }),
              rate, 0.03);
}

TEST(Faults, SwapSendsThePreviousTransmissionAgain) {
  Faults faults(only("swap=0.2"), 42);
  int swapped = 0;
  for (int i = 0; i < rounds; ++i) {
    const Emission out = faults.distort(numbered(i));
    if (out.bytes == numbered(i)) continue;
    EXPECT_EQ(out.bytes, numbered(i - 1));
    ++swapped;
  }
  EXPECT_NEAR(static_cast<double>(swapped) / rounds, rate, 0.03);
  EXPECT_EQ(faults.count(FaultKind::swap), static_cast<std::uint64_t>(swapped));
}

TEST(Faults, TheSameSeedGivesTheSameFaults) {
  FaultRates rates;
  for (std::string_view kind : fault_names())
    ASSERT_TRUE(add_fault(rates, std::string(kind) + "=0.3"));
  Faults one(rates, 9);
  Faults same(rates, 9);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(one.echoes(), same.echoes());
    const Emission a = one.distort(numbered(i));
    const Emission b = same.distort(numbered(i));
    EXPECT_EQ(a.bytes, b.bytes);
    EXPECT_EQ(a.delay, b.delay);
    EXPECT_EQ(a.hang_up, b.hang_up);
  }
}

// What the meter itself gets wrong is seen through a whole player.
std::vector<std::string> answers(std::string_view fault, int count) {
  Player player("house", std::make_unique<FakeResponder>("A"), LoadModel(4), 4, only(fault),
                std::nullopt);
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) {
    for (const Emission& out : player.received(to_bytes("A?\n"), noon))
      texts.push_back(to_text(out.bytes));
  }
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(count));
  return texts;
}

double share_of(const std::vector<std::string>& texts,
                const std::function<bool(const std::string&)>& is) {
  return static_cast<double>(std::count_if(texts.begin(), texts.end(), is)) /
         static_cast<double>(texts.size());
}

TEST(Player, FallsToZeroJumpsAndPosesAsAnotherAtTheRateAskedFor) {
  const std::string honest = answers("zero=0", 1)[0];
  const auto energy = [](const std::string& text) {
    const auto number = Decimal::parse(text.substr(2, text.size() - 3));
    EXPECT_TRUE(number) << text;
    return number ? *number : Decimal();
  };
  const Decimal true_energy = energy(honest);
  EXPECT_NEAR(share_of(answers("zero=0.2", 1000),
                       [&](const std::string& t) { return energy(t).is_zero(); }),
              rate, 0.05);
  EXPECT_NEAR(share_of(answers("jump=0.2", 1000),
                       [&](const std::string& t) {
                         EXPECT_GE(energy(t), true_energy);
                         return energy(t) > true_energy;
                       }),
              rate, 0.05);
  EXPECT_NEAR(share_of(answers("foreign=0.2", 1000),
                       [](const std::string& t) { return t.starts_with("foreign "); }),
              rate, 0.05);
  EXPECT_NEAR(share_of(answers("wrong-key=0.2", 1000),
                       [](const std::string& t) { return t.starts_with("A(key)"); }),
              rate, 0.05);
}

TEST(Player, CountsOnlyWhatItSentAndFallsSilentAtItsLimit) {
  Player player("house", std::make_unique<FakeResponder>("A"), LoadModel(4), 4, FaultRates{}, 3);
  EXPECT_TRUE(player.received(to_bytes("B?\n"), noon).empty());
  EXPECT_EQ(player.sent(), 0U);
  EXPECT_EQ(player.received(to_bytes("A?\nA?\n"), noon).size(), 2U);
  EXPECT_FALSE(player.done());
  EXPECT_EQ(player.received(to_bytes("A?\nA?\n"), noon).size(), 1U);
  EXPECT_TRUE(player.done());
  EXPECT_FALSE(player.push(noon));
  EXPECT_EQ(player.sent(), 3U);
}

TEST(Player, AnswersTheSameHoweverTheRequestIsCut) {
  const auto play = [](std::size_t portion) {
    Player player("house", std::make_unique<FakeResponder>("A"), LoadModel(4), 4, FaultRates{},
                  std::nullopt);
    const Bytes requests = to_bytes("A?\nB?\nA?\n");
    std::string out;
    for (std::size_t i = 0; i < requests.size(); i += portion) {
      const auto part = ByteView(requests).subspan(i, std::min(portion, requests.size() - i));
      for (const Emission& emission : player.received(part, noon))
        out += to_text(emission.bytes);
    }
    return out;
  };
  for (std::size_t portion = 1; portion < 9; ++portion)
    EXPECT_EQ(play(portion), play(9)) << portion;
}

}  // namespace
}  // namespace meterbridge::simulator
