// SPDX-License-Identifier: MIT
#include "config/reader.hpp"
#include "config/tables.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::config {
namespace {

std::vector<std::string_view> types_of(const Catalogue& catalogue) {
  std::vector<std::string_view> types;
  for (const SinkFacts& kind : catalogue.sinks)
    types.push_back(kind.type);
  return types;
}

std::string list_of(const std::vector<std::string_view>& words) {
  std::string list;
  for (const std::string_view word : words)
    list += (list.empty() ? "" : ", ") + std::string(word);
  return list;
}

// What a sink of this kind may hold: what every sink may, with its kind's own defaults, and more.
struct KindFields {
  std::vector<Field> common;
  std::vector<SettingSpec> own;
};

KindFields fields_of(const SinkFacts& kind) {
  KindFields fields;
  fields.common.assign(sink_section.fields.begin(), sink_section.fields.end());
  for (const SettingSpec& spec : kind.settings) {
    const auto same = std::ranges::find_if(
        fields.common, [&](const Field& field) { return field.spec.name == spec.name; });
    if (same == fields.common.end()) {
      fields.own.push_back(spec);
    } else {
      same->spec = spec;
    }
  }
  return fields;
}

class SinkReader {
 public:
  SinkReader(const Catalogue& catalogue, Settings& settings, Problems& problems)
      : catalogue_(catalogue), settings_(settings), problems_(problems) {}

  void read(const std::string& name, const Place& key_place, const Node& node);

 private:
  const SinkFacts* find_kind(const std::string& name, const Place& key_place, const Node& node);
  void read_meters(const Node& list, SinkSettings& sink);

  const Catalogue& catalogue_;
  Settings& settings_;
  Problems& problems_;
};

const SinkFacts* SinkReader::find_kind(const std::string& name, const Place& key_place,
                                       const Node& node) {
  const Node* given = node.find("type");
  if (given != nullptr && (given->kind != Kind::scalar || given->missing)) return nullptr;
  const std::string& type = given == nullptr ? name : given->scalar;
  const auto found = std::ranges::find(catalogue_.sinks, type, &SinkFacts::type);
  if (found != catalogue_.sinks.end()) return &*found;
  const std::vector<std::string_view> types = types_of(catalogue_);
  const std::string near = suggestion(type, types);
  if (given != nullptr) {
    complain(problems_, *given,
             shown(*given) + " is no type of sink (known: " + list_of(types) + ")" + near);
  } else {
    problems_.add(Severity::error, key_place, node.path,
                  "needs the key \"type\", because its name is no type (known: " + list_of(types) +
                      ")" + near);
  }
  return nullptr;
}

void SinkReader::read_meters(const Node& list, SinkSettings& sink) {
  std::vector<std::string_view> known;
  for (const MeterSettings& meter : settings_.meters)
    known.push_back(meter.id);
  for (const Node& item : list.items) {
    if (item.missing) continue;
    if (item.kind != Kind::scalar) {
      complain(problems_, item, "must be the id of a meter");
    } else if (std::ranges::count(known, std::string_view(item.scalar)) == 0) {
      complain(problems_, item,
               shown(item) + " is the id of no meter" + suggestion(item.scalar, known));
    } else if (std::ranges::count(sink.meters, item.scalar) != 0) {
      complain(problems_, item, shown(item) + " stands in this list already");
    } else {
      sink.meters.push_back(item.scalar);
    }
  }
  if (list.items.empty())
    complain(problems_, list, "is empty: leave it out for the samples of all meters");
}

void SinkReader::read(const std::string& name, const Place& key_place, const Node& node) {
  if (node.missing) return;
  if (node.kind != Kind::map) {
    problems_.add(Severity::error, key_place, node.path,
                  "must be a map with the settings of the sink");
    return;
  }
  Node key = node;
  key.place = key_place;
  key.secret = false;
  key.scalar = name;
  check_identity(key, name, problems_);
  // What else may stand there only its kind can say.
  const SinkFacts* kind = find_kind(name, key_place, node);
  if (kind == nullptr) return;
  const std::string what = "a sink of type " + std::string(kind->type);
  const KindFields fields = fields_of(*kind);
  const SettingValues values =
      read_section(node, Section{what, fields.common}, fields.own, problems_);
  SinkSettings sink;
  sink.name = name;
  sink.type = kind->type;
  sink.batch = static_cast<std::size_t>(values.integer("batch"));
  sink.flush_interval = values.duration("flush_interval");
  sink.values = default_settings(fields.own);
  for (const SettingSpec& spec : fields.own) {
    if (const auto* stored = values.find(spec.name)) sink.values.set(spec.name, *stored);
  }
  sink.place = key_place;
  sink.path = node.path;
  if (const Node* meters = list_in(node, "meters")) read_meters(*meters, sink);
  settings_.sinks.push_back(std::move(sink));
}

}  // namespace

void read_sinks(const Node& sinks, const Catalogue& catalogue, Settings& settings,
                Problems& problems) {
  SinkReader reader(catalogue, settings, problems);
  for (std::size_t i = 0; i < sinks.members.size(); ++i)
    reader.read(sinks.members[i].first, sinks.key_places[i], sinks.members[i].second);
}

}  // namespace meterbridge::config
