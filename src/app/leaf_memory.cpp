// SPDX-License-Identifier: MIT
#include "app/leaf_memory.hpp"

#include "core/json_writer.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace meterbridge::app {
namespace {

constexpr auto settle_slack = std::chrono::seconds(10);
constexpr auto between_files = std::chrono::seconds(60);
constexpr std::size_t recalled_at_once = 500;

std::string memory_text(const Arrivals& arrivals, journal::Sequence at) {
  JsonWriter json;
  json.object().member("at", at);
  json.key("leaves").raw(arrivals.json(false)).end();
  return json.text();
}

}  // namespace

LeafMemory::LeafMemory(const config::Settings& settings, StateStore::Log log)
    : store_(settings.state_directory + "/" + settings.instance + ".leaves.json",
             {"how far the samples of leaves were taken is read from the journal",
              "after the next start all of the journal must be read for it"},
             std::move(log)),
      settling_(settings.journal.commit + settings.journal.sync + settle_slack) {}

void LeafMemory::load(Arrivals& arrivals, journal::Journal* journal,
                      const std::function<bool(const std::string& meter)>& shared) {
  journal::Sequence at = 0;
  store_.load([&](std::string_view content) -> Result<> {
    const auto json = nlohmann::json::parse(content, nullptr, false);
    const auto leaves = json.is_object() ? json.find("leaves") : json.end();
    if (!json.is_object() || leaves == json.end()) return Error(Errc::malformed, "is no such file");
    const auto restored = arrivals.restore(leaves->dump(), false);
    if (!restored) return restored.error();
    // Of a journal that is not there any more nothing can be read on.
    const auto place = json.find("at");
    if (journal != nullptr && place != json.end() && place->is_number_unsigned() &&
        place->get<journal::Sequence>() <= journal->given())
      at = place->get<journal::Sequence>();
    return {};
  });
  if (journal == nullptr) return;
  for (;;) {
    const auto entries = journal->after(at, recalled_at_once);
    if (!entries || entries->empty()) return;
    for (const journal::Entry& entry : *entries) {
      auto numbered = numbered_in(entry.sample);
      if (!numbered) continue;
      NumberedSample sample(entry.sample);
      sample.numbered = *std::move(numbered);
      arrivals.recall(sample, shared(sample.parent));
    }
    at = entries->back().sequence;
  }
}

void LeafMemory::tick(const Arrivals& arrivals, const journal::Journal* journal, Time now) {
  const auto settling = journal == nullptr ? Milliseconds::zero() : settling_;
  if (next_ && !next_->text.empty() && now - next_->taken >= settling)
    store_.save(std::exchange(next_->text, {}));
  const bool waits = next_ && !next_->text.empty();
  if (waits || (next_ && now - next_->taken < between_files)) return;
  next_.emplace();
  next_->taken = now;
  next_->text = memory_text(arrivals, journal == nullptr ? 0 : journal->committed());
}

void LeafMemory::save(const Arrivals& arrivals, journal::Sequence at) {
  store_.save(memory_text(arrivals, at));
}

}  // namespace meterbridge::app
