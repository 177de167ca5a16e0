// SPDX-License-Identifier: MIT
#include "config/tree_builder.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::config {

namespace {

// Every node repeats the path above it, so a hostile key must not make it long.
constexpr std::size_t longest_key_in_path = 40;

std::string joined(const std::string& path, const std::string& key) {
  std::string text = path.empty() ? std::string{} : path + ".";
  text.append(key, 0, longest_key_in_path);
  return text;
}

}  // namespace

bool TreeBuilder::expects_key() const noexcept {
  return !open_.empty() && open_.back().node.kind == Kind::map && !open_.back().has_key;
}

std::string TreeBuilder::next_path() const {
  if (open_.empty()) return {};
  const Open& parent = open_.back();
  if (parent.node.kind == Kind::sequence)
    return parent.node.path + "[" + std::to_string(parent.node.items.size()) + "]";
  if (!parent.has_key) return parent.node.path;
  return joined(parent.node.path, parent.key);
}

void TreeBuilder::begin(Kind kind, const Place& place, bool flow) {
  Open fresh;
  fresh.node.kind = kind;
  fresh.node.place = place;
  fresh.node.path = next_path();
  count(place, fresh.node.path);
  fresh.flow = flow;
  if (open_.size() >= max_depth) {
    problems_.add(
        Severity::error, place, {},
        "what stands here is nested deeper than " + std::to_string(max_depth) + " levels");
    throw StopReading{};
  }
  open_.push_back(std::move(fresh));
}

const Node* TreeBuilder::end() {
  Node node = std::move(open_.back().node);
  open_.pop_back();
  return keep(std::move(node));
}

void TreeBuilder::count(const Place& place, const std::string& path) {
  nodes_ += 1;
  if (nodes_ <= max_nodes) return;
  problems_.add(Severity::error, place, path,
                "the document has more than " + std::to_string(max_nodes) +
                    " values (are aliases used to excess?)");
  throw StopReading{};
}

void TreeBuilder::adopt(Node& node, const std::string& path) {
  count(node.place, path);
  node.path = path;
  for (std::size_t i = 0; i < node.items.size(); ++i)
    adopt(node.items[i], path + "[" + std::to_string(i) + "]");
  for (auto& [key, member] : node.members)
    adopt(member, joined(path, key));
}

void TreeBuilder::add_key(const Node& node) {
  Open& parent = open_.back();
  parent.has_key = true;
  parent.key = node.scalar;
  parent.key_place = node.place;
  parent.drop = true;
  const std::string path = next_path();
  if (node.kind != Kind::scalar) {
    problems_.add(Severity::error, node.place, parent.node.path, "a key must be plain text");
    return;
  }
  if (node.secret || node.missing) {
    problems_.add(Severity::error, node.place, parent.node.path,
                  "a key cannot come from " + node.origin);
    return;
  }
  if (node.scalar == "<<" && !node.quoted) {
    problems_.add(Severity::error, node.place, parent.node.path,
                  "merge keys (<<) are not supported: write the keys out in each map");
    return;
  }
  const auto& members = parent.node.members;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].first != node.scalar) continue;
    const Place& first = parent.node.key_places[i];
    std::string text = "is set twice in the same map";
    if (first.line > 0)
      text += " (first on line " + std::to_string(first.line) + ", column " +
              std::to_string(first.column) + ")";
    problems_.add(Severity::error, node.place, path, std::move(text));
    return;
  }
  parent.drop = false;
}

const Node* TreeBuilder::add(Node node) {
  node.path = next_path();
  count(node.place, node.path);
  return keep(std::move(node));
}

const Node* TreeBuilder::add_copy(Node node) {
  adopt(node, next_path());
  return keep(std::move(node));
}

const Node* TreeBuilder::keep(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return &root_;
  }
  Open& parent = open_.back();
  if (parent.node.kind == Kind::sequence) {
    parent.node.items.push_back(std::move(node));
    return &parent.node.items.back();
  }
  if (!parent.has_key) {
    add_key(node);
    return nullptr;
  }
  parent.has_key = false;
  if (parent.drop) return nullptr;
  // A missing value has no place of its own: parsers report that of whatever follows.
  if (node.kind == Kind::null) node.place = parent.key_place;
  parent.node.members.emplace_back(parent.key, std::move(node));
  parent.node.key_places.push_back(parent.key_place);
  return &parent.node.members.back().second;
}

}  // namespace meterbridge::config
