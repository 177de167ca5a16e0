// SPDX-License-Identifier: MIT
#include "cli/bundle.hpp"
#include "cli/catalogue.hpp"
#include "cli/decoded_text.hpp"
#include "cli/try_all.hpp"
#include "core/text.hpp"
#include "meter/profile_library.hpp"
#include "protocol/anatomy.hpp"
#include "protocol/capture.hpp"
#include "protocol/registry.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace meterbridge::cli {
namespace {

using protocol::Decoded;
using protocol::Protocol;

constexpr std::array options{
    Option{"--protocol", "-p", "NAME",
           "the wire protocol, for example p1; may be left out with --profile"},
    Option{"--profile", "", "NAME",
           "a meter type (`meterbridge profiles list` has the names), or a file NAME.yaml"},
    Option{"--config", "-c", "FILE", "with --profile: beside it lie profiles of your own"},
    Option{"--hex", "", "", "the input is hex text, not bytes"},
    Option{"--key", "", "HEX", "key of encrypted telegrams, 32 hex digits", false, true},
    Option{"--key-file", "", "FILE", "file that holds the key; without both, METERBRIDGE_KEY"},
    Option{"--auth-key", "", "HEX|none", "authentication key of encrypted telegrams", false, true},
    Option{"--address", "", "N", "address of the meter; what other meters say is a mismatch"},
    Option{"--crc", "", "on|off|x25", "how telegrams are checked"},
    Option{"--set", "", "KEY=VALUE",
           "any other setting of the protocol, as in the configuration; repeatable", true, true},
    Option{"--try-all", "", "",
           "Modbus: all numbers that the registers can mean, in every type and word order"},
    Option{"--json", "", "", "one JSON object per telegram or exchange"},
    Option{"--explain", "", "", "in front of all else: what each byte is"},
};

// Which settings an option may stand for; the first one that the protocol has.
struct Mapping {
  std::string_view option;
  std::array<std::string_view, 2> settings;
};

constexpr std::array mappings{
    Mapping{"--auth-key", {"auth_key", "authentication_key"}},
    Mapping{"--address", {"address", "address"}},
    Mapping{"--crc", {"crc", "crc"}},
};

constexpr std::string_view key_setting = "key";
constexpr const char* key_variable = "METERBRIDGE_KEY";

Error usage(std::string text) {
  return {Errc::invalid, std::move(text)};
}

Error unknown(std::string_view kind, std::string_view word,
              std::span<const std::string_view> known) {
  std::string text = "no " + std::string(kind) + " \"" + sanitised(word) + "\"";
  const std::string_view near = nearest(word, known);
  if (!near.empty()) text += "; did you mean " + std::string(near) + "?";
  return usage(std::move(text));
}

const SettingSpec* find_spec(const Protocol& protocol, std::string_view name) {
  const auto at = std::ranges::find(protocol.settings, name, &SettingSpec::name);
  return at == protocol.settings.end() ? nullptr : &*at;
}

Result<> set(const Protocol& protocol, std::string_view name, std::string_view text,
             SettingValues& values) {
  const SettingSpec* spec = find_spec(protocol, name);
  if (spec == nullptr) {
    std::vector<std::string_view> names;
    for (const SettingSpec& known : protocol.settings)
      names.push_back(known.name);
    return unknown(std::string(protocol.name) + " setting", name, names);
  }
  auto value = parse_setting(*spec, text);
  if (!value) return value.error();
  values.set(name, std::move(*value));
  return {};
}

Result<const meter::Profile*> profile_of(const Arguments& arguments,
                                         meter::ProfileLibrary& library) {
  const auto name = arguments.value("--profile");
  if (!name) return nullptr;
  auto profile = choose_profile(library, *name);
  if (!profile) return profile.error();
  const auto protocol = arguments.value("--protocol");
  if (protocol && *protocol != (*profile)->protocol->name) {
    return usage("the profile " + *name + " speaks " + std::string((*profile)->protocol->name) +
                 ", not " + *protocol);
  }
  return profile;
}

Result<const Protocol*> protocol_of(const Arguments& arguments, const meter::Profile* profile) {
  const auto name = arguments.value("--protocol");
  if (!name && profile != nullptr) return profile->protocol;
  if (!name) return usage("--protocol is missing: meterbridge decode --protocol p1 FILE");
  if (const Protocol* protocol = protocol::find_protocol(*name)) return protocol;
  std::vector<std::string_view> names;
  for (const Protocol& known : protocol::protocols())
    names.push_back(known.name);
  return unknown("protocol", *name, names);
}

// --key or --key-file; nothing when none is given.
Result<std::optional<std::string>> key_of(const Arguments& arguments) {
  if (arguments.has("--key") && arguments.has("--key-file"))
    return usage("--key and --key-file exclude each other");
  if (auto key = arguments.value("--key")) return key;
  if (const auto file = arguments.value("--key-file")) {
    const auto text = read_file(*file);
    if (!text) return text.error().within("--key-file");
    return std::optional(std::string(trimmed(*text)));
  }
  return std::optional<std::string>();
}

// The environment may be meant for another capture: a key there that is none is no wrong usage.
void apply_environment_key(const Protocol& protocol, SettingValues& values) {
  if (find_spec(protocol, key_setting) == nullptr) return;
  const char* const variable =
      std::getenv(key_variable);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (variable == nullptr || *variable == '\0') return;
  if (const auto done = set(protocol, key_setting, trimmed(variable), values); !done) {
    complain("meterbridge decode: warning: " + std::string(key_variable) +
             " is ignored: " + done.error().detail());
  }
}

Result<> apply_key(const Arguments& arguments, const Protocol& protocol, SettingValues& values) {
  const auto key = key_of(arguments);
  if (!key) return key.error();
  if (!*key) {
    apply_environment_key(protocol, values);
    return {};
  }
  if (find_spec(protocol, key_setting) == nullptr) {
    return usage("the protocol " + std::string(protocol.name) + " knows no key");
  }
  return set(protocol, key_setting, **key, values);
}

Result<> apply_options(const Arguments& arguments, const Protocol& protocol,
                       SettingValues& values) {
  for (const Mapping& mapping : mappings) {
    const auto text = arguments.value(mapping.option);
    if (!text) continue;
    const auto known = std::ranges::find_if(mapping.settings, [&](std::string_view name) {
      return find_spec(protocol, name) != nullptr;
    });
    if (known == mapping.settings.end()) {
      return usage(std::string(mapping.option) + " does not exist for the protocol " +
                   std::string(protocol.name));
    }
    if (auto done = set(protocol, *known, *text, values); !done)
      return done.error().within(mapping.option);
  }
  for (const std::string& pair : arguments.values("--set")) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) return usage("--set needs KEY=VALUE");
    if (auto done = set(protocol, pair.substr(0, equals), pair.substr(equals + 1), values); !done) {
      return done.error().within("--set");
    }
  }
  return apply_key(arguments, protocol, values);
}

Result<SettingValues> settings_of(const Arguments& arguments, const Protocol& protocol,
                                  const meter::Profile* profile) {
  SettingValues values =
      profile == nullptr ? default_settings(protocol.settings) : meter::default_values(*profile);
  if (auto done = apply_options(arguments, protocol, values); !done) return done.error();
  return values;
}

Result<std::vector<Decoded>> decode_text(const Protocol& protocol, const std::string& text,
                                         bool hex, const SettingValues& values) {
  if (hex) {
    const auto bytes = from_hex(text);
    if (!bytes) return bytes.error().within("--hex");
    return protocol.decode(*bytes, values);
  }
  if (!protocol::is_transcript(text)) return protocol.decode(to_bytes(text), values);
  const auto lines = protocol::parse_transcript(text);
  if (!lines) return lines.error();
  // Of a meter that sends by itself: its stream, offsets are those of the bytes.
  if (protocol.decode_transcript == nullptr)
    return protocol.decode(protocol::heard_bytes(*lines), values);
  return protocol.decode_transcript(*lines, values);
}

// The capture as it was read, and what is in it.
struct Found {
  Found() = default;
  std::string text;
  std::vector<Decoded> all;
  const Protocol* protocol = nullptr;
  SettingValues values;
};

// Every register is shown as a number of its own then: a table would name the values it knows.
Result<> check_try_all(const Arguments& arguments, const Protocol& protocol) {
  if (!arguments.has("--try-all")) return {};
  if (protocol.name != "modbus")
    return usage("--try-all is for registers, that is for --protocol modbus");
  if (arguments.has("--profile") || arguments.has("--json"))
    return usage("--try-all shows numbers to a person: neither --profile nor --json goes with it");
  return {};
}

// A capture says itself what it is, a bundle with all settings; options come on top.
Result<Found> decode_capture_file(const Arguments& arguments, const std::string& text) {
  const auto capture = protocol::parse_capture(text);
  if (!capture) return capture.error();
  Found found;
  found.text = text;
  const std::string named = capture->fact("protocol");
  if (!capture->configuration.empty() || !capture->fact("profile").empty()) {
    const auto house = house_of_capture(*capture);
    if (!house) return house.error();
    const meter::Meter& meter = *house->meters.front();
    found.protocol = meter.profile().protocol;
    found.values = meter.settings().protocol;
  } else if (const Protocol* const protocol = protocol::find_protocol(named)) {
    found.protocol = protocol;
    found.values = default_settings(protocol->settings);
  } else {
    return usage("the capture does not say which protocol it is of: --protocol");
  }
  if (const auto done = apply_options(arguments, *found.protocol, found.values); !done)
    return done.error();
  found.all = decode_capture(*found.protocol, *capture, found.values);
  return found;
}

Result<Found> decode(const Arguments& arguments) {
  if (arguments.words().size() > 1)
    return usage("one FILE at a time, not \"" + arguments.words()[1] + "\" too");
  const bool named = arguments.has("--protocol") || arguments.has("--profile");
  if (!named && !arguments.words().empty()) {
    const auto text = read_file(arguments.words().front());
    if (text && protocol::is_capture(*text)) return decode_capture_file(arguments, *text);
  }
  meter::ProfileLibrary library;
  if (const auto name = arguments.value("--profile")) library = load_library(arguments, *name);
  const auto profile = profile_of(arguments, library);
  if (!profile) return profile.error();
  const auto protocol = protocol_of(arguments, *profile);
  if (!protocol) return protocol.error();
  if (const auto fine = check_try_all(arguments, **protocol); !fine) return fine.error();
  const auto values = settings_of(arguments, **protocol, *profile);
  if (!values) return values.error();
  const std::string file = arguments.words().empty() ? "-" : arguments.words().front();
  const auto text = read_file(file);
  if (!text) return text.error();
  auto all = decode_text(**protocol, *text, arguments.has("--hex"), *values);
  if (!all) return all.error().within(file == "-" ? "standard input" : file);
  Found found;
  found.text = *text;
  found.all = std::move(*all);
  found.protocol = *protocol;
  found.values = *values;
  return found;
}

// The bytes as they were decoded: a stream, or line by line what was sent and what came.
Result<std::string> explanation(const Found& found, bool hex) {
  const Protocol& protocol = *found.protocol;
  const auto explain = [&](ByteView bytes, bool sent) {
    return protocol::explained(protocol.anatomy(bytes, sent, found.values), bytes) + "\n";
  };
  if (hex || !protocol::is_transcript(found.text)) {
    const auto bytes = hex ? from_hex(found.text) : Result<Bytes>(to_bytes(found.text));
    if (!bytes) return bytes.error();
    return explain(*bytes, false);
  }
  const auto lines = protocol::parse_transcript(found.text);
  if (!lines) return lines.error();
  if (protocol.pushes) return explain(protocol::heard_bytes(*lines), false);
  std::string text;
  for (const protocol::TranscriptLine& line : *lines) {
    text += "line " + std::to_string(line.line) + (line.sent ? ", sent\n" : ", heard\n");
    text += explain(line.bytes, line.sent);
  }
  return text;
}

int show_meanings(const Found& found, bool hex) {
  bool any = false;
  std::string text;
  for (const Decoded& decoded : found.all) {
    const std::string table = meanings_text(decoded);
    text += decoded_text(decoded) + (table.empty() ? "" : table + "\n");
    any = any || !table.empty();
  }
  if (any || protocol::is_transcript(found.text)) {
    print(text);
    return any ? exit_ok : exit_failed;
  }
  const auto bytes = hex ? from_hex(found.text) : Result<Bytes>(to_bytes(found.text));
  const auto table = bytes ? meanings_text(*bytes) : Result<std::string>(bytes.error());
  if (!table) {
    complain("meterbridge decode: " + table.error().detail());
    return exit_failed;
  }
  print("no frame of Modbus; taken as the bytes of registers:\n\n" + *table);
  return exit_ok;
}

int run(const Arguments& arguments) {
  const auto found = decode(arguments);
  if (!found) {
    complain("meterbridge decode: " + found.error().detail());
    return exit_usage;
  }
  if (arguments.has("--try-all")) return show_meanings(*found, arguments.has("--hex"));
  const std::vector<Decoded>& all = found->all;
  const bool json = arguments.has("--json");
  if (arguments.has("--explain")) {
    const auto text = explanation(*found, arguments.has("--hex"));
    print(text ? *text : text.error().detail() + "\n");
  }
  for (const Decoded& decoded : all) {
    print(json ? protocol::decoded_json(decoded) + "\n" : decoded_text(decoded));
  }
  if (all.empty()) complain("no telegram found");
  return std::ranges::any_of(all, &Decoded::ok) ? exit_ok : exit_failed;
}

}  // namespace

const Command decode_command{
    .name = "decode",
    .synopsis = "decode --protocol P [options] [FILE or -]",
    .summary = "decodes captured bytes offline",
    .help =
        R"(FILE (or standard input) holds the bytes as captured, hex text with --hex, or a transcript: lines
"> HEX" were sent by us, "< HEX" came from the meter, "#" begins a comment. What `capture` and `bundle`
wrote says itself what it is: no options are needed then.

Everything that was found is shown in the order of the stream, the broken ones too with the reason.
"ITEM" is what the meter sent, word for word; "READING" is what Home Assistant would get. An answer
of a polled meter that was captured without its request gives items only.

Examples:
  meterbridge decode --protocol p1 telegram.txt
  meterbridge decode --explain bundle.txt
  meterbridge decode --protocol p1 --key-file luxembourg.key --json capture.bin
  printf '> c0489634fd0000000000d20130000040c0\n< c048fd009634570130000922ec8b04001bc0\n' |
    meterbridge decode --protocol ce102 -
  echo 8000 4365 | meterbridge decode --protocol modbus --hex --try-all -

Exit code: 0 at least one good telegram, 1 none, 2 wrong usage.
)",
    .options = options,
    .run = run,
};

}  // namespace meterbridge::cli
