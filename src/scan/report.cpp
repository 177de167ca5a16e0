// SPDX-License-Identifier: MIT
#include "scan/report.hpp"

#include "core/json_writer.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace meterbridge::scan {
namespace {

constexpr std::size_t most_named = 8;  // profiles in one comment
constexpr std::size_t longest_comment = 200;

std::string mode_of(const LineSettings& line) {
  const std::string text = line.text();
  return text.substr(text.find(' ') + 1);
}

std::string comment(const std::string& text, std::string_view indent) {
  return std::string(indent) + "# " + sanitised(text, longest_comment) + "\n";
}

std::string listed(const Finding& finding, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < std::min(end, begin + most_named); ++i)
    text += (text.empty() ? "" : ", ") + finding.matches[i].profile;
  if (end > begin + most_named) text += ", ...";
  return text;
}

std::string title_of(const meter::ProfileLibrary& library, const std::string& id) {
  const meter::Profile* profile = library.find(id);
  return profile == nullptr ? id : profile->vendor + " " + profile->model;
}

bool has_key(const meter::ProfileLibrary& library, const std::string& id) {
  const meter::Profile* profile = library.find(id);
  return profile != nullptr &&
         std::ranges::find(profile->protocol->settings, SettingType::key, &SettingSpec::type) !=
             profile->protocol->settings.end();
}

std::string place_of(const Finding& finding, const Where& where) {
  std::string text = finding.protocol;
  if (!finding.address.empty()) text += ", address " + finding.address;
  if (!where.network) text += ", " + finding.line.text();
  return text;
}

std::string doubts(const Finding& finding, const meter::ProfileLibrary& library) {
  std::string text;
  const std::size_t alike = finding.alike();
  text += comment(title_of(library, finding.matches.front().profile), "  ");
  if (!finding.says.empty()) text += comment("It says: " + finding.says, "  ");
  if (alike > 1)
    text += comment(std::to_string(alike) +
                        " profiles answer alike; the label of the meter tells "
                        "which it is: " +
                        listed(finding, 0, alike),
                    "  ");
  if (finding.matches.size() > alike)
    text += comment("less likely: " + listed(finding, alike, finding.matches.size()), "  ");
  if (!finding.remark.empty()) text += comment(finding.remark, "  ");
  return text;
}

// Flow style would have no place for the comment about the key.
std::string entry(const Finding& finding, const std::string& id,
                  const meter::ProfileLibrary& library) {
  const std::string& profile = finding.matches.front().profile;
  std::string text = "  - id: " + id + "\n    profile: " + profile + "\n    link: line\n";
  if (!finding.address.empty()) text += "    address: " + finding.address + "\n";
  for (const auto& [name, value] : finding.settings) {
    // Modbus TCP is what a TCP link means anyway.
    if (value != "tcp") text += "    " + name + ": " + value + "\n";
  }
  if (finding.encrypted && has_key(library, profile))
    text +=
        "    # It encrypts. Ask the grid operator for the key, and write it into secrets.yaml:\n"
        "    # key: !secret " +
        id + "_key\n";
  return text;
}

std::string commented_out(std::string text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += "#" + text.substr(0, end) + "\n";
    text.erase(0, end == std::string::npos ? text.size() : end + 1);
  }
  return out;
}

std::string stranger(const Finding& finding, const Where& where) {
  std::string text = comment(
      "Somebody answers (" + place_of(finding, where) + "), but no profile fits what he says.",
      "  ");
  if (!finding.says.empty()) text += comment("He says: " + finding.says, "  ");
  if (!finding.remark.empty()) text += comment(finding.remark, "  ");
  if (finding.protocol == "modbus")
    text +=
        comment("With the table of his registers, profile modbus reads him: docs/adding.md", "  ");
  return text;
}

std::string link_text(const LineSettings& line, const Where& where) {
  if (where.network) return "  line: {tcp: \"" + where.link + "\"}\n";
  return "  line: {serial: \"" + where.link + "\", baud: " + std::to_string(line.baud) +
         ", mode: " + mode_of(line) + "}\n";
}

}  // namespace

std::string configuration(std::span<const Finding> findings, const Where& where,
                          const meter::ProfileLibrary& library) {
  const auto first = std::ranges::find_if(
      findings, [](const Finding& finding) { return !finding.matches.empty(); });
  std::string text =
      "# Found by meterbridge scan. An id is for ever: the history in Home Assistant "
      "hangs on it, so choose it now.\n";
  if (first == findings.end()) {
    for (const Finding& finding : findings)
      text += stranger(finding, where);
    return text + "meters: []\n";
  }
  text += "links:\n" + link_text(first->line, where) + "meters:\n";
  std::size_t number = 0;
  for (const Finding& finding : findings) {
    if (finding.matches.empty()) {
      text += stranger(finding, where);
      continue;
    }
    ++number;
    const std::string meter =
        doubts(finding, library) + entry(finding, "meter" + std::to_string(number), library);
    if (finding.line == first->line || where.network) {
      text += meter;
    } else {
      text += comment(
                  "One line has one speed. Set this meter to the other's, or give it a line of "
                  "its own; it answers at " +
                      finding.line.text(),
                  "  ") +
              commented_out(meter);
    }
  }
  return text;
}

std::string json(const Finding& finding, const Where& where) {
  JsonWriter json;
  json.object().member("protocol", finding.protocol);
  if (!finding.address.empty()) json.member("address", finding.address);
  if (!where.network) {
    json.member("baud", finding.line.baud);
    json.member("mode", mode_of(finding.line));
  }
  for (const auto& [name, value] : finding.settings)
    json.member(name, value);
  json.key("profiles").array();
  for (std::size_t i = 0; i < finding.alike(); ++i)
    json.value(finding.matches[i].profile);
  json.end().key("less_likely").array();
  for (std::size_t i = finding.alike(); i < finding.matches.size(); ++i)
    json.value(finding.matches[i].profile);
  json.end();
  if (!finding.matches.empty()) json.member("values", finding.matches.front().values);
  if (!finding.says.empty()) json.member("says", finding.says);
  json.member("encrypted", finding.encrypted);
  if (!finding.remark.empty()) json.member("remark", finding.remark);
  json.end();
  return json.text();
}

std::string words(const Finding& finding, const Where& where) {
  std::string text = place_of(finding, where) + ": ";
  if (finding.matches.empty()) {
    text += "somebody answers, and no profile fits";
  } else {
    const std::size_t alike = finding.alike();
    text += alike == 1 ? finding.matches.front().profile
                       : "one of " + std::to_string(alike) + ": " + listed(finding, 0, alike);
    if (finding.matches.front().values > 0)
      text += " (" + std::to_string(finding.matches.front().values) + " values)";
    if (finding.encrypted) text += ", encrypted";
  }
  if (!finding.says.empty()) text += "; says " + sanitised(finding.says, longest_comment);
  return text;
}

}  // namespace meterbridge::scan
