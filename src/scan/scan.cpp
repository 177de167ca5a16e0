// SPDX-License-Identifier: MIT
#include "scan/scan.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::scan {
namespace {

namespace step = protocol::step;

constexpr Milliseconds slice{500};          // of listening
constexpr Milliseconds short_listen{2500};  // where nothing at all was heard before
constexpr Milliseconds calm{2000};          // after an identification: a readout may follow it
constexpr Milliseconds longest_readout{200'000};
constexpr Milliseconds gap{40};
constexpr std::size_t noise = 24;  // bytes that a line without bias brings by itself
constexpr std::size_t most_answer = 2048;
// Who answers to this number answers to every number: hardly anybody gives it to a meter.
constexpr std::uint32_t unlikely_unit = 231;

Milliseconds time_of(std::size_t bytes, const LineSettings& line) {
  constexpr std::size_t bits = 11;
  return Milliseconds(static_cast<std::int64_t>(bytes * bits * 1000 / line.baud));
}

std::size_t alike_letters(std::string_view a, std::string_view b) {
  const auto [at, other] = std::ranges::mismatch(a, b);
  return static_cast<std::size_t>(at - a.begin());
}

}  // namespace

Scan::Scan(Catalogue& catalogue, const Wishes& wishes)
    : catalogue_(catalogue), wishes_(wishes), plan_(make_plan(catalogue, wishes)) {}

Scan::~Scan() = default;

std::optional<protocol::Step> Scan::tune(const LineSettings& line) {
  if (wishes_.network || line_ == line) return std::nullopt;
  line_ = line;
  return step::Retune(line);
}

Result<protocol::Step> Scan::next() {
  if (auto listening = listen()) return *std::move(listening);
  if (auto asking = ask()) return *std::move(asking);
  return protocol::Step(step::Finished(protocol::Telegram()));
}

// A line that was silent at the first speed is silent at all: a sender at another speed would have
// been heard as noise. It gets a short second look, then it is asked.
std::optional<protocol::Step> Scan::listen() {
  while (stretch_ < plan_.listening.size()) {
    const Stretch& stretch = plan_.listening[stretch_];
    if (!ears_) {
      ears_ = std::make_unique<Ears>(catalogue_, stretch.line);
      listened_ = Milliseconds(0);
      if (auto tuned = tune(stretch.line)) return tuned;
    }
    const bool silent = heard_ == 0 && stretch_ > 0 && wishes_.depth != Depth::deep;
    const Milliseconds length = silent ? std::min(short_listen, stretch.length) : stretch.length;
    if (listened_ < length && !ears_->enough()) return step::Listen(slice);
    end_stretch();
  }
  return std::nullopt;
}

void Scan::end_stretch() {
  const std::string master = ears_->master();
  auto finding = ears_->finding();
  ears_.reset();
  ++stretch_;
  const bool rest_is_silent = heard_ == 0 && stretch_ > 1 && wishes_.depth != Depth::deep;
  if (rest_is_silent) stretch_ = plan_.listening.size();
  if (!master.empty() && !finding) {
    stretch_ = plan_.listening.size();
    stopped_ =
        "another master talks here: requests of " + master +
        " were heard. Two masters on one line disturb each other, so nothing was asked. Stop "
        "the other one, or read its line with meterbridge in its place";
  } else if (finding) {
    stretch_ = plan_.listening.size();
    stopped_ = "a meter sends here by itself; nobody is asked while it talks";
    add(*std::move(finding));
  } else if (stretch_ == plan_.listening.size() && heard_ > noise && !wishes_.anyway) {
    stopped_ = std::to_string(heard_) +
               " bytes were heard that nothing here understands, so nothing was asked: somebody "
               "talks on this line. If it is only noise, --anyway asks";
  }
}

std::optional<protocol::Step> Scan::ask() {
  while (stopped_.empty() && round_ < plan_.rounds.size()) {
    const Round& round = plan_.rounds[round_];
    if (identify_) {
      if (auto inner = identify_->next()) {
        if (const auto* send = std::get_if<step::Send>(&*inner)) note_request(send->bytes);
        return inner;
      }
      add(std::move(*identify_).result());
      identify_.reset();
      continue;
    }
    if (asking_ == Asking::calming) return step::Listen(calm);
    if (question_ >= round.questions.size()) {
      question_ = 0;
      ++round_;
      if (!findings_.empty() && wishes_.depth != Depth::deep) round_ = plan_.rounds.size();
      continue;
    }
    const Question& question = round.questions[question_];
    if (asking_ == Asking::ready) {
      if (auto tuned = tune(round.line)) return tuned;
      if (!std::exchange(quiet_, true)) return step::Drain(gap);
      Bytes request = request_of(question);
      if (request.empty()) {  // its protocol does not allow it
        end_question();
        continue;
      }
      quiet_ = false;
      asking_ = Asking::sent;
      note_request(request);
      return step::Send(std::move(request));
    }
    return step::Listen(question.wait);
  }
  return std::nullopt;
}

void Scan::note_request(const Bytes& request) {
  answer_.clear();
  last_request_ = std::exchange(request_, request);
}

void Scan::received(ByteView bytes) {
  if (ears_) {
    heard_ += bytes.size();
    ears_->hear(bytes);
    listened_ += time_of(bytes.size(), plan_.listening[stretch_].line);
    return;
  }
  if (identify_) {
    if (answer_.size() < most_answer) answer_.insert(answer_.end(), bytes.begin(), bytes.end());
    notice_master(answer_, true);
    if (identify_) identify_->received(bytes);
    return;
  }
  if (asking_ == Asking::calming) {
    babble_ += time_of(bytes.size(), plan_.rounds[round_].line);
    if (babble_ > longest_readout) silence();
    return;
  }
  if (round_ >= plan_.rounds.size()) return;
  answer_.insert(answer_.end(), bytes.begin(), bytes.end());
  const Question& question = plan_.rounds[round_].questions[question_];
  if (const auto presence = judge(question, answer_)) {
    if (!master_in_answer(true)) found(*presence);
  } else if (answer_.size() > most_answer) {
    end_question();
  }
}

void Scan::silence() {
  if (ears_) {
    listened_ += slice;
  } else if (identify_) {
    notice_master(answer_, false);
    if (identify_) identify_->silence();
  } else {
    (void)master_in_answer(false);
    end_question();
  }
}

// Other masters do not wait for our pauses. A mutilated echo of ours still looks like a sign-on.
bool Scan::master_in_answer(bool more) {
  if (asking_ != Asking::sent || answer_.empty() ||
      plan_.rounds[round_].questions[question_].family == Family::iec62056)
    return false;
  notice_master(answer_, more);
  return !stopped_.empty();
}

// Other masters' questions also fall between ours.
void Scan::drained(ByteView bytes) {
  if (!ears_) notice_master(bytes, false);
}

// What an adapter returns of our own requests, late at times, is none of theirs.
void Scan::notice_master(ByteView bytes, bool more) {
  Bytes others(bytes.begin(), bytes.end());
  for (const Bytes& own : {request_, last_request_}) {
    const auto echo = std::search(others.begin(), others.end(), own.begin(), own.end());
    if (echo != others.end()) others.erase(echo, echo + static_cast<std::ptrdiff_t>(own.size()));
  }
  const std::string master = foreign_master(others, more);
  if (master.empty()) return;
  stopped_ = "another master talks here: between the questions of this scan a request of " +
             master + " was heard. The scan stopped asking";
  if (!identify_) return;
  Finding finding = std::move(*identify_).result();
  identify_.reset();
  rank(finding.matches);
  finding.remark = "not all profiles were compared: another master talks here";
  findings_.push_back(std::move(finding));
}

void Scan::end_question() {
  asking_ = Asking::ready;
  quiet_ = false;
  babble_ = Milliseconds(0);
  ++question_;
}

void Scan::broken() {
  line_.reset();
  if (ears_) {
    listened_ = Milliseconds::max() / 2;
  } else if (identify_) {
    identify_->silence();
  } else {
    end_question();
  }
}

void Scan::found(const Presence& presence) {
  const Question question = plan_.rounds[round_].questions[question_];
  const bool checked = everybody_ && question.address == unlikely_unit;
  if (checked) {
    findings_.back().remark = "it answers to every unit number: only one was looked at";
    leave_out_rest();
    end_question();
    return;
  }
  Finding finding;
  finding.protocol = protocol_of(question.family);
  finding.line = plan_.rounds[round_].line;
  finding.address = presence.address;
  finding.says = presence.says;
  end_question();
  const bool again = std::ranges::any_of(findings_, [&](const Finding& known) {
    return known.protocol == finding.protocol && known.address == finding.address &&
           known.line == finding.line;
  });
  if (again) return;
  if (question.family == Family::modbus_rtu && wishes_.network)
    finding.settings.emplace_back("framing", "rtu");
  if (question.family == Family::modbus_tcp) finding.settings.emplace_back("framing", "tcp");
  if (question.family == Family::iec62056) {
    found_by_identification(std::move(finding));
    asking_ = Asking::calming;
    --question_;
    return;
  }
  if (question.family == Family::dlt645) {
    found_by_version(question, std::move(finding));
    return;
  }
  const bool told_apart =
      question.family != Family::mercury && question.family != Family::mercury200;
  if (told_apart) {
    identify_ = std::make_unique<Identify>(catalogue_, question, std::move(finding));
    return;
  }
  // Without a session they all say the same.
  for (const Candidate& candidate : catalogue_.candidates(finding.protocol)) {
    if (wishes_.network || candidate.profile->line == finding.line)
      finding.matches.emplace_back(candidate.profile->id, 1);
  }
  rank(finding.matches);
  finding.remark =
      "the models of this family say the same unless a session is opened, and the scan opens none; "
      "one reads like the other, so choose the name that is on the label";
  add(std::move(finding));
}

// Which codes the meter has is not asked: only which version it speaks.
void Scan::found_by_version(const Question& question, Finding finding) {
  const bool old = question.function == 0x01;
  for (const Candidate& candidate : catalogue_.candidates(finding.protocol)) {
    if ((candidate.whole.text("version") == "1997") != old) continue;
    // Whatever their usual speed: meters of any maker are set to any.
    finding.matches.emplace_back(candidate.profile->id, 1);
  }
  rank(finding.matches);
  finding.remark =
      "the meter was asked for its energy only: which other values it has, the profile must know";
  add(std::move(finding));
}

// The profile whose own exchanges show the most similar identification; those without any, and on
// the same line, are as likely as each other.
void Scan::found_by_identification(Finding finding) {
  constexpr std::size_t maker = 3;
  const bool known = std::ranges::any_of(
      findings_, [&](const Finding& one) { return one.protocol == finding.protocol; });
  if (known) return;
  for (const Candidate& candidate : catalogue_.candidates(finding.protocol)) {
    const bool here = wishes_.network || candidate.profile->line == finding.line;
    std::size_t letters = 0;
    for (const std::string& example : candidate.signs_as)
      letters = std::max(letters, alike_letters(finding.says, example));
    if (!here && letters <= maker) continue;
    // Whoever is of the same maker stays in view: few identifications are known for sure.
    constexpr int of_maker = 100;
    const int points = letters >= maker ? of_maker + static_cast<int>(letters) : 1;
    finding.matches.emplace_back(candidate.profile->id, points);
  }
  rank(finding.matches);
  add(std::move(finding));
}

void Scan::leave_out_rest() {
  Round& round = plan_.rounds[round_];
  round.questions.resize(std::min(question_ + 1, round.questions.size()));
}

void Scan::add(Finding finding) {
  findings_.push_back(std::move(finding));
  if (stretch_ < plan_.listening.size() || round_ >= plan_.rounds.size()) return;
  const Finding& last = findings_.back();
  Round& round = plan_.rounds[round_];
  // What is no Modbus line is not asked Modbus questions, and the other way round.
  const std::string mine = last.protocol;
  const auto rest = round.questions.begin() + static_cast<std::ptrdiff_t>(question_);
  round.questions.erase(std::remove_if(rest, round.questions.end(),
                                       [&](const Question& question) {
                                         return protocol_of(question.family) != mine;
                                       }),
                        round.questions.end());
  check_numbers();
}

// Who answers to a number that hardly anybody has does not look at numbers at all.
void Scan::check_numbers() {
  Round& round = plan_.rounds[round_];
  if (everybody_ || !wishes_.network || findings_.back().protocol != "modbus" || question_ == 0 ||
      !wishes_.addresses.empty())
    return;
  everybody_ = true;
  Question check = round.questions[question_ - 1];
  check.address = unlikely_unit;
  round.questions.insert(round.questions.begin() + static_cast<std::ptrdiff_t>(question_),
                         std::move(check));
}

std::string Scan::progress() const {
  if (ears_ && wishes_.network) return "listens";
  if (ears_) return "listens at " + plan_.listening[stretch_].line.text();
  if (round_ >= plan_.rounds.size()) return "is done";
  const Round& round = plan_.rounds[round_];
  const std::string at = wishes_.network ? "" : " at " + round.line.text();
  if (identify_) return "compares profiles, " + identify_->progress() + at;
  if (question_ >= round.questions.size()) return "asks" + at;
  const Question& question = round.questions[question_];
  return "asks " + std::string(title_of(question.family)) + " " + std::to_string(question.address) +
         at;
}

}  // namespace meterbridge::scan
