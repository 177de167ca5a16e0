// SPDX-License-Identifier: MIT
// The steps of load_settings, for the layer above, which reads profiles between them.
#pragma once

#include "config/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meterbridge::config {

// FILE as a tree, with secrets.yaml beside it and the environment as sources.
Node load_document(const std::string& file, Problems& problems);
// The same of a text that could become FILE.
Node parse_document(std::string_view text, const std::string& file, Problems& problems);
// The folder of the user's own profiles: profiles_directory, from where FILE lies, or `profiles`
// beside FILE if there is one.
std::optional<Node> profiles_folder(const Node& root, const std::string& file);
// All *.yaml files of the folder that `node` names, by name: (path, text).
std::vector<std::pair<std::string, std::string>> load_folder(const Node& node, Problems& problems);
// read_settings unless the document could not be read, with the defaults that come from the
// environment.
Settings settings_of(const Node& root, const Catalogue& catalogue, Problems& problems);
// One warning for each file of secrets that everybody on the machine can read (P58): FILE itself
// where a secret stands in it, secrets.yaml where one is taken from it, the client key of TLS.
void check_modes(const std::string& file, const Node& root, const Catalogue& catalogue,
                 Problems& problems);
// $STATE_DIRECTORY as systemd sets it, else /var/lib/meterbridge.
[[nodiscard]] std::string default_state_directory();

}  // namespace meterbridge::config
