// SPDX-License-Identifier: MIT
// A directory that goes with its test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace meterbridge::fakes {

class Scratch {
 public:
  Scratch() {
    auto name = (std::filesystem::temp_directory_path() / "meterbridge-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch directory");
    path_ = name;
  }

  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  // Writes a file, with its folders.
  std::filesystem::path file(const std::string& name, std::string_view content) const {
    const auto place = path_ / name;
    std::filesystem::create_directories(place.parent_path());
    std::ofstream(place, std::ios::binary) << content;
    return place;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace meterbridge::fakes
