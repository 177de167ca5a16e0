// SPDX-License-Identifier: MIT
// Passwords, keys and tokens: print as ***, are read only where they are used.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace meterbridge {

class Secret {
 public:
  Secret() = default;

  explicit Secret(std::string text) : text_(std::move(text)) {}

  // The only way in; call it where the secret goes to the wire or the library, nowhere else.
  [[nodiscard]] const std::string& reveal() const noexcept { return text_; }

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

  [[nodiscard]] static constexpr std::string_view shown() noexcept { return "***"; }

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string text_;
};

}  // namespace meterbridge
