// SPDX-License-Identifier: MIT
#include "cli/console_menu.hpp"

#include "app/wait.hpp"
#include "cli/command.hpp"
#include "cli/console_words.hpp"
#include "cli/decoded_text.hpp"
#include "core/text.hpp"
#include "simulator/simulation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace meterbridge::cli {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr auto watch_pause = std::chrono::seconds(2);

void say(const std::string& text) {
  print(text + "\n");
}

}  // namespace

void ConsoleMenu::prompt() {
  if (keyboard_.is_terminal()) print(id_.empty() ? "> " : id_ + "> ");
}

asio::awaitable<void> ConsoleMenu::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  show_state();
  print(console_help());
  for (;;) {
    prompt();
    auto line = co_await keyboard_.line();
    if (!line) {
      if (keyboard_.is_terminal()) print("\n");
      co_return;
    }
    const bool go_on = co_await carry_out(std::move(*line));
    const bool over = co_await app::stopping();
    if (!go_on || over) co_return;
  }
}

// False when the person quits.
asio::awaitable<bool> ConsoleMenu::carry_out(std::string line) {
  const auto words = words_of(line);
  if (words.empty() || words.front().starts_with('#')) co_return true;
  const std::string rest = joined(words, 1);
  const std::string everything;
  const std::string group = rest.empty() ? "?" : rest;
  switch (letter_of(lower(words.front()))) {
    case 'm':
      co_await pick(rest);
      break;
    case 'r':
      co_await read(everything);
      break;
    case 'g':
      co_await read(group);
      break;
    case 'w':
      co_await watch(rest);
      break;
    case 'l':
      tune(rest);
      break;
    case 'b':
      bytes_ = !bytes_;
      say(bytes_ ? "bytes are shown" : "bytes are not shown");
      if (bytes_ && !line_.bytes().empty()) show_bytes();
      break;
    case 't':
      record(rest);
      break;
    case 's':
      show_state();
      break;
    case 'h':
      print(console_help());
      break;
    case 'q':
      co_return false;
    default:
      say("\"" + sanitised(words.front(), 40) + "\" is not understood; h shows what is");
  }
  co_return true;
}

asio::awaitable<std::optional<std::string>> ConsoleMenu::ask(std::string question) {
  print(question + " ");
  auto answer = co_await keyboard_.line();
  if (!keyboard_.is_terminal()) print("\n");
  if (answer) answer = std::string(trimmed(*answer));
  co_return answer;
}

Result<> ConsoleMenu::pick_configured(std::string_view id) {
  const auto found = std::ranges::find(house_.meters, id,
                                       [](const auto* m) -> const std::string& { return m->id; });
  if (found == house_.meters.end())
    return Error{Errc::not_found, "no meter \"" + sanitised(id, 60) + "\" on this line"};
  const meter::Profile* profile = house_.library->find((*found)->profile);
  if (profile == nullptr) return Error{Errc::not_found, "no profile \"" + (*found)->profile + "\""};
  if (auto chosen = line_.choose(**found, *profile); !chosen) return chosen;
  id_ = (*found)->id;
  configured_ = true;
  return {};
}

asio::awaitable<void> ConsoleMenu::pick(std::string words) {
  auto all = words_of(words);
  if (all.empty()) {
    for (const config::MeterSettings* meter : house_.meters)
      say("  " + meter->id + "  (" + meter->profile + ", configured)");
    std::string question = "meter or profile (`meterbridge profiles list` has all):";
    auto name = co_await ask(std::move(question));
    if (!name || name->empty()) co_return;
    all = words_of(*name);
  }
  if (all.size() == 1 && pick_configured(all.front())) {
    show_state();
    co_return;
  }
  const std::string name = all.front();
  all.erase(all.begin());
  co_await pick_profile(name, std::move(all));
}

// What the profile leaves open is asked for: which of several meters on the line is meant.
asio::awaitable<void> ConsoleMenu::pick_profile(std::string name, std::vector<std::string> given) {
  const meter::Profile* profile = house_.library->find(name);
  if (profile == nullptr) {
    const auto names = house_.library->names();
    const std::string_view near = nearest(name, names);
    say("no meter and no profile \"" + sanitised(name, 60) + "\" here" +
        (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
    co_return;
  }
  auto plan = simulator::plan_meter(*profile, given);
  const auto& specs = profile->protocol->settings;
  const bool addressed = std::ranges::count(specs, "address", &SettingSpec::name) != 0;
  if (plan && addressed && !plan->settings.has("address")) {
    std::string question = "address of the meter:";
    auto address = co_await ask(std::move(question));
    if (!address || address->empty()) co_return;
    given.push_back("address=" + *address);
    plan = simulator::plan_meter(*profile, given);
  }
  if (!plan) {
    say(plan.error().detail());
    co_return;
  }
  config::MeterSettings settings;
  settings.id = profile->id;
  settings.profile = profile->id;
  settings.interval = profile->interval;
  settings.protocol = plan->settings;
  if (auto chosen = line_.choose(settings, *profile); !chosen) {
    say(chosen.error().detail());
    co_return;
  }
  id_ = profile->id;
  configured_ = false;
  show_state();
}

asio::awaitable<Result<std::vector<Sample>>> ConsoleMenu::poll() {
  if (line_.meter() == nullptr) co_return Error(Errc::invalid, "no meter is picked; m picks one");
  if (configured_ && house_.veto) {
    if (const auto refused = house_.veto(id_)) co_return *refused;
  }
  const config::MeterSettings& asked = line_.meter()->settings();
  const auto same = [&asked](const config::MeterSettings& other) {
    return other.profile == asked.profile && other.protocol == asked.protocol;
  };
  if (std::ranges::any_of(refused_, same))
    co_return Error(Errc::access, "the meter refused this password; it is not tried again here");
  auto samples = co_await line_.poll();
  if (!samples && samples.error().code() == Errc::access) refused_.push_back(asked);
  if (!samples && configured_ && house_.failed) house_.failed(id_, samples.error());
  co_return samples;
}

asio::awaitable<void> ConsoleMenu::read(std::string group) {
  const bool known = group.empty() || std::ranges::count(reading_groups(), group) != 0;
  if (!known) {
    say("groups: energy, power, network, volume, device");
    co_return;
  }
  const auto samples = co_await poll();
  if (samples) {
    show(*samples, group);
  } else {
    say("error: " + samples.error().detail());
  }
  if (bytes_) show_bytes();
}

void ConsoleMenu::show(const std::vector<Sample>& samples, std::string_view group) {
  std::vector<std::vector<std::string>> rows{{"METER", "READING", "VALUE", "UNIT"}};
  for (const Sample& sample : samples) {
    for (const Reading& reading : sample.readings) {
      if (!group.empty() && group_of(reading.key.quantity) != group) continue;
      rows.push_back({sample.meter, reading.key.text(), value_text(reading.value),
                      std::string(symbol(reading.unit))});
    }
  }
  if (rows.size() > 1) {
    print(table(rows));
  } else {
    say(group.empty() ? "the meter answered without a reading"
                      : "the meter has no values of the group " + std::string(group));
  }
}

asio::awaitable<void> ConsoleMenu::wait_for_key(bool& pressed) {
  pressed = co_await keyboard_.pressed(steady_clock::time_point::max());
}

asio::awaitable<void> ConsoleMenu::watch(std::string words) {
  using namespace asio::experimental::awaitable_operators;
  long rounds = 0;
  const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), rounds);
  if (!words.empty() &&
      (error != std::errc() || end != words.data() + words.size() || rounds < 1)) {
    say("w takes a number of rounds");
    co_return;
  }
  if (line_.meter() == nullptr) {
    say("error: no meter is picked; m picks one");
    co_return;
  }
  const bool pushes = line_.meter()->profile().protocol->pushes;
  // So many rounds are waited for, whatever a script has written ahead.
  const bool until_key = rounds == 0;
  const Keyboard::SingleKeys keys(keyboard_);
  if (until_key) say("watching; a key ends it");
  for (long round = 1; until_key || round <= rounds; ++round) {
    bool pressed = false;
    Result<std::vector<Sample>> samples = Error(Errc::cancelled, "the key came first");
    if (pushes && until_key) {
      // Listening may be broken off at any time; a meter that is asked answers first.
      auto first = co_await (poll() || wait_for_key(pressed));
      if (first.index() == 0) samples = std::get<0>(std::move(first));
    } else {
      samples = co_await poll();
    }
    if (pressed) break;
    if (keyboard_.is_terminal()) print("\033[2J\033[H");
    const SystemClock clock;
    say(iso_utc(clock.now()));
    if (samples) {
      show(*samples, {});
    } else {
      say("error: " + samples.error().detail());
    }
    if (bytes_) show_bytes();
    if (round == rounds) break;
    const bool paused = !pushes || !samples;
    if (!paused) continue;
    const auto until = steady_clock::now() + watch_pause;
    if (until_key) {
      const bool now = co_await keyboard_.pressed(until);
      if (now) break;
    } else {
      asio::steady_timer timer(co_await asio::this_coro::executor);
      co_await app::wait_until(timer, until);
    }
    const bool over = co_await app::stopping();
    if (over) co_return;
  }
}

void ConsoleMenu::tune(std::string_view words) {
  const auto parts = words_of(words);
  std::uint32_t baud = 0;
  const std::string digits = parts.empty() ? std::string() : parts.front();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), baud);
  if (parts.size() != 2 || error != std::errc() || end != digits.data() + digits.size()) {
    say("speed and mode are needed, for example: l 9600 8N1");
    return;
  }
  std::string mode = parts[1];
  std::ranges::transform(mode, mode.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const auto wanted = LineSettings::parse(baud, mode);
  if (!wanted) {
    say(wanted.error().detail());
    return;
  }
  const auto tuned = line_.retune(*wanted);
  say(tuned ? "this end of the line is at " + wanted->text() + " now; the meter's own is unchanged"
            : tuned.error().detail());
}

void ConsoleMenu::record(std::string_view words) {
  Recording& recording = line_.recording;
  const std::string name = recording.name();
  if (const std::size_t bytes = recording.end(); bytes > 0 || words.empty()) {
    say(name.empty() ? "nothing is recorded; t FILE begins"
                     : name + ": " + std::to_string(bytes) + " bytes recorded");
  }
  if (words.empty()) return;
  if (line_.meter() == nullptr) {
    say("pick a meter first: its protocol decides the form of the recording");
    return;
  }
  const meter::Profile& profile = line_.meter()->profile();
  const bool bytes_only = profile.protocol->decode_transcript == nullptr;
  const auto begun = recording.begin(std::string(words), profile.id, bytes_only);
  if (!begun) {
    say(begun.error().detail());
    return;
  }
  say(std::string("recording ") + (bytes_only ? "the bytes as captured" : "a transcript") +
      "; read it with: meterbridge decode --profile " + profile.id + " " + std::string(words));
}

void ConsoleMenu::show_bytes() {
  for (const Exchange& exchange : line_.bytes()) {
    const std::string text = sanitised(to_text(exchange.bytes), exchange.bytes.size());
    if (exchange.secret) {
      say("> *** (the password)");
    } else if (exchange.topic.empty()) {
      say((exchange.sent ? "> " : "< ") + to_hex(exchange.bytes));
    } else if (text == to_text(exchange.bytes)) {
      say("< " + sanitised(exchange.topic, 120) + " " + text);
    } else {
      say("< " + sanitised(exchange.topic, 120) + " " + to_hex(exchange.bytes));
    }
  }
  for (const protocol::Decoded& decoded : line_.meaning())
    print(decoded_text(decoded));
}

void ConsoleMenu::show_state() {
  const auto& speed = line_.speed();
  std::string text = "line: " + line_.transport().name();
  if (speed) text += " at " + speed->text();
  if (line_.meter() == nullptr) {
    text += "\nmeter: none is picked; m picks one";
  } else {
    text += "\nmeter: " + id_ + " (" + line_.meter()->profile().id + ")";
  }
  if (line_.recording.running()) text += "\nrecording: " + line_.recording.name();
  say(text);
}

}  // namespace meterbridge::cli
