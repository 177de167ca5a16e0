// SPDX-License-Identifier: MIT
// What the journal costs: bytes written in a day by a meter that speaks every second, for several
// loss windows, the time of a commit, and samples per second. A day passes in seconds.
//   meterbridge_journal_bench DIRECTORY [SECONDS OF THE DAY]
#include "journal/disk.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace meterbridge;
using Steady = std::chrono::steady_clock;

class DayClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return now_; }

  [[nodiscard]] Steady::time_point steady() const override { return steady_; }

  void advance(Milliseconds by) {
    now_ += by;
    steady_ += by;
  }

 private:
  Instant now_{std::chrono::milliseconds(1'790'000'000'000)};
  Steady::time_point steady_{std::chrono::hours(1)};
};

// A member of /proc/self/io.
long long io_count(const char* name) {
  std::FILE* file = std::fopen("/proc/self/io", "re");
  if (file == nullptr) return 0;
  char line[128];
  long long value = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    const std::string text(line);
    if (text.starts_with(name))
      std::from_chars(text.data() + text.find(' ') + 1, text.data() + text.size(), value);
  }
  std::fclose(file);
  return value;
}

// A P1 telegram as most houses have it: four counters, powers, voltages, currents of three phases.
class Meter {
 public:
  Sample next(Instant at) {
    Sample sample;
    sample.meter = "p1";
    sample.at = at;
    sample.identity.serial = "890082200002160";
    sample.readings.reserve(26);
    for (int tariff = 1; tariff <= 2; ++tariff) {
      for (const Direction direction : {Direction::import, Direction::export_})
        add(sample, make_key(Quantity::energy, direction, Phase::none, tariff),
            Decimal(counter_ += static_cast<std::int64_t>(random_() % 3), -3), Unit::kWh);
    }
    for (const Phase phase : {Phase::none, Phase::l1, Phase::l2, Phase::l3}) {
      for (const Direction direction : {Direction::none, Direction::import, Direction::export_})
        add(sample, make_key(Quantity::power, direction, phase), Decimal(some(5000)), Unit::W);
    }
    for (const Phase phase : {Phase::l1, Phase::l2, Phase::l3}) {
      add(sample, make_key(Quantity::voltage, Direction::none, phase), Decimal(2300 + some(50), -1),
          Unit::V);
      add(sample, make_key(Quantity::current, Direction::none, phase), Decimal(some(16)), Unit::A);
    }
    sample.readings.emplace_back(make_key(Quantity::tariff), Value(std::string("0001")));
    return sample;
  }

 private:
  static void add(Sample& sample, const ReadingKey& key, const Decimal& value, Unit unit) {
    sample.readings.emplace_back(key, Value(value), unit);
  }

  std::int64_t some(std::int64_t below) { return static_cast<std::int64_t>(random_()) % below; }

  std::minstd_rand random_{1};
  std::int64_t counter_ = 2'979'640;
};

// As the journal's own thread does it in real time: here a day passes too quickly for it.
void flush(const std::string& path) {
  const int file = ::open((path + "-wal").c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  (void)::fdatasync(file);
  (void)::close(file);
}

double at(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void day(const std::string& folder, int window, int period, int seconds) {
  const std::string path = folder + "/journal.db";
  std::filesystem::create_directories(folder);
  DayClock clock;
  Meter meter;
  journal::DiskOptions options;
  options.path = path;
  options.sync = std::chrono::hours(24 * 365);
  const long long calls = io_count("wchar");
  const long long disk = io_count("write_bytes");
  std::vector<double> times;
  {
    const auto journal = journal::on_disk(options, clock);
    (void)journal->cursor("csv");
    for (int second = 0; second < seconds; ++second) {
      clock.advance(std::chrono::seconds(1));
      if (second % period == 0) (void)journal->append(meter.next(clock.now()));
      if (second % window == window - 1) {
        (void)journal->advance("csv", journal->committed());
        const auto begun = Steady::now();
        (void)journal->commit();
        times.push_back(std::chrono::duration<double, std::milli>(Steady::now() - begun).count());
      }
      if (second % 30 == 29) flush(path);
    }
  }
  ::sync();
  std::sort(times.begin(), times.end());
  const double days = 86400.0 / seconds / 1e6;
  std::printf("%7d s %6d s %10.1f %12.1f %10.1f %8.3f %8.3f %8.3f\n", period, window,
              static_cast<double>(std::filesystem::file_size(path)) * days,
              static_cast<double>(io_count("wchar") - calls) * days,
              static_cast<double>(io_count("write_bytes") - disk) * days, at(times, 0.5),
              at(times, 0.99), at(times, 1));
  std::filesystem::remove_all(folder);
}

void speed(const std::string& folder) {
  std::filesystem::create_directories(folder);
  DayClock clock;
  Meter meter;
  journal::DiskOptions options;
  options.path = folder + "/journal.db";
  std::vector<Sample> samples;
  for (int i = 0; i < 2000; ++i)
    samples.push_back(meter.next(clock.now()));
  const auto journal = journal::on_disk(options, clock);
  constexpr int count = 200'000;
  const auto begun = Steady::now();
  for (int i = 0; i < count; ++i) {
    (void)journal->append(samples[static_cast<std::size_t>(i) % samples.size()]);
    if (i % 200 == 199) (void)journal->commit();
  }
  const double took = std::chrono::duration<double>(Steady::now() - begun).count();
  std::printf("\n%d samples of 23 readings, commits of 200: %.0f samples/s\n", count, count / took);
  std::size_t read = 0;
  const auto begun_reading = Steady::now();
  for (journal::Sequence sequence = 0;;) {
    const auto entries = journal->after(sequence, 500);
    if (!entries || entries->empty()) break;
    sequence = entries->back().sequence;
    read += entries->size();
  }
  const double reading = std::chrono::duration<double>(Steady::now() - begun_reading).count();
  std::printf("read again by a sink: %.0f samples/s\n", static_cast<double>(read) / reading);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: meterbridge_journal_bench DIRECTORY [SECONDS OF THE DAY]\n");
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/journal-bench";
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 86400;
  std::printf("%9s %8s %10s %12s %10s %26s\n", "period", "commit", "MB kept", "MB in calls",
              "MB on disk", "commit ms p50, p99, most");
  for (const int window : {5, 60, 600})
    day(folder, window, 1, seconds);
  day(folder, 5, 10, seconds);
  speed(folder);
  std::filesystem::remove_all(folder);
  return 0;
}
