// SPDX-License-Identifier: MIT
#include "app/journal_name.hpp"

#include "app/plan.hpp"
#include "core/json_writer.hpp"
#include "journal/event.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace meterbridge::app {

std::string journal_name(const config::Settings& settings, journal::Sequence given,
                         const StateStore::Log& log) {
  StateStore store(
      settings.state_directory + "/" + settings.instance + ".journal-name.json",
      {"hubs take the journal for a new one", "hubs take it for a new one at each start"}, log);
  std::string name;
  journal::Sequence before = 0;
  store.load([&](std::string_view content) -> Result<> {
    const auto json = nlohmann::json::parse(content, nullptr, false);
    const auto text = json.is_object() ? json.find("name") : json.end();
    const auto number = json.is_object() ? json.find("given") : json.end();
    if (!json.is_object() || text == json.end() || !text->is_string() || number == json.end() ||
        !number->is_number_unsigned())
      return Error(Errc::malformed, "is no such file");
    name = text->get<std::string>();
    before = number->get<journal::Sequence>();
    return {};
  });
  if (name.empty() || given < before) name = random_id() + random_id();
  JsonWriter json;
  json.object().member("name", name).member("given", given).end();
  store.save(json.text());
  return name;
}

journal::Sequence nothing_since(journal::Journal& journal, std::string_view meter,
                                journal::Sequence number) {
  constexpr journal::Sequence near = 10'000;
  constexpr std::size_t most = 4000;  // entries that are looked at
  // What is not kept any more is not known. Numbers leap at a start, as far as time went on.
  const journal::Sequence oldest =
      std::min(std::max<journal::Sequence>(journal.oldest(), 1), number) - 1;
  journal::Sequence last = number - 1;
  for (journal::Sequence far = near; last > oldest; far *= 8) {
    const journal::Sequence start = std::max(number > far ? number - far : 0, oldest);
    if (journal.behind(start) > most) break;
    last = start;
  }
  const auto entries = journal.after(last, most);
  if (!entries) return number - 1;
  for (const journal::Entry& entry : *entries) {
    if (entry.sequence >= number) return last;
    if (entry.sample.meter == meter && !journal::is_event(entry.sample)) last = entry.sequence;
  }
  return number - 1;
}

}  // namespace meterbridge::app
