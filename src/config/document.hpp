// SPDX-License-Identifier: MIT
// A YAML (or JSON) document as our own tree with positions; the only place that sees yaml-cpp.
#pragma once

#include "core/result.hpp"
#include "core/setting.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::config {

// line and column count from 1; 0 = unknown (JSON documents have paths only).
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  friend bool operator==(const Place&, const Place&) = default;
};

enum class Severity { error, warning };

struct Problem {
  Severity severity = Severity::error;
  Place place;
  std::string path;  // "meters[1].link.baud"
  std::string text;
  // "meterbridge.yaml:14:11: error: meters[1].link.baud: ..."
  [[nodiscard]] std::string str() const;
};

// Collects everything that is wrong instead of stopping at the first.
class Problems {
 public:
  void add(Severity severity, Place place, std::string path, std::string text);
  [[nodiscard]] bool any_error() const noexcept;
  // Ordered by file, line and column; what has no place keeps its order at the front of its file.
  void sort();

  [[nodiscard]] const std::vector<Problem>& all() const noexcept { return problems_; }

 private:
  std::vector<Problem> problems_;
};

enum class Kind { null, scalar, sequence, map };

// A node knows its place and path. Scalars stay text: who reads them decides what they mean.
struct Node {
  // Defined where Node is complete: clang instantiates the pairs below too early otherwise.
  Node();
  Node(const Node&);
  Node(Node&&) noexcept;
  Node& operator=(const Node&);
  Node& operator=(Node&&) noexcept;
  ~Node();

  Kind kind = Kind::null;
  std::string scalar;
  bool quoted = false;   // "5" and 5 are different
  bool secret = false;   // came from !secret or !env: never repeat its text in a message
  bool missing = false;  // its !secret or !env has no value, which is reported already
  std::string origin;    // "!secret NAME" or "!env NAME" of a secret
  Place place;
  std::string path;
  std::vector<Node> items;                            // of a sequence
  std::vector<std::pair<std::string, Node>> members;  // of a map, in order; keys are unique
  std::vector<Place> key_places;                      // of a map, beside members

  [[nodiscard]] const Node* find(std::string_view key) const noexcept;
};

struct Sources {
  // Value of NAME in secrets.yaml beside the file / in the environment; nothing when absent.
  std::function<std::optional<std::string>(std::string_view)> secret;
  std::function<std::optional<std::string>(std::string_view)> environment;
};

inline constexpr std::size_t max_depth = 64;
inline constexpr std::size_t max_file_size = std::size_t{1} << 20U;
inline constexpr std::size_t max_nodes = 20'000;  // aliases counted as often as they stand

// Duplicate keys, merge keys, tabs, unclosed brackets, too deep nesting, too large files, unknown
// tags, missing !secret and !env names become problems with place. Where only single values are
// wrong the tree is whole without them; where the syntax is broken it is null, so that nobody
// complains about what stands behind the break.
Node parse_yaml(std::string_view text, const std::string& file_name, const Sources& sources,
                Problems& problems);
Node parse_json(std::string_view text, const std::string& file_name, Problems& problems);

}  // namespace meterbridge::config
