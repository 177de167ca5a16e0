// SPDX-License-Identifier: MIT
#include "config/reader.hpp"
#include "config/tables.hpp"
#include "core/serial_server.hpp"
#include "core/topic.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace meterbridge::config {
namespace {

constexpr std::size_t max_filter = 200;

bool all_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

// usb:VID:PID[:SERIAL]
bool is_usb_address(std::string_view text) {
  return text.size() >= 9 && text[4] == ':' && all_hex(text.substr(0, 4)) &&
         all_hex(text.substr(5, 4)) && (text.size() == 9 || (text[9] == ':' && text.size() > 10));
}

void check_serial(const Node& node, Problems& problems) {
  const std::string_view port = node.scalar;
  static constexpr std::string_view usb = "usb:";
  static constexpr std::string_view usb_path = "usb-path:";
  if (port.starts_with('/')) return;
  if (port.starts_with(usb_path) && port.size() > usb_path.size()) return;
  if (port.starts_with(usb)) {
    if (!is_usb_address(port.substr(usb.size())))
      complain(problems, node,
               shown(node) +
                   " is no USB address: write usb:VID:PID or usb:VID:PID:SERIAL with four hex "
                   "digits each, for example usb:0403:6001");
    return;
  }
  std::string text =
      shown(node) +
      " is no serial port: write its full path, best /dev/serial/by-id/..., or usb:VID:PID";
  if (!node.secret && port.starts_with("tty"))
    text += "; did you mean \"/dev/" + node.scalar.substr(0, 40) + "\"?";
  complain(problems, node, std::move(text));
}

// "10.0.0.5:8899", "meter.local:23", "[fe80::1]:8899"
void read_tcp(const Node& node, LinkSettings& link, Problems& problems) {
  std::string_view text = node.scalar;
  const bool rfc2217 = speaks_rfc2217(text);
  if (rfc2217) text.remove_prefix(rfc2217_scheme.size());
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (text.find("://") != std::string_view::npos) {
    complain(problems, node,
             shown(node) +
                 " is a URL: write HOST:PORT alone, for example 10.0.0.5:8899, or "
                 "rfc2217://HOST:PORT");
    return;
  }
  if (colon == std::string_view::npos || (bracketed && text[colon - 1] != ']')) {
    complain(problems, node,
             shown(node) + " has no port: write HOST:PORT, for example 10.0.0.5:8899");
    return;
  }
  std::string_view host = text.substr(0, colon);
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    complain(problems, node,
             shown(node) + ": an IPv6 address needs brackets, for example [fe80::1]:8899");
    return;
  }
  const std::string_view digits = text.substr(colon + 1);
  int port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || port < 1 ||
      port > 65535) {
    complain(problems, node, shown(node) + " has no valid port (allowed: 1 ... 65535)");
    return;
  }
  if (host.empty() || host.find_first_of(" \t/") != std::string_view::npos) {
    complain(problems, node,
             shown(node) + " has no valid host: write HOST:PORT, for example 10.0.0.5:8899");
    return;
  }
  link.host = (rfc2217 ? std::string(rfc2217_scheme) : std::string()) + std::string(host);
  link.port = static_cast<std::uint16_t>(port);
}

void check_filter(const Node& node, Problems& problems) {
  const std::string_view filter = node.scalar;
  if (const auto fault = filter_fault(filter); !fault.empty()) {
    complain(problems, node,
             shown(node) + " " + std::string(fault) + ": write for example tele/+/SENSOR");
  } else if (unshared(filter).starts_with('$')) {
    complain(problems, node, shown(node) + " begins with $, which belongs to the broker");
  } else if (filter.size() > max_filter) {
    complain(problems, node, "is longer than " + std::to_string(max_filter) + " characters");
  }
}

// Exactly one of serial, tcp, mqtt, replay.
const Node* find_target(const Node& node, LinkDraft& draft, Problems& problems) {
  static constexpr std::array kinds{std::pair{std::string_view("serial"), LinkKind::serial},
                                    std::pair{std::string_view("tcp"), LinkKind::tcp},
                                    std::pair{std::string_view("mqtt"), LinkKind::mqtt},
                                    std::pair{std::string_view("replay"), LinkKind::replay}};
  const Node* target = nullptr;
  for (const auto& [key, kind] : kinds) {
    const Node* found = node.find(key);
    if (found == nullptr) continue;
    if (target != nullptr) {
      complain(problems, *found, "a link has one of serial, tcp, mqtt and replay, not two");
      draft.usable = false;
      return nullptr;
    }
    target = found;
    draft.settings.kind = kind;
  }
  if (target == nullptr) {
    draft.usable = false;
    complain(problems, node,
             "a link needs one of serial (a port), tcp (HOST:PORT), mqtt (a topic) and replay (a "
             "file)");
  }
  return target;
}

void read_target(const Node& target, LinkDraft& draft, Problems& problems) {
  draft.usable = target.kind == Kind::scalar && !target.missing;
  if (!draft.usable) return;
  if (target.scalar.empty()) {
    complain(problems, target, "is empty");
    draft.usable = false;
    return;
  }
  const std::size_t before = problems.all().size();
  switch (draft.settings.kind) {
    case LinkKind::serial:
      draft.settings.serial = target.scalar;
      check_serial(target, problems);
      break;
    case LinkKind::tcp:
      read_tcp(target, draft.settings, problems);
      break;
    case LinkKind::mqtt:
      draft.settings.topic = target.scalar;
      check_filter(target, problems);
      break;
    case LinkKind::replay:
      draft.settings.replay = target.scalar;
      break;
  }
  draft.usable = problems.all().size() == before;
}

void warn_useless(const Node& node, const LinkDraft& draft, Problems& problems) {
  if (draft.settings.kind == LinkKind::serial || !draft.usable) return;
  for (const std::string_view key : {"baud", "mode"}) {
    const Node* found = node.find(key);
    if (found == nullptr || speaks_rfc2217(draft.settings.host)) continue;
    problems.add(Severity::warning, found->place, found->path,
                 draft.settings.kind == LinkKind::tcp
                     ? "has no effect on a tcp link: set the speed at the serial server, or write "
                       "rfc2217://HOST:PORT where it speaks that"
                 : draft.settings.kind == LinkKind::mqtt ? "has no effect on messages"
                                                         : "has no effect on a replayed file");
  }
  if (const Node* found = node.find("usb_reset"))
    problems.add(Severity::warning, found->place, found->path,
                 "has no effect: only a serial link may have a USB adapter");
}

}  // namespace

LinkDraft read_link(const Node& node, std::string name, Problems& problems) {
  LinkDraft draft;
  draft.settings.name = std::move(name);
  draft.settings.place = node.place;
  draft.path = node.path;
  const SettingValues values = read_section(node, link_section, {}, problems);
  if (const Node* target = find_target(node, draft, problems))
    read_target(*target, draft, problems);
  warn_useless(node, draft, problems);
  if (values.has("baud")) draft.baud = static_cast<std::uint32_t>(values.integer("baud"));
  if (values.has("mode")) draft.mode = values.text("mode");
  draft.settings.echo = values.boolean("echo");
  draft.settings.usb_reset = values.boolean("usb_reset");
  draft.settings.turnaround = values.duration("turnaround");
  draft.settings.failing_share = static_cast<int>(values.integer("failing_share"));
  if (values.has("silence")) draft.settings.silence = values.duration("silence");
  return draft;
}

void MeterReader::read_links(const Node& links) {
  for (std::size_t i = 0; i < links.members.size(); ++i) {
    const auto& [name, node] = links.members[i];
    if (node.missing) continue;
    if (name.empty() || name.size() > 64)
      problems_.add(Severity::error, links.key_places[i], node.path, "a link needs a short name");
    if (node.kind != Kind::map) {
      complain(problems_, node,
               "must be a map with serial, tcp, mqtt or replay, for example {serial: "
               "/dev/serial/by-id/...}");
      LinkDraft draft;
      draft.settings.name = name;
      draft.settings.place = node.place;
      draft.path = node.path;
      draft.usable = false;
      links_.push_back(std::move(draft));
      continue;
    }
    links_.push_back(read_link(node, name, problems_));
  }
}

LinkDraft* MeterReader::find_link(std::string_view name) {
  const auto found = std::find_if(links_.begin(), links_.end(), [name](const LinkDraft& link) {
    return link.settings.name == name;
  });
  return found == links_.end() ? nullptr : &*found;
}

}  // namespace meterbridge::config
