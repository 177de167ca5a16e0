// SPDX-License-Identifier: MIT
#include "sink/influxdb/verdict.hpp"

#include "core/text.hpp"

#include <array>

namespace meterbridge::sink::influxdb {
namespace {

constexpr std::size_t shown_text = 300;

// The text behind "key": in a flat answer. This layer has no JSON parser and needs none: what is
// not found is only left out of a message, or makes an answer one that is not InfluxDB's.
std::string text_of(std::string_view json, std::string_view key) {
  const std::string name = '"' + std::string(key) + '"';
  const auto at = json.find(name);
  if (at == std::string_view::npos) return {};
  json.remove_prefix(at + name.size());
  const auto begin = json.find_first_not_of(" \t\r\n:");
  if (begin == std::string_view::npos || json[begin] != '"') return {};
  std::string text;
  for (std::size_t i = begin + 1; i < json.size() && json[i] != '"'; ++i) {
    if (json[i] == '\\' && i + 1 < json.size()) ++i;
    text += json[i];
  }
  return sanitised(text, shown_text);
}

// Version 3 says in general what is wrong, and then what with each line; 2 has a message; 1 an
// error.
std::string complaint_of(const std::string& body) {
  for (const std::string_view key : {"error_message", "message", "error"}) {
    if (std::string text = text_of(body, key); !text.empty()) return text;
  }
  return {};
}

std::string without_login(std::string text, const Options& options) {
  std::string_view secret = options.login.reveal();
  secret = trimmed(secret.substr(std::min(secret.size(), secret.find_last_of(' ', secret.size()))));
  for (auto at = secret.empty() ? std::string::npos : text.find(secret); at != std::string::npos;
       at = text.find(secret, at + Secret::shown().size()))
    text.replace(at, secret.size(), Secret::shown());
  return text;
}

std::string_view login_names(const Options& options) {
  return options.version == 1 ? "username and password" : "the token";
}

std::string advice(unsigned status, const HttpAnswer& answer, const std::string& complaint,
                   const Options& options) {
  switch (status) {
    case 401:
      return "refuses the login: " + (options.login.empty()
                                          ? "it wants " + std::string(login_names(options))
                                          : "is " + std::string(login_names(options)) + " right?");
    case 403:
      return "does not let us write to " + options.place + ": may " +
             std::string(login_names(options)) + " do that?";
    case 404:
      return complaint.empty()
                 ? "knows no address " + options.target.substr(0, options.target.find('?')) +
                       ": are `url` and `version` right?"
                 : "does not find " + options.place + ": create it there first";
    case 429:
      return "wants fewer writes";
    default:
      break;
  }
  if (status >= 200 && status < 300)
    return "answers, but not as a database that has stored it: is `url` right?";
  if (status >= 300 && status < 400)
    return "sends us elsewhere (" + answer.location + "): put that address into `url`";
  if (status >= 500) return "has a fault of its own";
  return "does not take a write: is this InfluxDB, is `version` right?";
}

}  // namespace

Verdict judge(const HttpAnswer& answer, const Options& options) {
  Verdict verdict;
  const unsigned status = answer.status;
  // A portal or a router's page says 200 to everything; nothing of ours would be stored.
  const bool page = answer.content_type.starts_with("text/html");
  const std::string complaint = without_login(complaint_of(answer.body), options);
  if (status >= 200 && status < 300 && !page && complaint.empty()) {
    verdict.fate = Fate::taken;
    return verdict;
  }
  if (status == 201 && !page) {
    // How some clusters of version 3 say that they took a part only.
    verdict.fate = Fate::poison;
    verdict.words = "partial write: " + complaint;
    return verdict;
  }
  if ((status == 429 || status == 503) && answer.retry_after) {
    verdict.fate = Fate::wait;
    verdict.pause = *answer.retry_after;
    verdict.words = "asks for a pause of " + duration_text(verdict.pause);
  } else if (status == 413) {
    verdict.fate = Fate::too_large;
    verdict.words = "is larger than the server takes";
    return verdict;
  } else if ((status == 400 || status == 422) && !complaint.empty()) {
    // Only a database that says what it does not like may cost a sample: a proxy's 400 must not.
    verdict.fate = Fate::poison;
    verdict.words = complaint;
    return verdict;
  } else {
    verdict.words = advice(status, answer, complaint, options);
  }
  verdict.words +=
      " (" + std::to_string(status) + (complaint.empty() ? "" : ": " + complaint) + ")";
  return verdict;
}

bool misses_points(const Verdict& verdict) {
  // 2.x: "writing requires points"; others speak of an empty body.
  return verdict.fate == Fate::poison &&
         (verdict.words.find("requires points") != std::string::npos ||
          verdict.words.find("empty") != std::string::npos);
}

bool is_about_a_field(std::string_view words) {
  // 1.x and 2.x: "field type conflict: input field ..."; 3: "invalid column type for column ...".
  return words.find("field type conflict") != std::string_view::npos ||
         words.find("column type") != std::string_view::npos;
}

bool is_about_points(std::string_view words) {
  return is_about_a_field(words) || words.find("partial write") != std::string_view::npos ||
         words.find("beyond retention") != std::string_view::npos;
}

}  // namespace meterbridge::sink::influxdb
