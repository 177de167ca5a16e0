// SPDX-License-Identifier: MIT
// Whatever arrives late, twice, damaged, from others or in the window of another question: what is
// delivered is right (P07, P09).
#include "ce102_bench.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <random>

namespace meterbridge::protocol::ce102 {
namespace {

using protocol::test::hex;
using protocol::test::reading;
using namespace test;

// A million takes a minute of a debug build.
std::size_t exchanges_wanted(std::size_t usual) {
  const char* const text = std::getenv("METERBRIDGE_EXCHANGES");
  std::size_t wanted = usual;
  if (text != nullptr) std::from_chars(text, text + std::char_traits<char>::length(text), wanted);
  return wanted;
}

// What happens to an answer, in percent.
struct Mix {
  unsigned lost = 0;
  unsigned late = 0;
  int late_most = 0;  // ms
  unsigned echo = 0;
  unsigned foreign = 0;     // another meter's answer comes before it
  unsigned master = 0;      // another master's request comes before it
  unsigned twice = 0;       // sent again at once
  unsigned twice_late = 0;  // and again within 1.5 s
  unsigned flip = 0;        // one bit
  unsigned swap = 0;        // the answer before it is sent once more in its place
};

// Registers in hundredths of a kWh.
using Counts = std::array<std::int64_t, 4>;

std::int64_t sum_of(const Counts& counts) {
  return counts[0] + counts[1] + counts[2] + counts[3];
}

class Confusion {
 public:
  Confusion(unsigned seed, const Mix& mix, const Counts& counts, Set driver)
      : dice_(seed), mix_(mix), bench_(ce307_meter, driver), counts_(counts), before_(counts) {
    bench_.twist = [this](const Frame& request) { return twisted(request); };
  }

  void poll() {
    oldest_ = before_;
    before_ = counts_;
    show();
    clock_asked_ = false;
    const auto telegram = bench_.poll();
    exchanges += bench_.line().sent().size();
    bench_.line().forget_sent();
    if (telegram) {
      ++delivered;
      check(*telegram);
    } else {
      ++failed;
    }
    bench_.line().wait(1000ms);
    use(static_cast<std::int64_t>(dice_() % 5));
  }

  std::size_t exchanges = 0;
  std::size_t delivered = 0;
  std::size_t failed = 0;
  std::size_t read_twice = 0;
  std::size_t wrong = 0;

 private:
  bool chance(unsigned percent) { return percent > 0 && dice_() % 100 < percent; }

  int below(int limit) { return static_cast<int>(dice_() % static_cast<unsigned>(limit)); }

  void use(std::int64_t counts) {
    counts_[0] += counts;
    show();
  }

  void show() {
    MeterFace now = face();
    for (std::size_t i = 0; i < counts_.size(); ++i)
      now.energy_import[i] = Decimal(counts_[i] * 10);
    bench_.responder().show(now);
  }

  // A register may have moved while it was read, and an answer to the same question of the poll
  // before is a true value that is a second old. Everything else is wrong.
  void expect(const Telegram& telegram, std::string_view key, std::int64_t least,
              std::int64_t most) {
    const auto value = Decimal::parse(reading(telegram, key));
    if (value && *value >= Decimal(least, -2) && *value <= Decimal(most, -2)) return;
    ++wrong;
    ADD_FAILURE() << key << " is " << reading(telegram, key) << ", not " << least << " to " << most;
  }

  void check(const Telegram& telegram) {
    expect(telegram, "energy_import", sum_of(oldest_), sum_of(counts_));
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      expect(telegram, "energy_import_t" + std::to_string(i + 1), oldest_[i], counts_[i]);
    }
    const std::string serial = reading(telegram, "serial");
    if (serial.empty() || serial == "011791165813462") return;
    ++wrong;
    ADD_FAILURE() << serial;
  }

  std::optional<std::vector<VirtualLine::Arrival>> twisted(const Frame& request) {
    if (request.command == 0x0120) clock_asked_ = true;
    if (request.command == 0x0130 && clock_asked_ && u8(request.data[1]) == 0) ++read_twice;
    if (chance(10)) use(1);
    std::vector<VirtualLine::Arrival> arrivals;
    const Bytes own = bench_.line().sent().back();
    for (Bytes& bytes : bench_.responder().received(own)) {
      const Bytes right = bytes;
      if (chance(mix_.lost)) continue;
      if (chance(mix_.echo)) arrivals.push_back({5ms, own});
      if (chance(mix_.foreign)) arrivals.push_back({50ms, foreign_answer(request)});
      if (chance(mix_.master)) arrivals.push_back({60ms, foreign_request()});
      if (!previous_.empty() && chance(mix_.swap)) bytes = previous_;
      if (chance(mix_.flip)) bytes[dice_() % bytes.size()] ^= std::byte{0x10};
      const Milliseconds after(chance(mix_.late) ? below(mix_.late_most) : 200);
      arrivals.push_back({after, bytes});
      if (chance(mix_.twice)) arrivals.push_back({after + 20ms, bytes});
      if (chance(mix_.twice_late)) arrivals.push_back({after + Milliseconds(below(1500)), bytes});
      previous_ = right;
    }
    return arrivals;
  }

  static Bytes foreign_answer(const Frame& request) {
    Frame reply;
    reply.to = 253;
    reply.from = 13463;
    reply.command = request.command;
    reply.data = hex("001126ffffff00");
    return build_reply(reply);
  }

  static Bytes foreign_request() {
    Station other;
    other.meter = 13463;
    other.bridge = 1;
    return *build_request(other, Query::energy, hex("0001"));
  }

  std::mt19937 dice_;
  Mix mix_;
  Bench bench_;
  Counts counts_;
  Counts before_;    // at the begin of this poll
  Counts oldest_{};  // at the begin of the one before
  Bytes previous_;
  bool clock_asked_ = false;
};

void tell(const char* name, const Confusion& line) {
  std::printf(
      "%s: %zu exchanges, %zu polls delivered, %zu failed, %zu second readings, %zu wrong\n", name,
      line.exchanges, line.delivered, line.failed, line.read_twice, line.wrong);
}

// The first one grows. None comes near another: two registers that hold the same cannot be told
// apart, and need not be.
const Counts four_tariffs{400004, 300003, 200002, 100001};
const Counts one_tariff{100001, 0, 0, 0};

TEST(Ce102Confusion, P09LateDoubledAndForeignAnswersGiveNoWrongValue) {
  Mix mix;
  mix.lost = 4;
  mix.late = 15;
  mix.late_most = 2800;
  mix.echo = 8;
  mix.foreign = 8;
  mix.master = 3;
  mix.twice = 5;
  mix.twice_late = 5;
  mix.flip = 4;
  Confusion line(20261120, mix, four_tariffs, ce307_meter);
  const std::size_t wanted = exchanges_wanted(100'000);
  while (line.exchanges < wanted && line.wrong < 10)
    line.poll();
  tell("late, doubled, foreign", line);
  EXPECT_EQ(line.wrong, 0U);
  EXPECT_GT(line.delivered, wanted / 20);
  EXPECT_GT(line.read_twice, 0U);
}

// What the frames alone cannot show: the answer to the question before comes once more in the
// window of this one.
TEST(Ce102Confusion, P09AnswersInTheWrongWindowAreCaughtByTheSum) {
  Mix mix;
  mix.swap = 5;
  mix.twice_late = 5;
  for (const Counts& counts : {four_tariffs, one_tariff}) {
    Confusion line(7, mix, counts, ce307_meter);
    const std::size_t wanted = exchanges_wanted(100'000) / 4;
    while (line.exchanges < wanted && line.wrong < 10)
      line.poll();
    tell("in the wrong window", line);
    EXPECT_EQ(line.wrong, 0U);
    EXPECT_GT(line.delivered, wanted / 20);
    EXPECT_GT(line.read_twice, wanted / 200);
  }
}

TEST(Ce102Confusion, P07AnswersThatTakeUpTo800MsAreNeverAssignedWrongly) {
  Mix mix;
  mix.late = 100;
  mix.late_most = 800;
  for (const std::string_view timeout : {"300ms", "500ms", "1500ms"}) {
    const Set settings = {{"address", "13462"}, {"family", "ce307"}, {"response_timeout", timeout}};
    Confusion line(11, mix, four_tariffs, settings);
    while (line.exchanges < 10'000 && line.wrong < 10)
      line.poll();
    tell(std::string(timeout).c_str(), line);
    EXPECT_EQ(line.wrong, 0U) << timeout;
    EXPECT_GT(line.delivered, 500U) << timeout;
  }
}

TEST(Ce102Confusion, P09WithoutFaultsNothingIsReadTwice) {
  Confusion line(3, Mix{}, four_tariffs, ce307_meter);
  for (int i = 0; i < 500; ++i)
    line.poll();
  EXPECT_EQ(line.failed, 0U);
  EXPECT_EQ(line.read_twice, 0U);
}

}  // namespace
}  // namespace meterbridge::protocol::ce102
