// SPDX-License-Identifier: MIT
#include "scan/identify.hpp"

#include "core/text.hpp"
#include "scan/plausible.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace meterbridge::scan {
namespace {

constexpr std::size_t most_wholes = 24;   // profiles that are read as a whole
constexpr std::size_t number_length = 2;  // of Modbus TCP, in front
constexpr int of_badge = 1000;            // points: more than any number of values

bool has_setting(const Candidate& candidate, std::string_view name) {
  const auto specs = candidate.profile->protocol->settings;
  return std::ranges::find(specs, name, &SettingSpec::name) != specs.end();
}

void set_address(SettingValues& values, const Candidate& candidate, const std::string& address) {
  const auto specs = candidate.profile->protocol->settings;
  const auto spec = std::ranges::find(specs, std::string_view("address"), &SettingSpec::name);
  if (spec == specs.end() || address.empty()) return;
  auto parsed = parse_setting(*spec, address);
  if (parsed) values.set("address", *std::move(parsed));
}

// A word of the profile's maker in what the device says of itself.
bool names(const std::string& says, const meter::Profile& profile) {
  const std::string text = lower(says);
  const std::string vendor = lower(profile.vendor);
  constexpr std::size_t shortest = 3;
  return vendor.size() >= shortest && vendor != "any" && text.find(vendor) != std::string::npos;
}

// Of the Energomera CE meters only this one answers who asks everybody.
bool only_answers_everybody(const Question& question, std::string_view profile) {
  constexpr std::uint32_t everybody = 0xFFFF;
  return question.family == Family::ce102 && question.address == everybody &&
         profile == "energomera-ce307";
}

std::string says_of(const MeterIdentity& meter) {
  std::string text;
  for (const std::string* part : {&meter.manufacturer, &meter.model, &meter.firmware}) {
    if (!part->empty()) text += (text.empty() ? "" : " ") + *part;
  }
  if (!meter.serial.empty()) text += (text.empty() ? "" : ", ") + ("serial number " + meter.serial);
  return sanitised(text);
}

}  // namespace

void rank(std::vector<Match>& matches) {
  std::ranges::sort(matches, [](const Match& a, const Match& b) {
    return a.points != b.points ? a.points > b.points : a.profile < b.profile;
  });
  if (matches.empty()) return;
  const int least = matches.front().points * 3 / 4;
  std::erase_if(matches, [least](const Match& match) { return match.points < least; });
}

Identify::Identify(const Catalogue& catalogue, const Question& question, Finding found)
    : question_(question), finding_(std::move(found)) {
  for (const Candidate& candidate : catalogue.candidates(finding_.protocol)) {
    Trial& trial = trials_.emplace_back();
    trial.candidate = &candidate;
    trial.whole = !candidate.glance;
  }
}

SettingValues Identify::settings_for(const Trial& trial) const {
  const Candidate& candidate = *trial.candidate;
  SettingValues values = trial.badge != nullptr ? settings_of(candidate, *trial.badge)
                         : trial.whole          ? candidate.whole
                                                : *candidate.glance;
  set_address(values, candidate, finding_.address);
  for (const auto& [name, value] : finding_.settings)
    values.set(name, value);
  values.set("response_timeout", question_.wait + Milliseconds(150));
  values.set("retries", std::int64_t{0});
  if (trial.whole && trial.badge == nullptr && has_setting(candidate, "identify"))
    values.set("identify", true);
  return values;
}

bool Identify::begin_next() {
  for (;;) {
    if (refused_) return false;
    if (at_ == trials_.size()) {
      if (badges_) return false;
      chosen_ ? look_at_badges() : choose();
      continue;
    }
    trial_ = trials_[at_++];
    auto driver = trial_.candidate->profile->protocol->driver(settings_for(trial_));
    if (!driver) continue;
    dialogue_.reset();
    driver_ = *std::move(driver);
    dialogue_ = driver_->begin();
    before_.clear();
    replay_.reset();
    return true;
  }
}

// Those that a glance does not rule out are read as a whole, the likeliest first.
void Identify::choose() {
  chosen_ = true;
  std::ranges::sort(glanced_, {}, [](const auto& seen) {
    return std::pair(-seen.first, std::string_view(seen.second->profile->id));
  });
  if (glanced_.size() > most_wholes) glanced_.resize(most_wholes);
  for (const auto& [points, candidate] : glanced_) {
    Trial& trial = trials_.emplace_back();
    trial.candidate = candidate;
    trial.whole = true;
  }
}

// Where several profiles found something likely, what the device calls itself decides.
void Identify::look_at_badges() {
  badges_ = true;
  if (finding_.matches.size() < 2) return;
  std::vector<Trial> asked;
  for (const Trial& trial : trials_) {
    const std::string& id = trial.candidate->profile->id;
    const Badge* const badge = badge_of(id);
    const bool matched =
        std::ranges::find(finding_.matches, id, &Match::profile) != finding_.matches.end();
    const bool twice = std::ranges::find(asked, badge, &Trial::badge) != asked.end();
    if (badge == nullptr || !matched || twice) continue;
    asked.push_back(trial);
    asked.back().whole = true;
    asked.back().badge = badge;
  }
  trials_.insert(trials_.end(), asked.begin(), asked.end());
}

void Identify::decide() {
  const auto refuted = [this](const Match& match) { return refuted_.contains(match.profile); };
  if (!std::ranges::all_of(finding_.matches, refuted)) std::erase_if(finding_.matches, refuted);
  rank(finding_.matches);
}

void Identify::settle(const Trial& trial, const Result<protocol::Telegram>& result) {
  dialogue_.reset();
  if (trial.badge != nullptr) {
    if (!result) return;
    const std::string& id = trial.candidate->profile->id;
    const Bearer bearer = bearer_of(*trial.badge, *result);
    if (bearer == Bearer::another) refuted_.insert(id);
    if (bearer == Bearer::own)
      std::ranges::find(finding_.matches, id, &Match::profile)->points += of_badge;
    return;
  }
  if (!result) {
    refused_ = result.error().code() == Errc::access;
    if (refused_) finding_.remark = result.error().detail();
    return;
  }
  const Tally found = tally(*result);
  if (found.impossible > 0 || found.all() == 0) return;
  if (!trial.whole) {
    if (found.doubtful <= found.good) glanced_.emplace_back(found.points(0), trial.candidate);
    return;
  }
  int points = found.points(trial.candidate->rows);
  const std::string says = says_of(result->meter);
  constexpr int of_name = 40;
  if (names(says, *trial.candidate->profile)) points += of_name;
  if (points <= 0) return;
  if (only_answers_everybody(question_, trial.candidate->profile->id)) points += of_badge;
  Match& match = finding_.matches.emplace_back(trial.candidate->profile->id, points);
  match.values = found.all();
  if (points > best_said_ && !says.empty()) {
    best_said_ = points;
    finding_.says = says;
  }
}

void Identify::remember() {
  if (!asked_) return;
  answers_[*std::exchange(asked_, std::nullopt)] = std::move(heard_);
  heard_.clear();
}

std::optional<protocol::Step> Identify::send(const Bytes& request) {
  remember();
  const bool tcp = question_.family == Family::modbus_tcp && request.size() > number_length;
  std::string key = to_text(ByteView(request).subspan(tcp ? number_length : 0));
  if (const auto known = answers_.find(key); known != answers_.end()) {
    before_.clear();
    replay_ = known->second;
    if (tcp && replay_->size() > number_length)
      std::copy_n(request.begin(), number_length, replay_->begin());
    return std::nullopt;
  }
  asked_ = std::move(key);
  for (protocol::Step& step : before_)
    ready_.push_back(std::move(step));
  before_.clear();
  ready_.emplace_back(protocol::step::Send(request));
  protocol::Step first = std::move(ready_.front());
  ready_.pop_front();
  return first;
}

std::optional<protocol::Step> Identify::next() {
  if (!ready_.empty()) {
    protocol::Step step = std::move(ready_.front());
    ready_.pop_front();
    return step;
  }
  for (;;) {
    if (!dialogue_ && !begin_next()) {
      decide();
      return std::nullopt;
    }
    auto step = dialogue_->next();
    if (!step) {
      remember();
      settle(trial_, step.error());
    } else if (auto* finished = std::get_if<protocol::step::Finished>(&*step)) {
      remember();
      settle(trial_, std::move(finished->telegram));
    } else if (const auto* request = std::get_if<protocol::step::Send>(&*step)) {
      if (auto out = send(request->bytes)) return out;
    } else if (std::holds_alternative<protocol::step::Listen>(*step)) {
      if (!replay_) return *step;
      const Bytes answer = *std::exchange(replay_, std::nullopt);
      if (answer.empty()) {
        dialogue_->silence();
      } else {
        dialogue_->received(answer);
      }
    } else if (!std::holds_alternative<protocol::step::Retune>(*step)) {
      before_.push_back(*std::move(step));
    }
  }
}

void Identify::received(ByteView bytes) {
  constexpr std::size_t most = 4096;
  if (heard_.size() < most) heard_.insert(heard_.end(), bytes.begin(), bytes.end());
  if (dialogue_) dialogue_->received(bytes);
}

void Identify::silence() {
  remember();
  if (dialogue_) dialogue_->silence();
}

Finding Identify::result() && {
  return std::move(finding_);
}

std::string Identify::progress() const {
  return std::to_string(at_) + " of " + std::to_string(trials_.size());
}

}  // namespace meterbridge::scan
