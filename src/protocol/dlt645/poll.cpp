// SPDX-License-Identifier: MIT
#include "protocol/dlt645/poll.hpp"

#include "protocol/dlt645/answer.hpp"

#include <algorithm>
#include <utility>

namespace meterbridge::protocol::dlt645 {
namespace {

// A meter may be silent for one value that it does not have; for two, it is probably away.
constexpr int lost_to_give_up = 2;

}  // namespace

Poll::Poll(const Options& options, Memory& memory, std::optional<int> first_attempts)
    : options_(options),
      memory_(memory),
      list_(options.pace.timing(memory.unsettled, first_attempts), [this] { return finish(); }) {
  memory_.remark.clear();
  plan();
}

Poll::~Poll() {
  memory_.unsettled = list_.unsettled();
}

void Poll::plan() {
  all_ = ++memory_.polls_since_all > Dlt645Driver::all_every;
  const auto left_alone = [this](const CodeRow& row) { return memory_.mute.contains(row.code); };
  if (std::ranges::all_of(options_.codes, left_alone)) all_ = true;
  std::set<std::uint32_t> asked;
  for (const CodeRow& row : options_.codes) {
    if (!all_ && (left_alone(row) || (row.once && memory_.constant.contains(row.code)))) continue;
    if (asked.insert(row.code).second) ask(row.code);
  }
}

void Poll::ask(std::uint32_t code) {
  Exchange exchange;
  exchange.what = "the value " + name_of(options_.version, code);
  exchange.request = read_request(options_.version, options_.address, code, options_.wake_ups);
  exchange.framer = find_frame;
  exchange.at_silence = settle;
  exchange.on_reply = [this, code](ByteView wire) { return judge(code, wire); };
  exchange.on_lost = [this, code](const Error& why) { return lost(code, why); };
  list_.add(std::move(exchange));
}

Result<Verdict> Poll::judge(std::uint32_t code, ByteView wire) {
  const auto frame = parse_frame(wire);
  if (!frame) return Verdict::ignored(frame.error().detail());
  if ((frame->control & from_meter) == 0)
    return Verdict::ignored("only a request: the own echo, or another master");
  if (frame->address != options_.address)
    return Verdict::ignored("only an answer of the address " + address_text(frame->address));
  const auto answer = answer_in(*frame);
  if (!answer) {
    const Errc kind = answer.error().code();
    if (kind != Errc::exception && kind != Errc::unsupported)
      return Verdict::ignored(answer.error().detail());
    heard_ = true;
    lost_in_a_row_ = 0;
    failed_[code] = answer.error();
    return Verdict::taken();
  }
  if (answer->version != options_.version || answer->code != code)
    return Verdict::ignored("only an answer to " + name_of(answer->version, answer->code));
  Telegram scratch = empty_telegram();
  const auto read = read_answer(scratch, *answer, options_.codes);
  if (!read) return Verdict::ignored(read.error().detail());
  heard_ = true;
  lost_in_a_row_ = 0;
  payloads_[code].assign(answer->payload.begin(), answer->payload.end());
  return Verdict::taken();
}

Result<> Poll::lost(std::uint32_t code, const Error& why) {
  failed_[code] = why;
  if (++lost_in_a_row_ < lost_to_give_up) return {};
  if (!heard_) return why;
  list_.clear();
  return {};
}

// What failed in this poll and in one before is not asked for any more; only a meter that is there
// is judged.
void Poll::remember() {
  for (const auto& [code, payload] : payloads_) {
    memory_.unheard.erase(code);
    memory_.mute.erase(code);
    bool once = true;
    for (const CodeRow& row : options_.codes)
      once = once && (row.code != code || row.once);
    if (once) memory_.constant[code] = payload;
  }
  for (const auto& [code, why] : failed_) {
    memory_.remark += (memory_.remark.empty() ? "" : "; ") + name_of(options_.version, code) +
                      ": " + why.detail();
    if (!memory_.unheard.insert(code).second) memory_.mute[code] = why.detail();
  }
  if (all_) memory_.polls_since_all = 0;
}

Result<Telegram> Poll::finish() {
  if (payloads_.empty()) {
    if (failed_.empty()) return Error(Errc::bug, "nothing was asked");
    const auto& [code, why] = *failed_.begin();
    return why.within("no value was read; " + name_of(options_.version, code));
  }
  Telegram telegram = empty_telegram();
  std::set<std::uint32_t> done;
  for (const CodeRow& row : options_.codes) {
    if (!done.insert(row.code).second) continue;
    auto payload = payloads_.find(row.code);
    if (payload == payloads_.end()) {
      payload = memory_.constant.find(row.code);
      if (payload == memory_.constant.end()) continue;
    }
    Selection answer;
    answer.version = options_.version;
    answer.code = row.code;
    answer.payload = payload->second;
    const auto read = read_answer(telegram, answer, options_.codes);
    if (!read) return read.error();
  }
  remember();
  telegram.time.reset();  // the time at which we asked is the better one
  telegram.readings.front().identity = telegram.meter;
  return telegram;
}

}  // namespace meterbridge::protocol::dlt645
