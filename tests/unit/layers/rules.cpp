// SPDX-License-Identifier: MIT
#include "unit/layers/rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>

namespace layers {
namespace {

// Where a library is known by its headers: a folder ("boost/asio/") or a file.
struct Known {
  std::string_view prefix;
  std::string_view library;
};

constexpr std::array known = {
    Known{"boost/system/", "Boost.System"},
    Known{"boost/asio/", "Asio"},
    Known{"boost/beast/", "Beast"},
    Known{"sqlite3.h", "SQLite"},
    Known{"zlib.h", "zlib"},
    Known{"mysql.h", "libmariadb"},
    Known{"libpq-fe.h", "libpq"},
    Known{"boost/version.hpp", "Boost version"},
    Known{"nlohmann/json_fwd.hpp", "nlohmann forward"},
    Known{"nlohmann/", "nlohmann"},
    Known{"yaml-cpp/", "yaml-cpp"},
    Known{"spdlog/fmt/", "fmt"},
    Known{"spdlog/", "spdlog"},
    Known{"openssl/", "OpenSSL"},
    Known{"mosquitto.h", "libmosquitto"},
    Known{"mqtt_protocol.h", "libmosquitto"},
};

// Expensive or slow at run time, each with what to take instead.
struct Banned {
  std::string_view header;
  std::string_view reason;
};

constexpr std::array banned = {
    Banned{"regex", "it is slow and large; parse by hand"},
    Banned{"iostream", "it drags static constructors in; return text, or write it in cli"},
    Banned{"boost/asio.hpp", "it costs 1.7 s a file; include the parts that are used"},
};

constexpr std::array<std::string_view, 11> worldly = {
    "fstream", "filesystem", "thread", "mutex", "condition_variable", "shared_mutex",
    "future",  "csignal",    "cstdio", "ctime", "stop_token"};

// Reading the file that holds the configuration is the one task of that layer outside pure
// functions.
constexpr std::string_view configuration_loader = "config/load.cpp";
// The C library's zones are asked in one place.
constexpr std::string_view zones = "core/time.cpp";

constexpr std::array<std::string_view, 5> posix_folders = {"sys/", "netinet/", "arpa/", "linux/",
                                                           "asm/"};
constexpr std::array<std::string_view, 14> posix_headers = {
    "unistd.h", "fcntl.h",  "termios.h", "poll.h", "pty.h",     "pwd.h",    "grp.h",
    "netdb.h",  "signal.h", "syslog.h",  "glob.h", "ifaddrs.h", "malloc.h", "dlfcn.h"};

bool starts_with_any(std::string_view text, std::span<const std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [text](auto p) { return text.starts_with(p); });
}

bool contains(std::span<const std::string_view> list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

bool is_standard(std::string_view header) {
  return header.find_first_of("./") == std::string_view::npos;
}

bool is_posix(std::string_view header) {
  return starts_with_any(header, posix_folders) || contains(posix_headers, header);
}

struct Include {
  std::string_view name;
  bool quoted = false;
};

std::optional<Include> include_of(std::string_view line) {
  const auto skip_blanks = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line.front() != '<' && line.front() != '"')) return std::nullopt;
  const bool quoted = line.front() == '"';
  line.remove_prefix(1);
  return Include{line.substr(0, line.find(quoted ? '"' : '>')), quoted};
}

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (const auto name : names)
    out += (out.empty() ? "" : ", ") + std::string(name);
  return out.empty() ? "nothing" : out;
}

// Empty when the include is in order, else what is wrong with it.
std::string wrong_own(const Layer& layer, std::string_view header) {
  const auto slash = header.find('/');
  if (slash == std::string_view::npos) {
    return "\"" + std::string(header) + "\" must be written with its folder";
  }
  const std::string_view folder = header.substr(0, slash);
  if (folder == layer.name || contains(layer.uses, folder) || contains(layer.parts, header))
    return {};
  const std::string_view no_layer = find_layer(folder) == nullptr ? ", which is no layer" : "";
  std::string why = std::string(layer.name) + " may not include \"" + std::string(header) + "\"" +
                    std::string(no_layer) + "; it may use " + joined(layer.uses);
  if (!layer.parts.empty()) why += " and " + joined(layer.parts);
  return why;
}

std::string wrong_library(const Layer& layer, std::string_view header, std::string_view library,
                          bool in_header) {
  const std::string shown = "<" + std::string(header) + ">";
  for (const Library& allowed : layer.libraries) {
    if (allowed.name != library) continue;
    if (!in_header || allowed.headers) return {};
    return shown + " (" + std::string(library) +
           ") belongs into .cpp files only, it slows every includer down";
  }
  return std::string(layer.name) + " may not include " + shown + " (" + std::string(library) + ")";
}

std::string wrong_foreign(const Layer& layer, std::string_view file, std::string_view header) {
  const std::string shown = "<" + std::string(header) + ">";
  for (const Banned& ban : banned) {
    if (ban.header == header) return shown + " is not used in src: " + std::string(ban.reason);
  }
  for (const Known& entry : known) {
    if (header.starts_with(entry.prefix)) {
      return wrong_library(layer, header, entry.library, file.ends_with(".hpp"));
    }
  }
  const bool world =
      layer.touches_world || file == configuration_loader || (file == zones && header == "ctime");
  if (is_posix(header) || contains(worldly, header)) {
    if (world) return {};
    return std::string(layer.name) + " may not include " + shown +
           ": it knows no file, socket, thread or clock";
  }
  if (is_standard(header)) return {};
  return shown + " is of no library that the layer table knows";
}

// A clock is asked for the time where it is allowed to be, everywhere else the time is handed in.
bool asks_a_clock(std::string_view line) {
  return line.find("_clock::now(") != std::string_view::npos;
}

// g++ 12.2 miscompiles `if (co_await f()) co_return x;` and says nothing: the result gets a name
// first.
bool awaits_in_condition(std::string_view line) {
  for (const std::string_view word : {"if (", "while (", "switch (", "for ("}) {
    const auto start = line.find(word);
    if (start == std::string_view::npos) continue;
    int depth = 0;
    for (std::size_t at = start + word.size() - 1; at < line.size(); ++at) {
      if (line[at] == '(') ++depth;
      if (line[at] == ')' && --depth == 0) break;
      if (line.substr(at).starts_with("co_await ")) return true;
    }
  }
  return false;
}

}  // namespace

std::span<const Layer> table() {
  const Library asio{"Asio", true};
  const Library system{"Boost.System", true};
  const Library beast{"Beast"};
  const Library json{"nlohmann"};
  const Library json_names{"nlohmann forward", true};
  static const std::vector<Layer> rows = {
      {"core", {}, {}, {system}, false},
      {"protocol", {"core"}, {}, {{"OpenSSL"}}, false},
      {"config", {"core"}, {}, {{"yaml-cpp"}, json, json_names}, false},
      {"meter", {"core", "protocol", "config"}, {}, {{"zlib"}}, false},
      {"mqtt", {"core"}, {}, {asio, system, {"libmosquitto"}, {"OpenSSL"}}, true},
      {"homeassistant", {"core", "meter"}, {"mqtt/message.hpp"}, {json, json_names}, false},
      {"io", {"core", "protocol", "mqtt"}, {}, {asio, system, {"OpenSSL"}}, true},
      {"scan", {"core", "protocol", "meter", "config"}, {}, {}, false},
      {"simulator", {"core", "protocol", "meter", "config", "io"}, {}, {asio, system}, true},
      {"journal", {"core"}, {}, {system, {"SQLite"}}, true},
      {"sink",
       {"core", "io", "journal"},
       {},
       {asio, system, beast, {"OpenSSL"}, {"zlib"}, {"libmariadb"}, {"libpq", true}},
       true},
      {"hastats", {"core", "io"}, {"sink/url.hpp"}, {asio, system, json, {"OpenSSL"}}, true},
      {"history", {"core", "protocol"}, {}, {system, {"zlib"}}, true},
      {"http", {"core", "journal"}, {}, {asio, system, beast}, true},
      {"app",
       {"core", "protocol", "meter", "config", "io", "mqtt", "homeassistant", "journal", "sink",
        "http"},
       {},
       // The mark of a refused password.
       {asio, system, {"spdlog"}, {"fmt", true}, json, json_names, {"OpenSSL"}},
       true},
      {"cli",
       {"core", "protocol", "meter", "config", "io", "mqtt", "homeassistant", "journal", "sink",
        "http", "simulator", "scan", "app", "history", "hastats"},
       {},
       // `version` names the libraries it was built with.
       {asio, system, {"spdlog"}, json, json_names, {"OpenSSL"}, {"Boost version"}},
       true},
  };
  return rows;
}

const Layer* find_layer(std::string_view name) {
  for (const Layer& layer : table()) {
    if (layer.name == name) return &layer;
  }
  return nullptr;
}

std::vector<Violation> check(std::string_view file, std::string_view content) {
  const std::string shown = "src/" + std::string(file);
  const std::string_view folder = file.substr(0, file.find('/'));
  const Layer* layer = find_layer(folder);
  if (layer == nullptr) {
    return {{shown, 1, "the folder " + std::string(folder) + " has no row in the layer table"}};
  }
  std::vector<Violation> found;
  int number = 0;
  while (!content.empty()) {
    const auto end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    ++number;
    if (const auto include = include_of(line)) {
      std::string what = include->quoted ? wrong_own(*layer, include->name)
                                         : wrong_foreign(*layer, file, include->name);
      if (!what.empty()) found.push_back({shown, number, std::move(what)});
    } else if (asks_a_clock(line) && !layer->touches_world && file != zones) {
      found.push_back(
          {shown, number, std::string(folder) + " asks a clock; the time must be handed in"});
    } else if (awaits_in_condition(line) && line.find("//") == std::string_view::npos) {
      found.push_back({shown, number, "co_await in a condition: name its result first"});
    }
  }
  return found;
}

std::vector<Linked> linked_layers(std::string_view build_file) {
  constexpr std::string_view call = "\nmeterbridge_layer(";
  std::vector<Linked> found;
  for (auto at = build_file.find(call); at != std::string_view::npos;
       at = build_file.find(call, at + 1)) {
    const auto begin = at + call.size();
    std::istringstream words(
        std::string(build_file.substr(begin, build_file.find(')', begin) - begin)));
    Linked layer;
    words >> layer.name;
    bool uses = false;
    for (std::string word; words >> word;) {
      if (word == "USES" || word == "PRIVATE") {
        uses = word == "USES";
      } else if (uses) {
        layer.uses.push_back(word);
      }
    }
    found.push_back(std::move(layer));
  }
  return found;
}

}  // namespace layers
