// SPDX-License-Identifier: MIT
// From a request to an answer, without input and output. docs/api.md and docs/monitoring.md tell
// users about them.
#pragma once

#include "http/desk.hpp"
#include "http/status.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace meterbridge::http {

inline constexpr std::size_t longest_body = std::size_t{1} << 20U;

struct Page {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::string headers;  // further ones, whole lines
  std::string_view cache = "no-store";
  std::string_view file;  // in place of the body: the compressed content of a file
};

// What counts of a request's head.
struct Head {
  Head() = default;
  std::string method;
  std::string target;
  std::string host;
  std::string if_match;
  std::string accept_encoding;  // absent = "*"
  bool ours = false;            // X-Meterbridge: 1, which no foreign page can send
};

enum class Route : std::uint8_t {
  file,
  health,
  ready,
  metrics,
  status,
  meter,
  log,
  events,
  read,   // the configuration
  check,  // a text that could become it
  write,
  poll,
  capture,
};

// Where a request goes, or the answer that refuses it before its body is read.
struct Direction {
  Direction() = default;
  Route route = Route::file;
  std::string path;   // without query
  std::string meter;  // of poll, meter and capture
  std::optional<Page> refusal;
};

[[nodiscard]] Direction direction(const Head& head, const Desk* desk, bool local_names_only);
// For all but `events` and `write`, which take time.
[[nodiscard]] Page page(const Direction& to, const Head& head, const std::string& body,
                        const StatusView& view, Desk* desk);
[[nodiscard]] Page taken_page(const Taken& taken);
// {"error": words}
[[nodiscard]] Page failure(unsigned status, std::string_view words);
// The whole answer as bytes. `head`: without its body.
[[nodiscard]] std::string answer_text(const Page& page, bool head);
// The head of an answer that is a stream of events.
[[nodiscard]] std::string stream_head();

}  // namespace meterbridge::http
