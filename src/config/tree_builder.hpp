// SPDX-License-Identifier: MIT
// Grows a tree of Nodes from the events of a parser: paths, duplicate keys and limits are decided
// here, once for YAML and JSON.
#pragma once

#include "config/document.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace meterbridge::config {

// Thrown through the parser that sends the events when the document must not be read any further;
// the problem itself is noted already. Never leaves config.
struct StopReading {};

class TreeBuilder {
 public:
  struct Open {
    Node node;
    bool flow = false;  // written with brackets
    bool has_key = false;
    bool drop = false;  // the value of a refused key: read, not kept
    std::string key;
    Place key_place;
  };

  explicit TreeBuilder(Problems& problems) : problems_(problems) {}

  void begin(Kind kind, const Place& place, bool flow);
  // Closes the innermost container; what was closed, valid until the next call, null when it was
  // not kept.
  const Node* end();
  // A finished value, or a key where a map waits for one. Its path is set here.
  const Node* add(Node node);
  // The same for a value that stood elsewhere before: everything in it is counted and gets new
  // paths.
  const Node* add_copy(Node node);

  [[nodiscard]] const std::vector<Open>& open() const noexcept { return open_; }

  // Where the next value will stand.
  [[nodiscard]] std::string next_path() const;
  [[nodiscard]] bool expects_key() const noexcept;

  [[nodiscard]] Node take_root() && { return std::move(root_); }

 private:
  void add_key(const Node& node);
  const Node* keep(Node node);
  void count(const Place& place, const std::string& path);
  void adopt(Node& node, const std::string& path);

  Problems& problems_;
  std::vector<Open> open_;
  Node root_;
  std::size_t nodes_ = 0;
};

}  // namespace meterbridge::config
