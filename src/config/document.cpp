// SPDX-License-Identifier: MIT
#include "config/document.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace meterbridge::config {

std::string Problem::str() const {
  std::string line = place.file;
  if (place.line > 0) line += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  line += severity == Severity::error ? ": error: " : ": warning: ";
  if (!path.empty()) line += path + ": ";
  return line + text;
}

void Problems::add(Severity severity, Place place, std::string path, std::string text) {
  Problem problem;
  problem.severity = severity;
  problem.place = std::move(place);
  problem.path = std::move(path);
  problem.text = std::move(text);
  problems_.push_back(std::move(problem));
}

bool Problems::any_error() const noexcept {
  return std::any_of(problems_.begin(), problems_.end(),
                     [](const Problem& problem) { return problem.severity == Severity::error; });
}

void Problems::sort() {
  // Not std::stable_sort: libstdc++ 12 uses something there that clang 19 calls deprecated.
  std::vector<std::size_t> order(problems_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
    const Place& left = problems_[a].place;
    const Place& right = problems_[b].place;
    return std::tie(left.file, left.line, left.column, a) <
           std::tie(right.file, right.line, right.column, b);
  });
  std::vector<Problem> sorted;
  sorted.reserve(problems_.size());
  for (const std::size_t position : order)
    sorted.push_back(std::move(problems_[position]));
  problems_ = std::move(sorted);
}

Node::Node() = default;
Node::Node(const Node&) = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(const Node&) = default;
Node& Node::operator=(Node&&) noexcept = default;
Node::~Node() = default;

const Node* Node::find(std::string_view key) const noexcept {
  for (const auto& [name, node] : members)
    if (name == key) return &node;
  return nullptr;
}

}  // namespace meterbridge::config
