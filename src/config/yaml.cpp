// SPDX-License-Identifier: MIT
// The border to yaml-cpp 0.7. Its events, not its nodes: nodes accept duplicate keys (the first
// wins), share copies and forget where an alias stood; events tell each key and each place.
#include "config/syntax.hpp"
#include "config/tree_builder.hpp"
#include "core/text.hpp"

#include <sstream>
#include <unordered_map>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace meterbridge::config {
namespace {

class Events final : public YAML::EventHandler {
 public:
  Events(std::string_view text, const std::string& file, const Sources& sources, Problems& problems)
      : text_(text), file_(file), sources_(sources), problems_(problems), builder_(problems) {}

  // Marks count from 0 and are -1 where yaml-cpp knows no place.
  [[nodiscard]] Place place(const YAML::Mark& mark) const {
    Place place;
    place.file = file_;
    place.line = mark.line < 0 ? 0 : mark.line + 1;
    place.column = mark.line < 0 ? 0 : mark.column + 1;
    return place;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    problems_.add(Severity::error, place(mark), {},
                  "a second document begins here; only one is read");
    throw StopReading{};
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = place(mark);
    remember(anchor, builder_.add(std::move(node)));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    Node node;
    if (found != anchors_.end()) {
      node = found->second;
    } else {
      // Inside its own anchor, or the anchor's value was refused.
      problems_.add(Severity::error, place(mark), {},
                    "this alias has no value yet where it stands");
      node.missing = true;
    }
    node.place = place(mark);
    builder_.add_copy(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node;
    node.kind = Kind::scalar;
    node.place = place(mark);
    check_quote(mark, tag);
    if (tag == "!secret") {
      fill(node, "!secret", value, sources_.secret);
    } else if (tag == "!env") {
      fill(node, "!env", value, sources_.environment);
    } else {
      node.scalar = value;
      node.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
      check_tag(tag, node.place);
    }
    remember(anchor, builder_.add(std::move(node)));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    begin(Kind::sequence, mark, tag, anchor, style);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    begin(Kind::map, mark, tag, anchor, style);
  }

  void OnSequenceEnd() override { end(); }

  void OnMapEnd() override { end(); }

  [[nodiscard]] const TreeBuilder& builder() const noexcept { return builder_; }

  [[nodiscard]] Node take_root() && { return std::move(builder_).take_root(); }

 private:
  void begin(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YAML::EmitterStyle::value style) {
    if (tag == "!secret" || tag == "!env") {
      problems_.add(Severity::error, place(mark), builder_.next_path(),
                    tag + " takes one name, not a list or map");
    } else {
      check_tag(tag, place(mark));
    }
    open_anchors_.push_back(anchor);
    builder_.begin(kind, place(mark), style == YAML::EmitterStyle::Flow);
  }

  void end() {
    const YAML::anchor_t anchor = open_anchors_.back();
    open_anchors_.pop_back();
    remember(anchor, builder_.end());
  }

  void remember(YAML::anchor_t anchor, const Node* node) {
    if (anchor != YAML::NullAnchor && node != nullptr) anchors_[anchor] = *node;
  }

  // yaml-cpp takes the end of the file for the second quote.
  void check_quote(const YAML::Mark& mark, const std::string& tag) {
    if (tag != "!" || mark.pos < 0 || static_cast<std::size_t>(mark.pos) >= text_.size()) return;
    std::size_t at = static_cast<std::size_t>(mark.pos);
    const char quote = text_[at];
    if (quote != '"' && quote != '\'') return;
    for (++at; at < text_.size(); ++at) {
      if (text_[at] == quote) return;  // of a doubled '' the second one ends the search as well
      if (quote == '"' && text_[at] == '\\') ++at;
    }
    problems_.add(Severity::error, place(mark), {}, "this quote is never closed");
    throw StopReading{};
  }

  void check_tag(const std::string& tag, const Place& where) {
    static constexpr std::string_view standard = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with(standard)) return;
    problems_.add(Severity::error, where, builder_.next_path(),
                  "unknown tag \"" + sanitised(tag, 60) + "\" (known: !secret, !env)");
  }

  void fill(Node& node, const std::string& tag, const std::string& name,
            const std::function<std::optional<std::string>(std::string_view)>& source) {
    node.secret = true;
    node.origin = tag + " " + sanitised(name, 60);
    std::optional<std::string> found;
    if (name.empty()) {
      problems_.add(Severity::error, node.place, builder_.next_path(),
                    tag + " needs a name, for example " +
                        (tag == "!env" ? "!env MQTT_HOST" : "!secret mqtt_password"));
    } else {
      if (source) found = source(name);
      if (!found) {
        problems_.add(Severity::error, node.place, builder_.next_path(),
                      tag == "!env"
                          ? "the environment has no variable " + sanitised(name, 60)
                          : "secrets.yaml beside this file has no \"" + sanitised(name, 60) + "\"");
      }
    }
    node.missing = !found;
    if (found) node.scalar = *std::move(found);
  }

  std::string_view text_;
  const std::string& file_;
  const Sources& sources_;
  Problems& problems_;
  TreeBuilder builder_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  std::vector<YAML::anchor_t> open_anchors_;
  int documents_ = 0;
};

SyntaxBreak break_of(const Events& events, const YAML::Exception& exception) {
  SyntaxBreak broken;
  broken.place = events.place(exception.mark);
  broken.message = exception.msg;
  for (const TreeBuilder::Open& open : events.builder().open()) {
    broken.inside = open.node.place;
    broken.inside_kind = open.node.kind;
    broken.inside_flow = open.flow;
  }
  return broken;
}

}  // namespace

Node parse_yaml(std::string_view text, const std::string& file_name, const Sources& sources,
                Problems& problems) {
  const std::optional<std::string> clean = clean_text(text, file_name, problems);
  if (!clean) return {};
  Events events(*clean, file_name, sources, problems);
  try {
    std::istringstream stream(*clean);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(events)) {
    }
    Node root = std::move(events).take_root();
    if (root.kind == Kind::null) {
      root.place.file = file_name;
      root.place.line = 1;
      root.place.column = 1;
    }
    return root;
  } catch (const StopReading&) {
    // Noted where it was thrown.
  } catch (const YAML::Exception& exception) {
    report_break(break_of(events, exception), *clean, problems);
  } catch (const std::exception& exception) {
    Place place;
    place.file = file_name;
    problems.add(Severity::error, place, {}, std::string("cannot be read: ") + exception.what());
  }
  return {};
}

}  // namespace meterbridge::config
