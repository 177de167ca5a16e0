// SPDX-License-Identifier: MIT
// From a request to an answer: a pure function.
#pragma once

#include "http/status.hpp"

#include <string>
#include <string_view>

namespace meterbridge::http {

struct Page {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow;  // methods, where the method was the mistake
};

[[nodiscard]] Page page(std::string_view method, std::string_view target, const StatusView& view);
// The whole answer as bytes. `head`: without its body.
[[nodiscard]] std::string answer_text(const Page& page, bool head);

}  // namespace meterbridge::http
