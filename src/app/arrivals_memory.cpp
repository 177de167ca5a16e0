// SPDX-License-Identifier: MIT
// What a hub remembers of its leaves, and what hubs that share them tell one another.
#include "app/arrivals.hpp"
#include "core/json_writer.hpp"
#include "core/text.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace meterbridge::app {
namespace {

std::string word_in(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? sanitised(found->get<std::string>())
                                                   : std::string();
}

std::uint64_t number_in(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Instant time_in(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer()
             ? Instant(Milliseconds(found->get<std::int64_t>()))
             : Instant();
}

Spans spans_in(const nlohmann::json& json) {
  Spans spans;
  const auto list = json.find("have");
  if (list == json.end() || !list->is_array() || list->size() > most_spans) return spans;
  for (const auto& pair : *list) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() ||
        !pair[1].is_number_unsigned())
      continue;
    spans.add({pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()});
  }
  return spans;
}

void write_spans(JsonWriter& json, const Spans& spans) {
  json.key("have").array();
  std::size_t left = most_spans;
  for (const auto& [after, last] : spans.all()) {
    if (left-- == 0) break;
    json.array().value(after).value(last).end();
  }
  json.end();
}

}  // namespace

std::string Arrivals::json(bool shared_only) const {
  JsonWriter json;
  json.object().key("meters").object();
  for (const auto& [meter, source] : sources_) {
    if (shared_only && source.shared_name.empty()) continue;
    json.key(shared_only ? source.shared_name : meter).object().member("topic", source.topic);
    if (!source.shared_name.empty()) json.member("shared", source.shared_name);
    json.key("chains").array();
    for (const Chain& chain : source.chains) {
      json.object().member("journal", chain.journal);
      json.member("latest", chain.latest.time_since_epoch().count());
      if (!shared_only && chain.floor != 0) json.member("floor", chain.floor);
      if (!shared_only && chain.begun != 0) {
        json.member("begun", chain.begun);
        json.member("known_before", chain.known_before.time_since_epoch().count());
      }
      write_spans(json, chain.have);
      if (!shared_only && !chain.mine.empty()) {
        json.key("mine").array();
        for (const auto& [after, since] : chain.mine)
          json.value(after);
        json.end();
      }
      json.end();
    }
    json.end().end();
  }
  json.end().end();
  return json.text();
}

Result<> Arrivals::restore(std::string_view text, bool shared) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto meters = json.is_object() ? json.find("meters") : json.end();
  if (!json.is_object() || meters == json.end() || !meters->is_object())
    return Error(Errc::malformed, "is no memory of leaves");
  for (const auto& [name, entry] : meters->items()) {
    const auto chains = entry.is_object() ? entry.find("chains") : entry.end();
    if (!entry.is_object() || chains == entry.end() || !chains->is_array()) continue;
    Source* source = nullptr;
    if (shared) {
      // Of a meter that we never heard of nothing needs to be known: our numbers begin with it.
      for (auto& [id, known] : sources_) {
        if (known.shared_name == name) source = &known;
      }
      if (source == nullptr) continue;
    } else {
      source = &sources_[name];
      source->topic = word_in(entry, "topic");
      source->shared_name = word_in(entry, "shared");
    }
    for (const auto& row : *chains) {
      if (!row.is_object()) continue;
      const std::string journal = word_in(row, "journal");
      if (journal.empty()) continue;
      auto chain = std::ranges::find(source->chains, journal, &Chain::journal);
      if (chain == source->chains.end()) {
        if (source->chains.size() >= most_chains) continue;
        // What others know beside ours is not the newest, as far as we heard.
        chain = source->chains.emplace(shared ? source->chains.begin() : source->chains.end());
        chain->journal = journal;
      }
      const Spans had = spans_in(row);
      // Of what we never heard ourselves nothing is missed but what lies between.
      if (shared && chain->have.all().empty() && !had.all().empty())
        chain->floor = had.all().begin()->first;
      if (!shared) chain->floor = number_in(row, "floor");
      for (const auto& [after, last] : had.all())
        chain->have.add({after, last});
      if (const auto mine = row.find("mine"); !shared && mine != row.end() && mine->is_array()) {
        for (const auto& after : *mine) {
          if (after.is_number_unsigned()) chain->mine.emplace(after.get<std::uint64_t>(), Time{});
        }
      }
      chain->latest = std::max(chain->latest, time_in(row, "latest"));
      if (!shared && row.contains("begun")) {
        chain->begun = number_in(row, "begun");
        chain->known_before = time_in(row, "known_before");
      }
    }
  }
  return {};
}

}  // namespace meterbridge::app
