// SPDX-License-Identifier: MIT
// Main program of the fuzz targets where libFuzzer is not linked: every file of the files and
// folders given is fed as it is, and in some mutations that are the same on every run. Arguments
// that begin with '-' are libFuzzer's.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t cuts_per_file = 16;
constexpr unsigned mutations_per_file = 200;
constexpr std::size_t most_bytes = 64 * 1024;

Input read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(stream), {});
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& place) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(place)) return {place};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void mutate(Input& input, std::mt19937& dice) {
  const auto place = [&] { return input.empty() ? 0 : dice() % input.size(); };
  const auto byte = [&] { return static_cast<std::uint8_t>(dice() & 0xFFU); };
  for (unsigned change = 0; change < 1 + dice() % 4; ++change) {
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(place());
    switch (dice() % 6) {
      case 0:
        if (!input.empty()) *at = static_cast<std::uint8_t>(*at ^ (1U << (dice() % 8)));
        break;
      case 1:
        if (!input.empty()) *at = byte();
        break;
      case 2:
        input.insert(at, byte());
        break;
      case 3:
        if (!input.empty()) input.erase(at);
        break;
      case 4:
        input.resize(place());
        break;
      default: {
        const auto length = static_cast<std::ptrdiff_t>(dice() % 32);
        const Input part(at, at + std::min(length, input.end() - at));
        input.insert(input.end(), part.begin(), part.end());
      }
    }
  }
}

// A copy of exactly the size, so that a sanitizer sees any step beyond it.
void feed(const Input& input, std::size_t size) {
  const Input exact(input.begin(),
                    input.begin() + static_cast<std::ptrdiff_t>(std::min(size, input.size())));
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void feed_all_forms(const Input& seed, std::mt19937& dice) {
  for (std::size_t i = 1; i <= cuts_per_file; ++i)
    feed(seed, seed.size() * i / cuts_per_file);
  for (unsigned m = 0; m < mutations_per_file; ++m) {
    Input input = seed;
    mutate(input, dice);
    feed(input, most_bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  std::mt19937 dice(1);
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).starts_with('-')) continue;
    if (!std::filesystem::exists(argv[i])) {
      std::fprintf(stderr, "%s does not exist\n", argv[i]);
      return 1;
    }
    for (const auto& file : files_of(argv[i])) {
      feed_all_forms(read(file), dice);
      ++count;
    }
  }
  feed({}, 0);
  std::printf("%zu files\n", count);
  return count == 0 ? 1 : 0;
}
