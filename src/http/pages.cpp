// SPDX-License-Identifier: MIT
#include "http/pages.hpp"

#include "core/json_writer.hpp"
#include "core/text.hpp"
#include "http/files.hpp"
#include "http/metrics.hpp"
#include "http/status_json.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::http {
namespace {

constexpr std::size_t shown_target = 80;
constexpr std::string_view json_type = "application/json";
constexpr std::string_view meters_prefix = "/api/meters/";
constexpr std::string_view poll_suffix = "/poll";
constexpr std::string_view capture_suffix = "/capture";
// The frame is Home Assistant's own page, which has the same origin.
constexpr std::string_view policy =
    "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'\r\nReferrer-Policy: no-referrer\r\n"
    "Vary: Accept-Encoding\r\n";

constexpr std::string_view no_desk =
    "nothing can be changed here: only in the app of Home Assistant, or with \"http: {edit: "
    "true}\" "
    "on an address of this machine";

struct Place {
  std::string_view method;
  std::string_view path;
  Route route;
};

constexpr std::array<Place, 9> places{{
    {"GET", "/healthz", Route::health},
    {"GET", "/readyz", Route::ready},
    {"GET", "/metrics", Route::metrics},
    {"GET", "/api/status", Route::status},
    {"GET", "/api/log", Route::log},
    {"GET", "/api/events", Route::events},
    {"GET", "/api/configuration", Route::read},
    {"PUT", "/api/configuration", Route::write},
    {"POST", "/api/configuration/check", Route::check},
}};

Page verdict(const std::vector<std::string>& sentences) {
  Page out;
  out.body = sentences.empty() ? "ok\n" : "";
  if (!sentences.empty()) out.status = 503;
  for (const std::string& sentence : sentences)
    out.body += sentence + "\n";
  return out;
}

Page json_page(std::string body, unsigned status = 200) {
  Page out;
  out.status = status;
  out.type = json_type;
  out.body = std::move(body);
  return out;
}

std::string_view reason(unsigned status) {
  constexpr std::array<std::pair<unsigned, std::string_view>, 14> reasons{{
      {200, "OK"},
      {202, "Accepted"},
      {400, "Bad Request"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {412, "Precondition Failed"},
      {413, "Payload Too Large"},
      {422, "Unprocessable Entity"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
  }};
  const auto* const found =
      std::find_if(reasons.begin(), reasons.end(),
                   [status](const auto& entry) { return entry.first == status; });
  return found == reasons.end() ? "Service Unavailable" : found->second;
}

std::string without_port(std::string host) {
  const auto colon = host.rfind(':');
  const bool bare_v6 = host.find(':') != colon && !host.ends_with(']') && !host.starts_with('[');
  if (colon == std::string::npos || host.ends_with(']') || bare_v6) return host;
  return host.substr(0, colon);
}

// A name that somebody's name server may point at us makes a foreign page one of ours.
bool is_local_name(const std::string& host) {
  const std::string name = lower(without_port(host));
  // 127.example.org is a name, too.
  const bool digits = name.find_first_not_of("0123456789.") == std::string::npos;
  return name == "localhost" || name == "[::1]" || (digits && name.starts_with("127."));
}

Page not_allowed(std::string_view allowed, bool api) {
  const std::string words = "only " + std::string(allowed) + " is known here";
  Page out;
  if (api) {
    out = failure(405, words);
  } else {
    out.body = "these pages can only be read: GET or HEAD\n";
  }
  out.status = 405;
  out.headers = "Allow: " + std::string(allowed) + "\r\n";
  return out;
}

bool changes(Route route) {
  return route == Route::check || route == Route::write || route == Route::poll;
}

std::optional<Page> refusal_of(const Head& head, Route route, const Desk* desk,
                               bool local_names_only) {
  // What crossed a line has serial numbers in it.
  const bool private_matter = route == Route::read || route == Route::capture;
  if (!changes(route) && !private_matter) return std::nullopt;
  const std::string why = desk == nullptr ? std::string(no_desk) : desk->locked();
  if (!why.empty()) return failure(403, why);
  if (local_names_only && !is_local_name(head.host))
    return failure(403, "ask for 127.0.0.1, [::1] or localhost: another name could be a trap");
  if (changes(route) && !head.ours)
    return failure(403, "the header X-Meterbridge: 1 is missing, which keeps foreign pages out");
  if (route == Route::write && head.if_match.empty())
    return failure(412, "the header If-Match with the hash of the file that was read is missing");
  return std::nullopt;
}

// /api/meters/ID, with or without something behind it
std::string meter_of(std::string_view path, std::string_view suffix) {
  if (!path.starts_with(meters_prefix) || !path.ends_with(suffix)) return {};
  path.remove_prefix(meters_prefix.size());
  if (path.size() <= suffix.size()) return {};
  path.remove_suffix(suffix.size());
  return path.find('/') == std::string_view::npos ? std::string(path) : std::string();
}

Page meter_page(const std::string& id, const StatusView& view) {
  const Status status = view.status();
  const auto meter = std::ranges::find(status.meters, id, &MeterStatus::id);
  if (meter == status.meters.end())
    return failure(404, "there is no meter \"" + sanitised(id, shown_target) + "\" here");
  return json_page(meter_json(*meter, view.unseen(id)));
}

bool takes_gzip(std::string_view accept) {
  return accept.find("gzip") != std::string_view::npos ||
         accept.find('*') != std::string_view::npos;
}

Page file_page(std::string_view path, const Head& head) {
  const std::string_view wanted = path == "/" ? "index.html" : path.substr(1);
  const auto all = files();
  const auto file = std::find_if(all.begin(), all.end(),
                                 [wanted](const File& one) { return one.path == wanted; });
  Page out;
  if (file != all.end()) {
    if (!takes_gzip(head.accept_encoding))
      return failure(406, "the files of the page are kept compressed: accept gzip");
    out.type = file->type;
    out.file = file->gzip;
    out.cache = file->immutable ? "public, max-age=31536000, immutable" : "no-cache";
    out.headers = "Content-Encoding: gzip\r\n" + std::string(policy);
    return out;
  }
  out.body = "meterbridge has these pages: /healthz, /readyz, /metrics, /api/status\n";
  if (path == "/") return out;
  if (path.starts_with("/api/"))
    return failure(404, "there is no " + sanitised(path, shown_target) + " in this version");
  out.status = 404;
  out.body = "there is no page " + sanitised(path, shown_target) + "; " + out.body;
  return out;
}

Page document_page(const Desk& desk) {
  const auto document = desk.document();
  if (!document) return failure(500, document.error().detail());
  JsonWriter json;
  json.object().member("path", document->path).member("text", document->text);
  json.member("hash", document->hash).member("editable", true).end();
  return json_page(json.text());
}

Page verdict_page(const Verdict& verdict) {
  JsonWriter json;
  json.object().member("state", name(verdict.state));
  write_problems(json, verdict.problems);
  return json_page(json.end().text());
}

Page capture_page(const Result<std::string>& text) {
  if (!text)
    return failure(text.error().code() == Errc::not_found ? 404 : 409, text.error().detail());
  Page out;
  out.body = *text;
  return out;
}

Page poll_page(const Result<>& done) {
  if (done) return json_page(R"({"text":"the meter is asked now"})", 202);
  return failure(done.error().code() == Errc::not_found ? 404 : 409, done.error().detail());
}

}  // namespace

Direction direction(const Head& head, const Desk* desk, bool local_names_only) {
  Direction to;
  to.path = head.target.substr(0, head.target.find('?'));
  to.meter = meter_of(to.path, poll_suffix);
  const bool asked = !to.meter.empty();
  if (!asked) to.meter = meter_of(to.path, "");
  const std::string captured = meter_of(to.path, capture_suffix);
  const std::string_view method = head.method == "HEAD" ? "GET" : std::string_view(head.method);
  std::string allowed;
  bool found = false;
  const auto note = [&](std::string_view known, Route route) {
    if (!allowed.empty()) allowed += ", ";
    allowed += known == "GET" ? "GET, HEAD" : known;
    if (known != method) return;
    to.route = route;
    found = true;
  };
  for (const Place& place : places) {
    if (place.path == to.path) note(place.method, place.route);
  }
  if (!to.meter.empty() && asked) note("POST", Route::poll);
  if (!to.meter.empty() && !asked) note("GET", Route::meter);
  if (!captured.empty()) {
    to.meter = captured;
    note("GET", Route::capture);
  }
  if (allowed.empty()) note("GET", Route::file);
  if (!found) {
    to.refusal = not_allowed(allowed, to.path.starts_with("/api/"));
  } else {
    to.refusal = refusal_of(head, to.route, desk, local_names_only);
  }
  return to;
}

Page page(const Direction& to, const Head& head, const std::string& body, const StatusView& view,
          Desk* desk) {
  Page out;
  switch (to.route) {
    case Route::health:
      return verdict(view.ailments());
    case Route::ready:
      return verdict(view.missing());
    case Route::metrics:
      out.type = "text/plain; version=0.0.4; charset=utf-8";
      out.body = metrics_text(view.status());
      return out;
    case Route::status:
      return json_page(status_json(view.status()));
    case Route::meter:
      return meter_page(to.meter, view);
    case Route::log:
      return json_page(log_json(view.log_after(0)));
    case Route::read:
      return document_page(*desk);
    case Route::check:
      return verdict_page(desk->check(body));
    case Route::poll:
      return poll_page(desk->poll(to.meter));
    case Route::capture:
      return capture_page(desk->capture(to.meter));
    case Route::file:
      return file_page(to.path, head);
    case Route::events:
    case Route::write:
      break;
  }
  return failure(500, "this takes time");
}

Page taken_page(const Taken& taken) {
  if (taken.outcome == Outcome::stale) return failure(412, taken.text);
  if (taken.outcome == Outcome::failed) return failure(500, taken.text);
  JsonWriter json;
  json.object();
  if (taken.outcome == Outcome::invalid) {
    json.member("error", taken.text);
    write_problems(json, taken.problems);
    return json_page(json.end().text(), 422);
  }
  json.member("hash", taken.hash);
  write_problems(json, taken.problems);
  const unsigned status = taken.outcome == Outcome::kept ? 202 : 200;
  return json_page(json.member("text", taken.text).end().text(), status);
}

Page failure(unsigned status, std::string_view words) {
  JsonWriter json;
  return json_page(json.object().member("error", words).end().text(), status);
}

std::string answer_text(const Page& page, bool head) {
  const std::string_view body = page.file.empty() ? std::string_view(page.body) : page.file;
  std::string text = "HTTP/1.1 " + std::to_string(page.status) + " " +
                     std::string(reason(page.status)) +
                     "\r\nServer: meterbridge\r\nContent-Type: " + page.type +
                     "\r\nCache-Control: " + std::string(page.cache) +
                     "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n" + page.headers;
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  if (!head) text += body;
  return text;
}

std::string stream_head() {
  return "HTTP/1.1 200 OK\r\nServer: meterbridge\r\nContent-Type: text/event-stream\r\n"
         "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\n"
         "Connection: close\r\n\r\nretry: 3000\n\n";
}

}  // namespace meterbridge::http
