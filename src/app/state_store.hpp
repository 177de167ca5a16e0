// SPDX-License-Identifier: MIT
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace meterbridge::app {

// A small file of state that is written whole, with its generation before it as PATH.previous. A
// damaged one is moved aside and never stops the start; a folder that cannot be written is said
// once.
class StateStore {
 public:
  using Log = std::function<void(bool warning, const std::string& line)>;
  // Takes the content, or says why it cannot.
  using Take = std::function<Result<>(std::string_view content)>;

  // `lost`: what is unknown after damage; `unkept`: what follows when it cannot be written.
  struct Words {
    std::string lost;
    std::string unkept;
  };

  StateStore(std::string path, Words words, Log log)
      : path_(std::move(path)), words_(std::move(words)), log_(std::move(log)) {}

  // Hands over the file's content, or its previous generation when the file is missing or damaged.
  void load(const Take& take);

  // For a type with parse() and json().
  template <class State>
  State load_as() {
    State state;
    load([&](std::string_view content) -> Result<> {
      auto parsed = State::parse(content);
      if (!parsed) return parsed.error();
      state = *std::move(parsed);
      return {};
    });
    return state;
  }

  void save(std::string_view content);

 private:
  enum class Found : std::uint8_t { nothing, damaged, good };

  Found load_file(const std::string& path, const Take& take);

  std::string path_;
  Words words_;
  Log log_;
  bool complained_ = false;
};

}  // namespace meterbridge::app
