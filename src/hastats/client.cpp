// SPDX-License-Identifier: MIT
#include "hastats/client.hpp"

#include "core/json_writer.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <nlohmann/json.hpp>

namespace meterbridge::hastats {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

constexpr std::size_t rows_at_once = 500;
// Noise of sums of floats is far behind this place.
constexpr int places = 9;

Error not_understood(std::string_view what) {
  return {Errc::malformed,
          "Home Assistant's answer to " + std::string(what) + " is not understood"};
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The shortest text of the float that Home Assistant keeps, without the noise of additions.
std::optional<Decimal> number_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const auto number = Decimal::from_float64(found->get<double>());
  if (!number) return std::nullopt;
  const auto rounded = number->precision() > places ? number->rounded(places) : number;
  return rounded ? std::optional(*rounded) : std::nullopt;
}

std::optional<Row> row_of(const Json& object) {
  const auto start = object.find("start");
  const auto state = number_of(object, "state");
  const auto sum = number_of(object, "sum");
  if (start == object.end() || !start->is_number() || !state || !sum) return std::nullopt;
  Row row;
  row.start = Seconds(std::chrono::seconds(start->get<std::int64_t>() / 1000));
  row.state = *state;
  row.sum = *sum;
  return row;
}

// 2025.11 wants more of the metadata, and what was before refuses that.
bool wants_classes(std::string_view version) {
  int year = 0;
  int month = 0;
  const std::size_t point = std::min(version.find('.'), version.size());
  std::from_chars(version.data(), version.data() + point, year);
  if (point < version.size())
    std::from_chars(version.data() + point + 1, version.data() + version.size(), month);
  return year > 2025 || (year == 2025 && month >= 11);
}

}  // namespace

asio::awaitable<Result<>> Client::login(std::string target, Secret token) {
  auto opened = co_await socket_.open(std::move(target));
  if (!opened) co_return opened.error();
  auto greeting = co_await socket_.receive();
  if (!greeting) co_return greeting.error();
  const Json hello = Json::parse(*greeting, nullptr, false);
  if (!hello.is_object() || text_of(hello, "type") != "auth_required")
    co_return Error(Errc::malformed, "this is no Home Assistant");
  version_ = sanitised(text_of(hello, "ha_version"), 40);
  JsonWriter json;
  json.object().member("type", "auth").member("access_token", token.reveal()).end();
  auto sent = co_await socket_.send(json.text());
  if (!sent) co_return sent.error();
  auto verdict = co_await socket_.receive();
  if (!verdict) co_return verdict.error();
  const Json answer = Json::parse(*verdict, nullptr, false);
  if (!answer.is_object() || text_of(answer, "type") != "auth_ok")
    co_return Error(Errc::access,
                    "Home Assistant refuses the token: make a new one in the profile of a user who "
                    "is an administrator (Security, Long-lived access tokens)");
  co_return Result<>();
}

// `members` begins with a comma where there are any.
asio::awaitable<Result<std::string>> Client::ask(std::string kind, std::string members) {
  const int number = ++last_;
  std::string text =
      "{\"id\":" + std::to_string(number) + ",\"type\":\"" + kind + "\"" + members + "}";
  auto sent = co_await socket_.send(std::move(text));
  if (!sent) co_return sent.error();
  for (;;) {
    auto received = co_await socket_.receive();
    if (!received) co_return received.error();
    const Json answer = Json::parse(*received, nullptr, false);
    if (!answer.is_object()) co_return not_understood(kind);
    const auto id = answer.find("id");
    if (text_of(answer, "type") != "result" || id == answer.end() || *id != number) continue;
    const auto success = answer.find("success");
    if (success != answer.end() && success->is_boolean() && success->get<bool>())
      co_return answer.contains("result") ? answer["result"].dump() : std::string("null");
    const Json problem = answer.contains("error") ? answer["error"] : Json::object();
    if (text_of(problem, "code") == "unauthorized")
      co_return Error(Errc::access, "the token belongs to a user who is no administrator; " + kind +
                                        " needs one");
    co_return Error(Errc::exception, "Home Assistant refuses " + kind + ": " +
                                         sanitised(text_of(problem, "message"), 200));
  }
}

asio::awaitable<Result<std::map<std::string, std::string>>> Client::entities() {
  auto text = co_await ask("config/entity_registry/list", "");
  if (!text) co_return text.error();
  std::map<std::string, std::string> found;
  const Json list = Json::parse(*text, nullptr, false);
  if (!list.is_array()) co_return not_understood("config/entity_registry/list");
  for (const Json& entry : list) {
    if (entry.is_object() && text_of(entry, "platform") == "mqtt")
      found.insert_or_assign(text_of(entry, "unique_id"), text_of(entry, "entity_id"));
  }
  co_return found;
}

asio::awaitable<Result<std::map<std::string, Statistic>>> Client::statistics() {
  auto text = co_await ask("recorder/list_statistic_ids", ",\"statistic_type\":\"sum\"");
  if (!text) co_return text.error();
  std::map<std::string, Statistic> found;
  const Json list = Json::parse(*text, nullptr, false);
  if (!list.is_array()) co_return not_understood("recorder/list_statistic_ids");
  for (const Json& entry : list) {
    if (!entry.is_object()) continue;
    Statistic statistic;
    statistic.id = text_of(entry, "statistic_id");
    statistic.name = text_of(entry, "name");
    statistic.source = text_of(entry, "source");
    statistic.unit = text_of(entry, "statistics_unit_of_measurement");
    statistic.unit_class = text_of(entry, "unit_class");
    const auto mean = entry.find("has_mean");
    statistic.has_mean = mean != entry.end() && mean->is_boolean() && mean->get<bool>();
    const auto type = entry.find("mean_type");
    if (type != entry.end() && type->is_number_integer()) statistic.mean_type = type->get<int>();
    found.insert_or_assign(statistic.id, statistic);
  }
  co_return found;
}

asio::awaitable<Result<std::vector<Row>>> Client::rows(Statistic statistic, Seconds from) {
  JsonWriter json;
  json.object().member("start_time", iso_utc(from)).member("period", "hour");
  json.key("types").array().value("state").value("sum").end();
  json.key("statistic_ids").array().value(statistic.id).end();
  // Not in the unit that the user has chosen for the screen.
  if (!statistic.unit_class.empty())
    json.key("units").object().member(statistic.unit_class, statistic.unit).end();
  json.end();
  auto text = co_await ask("recorder/statistics_during_period",
                           "," + json.text().substr(1, json.text().size() - 2));
  if (!text) co_return text.error();
  std::vector<Row> found;
  const Json answer = Json::parse(*text, nullptr, false);
  if (!answer.is_object()) co_return not_understood("recorder/statistics_during_period");
  const auto list = answer.find(statistic.id);
  if (list == answer.end()) co_return found;
  for (const Json& entry : *list) {
    if (const auto row = row_of(entry)) found.push_back(*row);
  }
  std::ranges::sort(found, {}, &Row::start);
  co_return found;
}

asio::awaitable<Result<>> Client::import(Statistic statistic, std::vector<Row> rows) {
  for (std::size_t at = 0; at < rows.size(); at += rows_at_once) {
    JsonWriter json;
    json.object().key("metadata").object();
    if (wants_classes(version_)) {
      json.member("mean_type", statistic.mean_type);
      json.key("unit_class");
      if (statistic.unit_class.empty()) {
        json.null();
      } else {
        json.value(statistic.unit_class);
      }
    } else {
      json.member("has_mean", statistic.has_mean);
    }
    json.member("has_sum", true).key("name");
    if (statistic.name.empty()) {
      json.null();
    } else {
      json.value(statistic.name);
    }
    json.member("source", statistic.source).member("statistic_id", statistic.id);
    json.member("unit_of_measurement", statistic.unit).end();
    json.key("stats").array();
    for (std::size_t i = at; i < std::min(rows.size(), at + rows_at_once); ++i)
      json.object()
          .member("start", iso_utc(rows[i].start))
          .member("state", rows[i].state)
          .member("sum", rows[i].sum)
          .end();
    json.end().end();
    auto done = co_await ask("recorder/import_statistics",
                             "," + json.text().substr(1, json.text().size() - 2));
    if (!done) co_return done.error();
  }
  co_return Result<>();
}

asio::awaitable<Result<>> Client::adjust(Statistic statistic, Seconds from, Decimal by) {
  JsonWriter json;
  json.object().member("statistic_id", statistic.id).member("start_time", iso_utc(from));
  json.member("adjustment", by).member("adjustment_unit_of_measurement", statistic.unit).end();
  auto done = co_await ask("recorder/adjust_sum_statistics",
                           "," + json.text().substr(1, json.text().size() - 2));
  if (!done) co_return done.error();
  co_return Result<>();
}

}  // namespace meterbridge::hastats
