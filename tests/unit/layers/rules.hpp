// SPDX-License-Identifier: MIT
// The layer table of the program, and the check of one source text against it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace layers {

// A library that only some layers may see. `headers`: also in headers, not in .cpp files only.
struct Library {
  std::string_view name;
  bool headers = false;
};

// A folder below src. `uses`: the layers below it; `parts`: single headers of other layers.
struct Layer {
  std::string_view name;
  std::vector<std::string_view> uses;
  std::vector<std::string_view> parts;
  std::vector<Library> libraries;
  bool touches_world = false;  // may know files, sockets, threads and clocks
};

struct Violation {
  std::string file;
  int line = 0;
  std::string what;

  [[nodiscard]] std::string text() const { return file + ":" + std::to_string(line) + ": " + what; }
};

[[nodiscard]] std::span<const Layer> table();
[[nodiscard]] const Layer* find_layer(std::string_view name);

// `file` is relative to src, for example "meter/profile.cpp".
[[nodiscard]] std::vector<Violation> check(std::string_view file, std::string_view content);

// The layers that the link graph in src/CMakeLists.txt gives a folder; nothing if it has no such
// layer.
struct Linked {
  std::string name;
  std::vector<std::string> uses;
};

[[nodiscard]] std::vector<Linked> linked_layers(std::string_view build_file);

}  // namespace layers
