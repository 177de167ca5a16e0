// SPDX-License-Identifier: MIT
#include "protocol/iec62056_21/options.hpp"

#include "protocol/iec62056_21/code_table.hpp"
#include "protocol/iec62056_21/models.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meterbridge::protocol::iec62056_21 {
namespace {

constexpr std::string_view readings[] = {"auto", "readout", "codes", "fast"};
constexpr std::string_view commands[] = {"R1", "R2"};
constexpr std::string_view families[] = {"auto", "none", "energomera", "energomera-dlms", "neva"};
constexpr std::string_view modes[] = {"auto", "a", "b", "c"};
constexpr std::string_view speeds[] = {"announced", "fixed", "slow"};
constexpr std::string_view checks[] = {"auto", "xor", "sum", "off"};
constexpr std::size_t max_address = 32;
constexpr std::size_t max_password = 32;
constexpr std::size_t max_prefix = 16;
constexpr std::size_t max_identification = 64;

const std::array specs{
    SettingSpec{.name = "address",
                .help = "address of the meter, up to 32 characters; without it every meter on the "
                        "line answers"},
    SettingSpec{.name = "password",
                .type = SettingType::secret,
                .help = "sent only when it is given; a refused one is never sent again"},
    SettingSpec{.name = "operand_password",
                .type = SettingType::boolean,
                .help = "the meter says itself which password it wants (Neva)",
                .fallback = "false"},
    SettingSpec{.name = "read",
                .type = SettingType::choice,
                .help =
                    "everything at once, or codes one by one; auto: codes where there are some; "
                    "fast: codes without a session, one telegram each (Energomera CE207, "
                    "CE208, CE307, CE308)",
                .fallback = "auto",
                .choices = readings},
    SettingSpec{.name = "read_command",
                .type = SettingType::choice,
                .help = "command that reads a code",
                .fallback = "R1",
                .choices = commands},
    SettingSpec{.name = "family",
                .type = SettingType::choice,
                .help = "whose codes are meant; auto: as the identification says; energomera-dlms: "
                        "CE207, CE208, CE307, CE308 without ET0PE",
                .fallback = "auto",
                .choices = families},
    SettingSpec{.name = "group",
                .type = SettingType::boolean,
                .help =
                    "asks for several codes at once (GRPNM of Energomera); a meter that refuses "
                    "it is asked one by one",
                .fallback = "false"},
    SettingSpec{.name = "table",
                .type = SettingType::integer,
                .help = "which of its readouts the meter sends, where it has several (EMH: 1 to "
                        "4); 0: its usual one",
                .fallback = "0",
                .maximum = 9},
    SettingSpec{.name = "mode",
                .type = SettingType::choice,
                .help = "what follows the identification; auto: as its baud character says",
                .fallback = "auto",
                .choices = modes},
    SettingSpec{.name = "speed",
                .type = SettingType::choice,
                .help = "announced: the line changes to the speed that the meter announces; fixed: "
                        "it keeps its own; slow: the meter is asked to stay at the first speed",
                .fallback = "announced",
                .choices = speeds},
    SettingSpec{.name = "start_baud",
                .type = SettingType::integer,
                .help = "speed of the sign-on",
                .fallback = "300",
                .minimum = 300,
                .maximum = 115200},
    SettingSpec{.name = "data_baud",
                .type = SettingType::integer,
                .help = "speed after the sign-on, instead of the announced one; 0: as announced",
                .fallback = "0",
                .maximum = 115200},
    SettingSpec{.name = "baud_char",
                .help = "character that acknowledges the speed, instead of the meter's own"},
    SettingSpec{
        .name = "mode_char", .help = "character that asks for programming mode", .fallback = "1"},
    SettingSpec{.name = "bcc",
                .type = SettingType::choice,
                .help = "rule of the block check; auto: as the maker does, else both",
                .fallback = "auto",
                .choices = checks},
    SettingSpec{.name = "software_parity",
                .type = SettingType::boolean,
                .help = "the adapter or gateway knows only 8N1: the program adds and checks the "
                        "even parity of 7E1",
                .fallback = "false"},
    SettingSpec{.name = "prefix",
                .help = "bytes in front of every request, in hex (for example 7F7F7F)"},
    SettingSpec{.name = "identification",
                .help = "what the meter that `simulate` plays answers to the sign-on, such as "
                        "LGZ4ZMF100AC.M26; reading takes any"},
    SettingSpec{.name = "wakeup",
                .type = SettingType::integer,
                .help = "zero bytes before the sign-on, for heat meters with battery (65)",
                .fallback = "0",
                .maximum = 200},
    SettingSpec{.name = "wakeup_pause",
                .type = SettingType::duration,
                .help = "pause between these and the sign-on",
                .fallback = "1500ms"},
    SettingSpec{.name = "identification_timeout",
                .type = SettingType::duration,
                .help = "how long the answer to the sign-on may take",
                .fallback = "3s"},
    SettingSpec{.name = "response_timeout",
                .type = SettingType::duration,
                .help = "how long any other answer, or a gap in it, may take",
                .fallback = "1500ms"},
    SettingSpec{.name = "pause",
                .type = SettingType::duration,
                .help = "how long the line must be quiet before each request",
                .fallback = "200ms"},
    SettingSpec{.name = "retries",
                .type = SettingType::integer,
                .help = "how often an unanswered request is repeated",
                .fallback = "2",
                .maximum = 10},
    SettingSpec{.name = "model",
                .type = SettingType::choice,
                .help = "the meter that `simulate` plays; reading does not look at it",
                .fallback = "generic",
                .choices = model_names()},
};

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
}

template <class Choice, std::size_t n>
Choice chosen(const SettingValues& settings, std::string_view name,
              const std::string_view (&choices)[n], Choice fallback) {
  if (!settings.has(name)) return fallback;
  const auto at = std::ranges::find(choices, settings.text(name));
  return at == std::end(choices) ? fallback : static_cast<Choice>(at - std::begin(choices));
}

Error wrong(std::string text) {
  return {Errc::invalid, std::move(text)};
}

Result<> read_access(const SettingValues& settings, Options& options) {
  options.address = settings.text("address");
  if (options.address.size() > max_address || !is_printable(options.address) ||
      options.address.find_first_of("!/") != std::string::npos) {
    return wrong("address: up to 32 printable characters without '!' and '/'");
  }
  options.password = settings.secret("password");
  const std::string& password = options.password.reveal();
  if (password.size() > max_password || !is_printable(password) ||
      password.find_first_of("()") != std::string::npos) {
    return wrong("password: up to 32 printable characters without brackets");
  }
  options.operand_password = settings.boolean("operand_password");
  options.command = chosen(settings, "read_command", commands, Read::r1);
  return {};
}

Result<> read_character(const SettingValues& settings, std::string_view name, char& into) {
  const std::string text = settings.text(name);
  if (text.empty()) return {};
  if (text.size() != 1 || !is_printable(text))
    return wrong(std::string(name) + ": one character, for example 1");
  into = text.front();
  return {};
}

Result<> read_speed(const SettingValues& settings, Options& options) {
  options.mode = chosen(settings, "mode", modes, Mode::automatic);
  options.speed = chosen(settings, "speed", speeds, Speed::announced);
  options.check = chosen(settings, "bcc", checks, Check::automatic);
  options.software_parity = settings.boolean("software_parity");
  if (settings.has("start_baud"))
    options.start_baud = static_cast<std::uint32_t>(settings.integer("start_baud"));
  options.data_baud = static_cast<std::uint32_t>(settings.integer("data_baud"));
  options.identification = settings.text("identification");
  if (options.identification.size() > max_identification ||
      options.identification.find_first_of("/!\r\n") != std::string::npos)
    return wrong("identification: what follows the slash of the answer, without it");
  char speed = '\0';
  if (const auto read = read_character(settings, "baud_char", speed); !read) return read.error();
  if (speed != '\0') options.speed_character = speed;
  return read_character(settings, "mode_char", options.mode_character);
}

Result<> read_timing(const SettingValues& settings, Options& options) {
  struct Limit {
    std::string_view name;
    Milliseconds* value;
    Milliseconds least;
  };

  const std::array limits{
      Limit{"wakeup_pause", &options.wake_up_pause, Milliseconds(0)},
      Limit{"identification_timeout", &options.identification_timeout, Milliseconds(50)},
      Limit{"response_timeout", &options.response_timeout, Milliseconds(50)},
      Limit{"pause", &options.pause, Milliseconds(0)}};
  for (const Limit& limit : limits) {
    if (settings.has(limit.name)) *limit.value = settings.duration(limit.name);
    if (*limit.value < limit.least || *limit.value > Milliseconds(60000))
      return wrong(std::string(limit.name) + ": allowed are " + duration_text(limit.least) +
                   " to 1m");
  }
  if (settings.has("retries")) options.retries = static_cast<int>(settings.integer("retries"));
  options.wake_up = static_cast<int>(settings.integer("wakeup"));
  const auto prefix = from_hex(settings.text("prefix"));
  if (!prefix || prefix->size() > max_prefix)
    return wrong("prefix: up to 16 bytes in hex, for example 7F7F7F");
  // A command begins with SOH: what stands here is never one of its own (or a write, or a break).
  if (std::ranges::count(*prefix, static_cast<std::byte>(soh)) != 0)
    return wrong("prefix: 01 begins a command; only bytes that wake the meter are meant");
  options.prefix = *prefix;
  return {};
}

void read_codes(const SettingValues& settings, Options& options) {
  enum class Choice : std::uint8_t { automatic, none, energomera, energomera_dlms, neva };
  switch (chosen(settings, "family", families, Choice::automatic)) {
    case Choice::automatic:
      break;
    case Choice::none:
      options.family = Family::none;
      break;
    case Choice::energomera:
      options.family = Family::energomera;
      break;
    case Choice::energomera_dlms:
      options.family = Family::energomera_dlms;
      break;
    case Choice::neva:
      options.family = Family::neva;
      break;
  }
  const std::string how = settings.has("read") ? settings.text("read") : "auto";
  const bool codes =
      !options.codes.empty() || options.family.value_or(Family::none) != Family::none;
  options.readout = how == "readout" || (how == "auto" && !codes);
  options.fast = how == "fast";
  options.group = settings.boolean("group");
  if (const auto table = settings.integer("table"); table > 0 && table <= 9)
    options.readout_table = static_cast<char>('0' + table);
  options.model = settings.text("model");
}

}  // namespace

std::span<const SettingSpec> setting_specs() noexcept {
  return specs;
}

Result<Options> Options::from(const SettingValues& settings) {
  Options options;
  if (const auto read = read_access(settings, options); !read) return read.error();
  if (const auto read = read_speed(settings, options); !read) return read.error();
  if (const auto read = read_timing(settings, options); !read) return read.error();
  auto codes = code_table_from(settings);
  if (!codes) return codes.error();
  options.codes = *std::move(codes);
  read_codes(settings, options);
  return options;
}

LineSettings Options::line(std::uint32_t baud) const {
  LineSettings line;
  line.baud = baud;
  line.data_bits = software_parity ? 8 : 7;
  line.parity = software_parity ? Parity::none : Parity::even;
  return line;
}

CodeTable Options::table(Family found) const {
  CodeTable all = codes;
  for (const CodeRow& row : table_of(family.value_or(found))) {
    const bool replaced = std::ranges::any_of(
        codes, [&](const CodeRow& own) { return own.code == row.code && own.part == row.part; });
    if (!replaced) all.push_back(row);
  }
  return all;
}

}  // namespace meterbridge::protocol::iec62056_21
