// SPDX-License-Identifier: MIT
// What every reading of every telegram passes: text to Decimal, unit change, text again.
#include "core/decimal.hpp"
#include "core/unit.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace {

using meterbridge::Decimal;

constexpr std::array<std::string_view, 8> texts = {
    "000173.640", "002979.640", "00.213", "230.1", "004", "-1.000", "49.98", "012345678.901"};

void parse(benchmark::State& state) {
  for (auto _ : state) {
    for (const auto text : texts)
      benchmark::DoNotOptimize(Decimal::parse(text));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(texts.size()));
}

BENCHMARK(parse)->Name("Decimal/parse");

// For comparison: the way that would lose the digits.
void parse_double(benchmark::State& state) {
  for (auto _ : state) {
    for (const auto text : texts)
      benchmark::DoNotOptimize(std::strtod(text.data(), nullptr));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(texts.size()));
}

BENCHMARK(parse_double)->Name("double/strtod");

void print(benchmark::State& state) {
  const Decimal value(12345678901, static_cast<int>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(value.str());
}

BENCHMARK(print)->Name("Decimal/str")->Arg(-3)->Arg(0)->Arg(3);

void from_float32(benchmark::State& state) {
  float value = 230.1F;
  for (auto _ : state) {
    benchmark::DoNotOptimize(value);
    benchmark::DoNotOptimize(Decimal::from_float32(value));
  }
}

BENCHMARK(from_float32)->Name("Decimal/from_float32");

void convert(benchmark::State& state) {
  const Decimal value(173640, -3);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        meterbridge::convert(value, meterbridge::Unit::kWh, meterbridge::Unit::Wh));
  }
}

BENCHMARK(convert)->Name("Decimal/convert");

void sum(benchmark::State& state) {
  const Decimal day(1539360, -3);
  const Decimal night(144028, -2);
  for (auto _ : state)
    benchmark::DoNotOptimize(day.plus(night));
}

BENCHMARK(sum)->Name("Decimal/plus");

void compare(benchmark::State& state) {
  const Decimal low(1539360, -3);
  const Decimal high(144028, -1);
  for (auto _ : state)
    benchmark::DoNotOptimize(low < high);
}

BENCHMARK(compare)->Name("Decimal/compare");

}  // namespace
