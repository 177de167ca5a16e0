// SPDX-License-Identifier: MIT
// The main program of a fuzz target without libFuzzer: runs every file of the named folders and
// files through it. Each input is also run cut at a few places, because cut inputs are what parsers
// stumble over.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

Input content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
}

void run(const Input& input) {
  constexpr std::size_t cuts = 16;
  LLVMFuzzerTestOneInput(input.data(), input.size());
  for (std::size_t i = 1; i < cuts; ++i) {
    // A copy of exactly the size, so that a sanitizer sees any step beyond it.
    const Input part(input.begin(),
                     input.begin() + static_cast<std::ptrdiff_t>(input.size() * i / cuts));
    LLVMFuzzerTestOneInput(part.data(), part.size());
  }
}

}  // namespace

int main(int count, char** words) {
  std::size_t inputs = 1;
  run({});
  for (int i = 1; i < count; ++i) {
    const std::filesystem::path place(words[i]);
    if (std::filesystem::is_directory(place)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(place)) {
        if (!entry.is_regular_file()) continue;
        run(content_of(entry.path()));
        ++inputs;
      }
    } else if (std::filesystem::exists(place)) {
      run(content_of(place));
      ++inputs;
    }
  }
  std::printf("%zu inputs\n", inputs);
  return 0;
}
