// SPDX-License-Identifier: MIT
#include "cli/command.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cstring>

namespace meterbridge::cli {
namespace {

const Option* find_option(std::span<const Option> options, std::string_view name) {
  const auto found = std::find_if(options.begin(), options.end(), [&](const Option& o) {
    return o.name == name || (!o.short_name.empty() && o.short_name == name);
  });
  return found == options.end() ? nullptr : &*found;
}

// Of KEY=VALUE the key stays readable.
void overwrite(char* value) {
  char* const equals = std::strchr(value, '=');
  for (char* at = equals == nullptr ? value : equals + 1; *at != '\0'; ++at)
    *at = '*';
}

Error unknown_option(std::string_view word, std::span<const Option> options) {
  std::vector<std::string_view> names;
  for (const Option& option : options)
    names.push_back(option.name);
  std::string text = "unknown option \"" + std::string(word) + "\"";
  const std::string_view near = nearest(word, names);
  if (!near.empty()) text += "; did you mean " + std::string(near) + "?";
  return {Errc::invalid, std::move(text)};
}

}  // namespace

Result<Arguments> Arguments::parse(std::span<const std::string_view> words,
                                   std::span<const Option> options) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--") {
      arguments.words_.insert(arguments.words_.end(),
                              words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (word.size() < 2 || word.front() != '-') {
      arguments.words_.emplace_back(word);
      continue;
    }
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    const std::string_view name = word.substr(0, equals);
    const Option* option = find_option(options, name);
    if (option == nullptr) return unknown_option(name, options);
    if (option->value.empty()) {
      if (equals != std::string_view::npos) {
        return Error(Errc::invalid, std::string(option->name) + " takes no value");
      }
      arguments.options_.emplace_back(option->name, "");
      continue;
    }
    if (!option->repeatable && arguments.has(option->name)) {
      return Error(Errc::invalid, std::string(option->name) + " is given twice");
    }
    if (equals != std::string_view::npos) {
      arguments.options_.emplace_back(option->name, word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      arguments.options_.emplace_back(option->name, words[++i]);
    } else {
      return Error(Errc::invalid, std::string(option->name) + " needs a value: " +
                                      std::string(option->name) + " " + std::string(option->value));
    }
  }
  return arguments;
}

void hide_secrets(std::span<char* const> words, std::span<const Option> options) {
  for (std::size_t i = 0; i < words.size() && std::string_view(words[i]) != "--"; ++i) {
    const std::string_view word = words[i];
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    const Option* const option = find_option(options, word.substr(0, equals));
    if (option == nullptr || option->value.empty()) continue;
    const bool inside = equals != std::string_view::npos;
    if (!inside) ++i;
    if (option->secret && i < words.size()) overwrite(inside ? words[i] + equals + 1 : words[i]);
  }
}

bool Arguments::has(std::string_view name) const {
  return std::any_of(options_.begin(), options_.end(),
                     [&](const auto& o) { return o.first == name; });
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  for (auto i = options_.rbegin(); i != options_.rend(); ++i) {
    if (i->first == name) return i->second;
  }
  return std::nullopt;
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  std::vector<std::string> all;
  for (const auto& [key, value] : options_) {
    if (key == name) all.push_back(value);
  }
  return all;
}

}  // namespace meterbridge::cli
