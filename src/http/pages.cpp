// SPDX-License-Identifier: MIT
#include "http/pages.hpp"

#include "core/text.hpp"
#include "http/metrics.hpp"
#include "http/status_json.hpp"

#include <utility>

namespace meterbridge::http {
namespace {

constexpr std::size_t shown_target = 80;

Page verdict(const std::vector<std::string>& sentences) {
  Page out;
  out.body = sentences.empty() ? "ok\n" : "";
  if (!sentences.empty()) out.status = 503;
  for (const std::string& sentence : sentences)
    out.body += sentence + "\n";
  return out;
}

std::string_view reason(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

}  // namespace

Page page(std::string_view method, std::string_view target, const StatusView& view) {
  Page out;
  if (method != "GET" && method != "HEAD") {
    out.status = 405;
    out.allow = "GET, HEAD";
    out.body = "these pages can only be read: GET or HEAD\n";
    return out;
  }
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/healthz") return verdict(view.ailments());
  if (path == "/readyz") return verdict(view.missing());
  if (path == "/metrics") {
    out.type = "text/plain; version=0.0.4; charset=utf-8";
    out.body = metrics_text(view.status());
    return out;
  }
  if (path == "/api/status") {
    out.type = "application/json";
    out.body = status_json(view.status());
    return out;
  }
  out.body = "meterbridge has these pages: /healthz, /readyz, /metrics, /api/status\n";
  if (path == "/") return out;
  out.status = 404;
  out.body = "there is no page " + sanitised(path, shown_target) + "; " + out.body;
  return out;
}

std::string answer_text(const Page& page, bool head) {
  std::string text =
      "HTTP/1.1 " + std::to_string(page.status) + " " + std::string(reason(page.status)) +
      "\r\nServer: meterbridge\r\nContent-Type: " + page.type +
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n";
  if (!page.allow.empty()) text += "Allow: " + page.allow + "\r\n";
  text += "Content-Length: " + std::to_string(page.body.size()) + "\r\n\r\n";
  if (!head) text += page.body;
  return text;
}

}  // namespace meterbridge::http
