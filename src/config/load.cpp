// SPDX-License-Identifier: MIT
// The only file of this layer that touches files and the environment.
#include "config/load.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

namespace meterbridge::config {
namespace {

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

Place at_file(const std::string& file) {
  Place place;
  place.file = file;
  return place;
}

// Bounded: somebody may name a device or a disk image.
std::optional<std::string> content_of(const std::string& file, Problems& problems) {
  std::error_code failed;
  const auto kind = std::filesystem::status(file, failed).type();
  if (kind == std::filesystem::file_type::not_found) {
    problems.add(Severity::error, at_file(file), {}, "there is no such file");
    return std::nullopt;
  }
  if (kind == std::filesystem::file_type::directory) {
    problems.add(Severity::error, at_file(file), {}, "is a directory, not a file");
    return std::nullopt;
  }
  std::ifstream stream(file, std::ios::binary);
  std::string text(max_file_size + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad()) {
    problems.add(
        Severity::error, at_file(file), {},
        "cannot be read: check the file's owner and rights against the user that runs meterbridge");
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(stream.gcount()));
  text.shrink_to_fit();  // a folder of profiles is kept for a while
  return text;
}

// secrets.yaml is opened when the first !secret asks for it, and its own faults are told once.
class Secrets {
 public:
  Secrets(std::string file, Problems& problems) : file_(std::move(file)), problems_(problems) {}

  std::optional<std::string> operator()(std::string_view name) {
    if (!read_) read();
    const Node* node = root_.find(name);
    if (node == nullptr) return std::nullopt;
    if (node->kind == Kind::scalar) return node->scalar;
    problems_.add(Severity::error, node->place, node->path, "a secret must be one value");
    return std::string{};
  }

 private:
  void read() {
    read_ = true;
    const auto text = content_of(file_, problems_);
    if (!text) return;
    root_ = parse_yaml(*text, file_, {}, problems_);
    if (root_.kind == Kind::scalar || root_.kind == Kind::sequence)
      problems_.add(Severity::error, root_.place, {},
                    "must be a map from names to secrets (name: value)");
  }

  std::string file_;
  Problems& problems_;
  Node root_;
  bool read_ = false;
};

std::string secrets_beside(const std::string& file) {
  return (std::filesystem::path(file).parent_path() / "secrets.yaml").string();
}

bool takes_secrets(const Node& node) {
  const auto in_member = [](const auto& member) { return takes_secrets(member.second); };
  return node.origin.starts_with("!secret") ||
         std::any_of(node.items.begin(), node.items.end(), takes_secrets) ||
         std::any_of(node.members.begin(), node.members.end(), in_member);
}

// A secret as it stands in the file.
bool is_literal(const Node* node) {
  return node != nullptr && node->kind == Kind::scalar && !node->secret && !node->scalar.empty();
}

// The path of the first one, "meters[0].key"; empty when there is none.
std::string literal_secret(const Node& root, const Catalogue& catalogue) {
  if (const Node* mqtt = root.find("mqtt"); mqtt != nullptr) {
    if (const Node* password = mqtt->find("password"); is_literal(password)) return password->path;
  }
  if (const Node* bridges = root.find("bridges"); bridges != nullptr) {
    for (const Node& bridge : bridges->items)
      if (const Node* password = bridge.find("password"); is_literal(password))
        return password->path;
  }
  if (const Node* sinks = root.find("sinks"); sinks != nullptr) {
    for (const auto& [name, sink] : sinks->members) {
      for (const SinkFacts& kind : catalogue.sinks) {
        for (const SettingSpec& spec : kind.settings) {
          const Node* node = spec.type == SettingType::secret ? sink.find(spec.name) : nullptr;
          if (is_literal(node)) return node->path;
        }
      }
    }
  }
  const Node* meters = root.find("meters");
  if (meters == nullptr) return {};
  for (const Node& meter : meters->items) {
    for (const ProfileFacts& profile : catalogue.profiles) {
      for (const SettingSpec& spec : profile.settings) {
        if (spec.type != SettingType::secret && spec.type != SettingType::key) continue;
        if (const Node* node = meter.find(spec.name); is_literal(node)) return node->path;
      }
    }
  }
  return {};
}

void warn_if_public(const std::string& file, const std::string& what, Problems& problems) {
  std::error_code failed;
  const auto mode = std::filesystem::status(file, failed).permissions();
  if (failed || (mode & std::filesystem::perms::others_read) == std::filesystem::perms::none)
    return;
  problems.add(Severity::warning, at_file(file), {},
               "everybody on this machine can read this file, and " + what + ": chmod o-r " + file);
}

}  // namespace

void check_modes(const std::string& file, const Node& root, const Catalogue& catalogue,
                 Problems& problems) {
  if (const std::string path = literal_secret(root, catalogue); !path.empty())
    warn_if_public(file, path + " stands in it", problems);
  if (takes_secrets(root)) warn_if_public(secrets_beside(file), "secrets stand in it", problems);
  const auto check_key = [&](const Node& connection) {
    const Node* tls = connection.find("tls");
    const Node* key = tls == nullptr ? nullptr : tls->find("key");
    if (is_literal(key))
      warn_if_public(key->scalar, "it is our client key (" + key->path + ")", problems);
  };
  if (const Node* mqtt = root.find("mqtt")) check_key(*mqtt);
  if (const Node* bridges = root.find("bridges")) {
    for (const Node& bridge : bridges->items)
      check_key(bridge);
  }
}

Node load_document(const std::string& file, Problems& problems) {
  const auto text = content_of(file, problems);
  if (!text) return {};
  return parse_document(*text, file, problems);
}

Node parse_document(std::string_view text, const std::string& file, Problems& problems) {
  Secrets secrets(secrets_beside(file), problems);
  Sources sources;
  sources.secret = [&secrets](std::string_view name) { return secrets(name); };
  sources.environment = environment;
  return parse_yaml(text, file, sources, problems);
}

std::vector<std::pair<std::string, std::string>> load_folder(const Node& node, Problems& problems) {
  std::vector<std::pair<std::string, std::string>> documents;
  std::error_code failed;
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator entry(node.scalar, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".yaml" || extension == ".yml") files.push_back(entry->path().string());
  }
  if (failed) {
    problems.add(Severity::error, node.place, node.path,
                 "the folder cannot be read: " + failed.message());
    return documents;
  }
  std::sort(files.begin(), files.end());
  for (std::string& file : files) {
    auto text = content_of(file, problems);
    if (text) documents.emplace_back(std::move(file), *std::move(text));
  }
  return documents;
}

std::optional<Node> profiles_folder(const Node& root, const std::string& file) {
  const std::filesystem::path beside = std::filesystem::path(file).parent_path();
  std::error_code failed;
  if (const Node* named = root.find("profiles_directory")) {
    if (named->kind != Kind::scalar || named->missing) return std::nullopt;
    Node folder = *named;
    folder.scalar = (beside / named->scalar).string();  // an absolute path stays as it is
    return folder;
  }
  Node folder;
  folder.scalar = (beside / "profiles").string();
  folder.place = at_file(folder.scalar);
  if (!std::filesystem::is_directory(folder.scalar, failed)) return std::nullopt;
  return folder;
}

std::string default_state_directory() {
  // systemd gives a list where several are configured; the first is ours.
  const std::string given = environment("STATE_DIRECTORY").value_or("");
  const std::string first = given.substr(0, given.find(':'));
  return first.empty() ? "/var/lib/meterbridge" : first;
}

Settings settings_of(const Node& root, const Catalogue& catalogue, Problems& problems) {
  // A null root with an error is a file that could not be read at all: what it lacks is no news.
  if (root.kind == Kind::null && problems.any_error()) {
    problems.sort();
    return {};
  }
  Settings settings = read_settings(root, catalogue, problems);
  if (settings.state_directory.empty()) settings.state_directory = default_state_directory();
  return settings;
}

Settings load_settings(const std::string& file, const Catalogue& catalogue, Problems& problems) {
  return settings_of(load_document(file, problems), catalogue, problems);
}

}  // namespace meterbridge::config
