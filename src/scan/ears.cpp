// SPDX-License-Identifier: MIT
#include "scan/ears.hpp"

#include "scan/question.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace meterbridge::scan {
namespace {

constexpr std::size_t kept_bytes = 16384;
constexpr int enough_telegrams = 6;
constexpr int most_steps = 1000;

std::size_t common(const Fingerprint& a, const Fingerprint& b) {
  return static_cast<std::size_t>(std::ranges::count_if(
      a.codes, [&b](const std::string& code) { return b.codes.contains(code); }));
}

// Hundredths of how alike two lists of codes are, and what the telegrams say of their meter.
int likeness(const Fingerprint& heard, const Fingerprint& twin) {
  const std::size_t both = common(heard, twin);
  const std::size_t all = heard.codes.size() + twin.codes.size() - both;
  int points = all == 0 ? 0 : static_cast<int>(100 * both / all);
  if (!heard.manufacturer.empty() && heard.manufacturer == twin.manufacturer) points += 100;
  if (!heard.model.empty() && heard.model == twin.model) points += 50;
  if (!heard.identification.empty() &&
      heard.identification.substr(0, 5) == twin.identification.substr(0, 5))
    points += 50;
  return points;
}

std::string says(const MeterIdentity& meter, const std::string& identification) {
  std::string text;
  for (const std::string* part : {&identification, &meter.manufacturer, &meter.model}) {
    if (!part->empty()) text += (text.empty() ? "" : ", ") + *part;
  }
  if (!meter.serial.empty()) text += (text.empty() ? "" : ", ") + ("serial number " + meter.serial);
  return text;
}

}  // namespace

Ears::Ears(Catalogue& catalogue, const LineSettings& line) : catalogue_(catalogue), line_(line) {
  for (const Sender& sender : catalogue.senders()) {
    const bool known =
        std::ranges::find(ears_, sender.profile->protocol, &Ear::protocol) != ears_.end();
    if (!known) add(sender);
  }
}

// Reading knows meters by what they send: the settings of one profile are as good as those of all.
void Ears::add(const Sender& sender) {
  auto driver = sender.profile->protocol->driver(sender.settings);
  if (!driver) return;
  Ear ear;
  ear.protocol = sender.profile->protocol;
  ear.driver = *std::move(driver);
  ear.dialogue = ear.driver->begin();
  follow(ear);
  ears_.push_back(std::move(ear));
}

void Ears::follow(Ear& ear) {
  for (int step = 0; step < most_steps; ++step) {
    auto next = ear.dialogue->next();
    if (!next) {
      if (next.error().code() == Errc::key) ++ear.encrypted;
    } else if (auto* finished = std::get_if<protocol::step::Finished>(&*next)) {
      ++ear.telegrams;
      ear.print.add(finished->telegram);
      ear.meter = finished->telegram.meter;
    } else if (std::holds_alternative<protocol::step::Listen>(*next)) {
      return;
    }
  }
}

void Ears::hear(ByteView bytes) {
  bytes_ += bytes.size();
  raw_.insert(raw_.end(), bytes.begin(), bytes.end());
  if (raw_.size() > kept_bytes)
    raw_.erase(raw_.begin(), raw_.end() - static_cast<std::ptrdiff_t>(kept_bytes));
  for (Ear& ear : ears_) {
    ear.dialogue->received(bytes);
    follow(ear);
  }
}

bool Ears::enough() const noexcept {
  return std::ranges::any_of(
      ears_, [](const Ear& ear) { return ear.telegrams + ear.encrypted >= enough_telegrams; });
}

std::string Ears::master() const {
  return foreign_master(raw_);
}

Finding Ears::named(const Ear& ear) const {
  Finding finding;
  finding.protocol = ear.protocol->name;
  finding.line = line_;
  finding.encrypted = ear.telegrams == 0;
  finding.says = says(ear.meter, ear.print.identification);
  const std::string maker = finding.encrypted ? maker_in(raw_) : std::string();
  const std::string opening = opening_of(raw_);
  if (!maker.empty()) finding.says = "system title " + maker;
  for (const Sender& sender : catalogue_.senders()) {
    if (sender.profile->protocol != ear.protocol) continue;
    int points = 1;
    if (finding.encrypted) {
      if (sender.maker == maker) points += 100;
      if (sender.opening == opening) points += 50;
    } else {
      points += likeness(ear.print, sender.print);
    }
    Match& match = finding.matches.emplace_back(sender.profile->id, points);
    match.values = ear.print.codes.size();
  }
  rank(finding.matches);
  return finding;
}

std::optional<Finding> Ears::finding() const {
  const auto best = std::ranges::max_element(
      ears_, {}, [](const Ear& ear) { return std::pair(ear.telegrams, ear.encrypted); });
  if (best == ears_.end() || best->telegrams + best->encrypted == 0) return std::nullopt;
  catalogue_.listen_to_twins();
  return named(*best);
}

}  // namespace meterbridge::scan
