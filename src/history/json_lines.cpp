// SPDX-License-Identifier: MIT
// What `journal export` writes as JSON: an object a line, with nothing left out.
#include "history/forms.hpp"
#include "protocol/json/text.hpp"

#include <charconv>

namespace meterbridge::history {
namespace {

using protocol::json::Kind;
using protocol::json::Leaf;

constexpr std::size_t most_readings = 1000;

struct Row {
  Row() = default;
  std::string key, unit, time;
  std::optional<Leaf> value;
};

// "/readings/12/key": the row and the member; nothing for other pointers.
std::optional<std::pair<std::size_t, std::string_view>> row_of(std::string_view pointer) {
  constexpr std::string_view begin = "/readings/";
  if (!pointer.starts_with(begin)) return std::nullopt;
  pointer.remove_prefix(begin.size());
  std::size_t row = 0;
  const auto [end, error] = std::from_chars(pointer.data(), pointer.data() + pointer.size(), row);
  const auto digits = static_cast<std::size_t>(end - pointer.data());
  if (error != std::errc() || row >= most_readings || !pointer.substr(digits).starts_with('/'))
    return std::nullopt;
  return std::pair(row, pointer.substr(digits + 1));
}

Result<Seconds> second_of(const std::string& text) {
  const auto stamp = parse_stamp(text);
  if (!stamp) return stamp.error();
  if (!stamp->at) return Error(Errc::malformed, "\"" + sanitised(text, 40) + "\" has no zone");
  return std::chrono::floor<std::chrono::seconds>(*stamp->at);
}

Result<Reading> reading_from(const Row& row, const Layout& layout, const Options& options) {
  auto target = target_of(layout, options, row.key);
  if (!target || !row.value)
    return Error(Errc::malformed, "\"" + sanitised(row.key, 40) + "\" is no reading key");
  if (!row.unit.empty()) {
    const auto unit = unit_for(target->key, row.unit);
    if (!unit) return unit.error();
    target->unit = *unit;
  }
  Reading reading;
  if (row.value->kind == Kind::number) {
    auto made = reading_of(*target, row.value->text, false);
    if (!made) return made.error();
    if (!*made) return Error(Errc::malformed, row.key + " has no value");
    reading = std::move(**made);
  } else {
    reading = Reading(target->key, row.value->text);
    const Quantity quantity = target->key.quantity;
    if (quantity == Quantity::input || quantity == Quantity::clock) {
      auto made = reading_of(*target, row.value->text, false);
      if (!made) return made.error();
      if (*made) reading = std::move(**made);
    }
  }
  if (row.time.empty()) return reading;
  const auto time = second_of(row.time);
  if (!time) return time.error();
  reading.time = *time;
  return reading;
}

class JsonLines final : public FormReader {
 public:
  explicit JsonLines(const Layout& layout) : layout_(layout) {}

  void read(Run& run, std::uint64_t line, std::string_view text) override {
    if (trimmed(text).empty()) return;
    auto sample = sample_of(text, run.options());
    if (!sample) {
      run.fault({line, 0}, sample.error().detail());
      return;
    }
    run.put({line, 0}, std::move(*sample), layout_);
  }

 private:
  [[nodiscard]] Result<Sample> sample_of(std::string_view text, const Options& options) const {
    const auto leaves = protocol::json::parse(text);
    if (!leaves) return leaves.error();
    Sample sample;
    std::vector<Row> rows;
    std::string time, origin;
    const std::pair<std::string_view, std::string*> texts[] = {
        {"/meter", &sample.meter},
        {"/parent", &sample.parent},
        {"/manufacturer", &sample.identity.manufacturer},
        {"/model", &sample.identity.model},
        {"/serial", &sample.identity.serial},
        {"/firmware", &sample.identity.firmware},
        {"/document", &sample.document},
        {"/time", &time},
        {"/origin", &origin},
    };
    for (const Leaf& leaf : *leaves) {
      for (const auto& [pointer, place] : texts) {
        if (leaf.pointer == pointer && leaf.kind == Kind::text) *place = leaf.text;
      }
      const auto row = row_of(leaf.pointer);
      if (!row) continue;
      if (row->first >= rows.size()) rows.resize(row->first + 1);
      Row& into = rows[row->first];
      if (row->second == "key") into.key = leaf.text;
      if (row->second == "unit") into.unit = leaf.text;
      if (row->second == "time") into.time = leaf.text;
      if (row->second == "value" || row->second == "text") into.value = leaf;
    }
    if (origin == "meter") sample.origin = TimeOrigin::meter;
    const auto stamp = parse_stamp(time);
    if (!stamp) return stamp.error();
    if (!stamp->at || sample.meter.empty())
      return Error(Errc::malformed, "no object of journal export: it has no meter, or no time");
    sample.at = *stamp->at;
    for (const Row& row : rows) {
      auto reading = reading_from(row, layout_, options);
      if (!reading) return reading.error();
      sample.readings.push_back(std::move(*reading));
    }
    return sample;
  }

  const Layout& layout_;
};

}  // namespace

std::unique_ptr<FormReader> json_reader(const Layout& layout) {
  return std::make_unique<JsonLines>(layout);
}

}  // namespace meterbridge::history
