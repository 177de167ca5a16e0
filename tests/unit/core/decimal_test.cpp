// SPDX-License-Identifier: MIT
#include "core/decimal.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

using meterbridge::Decimal;
using meterbridge::Errc;

namespace {

__extension__ typedef __int128 Wide;

constexpr int seeds = 20000;

Decimal number(std::string_view text) {
  const auto parsed = Decimal::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : Decimal();
}

Wide ten_to(int power) {
  Wide result = 1;
  for (; power > 0; --power)
    result *= 10;
  return result;
}

// Digits of every length, so that small and huge numbers are equally frequent.
std::int64_t any_digits(std::mt19937_64& random) {
  const auto bits = static_cast<unsigned>(random() % 64);
  const auto magnitude = static_cast<std::int64_t>(random() >> (63 - bits) >> 1U);
  return random() % 2 == 0 ? magnitude : -magnitude;
}

int exponent_within(std::mt19937_64& random, int low, int high) {
  return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}

// The reference counts in units of 10^-9 on 128 bits: exact for exponents -9..9 and these digits.
Wide reference(const Decimal& d) {
  return Wide(d.digits()) * ten_to(d.exponent() + 9);
}

}  // namespace

TEST(Decimal, KeepsTheDigitsTheMeterSent) {
  EXPECT_EQ(number("000173.640").str(), "173.640");
  EXPECT_EQ(number("173.640").digits(), 173640);
  EXPECT_EQ(number("173.640").exponent(), -3);
  EXPECT_EQ(number("173.640").precision(), 3);
  EXPECT_EQ(number("-1.000").str(), "-1.000");
  EXPECT_EQ(number("+5").str(), "5");
  EXPECT_EQ(number(".5").str(), "0.5");
  EXPECT_EQ(number("-.05").str(), "-0.05");
  EXPECT_EQ(number("5.").str(), "5");
  EXPECT_EQ(number("0").str(), "0");
  EXPECT_EQ(number("0.000").str(), "0.000");
}

TEST(Decimal, NeverPrintsMinusZero) {
  EXPECT_EQ(number("-0").str(), "0");
  EXPECT_EQ(number("-0.00").str(), "0.00");
  EXPECT_EQ(Decimal::from_float32(-0.0F)->str(), "0");
}

TEST(Decimal, PrintsPositiveExponentsWithZeros) {
  EXPECT_EQ(Decimal(12, 2).str(), "1200");
  EXPECT_EQ(Decimal(-12, 2).str(), "-1200");
  EXPECT_EQ(Decimal(0, 5).str(), "0");
  EXPECT_EQ(Decimal(12, 2).precision(), 0);
  EXPECT_EQ(Decimal(7, 18).str(), "7000000000000000000");
}

TEST(Decimal, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", "+", ".", "-.", "1e3", " 1", "1 ", "1,5", "1.2.3", "--1", "+-1",
                           "0x10", "nan", "inf", "1-", "\xB2"}) {
    const auto parsed = Decimal::parse(text);
    EXPECT_FALSE(parsed) << text;
  }
  EXPECT_FALSE(Decimal::parse(std::string_view("1\0", 2)));
  EXPECT_EQ(Decimal::parse("12a").error().code(), Errc::malformed);
}

TEST(Decimal, HoldsTheWholeRangeOf64BitsAndNothingBeyond) {
  EXPECT_EQ(number("9223372036854775807").digits(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(number("-9223372036854775808").digits(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(number("-9223372036854775808").str(), "-9223372036854775808");
  EXPECT_FALSE(Decimal::parse("9223372036854775808"));
  EXPECT_FALSE(Decimal::parse("-9223372036854775809"));
  EXPECT_FALSE(Decimal::parse("99999999999999999999999999"));
  EXPECT_EQ(number("0.000000000000000001").str(), "0.000000000000000001");
  EXPECT_FALSE(Decimal::parse("0.0000000000000000001"));
  EXPECT_EQ(number(std::string(500, '0') + "7").str(), "7");
}

TEST(Decimal, LeavesOutZerosOfADatabaseOnlyWhereTheyDoNotFit) {
  EXPECT_EQ(number("306.00").str(), "306.00");
  EXPECT_EQ(number("306.000000000000000000"), number("306"));
  EXPECT_EQ(number("306.000000000000000000").precision(), 16);
  EXPECT_EQ(number("-1234567890.120000000000000000").str(), "-1234567890.120000000");
  EXPECT_EQ(number("9.000000000000000000").precision(), 18);
  EXPECT_EQ(number("0.5000000000000000000000").precision(), 18);
  EXPECT_EQ(number("9223372036854775807.000").digits(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(number("-9223372036854775808.0").digits(), std::numeric_limits<std::int64_t>::min());
  for (const char* text :
       {"306.000000000000000001", "306.0000000000000000000000001", "9223372036854775808.0",
        "99999999999999999990", "306.00000000000000000000x", "306.00000000000000000000.0",
        "0.00000000000000000001", "922337203685477580.80"})
    EXPECT_FALSE(Decimal::parse(text)) << text;
}

TEST(Decimal, SurvivesTextAndBack) {
  std::mt19937_64 random(1);
  for (int seed = 0; seed < seeds; ++seed) {
    const Decimal original(any_digits(random), exponent_within(random, -18, 0));
    const auto back = Decimal::parse(original.str());
    ASSERT_TRUE(back) << original.str();
    EXPECT_EQ(back->digits(), original.digits());
    EXPECT_EQ(back->exponent(), original.exponent());
    EXPECT_EQ(back->str(), original.str());
  }
}

TEST(Decimal, KeepsItsValueThroughTextWithPositiveExponents) {
  std::mt19937_64 random(2);
  for (int seed = 0; seed < seeds; ++seed) {
    const Decimal original(any_digits(random) % 1000000, exponent_within(random, 0, 12));
    const auto back = Decimal::parse(original.str());
    ASSERT_TRUE(back) << original.str();
    EXPECT_EQ(*back, original);
    EXPECT_EQ(back->exponent(), 0);
  }
}

TEST(Decimal, ReadsEveryFloatBackAsItself) {
  std::mt19937_64 random(3);
  int read = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto bits = static_cast<std::uint32_t>(random());
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!(std::abs(value) < 1e18F) || std::abs(value) < 1e-9F) continue;
    const auto decimal = Decimal::from_float32(value);
    ASSERT_TRUE(decimal) << value;
    EXPECT_EQ(std::strtof(decimal->str().c_str(), nullptr), value) << decimal->str();
    ++read;
  }
  EXPECT_GT(read, seeds / 10);
}

TEST(Decimal, TakesTheShortestTextOfAFloat) {
  EXPECT_EQ(Decimal::from_float32(230.1F)->str(), "230.1");
  EXPECT_EQ(Decimal::from_float32(49.98F)->str(), "49.98");
  EXPECT_EQ(Decimal::from_float32(1200.0F)->str(), "1200");
  EXPECT_EQ(Decimal::from_float32(-0.125F)->str(), "-0.125");
  EXPECT_EQ(Decimal::from_float32(16777216.0F)->str(), "16777216");
  EXPECT_EQ(Decimal::from_float32(1e20F)->str(), "100000000000000000000");
}

TEST(Decimal, TreatsFloatNoiseNearZeroAsZeroAndRefusesNonsense) {
  EXPECT_TRUE(Decimal::from_float32(std::numeric_limits<float>::denorm_min())->is_zero());
  EXPECT_TRUE(Decimal::from_float32(-1e-30F)->is_zero());
  EXPECT_EQ(Decimal::from_float32(1.26e-17F)->str(), "0.000000000000000013");
  EXPECT_EQ(Decimal::from_float32(std::numeric_limits<float>::quiet_NaN()).error().code(),
            Errc::malformed);
  EXPECT_FALSE(Decimal::from_float32(std::numeric_limits<float>::infinity()));
  EXPECT_FALSE(Decimal::from_float32(-std::numeric_limits<float>::infinity()));
  EXPECT_FALSE(Decimal::from_float32(std::numeric_limits<float>::max()));
}

TEST(Decimal, AddsAndSubtractsLikeTheReference) {
  std::mt19937_64 random(4);
  int exact = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const Decimal a(any_digits(random), exponent_within(random, -9, 9));
    const Decimal b(any_digits(random), exponent_within(random, -9, 9));
    const auto sum = a.plus(b);
    const auto difference = a.minus(b);
    if (sum) {
      EXPECT_EQ(reference(*sum), reference(a) + reference(b)) << a.str() << " + " << b.str();
      EXPECT_EQ(sum->exponent(), std::min(a.exponent(), b.exponent()));
      ++exact;
    } else {
      // Refused only when the finer of both precisions leaves no room.
      const int unit = std::min(a.exponent(), b.exponent()) + 9;
      const Wide limit = Wide(std::numeric_limits<std::int64_t>::max()) * ten_to(unit);
      const auto outside = [limit](Wide w) { return w > limit || w < -limit; };
      EXPECT_TRUE(outside(reference(a)) || outside(reference(b)) ||
                  outside(reference(a) + reference(b)));
    }
    if (difference) {
      EXPECT_EQ(reference(*difference), reference(a) - reference(b));
      const auto back = difference->plus(b);
      if (back) {
        EXPECT_EQ(*back, a);
      }
    }
  }
  EXPECT_GT(exact, seeds / 4);
}

TEST(Decimal, ComparesLikeTheReference) {
  std::mt19937_64 random(5);
  for (int seed = 0; seed < seeds; ++seed) {
    Decimal a(any_digits(random), exponent_within(random, -9, 9));
    Decimal b(any_digits(random), exponent_within(random, -9, 9));
    if (seed % 3 == 0)
      b = a.shifted(0) && a.rounded(9) ? *a.rounded(9) : a;  // equal values, other digits
    EXPECT_EQ(a == b, reference(a) == reference(b)) << a.str() << " " << b.str();
    EXPECT_EQ(a < b, reference(a) < reference(b)) << a.str() << " " << b.str();
    EXPECT_EQ(a > b, reference(a) > reference(b)) << a.str() << " " << b.str();
  }
}

TEST(Decimal, ComparesByValueAtTheEndsOfTheRange) {
  EXPECT_EQ(number("1.50"), number("1.5"));
  EXPECT_EQ(Decimal(0, 18), Decimal(0, -18));
  EXPECT_LT(Decimal(std::numeric_limits<std::int64_t>::max(), -18), Decimal(1, 18));
  EXPECT_GT(Decimal(std::numeric_limits<std::int64_t>::min(), -18), Decimal(-1, 18));
  EXPECT_LT(Decimal(-1, 18), Decimal(0));
  EXPECT_LT(Decimal(std::numeric_limits<std::int64_t>::min(), 18),
            Decimal(std::numeric_limits<std::int64_t>::max(), -18));
}

TEST(Decimal, MultipliesLikeTheReference) {
  std::mt19937_64 random(6);
  int exact = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const Decimal a(any_digits(random) % 4000000000, exponent_within(random, -9, 9));
    const Decimal b(any_digits(random) % 4000000000, exponent_within(random, -9, 9));
    const auto product = a.times(b);
    const Wide digits = Wide(a.digits()) * Wide(b.digits());
    if (!product) {
      EXPECT_TRUE(digits > std::numeric_limits<std::int64_t>::max() ||
                  digits < std::numeric_limits<std::int64_t>::min());
      continue;
    }
    EXPECT_EQ(Wide(product->digits()), digits);
    EXPECT_EQ(product->exponent(), a.exponent() + b.exponent());
    ++exact;
  }
  EXPECT_GT(exact, seeds / 2);
}

TEST(Decimal, RefusesEveryOverflow) {
  const Decimal most(std::numeric_limits<std::int64_t>::max());
  const Decimal least(std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(most.plus(Decimal(1)));
  EXPECT_FALSE(least.minus(Decimal(1)));
  EXPECT_FALSE(Decimal(0).minus(least));
  EXPECT_FALSE(least.times(Decimal(-1)));
  EXPECT_FALSE(most.times(Decimal(2)));
  EXPECT_FALSE(most.plus(Decimal(1, -1)));
  EXPECT_FALSE(most.rounded(1));
  EXPECT_FALSE(Decimal(1, -18).times(Decimal(1, -1)));
  EXPECT_EQ(Decimal(1, -18).times(Decimal(100, -1))->str(), "0.000000000000000010");
  EXPECT_EQ(most.plus(Decimal(1)).error().code(), Errc::malformed);
  EXPECT_EQ(most.minus(most)->str(), "0");
}

TEST(Decimal, MovesThePointWithoutChangingADigit) {
  EXPECT_EQ(number("173.640").shifted(3)->str(), "173640");
  EXPECT_EQ(number("173640").shifted(-3)->str(), "173.640");
  EXPECT_EQ(Decimal(5, 18).shifted(-36)->str(), "0.000000000000000005");
  EXPECT_FALSE(Decimal(5, -18).shifted(-1));
  EXPECT_EQ(Decimal(50, -18).shifted(-1)->digits(), 5);
  EXPECT_FALSE(Decimal(5, 18).shifted(19));
  EXPECT_EQ(Decimal(5, 18).shifted(1)->exponent(), 18);
  EXPECT_EQ(Decimal(5, 18).shifted(1)->digits(), 50);
  EXPECT_FALSE(Decimal(5).shifted(std::numeric_limits<int>::max()));
  EXPECT_FALSE(Decimal(5).shifted(std::numeric_limits<int>::min()));
  EXPECT_TRUE(Decimal(0).shifted(500)->is_zero());
}

TEST(Decimal, RoundsHalfAwayFromZero) {
  EXPECT_EQ(number("2.5").rounded(0)->str(), "3");
  EXPECT_EQ(number("-2.5").rounded(0)->str(), "-3");
  EXPECT_EQ(number("2.49").rounded(0)->str(), "2");
  EXPECT_EQ(number("-0.4").rounded(0)->str(), "0");
  EXPECT_EQ(number("0.05").rounded(1)->str(), "0.1");
  EXPECT_EQ(number("1.005").rounded(2)->str(), "1.01");
  EXPECT_EQ(number("1").rounded(3)->str(), "1.000");
  EXPECT_EQ(Decimal(12, 2).rounded(1)->str(), "1200.0");
  EXPECT_FALSE(number("1").rounded(-1));
  EXPECT_FALSE(number("1").rounded(19));
}

TEST(Decimal, RoundsLikeTheReference) {
  std::mt19937_64 random(7);
  for (int seed = 0; seed < seeds; ++seed) {
    const Decimal value(any_digits(random), exponent_within(random, -18, 0));
    const int precision = exponent_within(random, 0, 18);
    const auto rounded = value.rounded(precision);
    const int surplus = value.precision() - precision;
    if (surplus <= 0) {
      if (rounded) {
        EXPECT_EQ(*rounded, value);
      }
      continue;
    }
    ASSERT_TRUE(rounded);
    EXPECT_EQ(rounded->precision(), precision);
    const Wide divisor = ten_to(surplus);
    const Wide magnitude = value.is_negative() ? -Wide(value.digits()) : Wide(value.digits());
    const Wide expected = (2 * magnitude + divisor) / (2 * divisor);
    EXPECT_EQ(Wide(rounded->digits()), value.is_negative() ? -expected : expected) << value.str();
  }
}

TEST(Decimal, ApproximatesWithTheNearestDouble) {
  EXPECT_DOUBLE_EQ(number("173.640").approximate(), 173.640);
  EXPECT_DOUBLE_EQ(Decimal(12, 2).approximate(), 1200.0);
  EXPECT_DOUBLE_EQ(number("-0.001").approximate(), -0.001);
  EXPECT_DOUBLE_EQ(Decimal(1, -18).approximate(), 1e-18);
}

TEST(Decimal, KnowsSignAndZero) {
  EXPECT_TRUE(number("-0.00").is_zero());
  EXPECT_FALSE(number("-0.00").is_negative());
  EXPECT_TRUE(number("-0.01").is_negative());
  EXPECT_EQ(Decimal(), number("0"));
}
