// SPDX-License-Identifier: MIT
#include "protocol/json/okosmero.hpp"

#include "core/json_writer.hpp"
#include "protocol/registry.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace meterbridge::protocol::json {
namespace {

using Names = std::vector<std::string>;

// The names of a JSON pointer: /LastMonth/MaxExport/0.
Names names_of(std::string_view pointer) {
  Names names;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      names.emplace_back();
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      names.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      names.back() += pointer[i];
    }
  }
  return names;
}

// Values with their places, in the order of the document, become the document again.
class Rebuilder {
 public:
  Rebuilder() { json_.object(); }

  void add(const Item& item) {
    const Names names = names_of(item.address);
    // The innermost container is not among the names of a value's own place.
    const std::size_t inside = names.size() - 1;
    std::size_t same = 0;
    while (same < std::min(inside, open_.size()) && open_[same] == names[same])
      ++same;
    for (; open_.size() > same; open_.pop_back())
      json_.end();
    for (; open_.size() < inside; open_.push_back(names[open_.size()])) {
      name(names[open_.size()]);
      const bool list = names[open_.size() + 1] == "0";
      (list ? json_.array() : json_.object());
      lists_.resize(open_.size());
      lists_.push_back(list);
    }
    name(names.back());
    if (item.value) {
      json_.value(*item.value);
    } else {
      json_.value(item.text.value_or(""));
    }
  }

  [[nodiscard]] std::string text() && {
    for (std::size_t i = 0; i < open_.size() + 1; ++i)
      json_.end();
    return json_.text();
  }

 private:
  void name(const std::string& name) {
    if (open_.empty() || !lists_[open_.size() - 1]) json_.key(name);
  }

  JsonWriter json_;
  Names open_;
  std::vector<bool> lists_;  // of each open container
};

// Telegrams that were carried inside a payload are written by their own protocol.
Result<std::string> carried_document(const Telegram& telegram) {
  const Protocol* protocol = find_protocol(telegram.protocol);
  if (protocol != nullptr) {
    for (const TelegramLayout& layout : protocol->layouts) {
      if (layout.name == "okosmero") return layout.write(telegram);
    }
  }
  return Error{Errc::unsupported,
               "the okosmero layout does not exist for telegrams of " + telegram.protocol};
}

}  // namespace

Result<std::string> okosmero_document(const Telegram& telegram) {
  if (telegram.protocol != "json") return carried_document(telegram);
  const bool ours =
      telegram.find("/Time") != nullptr &&
      (telegram.find("/ImportPower") != nullptr || telegram.find("/ImportPower/0") != nullptr);
  if (!ours)
    return Error{Errc::unsupported, "the document has no Time and ImportPower, as okosmero's have"};
  Rebuilder rebuilder;
  for (const Item& item : telegram.items)
    rebuilder.add(item);
  return std::move(rebuilder).text();
}

}  // namespace meterbridge::protocol::json
