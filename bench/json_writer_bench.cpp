// SPDX-License-Identifier: MIT
// The state document of a meter, which is written after every sample.
#include "core/json_writer.hpp"
#include "core/reading.hpp"
#include "core/reading_key.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

using namespace meterbridge;

std::vector<Reading> some_readings(std::int64_t count) {
  std::vector<Reading> readings;
  for (std::int64_t i = 0; i < count; ++i) {
    readings.emplace_back(
        make_key(Quantity::energy, Direction::import, Phase::none, static_cast<int>(i % 8)),
        Value(Decimal(173640 + i * 997, -3)), Unit::kWh);
  }
  return readings;
}

void state_document(benchmark::State& state) {
  const auto readings = some_readings(state.range(0));
  const Instant time(std::chrono::milliseconds(1795199400000));
  std::size_t size = 0;
  for (auto _ : state) {
    JsonWriter json;
    json.object();
    for (const Reading& reading : readings)
      json.member(reading.key.text(), reading.value);
    json.member("time", iso_utc(time)).end();
    size = json.text().size();
    benchmark::DoNotOptimize(json.text().data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

BENCHMARK(state_document)->Name("JsonWriter/state")->Arg(4)->Arg(40)->Arg(400);

void text_to_escape(benchmark::State& state) {
  std::string text;
  for (int i = 0; i < 255; ++i)
    text += i % 16 == 0 ? "\"" : "x";
  for (auto _ : state) {
    JsonWriter json;
    benchmark::DoNotOptimize(json.value(text).text().data());
  }
  state.SetBytesProcessed(state.iterations() * 255);
}

BENCHMARK(text_to_escape)->Name("JsonWriter/text");

void reading_key_text(benchmark::State& state) {
  ReadingKey key = make_key(Quantity::reactive_energy, Direction::import, Phase::l1, 2);
  key.scope = Scope::grid;
  for (auto _ : state)
    benchmark::DoNotOptimize(key.text());
}

BENCHMARK(reading_key_text)->Name("ReadingKey/text");

void reading_key_parse(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(ReadingKey::parse("grid_reactive_energy_import_l1_t2"));
}

BENCHMARK(reading_key_parse)->Name("ReadingKey/parse");

}  // namespace
